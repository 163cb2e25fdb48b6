"""A serial line, or a serial server on the network, as scales and pole displays hang on; pyserial is loaded when used.

The design names pyserial. Its last release is 3.5 of 2020: it speaks termios, which does not change, and needs nothing
else; python-escpos, which prints our receipts, builds on it.
"""

from __future__ import annotations

import re
import termios
from pathlib import PurePosixPath
from typing import Any, Final, NamedTuple

from tillmesh.kernel.errors import Invalid
from tillmesh.kernel.limits import SERIAL_CHUNK_BYTES_MAX

DEVICE_FOLDERS: Final = ("/dev/tty", "/dev/serial/")
READ_S: Final = 0.1  # how long one reading waits
WRITE_S: Final = 1.0
BROKEN: Final = (OSError, termios.error)  # pyserial's own errors are among them
_HOST: Final = re.compile(r"(?:\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9_.-]{1,253}):([0-9]{1,5})")
_SPEED: Final = re.compile(r"(?P<baud>[0-9]{3,6})\s+(?P<bits>[78])(?P<parity>[NEO])(?P<stop>[12])")


class Line(NamedTuple):
    """Where a device hangs, and how fast and in which frames it speaks."""

    url: str
    baud: int
    bits: int
    parity: str
    stop: int


def line_of(target: str, usual: str) -> Line:
    """Read ``/dev/serial/by-id/... [9600 7E1]`` or ``host:port``; without a speed the device's usual one.

    Whoever may change settings must not thereby read or write anything else on the machine: raises :class:`Invalid`.
    """
    where, _, speed = target.strip().partition(" ")
    match = _SPEED.fullmatch(speed.strip() or usual)
    host = _HOST.fullmatch(where)
    path = PurePosixPath(where)
    if host is not None and 0 < int(host[1]) < 65_536 and match is not None:
        where = f"socket://{where}"
    elif ".." in path.parts or not str(path).startswith(DEVICE_FOLDERS) or match is None:
        raise Invalid(
            f"{target[:60]!r} is no serial line",
            hint="Write it like /dev/ttyUSB0, /dev/serial/by-id/... 9600 7E1 or 192.168.1.50:4001.",
        )
    return Line(where, int(match["baud"]), int(match["bits"]), match["parity"], int(match["stop"]))


class Port:
    """An open line. Every method may raise one of BROKEN, and waits for no longer than READ_S or WRITE_S."""

    def __init__(self, line: Line) -> None:
        import serial

        self._serial: Any = serial.serial_for_url(
            line.url,
            baudrate=line.baud,
            bytesize=line.bits,
            parity=line.parity,
            stopbits=line.stop,
            timeout=READ_S,
            write_timeout=WRITE_S,
            **({} if "://" in line.url else {"exclusive": True}),
        )

    def read(self) -> bytes:
        """Give what has come, or nothing."""
        first: bytes = self._serial.read(1)
        more = min(self._serial.in_waiting, SERIAL_CHUNK_BYTES_MAX) if first else 0
        return first + (self._serial.read(more) if more else b"")

    def write(self, data: bytes) -> None:
        """Send it all."""
        self._serial.write(data)

    def close(self) -> None:
        """Let go of it."""
        self._serial.close()
