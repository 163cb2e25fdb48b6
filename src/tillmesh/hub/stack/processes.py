"""A server as a process of its own: started, found again by its number in a later run, stopped by that number alone."""

from __future__ import annotations

import os
import pwd
import signal
import subprocess
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

from tillmesh.kernel.errors import Conflict, StorageFailed

READY_S: Final = 240.0  # guess: a Java program on a machine that is busy with everything else
STOP_S: Final = 60.0
LOOK_S: Final = 0.1
TAIL_CHARS: Final = 600


class Server:
    """One program that runs in the background, with its output in ``output.log`` of its folder."""

    def __init__(self, name: str, place: Path, *, user: str = "", stop_with: signal.Signals = signal.SIGTERM) -> None:
        self.name, self.place, self.user = name, place, user
        self._stop_with = stop_with
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int | None:
        """Give the number of the running process; None if it does not run."""
        try:
            pid, begun = self._note.read_text("ascii").split()
        except (OSError, ValueError):
            return None
        return int(pid) if _begun(int(pid)) == begun else None

    def start(self, command: Sequence[str], ready: Callable[[], bool]) -> None:
        """Start it and wait until it is ready; raises when it ends before that."""
        if self.pid is not None:
            raise Conflict(f"{self.name} runs already as process {self.pid}", hint="Stop it first.")
        with self._output.open("ab") as output:
            self._process = subprocess.Popen(  # noqa: S603 - a command of ours
                list(command), stdin=subprocess.DEVNULL, stdout=output, stderr=output, cwd=self.place,
                start_new_session=True, **as_user(self.user),
            )  # fmt: skip
        self._note.write_text(f"{self._process.pid} {_begun(self._process.pid)}", "ascii")
        end = time.monotonic() + READY_S
        while not ready():
            if self._process.poll() is not None or time.monotonic() > end:
                self.stop()
                tail = self._output.read_text("utf-8", "replace")[-TAIL_CHARS:].strip()
                raise StorageFailed(f"{self.name} did not start: {tail}", hint=f"See {self._output}.")
            time.sleep(LOOK_S)

    def stop(self) -> None:
        """Stop it cleanly; by force if it takes too long."""
        self._end(self._stop_with)

    def kill(self) -> None:
        """End it at once, as a crash would."""
        self._end(signal.SIGKILL)

    def _end(self, how: signal.Signals) -> None:
        end = time.monotonic() + STOP_S
        while (pid := self.pid) is not None:
            os.kill(pid, how)
            while self.pid == pid and time.monotonic() < end:
                self._reap()
                time.sleep(LOOK_S)
            how, end = signal.SIGKILL, time.monotonic() + STOP_S
        if self._process is not None:  # its first thread has ended; the others may take a moment longer
            self._process.wait(STOP_S)
            self._process = None
        self._note.unlink(missing_ok=True)

    def _reap(self) -> None:
        if self._process is not None and self._process.poll() is not None:
            self._process = None

    @property
    def _note(self) -> Path:
        return self.place / "process"

    @property
    def _output(self) -> Path:
        return self.place / "output.log"


def as_user(name: str) -> dict[str, Any]:
    """Give what makes :mod:`subprocess` run a program as somebody else; nothing for no name."""
    if not name:
        return {}
    found = pwd.getpwnam(name)
    return {"user": found.pw_uid, "group": found.pw_gid, "extra_groups": [], "env": {**os.environ, "HOME": "/"}}


def _begun(pid: int) -> str | None:
    """Give when a process began, which tells it from a later one with its number; None if it has ended."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text("ascii", "replace")
    except OSError:
        return None
    fields = text[text.rindex(")") + 2 :].split()
    return None if fields[0] in {"Z", "X"} else fields[19]
