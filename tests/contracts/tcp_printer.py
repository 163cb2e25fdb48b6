"""A receipt printer on loopback that misbehaves on demand: it answers DLE EOT at once and GS r in its turn."""

from __future__ import annotations

import socket
import threading
from dataclasses import dataclass, field
from typing import Literal, Self

Mood = Literal["fine", "hangs", "one_way", "cut_off", "paper_out", "runs_out", "cover_open", "babbles", "no_gs_r"]

UNPLUG = b"pull the plug"
READY = {1: 0x12, 2: 0x12, 4: 0x12}
PAPER_OUT = {1: 0x1A, 2: 0x32, 4: 0x72}
COVER_OPEN = {1: 0x1A, 2: 0x16, 4: 0x12}


@dataclass
class TcpPrinter:
    """Collects what came out on ``paper``; commands that ask are not printed."""

    mood: Mood = "fine"
    paper: bytes = b""
    connections: int = 0
    _socket: socket.socket = field(default_factory=lambda: socket.create_server(("127.0.0.1", 0)))
    _thread: threading.Thread | None = None

    @property
    def port(self) -> int:
        return int(self._socket.getsockname()[1])

    def __enter__(self) -> Self:
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.unplug()

    def unplug(self) -> None:
        """Stop listening; the port then refuses."""
        if self._thread is not None and self._thread.is_alive():
            with socket.create_connection(("127.0.0.1", self.port)) as last:
                last.sendall(UNPLUG)
            self._thread.join(5)
        self._thread = None
        self._socket.close()

    def _serve(self) -> None:
        while True:
            connection, _ = self._socket.accept()
            self.connections += 1
            with connection:
                if not self._talk(connection):
                    return

    def _talk(self, connection: socket.socket) -> bool:
        """Serve one job; False when the plug was pulled after all others."""
        data = b""
        served = 0
        while chunk := connection.recv(4096):
            data += chunk
            if data == UNPLUG:
                return False
            served, answers = self._work_off(data, served)
            connection.sendall(answers)
            if self.mood == "cut_off" and len(self.paper) > 4:
                self.paper = self.paper[:4]
                break
        return True

    def _work_off(self, data: bytes, at: int) -> tuple[int, bytes]:
        """Take commands and paper bytes from ``at`` on; give where to go on and what to answer."""
        answers = b""
        while at < len(data):
            command = data[at : at + 3]
            if command[:1] in (b"\x10", b"\x1d") and len(command) < 3:
                break
            if command[:2] == b"\x10\x04":
                answers += self._answer(command[2])
                at += 3
            elif command == b"\x1dr\x01":
                answers += b"\x00" if self.mood == "fine" else b""
                at += 3
            elif self.mood == "runs_out" and len(self.paper) >= 4:
                at += 1
            else:
                self.paper += data[at : at + 1]
                at += 1
        return at, answers

    def _answer(self, question: int) -> bytes:
        match self.mood:
            case "hangs" | "one_way":
                return b""
            case "paper_out":
                return bytes([PAPER_OUT[question]])
            case "runs_out":
                return bytes([(PAPER_OUT if self.paper else READY)[question]])
            case "cover_open":
                return bytes([COVER_OPEN[question]])
            case "babbles":
                return b"\xff"
            case "fine" | "cut_off" | "no_gs_r":
                return bytes([READY[question]])
