"""A model that does what its input says: answer, crash, stall, say NaN, or take all memory."""

import os
import signal
import threading
from collections.abc import Callable, Sequence
from typing import Any

from tillmesh.edge.bundle import Bundle

SLOW_S = 0.5


class Moody:
    def __init__(self, version: int) -> None:
        self._version = version
        self._state = b""
        self._held: list[bytes] = []

    def run(self, inputs: Sequence[bytes]) -> Sequence[Any]:
        return [self._one(given) for given in inputs]

    def _one(self, given: bytes) -> Any:
        match given:
            case b"crash":
                os.kill(os.getpid(), signal.SIGKILL)
            case b"stall":
                threading.Event().wait()
            case b"error":
                raise RuntimeError("moody today")
            case b"no input":
                raise ValueError("this is no picture")
            case b"memory":
                self._held.append(b"x" * (1 << 34))
            case b"hold":
                self._held.append(b"x" * (96 << 20))
            case b"slow":
                threading.Event().wait(SLOW_S)
            case b"nan":
                return {"score": float("nan")}
            case _:
                pass
        return {"said": given.decode(), "version": self._version, "state": self._state.decode()}

    def tell(self, state: bytes) -> None:
        self._state = state


def load(bundle: Bundle, now_ms: Callable[[], int]) -> Moody:
    match bundle.files.get("mood.txt", b""):
        case b"crash":
            os.kill(os.getpid(), signal.SIGKILL)
        case b"broken":
            raise RuntimeError("does not load")
        case _:
            pass
    return Moody(bundle.manifest.version)
