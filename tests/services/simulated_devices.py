"""Devices that are threads, a Mettler-Toledo 8217 among them: behind a pseudo-terminal, or a server on the loopback."""

from __future__ import annotations

import os
import pty
import select
import socket
import threading
import tty
from contextlib import suppress
from pathlib import Path
from typing import Protocol, Self

from tests.ports import free_port

LOOK_S = 0.05  # how long a thread waits before it looks whether it is to end


class Mettler:
    """What lies on it is put there by the test."""

    def __init__(self) -> None:
        self.answer = b"\x0200.000\r"
        self.asked = 0

    def put(self, grams: int) -> None:
        self.answer = b"\x02%02d.%03d\r" % divmod(grams, 1000)

    def shake(self) -> None:
        self.answer = b"\x02?A\r"

    def mute(self) -> None:
        self.answer = b""

    def hear(self, data: bytes) -> bytes:
        self.asked += data.count(b"W")
        return self.answer * data.count(b"W")


class Device(Protocol):
    """Whatever hangs on a cable."""

    def hear(self, data: bytes) -> bytes:
        """Take bytes in and give what to answer."""


class PtyCable:
    """A cable with a name that stays, as below /dev/serial/by-id; it can be pulled and plugged in again."""

    def __init__(self, path: Path, device: Device) -> None:
        self.path, self._device = path, device
        self.plug()

    def plug(self) -> None:
        """Plug it in: the machine gives it another number each time."""
        self._master, self._slave = pty.openpty()
        tty.setraw(self._slave)
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._serve, name="cable", daemon=True)
        self.path.symlink_to(os.ttyname(self._slave))
        self._thread.start()

    def pull(self) -> None:
        """Pull it."""
        self.path.unlink()
        self._ended.set()
        self._thread.join()
        os.close(self._slave)
        os.close(self._master)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if not self._ended.is_set():
            self.pull()

    def _serve(self) -> None:
        while not self._ended.is_set():
            if select.select([self._master], [], [], LOOK_S)[0]:
                with suppress(OSError):
                    os.write(self._master, self._device.hear(os.read(self._master, 256)))


class TcpServer:
    """A serial server with one device, one till at a time, which can go away and come back."""

    def __init__(self, device: Device) -> None:
        self._device = device
        self.address = f"127.0.0.1:{free_port()}"
        self.open()

    def open(self) -> None:
        host, _, port = self.address.partition(":")
        self._listening = socket.create_server((host, int(port)))
        self._listening.settimeout(LOOK_S)
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._serve, name="scale server", daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._ended.set()
        self._thread.join()
        self._listening.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if not self._ended.is_set():
            self.close()

    def _serve(self) -> None:
        while not self._ended.is_set():
            with suppress(OSError):
                held, _ = self._listening.accept()
                with held:
                    held.settimeout(LOOK_S)
                    self._answer(held)

    def _answer(self, held: socket.socket) -> None:
        while not self._ended.is_set():
            try:
                data = held.recv(256)
            except TimeoutError:
                continue
            if not data:
                return
            held.sendall(self._device.hear(data))


class TcpScale(TcpServer, Mettler):
    """A scale behind a serial server."""

    def __init__(self) -> None:
        Mettler.__init__(self)
        TcpServer.__init__(self, self)
