"""Receipt printers and cash drawers: ``open_printer`` for the device, ``EscPosEncoder`` for what it is sent."""

from __future__ import annotations

from tillmesh.adapters.devices.escpos import EscPosEncoder
from tillmesh.adapters.devices.files import FilePrinter, FolderPrinter
from tillmesh.adapters.devices.network import NetworkPrinter
from tillmesh.adapters.devices.none import NoPrinter
from tillmesh.adapters.devices.targets import open_printer
from tillmesh.adapters.devices.usb import UsbPrinter

__all__ = [
    "EscPosEncoder",
    "FilePrinter",
    "FolderPrinter",
    "NetworkPrinter",
    "NoPrinter",
    "UsbPrinter",
    "open_printer",
]
