"""The internet between a store and head office, as slow as it is told: one queue in each direction, as in a router."""

from __future__ import annotations

import contextlib
import queue
import socket
import threading
import time
from typing import Final, TypeAlias

PIECE: Final = 1_024
WAITING_MAX: Final = 64  # pieces; a router's buffer, with a big one everything would wait behind it


class SlowLine:
    """Hands bytes to and fro, so many a second in each direction once it was limited."""

    def __init__(self, port: int) -> None:
        self._to = port
        self._bytes_per_s: int | None = None
        self._ways: dict[str, Way] = {}
        for way in ("up", "down"):
            self._ways[way] = queue.Queue(WAITING_MAX)
            threading.Thread(target=self._carry, args=(self._ways[way],), daemon=True).start()
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listening.getsockname()[1])
        threading.Thread(target=self._accept, daemon=True).start()

    def limit(self, bytes_per_s: int | None) -> None:
        """Carry so many bytes a second in each direction; None: all that come."""
        self._bytes_per_s = bytes_per_s

    def close(self) -> None:
        """Take no more calls."""
        self._listening.close()

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._listening.accept()
                far = socket.create_connection(("127.0.0.1", self._to))
            except OSError:
                return
            call = _Call(near, far)
            for way, source, sink in (("up", near, far), ("down", far, near)):
                threading.Thread(target=self._read, args=(self._ways[way], source, sink, call), daemon=True).start()

    def _read(self, way: Way, source: socket.socket, sink: socket.socket, call: _Call) -> None:
        with contextlib.suppress(OSError):
            while piece := source.recv(PIECE):
                way.put((sink, piece, call))
        way.put((sink, b"", call))

    def _carry(self, way: Way) -> None:
        free_at = 0.0
        while True:
            sink, piece, call = way.get()
            if (limit := self._bytes_per_s) is not None:
                free_at = max(free_at, time.monotonic()) + len(piece) / limit
                time.sleep(max(0.0, free_at - time.monotonic()))
            with contextlib.suppress(OSError):
                if piece:
                    sink.sendall(piece)
                else:
                    sink.shutdown(socket.SHUT_RDWR)
            if not piece:
                call.end()


class _Call:
    """One connection; closed when neither side says anything more."""

    def __init__(self, near: socket.socket, far: socket.socket) -> None:
        self._ends, self._left, self._guard = (near, far), 2, threading.Lock()

    def end(self) -> None:
        with self._guard:
            self._left -= 1
            if self._left == 0:
                for end in self._ends:
                    end.close()


Way: TypeAlias = "queue.Queue[tuple[socket.socket, bytes, _Call]]"
