"""From the settings of a till to its printer, its scale and its pole display."""

from __future__ import annotations

import re
from pathlib import Path, PurePosixPath
from typing import Final

from tillmesh.adapters.devices.files import FilePrinter, FolderPrinter
from tillmesh.adapters.devices.network import PORT, NetworkPrinter
from tillmesh.adapters.devices.none import NoPrinter
from tillmesh.adapters.devices.pole import SerialPole
from tillmesh.adapters.devices.scale import SerialScale
from tillmesh.adapters.devices.serial_line import line_of
from tillmesh.adapters.devices.usb import UsbPrinter
from tillmesh.kernel.errors import Invalid
from tillmesh.till.pole import KINDS, PAGES, Pole
from tillmesh.till.printing import Printer
from tillmesh.till.scales import DIALOGUES, Scale

DEVICE_FOLDERS: Final = ("/dev/usb/", "/dev/lp", "/dev/tty", "/dev/serial/")
_HOST = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9_.-]{1,253})(?::([0-9]{1,5}))?(/one-way)?")
_USB = re.compile(r"([0-9A-Fa-f]{4}):([0-9A-Fa-f]{4})")


def open_printer(kind: str, target: str, folder: Path) -> Printer:
    """Make the printer that the settings name; nothing is contacted yet. Raises :class:`Invalid`.

    ``kind``: none; network with ``host[:port][/one-way]``; usb with ``vendor:product`` in hexadecimal digits; file
    with a device below /dev or a path inside ``folder`` (ending in "/" for one pair of files a job).
    """
    match kind:
        case "none":
            return NoPrinter()
        case "network":
            return _network(target)
        case "usb":
            return _usb(target)
        case "file":
            return _file(target, folder)
        case _:
            raise Invalid(f"{kind[:40]!r} is no kind of printer", hint="Use none, network, usb or file.")


def open_scale(kind: str, target: str) -> Scale | None:
    """Make the scale that the settings name, if they name one; nothing is opened yet. Raises :class:`Invalid`."""
    if kind == "none":
        return None
    if kind not in DIALOGUES:
        raise Invalid(f"{kind[:40]!r} is no kind of scale", hint=f"Use none, {', '.join(DIALOGUES)}.")
    begin = DIALOGUES[kind]
    return SerialScale(line_of(target, begin().speed), begin)


def open_pole(kind: str, target: str, page: str) -> Pole | None:
    """Make the pole display that the settings name, if any; nothing is opened yet. Raises :class:`Invalid`."""
    if kind == "none":
        return None
    if kind not in KINDS or page not in PAGES:
        raise Invalid(f"{kind[:40]!r} with {page[:40]!r} is no pole display", hint="Use epson or cd5220.")
    return SerialPole(line_of(target, "9600 8N1"), kind, page)


def _network(target: str) -> NetworkPrinter:
    found = _HOST.fullmatch(target.strip())
    port = int(found[2] or PORT) if found else 0
    if found is None or not 0 < port < 65_536:
        raise Invalid(f"{target[:60]!r} is no address of a printer", hint="Write it like 192.168.1.50 or printer:9100.")
    return NetworkPrinter(found[1].strip("[]"), port, answers=not found[3])


def _usb(target: str) -> UsbPrinter:
    found = _USB.fullmatch(target.strip())
    if found is None:
        raise Invalid(f"{target[:60]!r} is no pair of USB ids", hint="Write it like 04b8:0e15; lsusb lists them.")
    return UsbPrinter(int(found[1], 16), int(found[2], 16))


def _file(target: str, folder: Path) -> FilePrinter | FolderPrinter:
    """Whoever may change settings must not thereby write anywhere on the machine."""
    target = target.strip() or "receipts/"
    path = PurePosixPath(target.replace("\\", "/"))
    if ".." not in path.parts and str(path).startswith(DEVICE_FOLDERS):
        return FilePrinter(Path(path))
    if ".." in path.parts or path.is_absolute() or ":" in target or not path.name:
        raise Invalid(
            f"{target[:60]!r} is neither a printer device nor inside the till's data",
            hint="Write it like /dev/usb/lp0 or receipts/.",
        )
    inside = folder / path
    return FolderPrinter(inside) if target.endswith("/") else FilePrinter(inside)
