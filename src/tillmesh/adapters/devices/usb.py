"""A receipt printer on USB without a driver of the system, through python-escpos and pyusb (both loaded when used)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any, Final

from tillmesh.adapters.devices.answers import ASK_OFFLINE, ASK_PAPER, ASK_PRINTER, Answers, read_answers
from tillmesh.adapters.devices.loading import load_escpos
from tillmesh.till.printing import PrinterStatus, PrintFailed, Printout

TIMEOUT_MS: Final = 4_000
# USB 2.0, tables 9-12 and 9-13, and the printer class.
PRINTER_CLASS: Final = 7
BULK: Final = 2
INWARDS: Final = 0x80
USUAL: Final = (0x82, 0x01)  # in and out, as Epson numbers them


def endpoints(configuration: Iterable[Any]) -> tuple[int, int]:
    """Find where a printer is read from and written to: each maker numbers the two as it likes."""
    interfaces = sorted(configuration, key=lambda one: one.bInterfaceClass != PRINTER_CLASS)
    for interface in interfaces:
        bulk = [one.bEndpointAddress for one in interface if one.bmAttributes & 3 == BULK]
        inwards = [one for one in bulk if one & INWARDS]
        outwards = [one for one in bulk if not one & INWARDS]
        if outwards:
            return (inwards or USUAL)[0], outwards[0]
    return USUAL


class Link:
    """What we need of a USB printer: open, write, read, close. Any of them may raise any exception."""

    def __init__(self, vendor: int, product: int) -> None:
        """Name the device by its USB ids; nothing is opened yet."""
        self._ids = (vendor, product)
        self._device: Any = None

    def open(self) -> None:
        """Find and claim the device."""
        load_escpos()
        from escpos.printer import Usb

        if not Usb.is_usable():
            raise LookupError("pyusb is not installed")
        self._device = Usb(*self._ids, timeout=TIMEOUT_MS)
        self._device.open()
        self._device.in_ep, self._device.out_ep = endpoints(self._device.device.get_active_configuration())

    def write(self, data: bytes) -> None:
        """Send bytes."""
        self._device._raw(data)  # noqa: SLF001 - python-escpos has no public word for it

    def read(self) -> bytes:
        """Give what the device has to say, or nothing."""
        return bytes(self._device._read())  # noqa: SLF001 - the same

    def close(self) -> None:
        """Let go of the device."""
        if self._device is not None:
            self._device.close()


class UsbPrinter:
    """Prints over USB; the device is claimed for one job at a time, so another program may use it in between."""

    def __init__(self, vendor: int, product: int, *, link: Callable[[int, int], Link] = Link) -> None:
        """Take the USB ids of the printer; ``link`` makes the connection."""
        self._name = f"the USB printer {vendor:04x}:{product:04x}"
        self._link: Callable[[], Link] = partial(link, vendor, product)

    def print(self, out: Printout) -> None:
        """Print; raises PrintFailed."""
        with self._opened() as link:
            before = self._ask(link)
            if before.state != "ready":
                raise PrintFailed(before.detail, state=before.state, hint="Look at the printer.")
            try:
                link.write(out.data)
            except Exception as cause:
                raise PrintFailed(f"{self._name} stopped in the middle ({cause})", maybe_printed=True) from cause

    def status(self) -> PrinterStatus:
        """Say how the printer is; never raises."""
        try:
            with self._opened() as link:
                return self._ask(link)
        except PrintFailed as failure:
            return PrinterStatus(failure.state, failure.detail)

    @contextmanager
    def _opened(self) -> Iterator[Link]:
        link = self._link()
        try:
            link.open()
        except Exception as cause:  # pyusb, libusb and the operating system each raise their own.
            raise PrintFailed(
                f"{self._name} can't be opened ({cause})",
                hint="Is it plugged in, and may this user open it? Or print to /dev/usb/lp0.",
            ) from cause
        try:
            yield link
        finally:
            link.close()

    def _ask(self, link: Link) -> PrinterStatus:
        answers = []
        try:
            for question in (ASK_PRINTER, ASK_OFFLINE, ASK_PAPER):
                link.write(question)
                answers.append(link.read()[-1])
        except IndexError:
            raise PrintFailed(f"{self._name} does not answer", hint="Switch it off and on.") from None
        except Exception as cause:
            raise PrintFailed(f"{self._name} does not answer ({cause})", hint="Switch it off and on.") from cause
        return read_answers(Answers(*answers))
