"""How `tillmesh demo ctl` talks to a running demo: one JSON line each way over a Unix socket in its directory."""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, TypeAlias

from tillmesh.kernel.errors import Conflict, Invalid, TillmeshError

SOCKET: Final = "control.sock"
LINE_BYTES_MAX: Final = 65_536
ANSWER_S: Final = 90.0
CLIENT_S: Final = 5.0
Answer: TypeAlias = dict[str, Any]

USAGE: Final = "status, kill N, start N, cut N[,M..], heal, wan off, wan on"


class Control:
    """The demo's end: listens, and answers one question at a time between other duties."""

    def __init__(self, directory: Path) -> None:
        (directory / SOCKET).unlink(missing_ok=True)
        self._path = directory / SOCKET
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        with _reachable(directory) as near:
            self._socket.bind(near)
        self._path.chmod(0o600)
        self._socket.listen(8)

    def serve(self, handle: Callable[[list[str]], Answer], within_s: float) -> None:
        """Wait at most so long for a question and answer it."""
        self._socket.settimeout(within_s)
        try:
            client, _ = self._socket.accept()
        except TimeoutError:
            return
        with client:
            client.settimeout(CLIENT_S)
            try:
                words = json.loads(_line(client))
                client.sendall(json.dumps(_answer(handle, words)).encode() + b"\n")
            except (OSError, ValueError):
                return  # the other side went away, or spoke something else

    def close(self) -> None:
        """Stop listening and remove the socket."""
        self._socket.close()
        self._path.unlink(missing_ok=True)


def _answer(handle: Callable[[list[str]], Answer], words: object) -> Answer:
    if not isinstance(words, list) or not all(isinstance(word, str) for word in words):
        return {"error": "not a list of words", "hint": ""}
    try:
        return handle(words)
    except TillmeshError as error:
        return {"error": error.detail, "hint": error.hint}


def ask(directory: Path, words: list[str]) -> Answer:
    """Ask a running demo; raises :class:`Conflict` when none runs there."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as client:
        client.settimeout(ANSWER_S)
        try:
            with _reachable(directory) as near:
                client.connect(near)
            client.sendall(json.dumps(words).encode() + b"\n")
            answer: Answer = json.loads(_line(client))
        except (OSError, ValueError) as cause:
            raise Conflict(f"no demo is running in {directory}", hint="Start it, or name its --data DIR.") from cause
    return answer


def check(words: list[str]) -> list[str]:
    """Give the words back if they are a command, or raise :class:`Invalid` with what can be said."""
    match words:
        case ["status"]:
            return words
        case ["kill" | "start", number] if number.isascii() and number.isdigit():
            return words
        case ["heal"]:
            return words
        case ["cut", listed] if all(number.isascii() and number.isdigit() for number in listed.split(",")):
            return words
        case ["wan", "on" | "off"]:
            return words
        case _:
            raise Invalid(f"{' '.join(words)[:60]!r} is no command", hint=f"Say: {USAGE}.")


def _line(peer: socket.socket) -> bytes:
    data = b""
    while not data.endswith(b"\n"):
        chunk = peer.recv(4_096)
        if not chunk or len(data) > LINE_BYTES_MAX:
            raise ValueError("the line did not end")
        data += chunk
    return data


@contextmanager
def _reachable(directory: Path) -> Iterator[str]:
    """Name the socket in few characters: its address holds 107, and directories may be deeper."""
    full = str(directory.absolute() / SOCKET)
    if len(os.fsencode(full)) < 100 or not Path("/proc/self/fd").exists():
        yield full
        return
    handle = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield f"/proc/self/fd/{handle}/{SOCKET}"
    finally:
        os.close(handle)
