"""What hangs on a till: ``open_printer`` and ``EscPosEncoder`` for paper and drawer, ``open_scale`` for the scale."""

from __future__ import annotations

from tillmesh.adapters.devices.escpos import EscPosEncoder
from tillmesh.adapters.devices.files import FilePrinter, FolderPrinter
from tillmesh.adapters.devices.network import NetworkPrinter
from tillmesh.adapters.devices.none import NoPrinter
from tillmesh.adapters.devices.targets import open_printer, open_scale
from tillmesh.adapters.devices.usb import UsbPrinter

__all__ = [
    "EscPosEncoder",
    "FilePrinter",
    "FolderPrinter",
    "NetworkPrinter",
    "NoPrinter",
    "UsbPrinter",
    "open_printer",
    "open_scale",
]
