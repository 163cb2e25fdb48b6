"""What every printer promises, kept by all of them; and what a network printer makes of a printer in trouble."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace

import pytest

from tests.contracts.tcp_printer import COVER_OPEN, PAPER_OUT, READY, Mood, TcpPrinter
from tillmesh.adapters.devices import FilePrinter, FolderPrinter, NetworkPrinter, NoPrinter, UsbPrinter, open_printer
from tillmesh.adapters.devices.answers import Answers, read_answers
from tillmesh.adapters.devices.usb import USUAL, Link, endpoints
from tillmesh.kernel.errors import Invalid
from tillmesh.till.printing import Printer, PrintFailed, Printout

OUT = Printout(b"\x1b@Total 9.67\n\x1dV\x01", "Total 9.67\n", "000001-sale")
HASTE = 0.05  # every time limit of a network printer, shortened


class PluggedIn(Link):
    """A USB printer on the desk, without the cable."""

    def __init__(self, answers: dict[int, int], *, breaks: bool = False) -> None:
        self.answers, self.breaks = answers, breaks
        self.paper = b""
        self._reply = b""

    def open(self) -> None:
        self._reply = b""

    def write(self, data: bytes) -> None:
        if data[:2] == b"\x10\x04":
            self._reply = bytes([self.answers[data[2]]]) if self.answers else b""
            return
        if self.breaks:
            raise OSError("cable pulled")
        self.paper += data

    def read(self) -> bytes:
        return self._reply

    def close(self) -> None:
        pass


@dataclass
class Bench:
    """A printer that works, one of the same kind that does not, and what came out of the first."""

    good: Printer
    bad: Printer
    printed: Callable[[], bytes]


@pytest.fixture(params=["network", "network-one-way", "file", "folder", "usb"])
def bench(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Bench]:
    match request.param:
        case "network" | "network-one-way":
            answers = request.param == "network"
            with TcpPrinter("fine" if answers else "one_way") as there, TcpPrinter() as gone:
                gone.unplug()
                good = NetworkPrinter("127.0.0.1", there.port, answers=answers)
                yield Bench(good, NetworkPrinter("127.0.0.1", 1), lambda: _finished(there))
        case "file":
            path = tmp_path / "printer"
            yield Bench(FilePrinter(path), FilePrinter(tmp_path / "no" / "printer"), path.read_bytes)
        case "folder":
            (tmp_path / "file").touch()
            bad = FolderPrinter(tmp_path / "file" / "in-it")
            yield Bench(FolderPrinter(tmp_path / "out"), bad, (tmp_path / "out" / "000001-sale.bin").read_bytes)
        case _:
            link = PluggedIn(READY)
            good_usb = UsbPrinter(0x04B8, 0x0E15, link=lambda *_: link)
            yield Bench(good_usb, UsbPrinter(0x04B8, 0x0E15), lambda: link.paper)


def _finished(printer: TcpPrinter) -> bytes:
    """A one-way printer says nothing, so wait until it has stopped reading."""
    printer.unplug()
    return printer.paper


def test_printer_that_works_is_ready_and_prints_every_byte(bench: Bench) -> None:
    assert bench.good.status().state == "ready"
    bench.good.print(OUT)
    assert bench.printed() == OUT.data


def test_printer_that_is_not_there_fails_before_anything_is_printed(bench: Bench) -> None:
    assert bench.bad.status().state == "error"
    with pytest.raises(PrintFailed) as failed:
        bench.bad.print(OUT)
    assert not failed.value.maybe_printed
    assert failed.value.hint


def test_asking_how_it_is_prints_nothing(bench: Bench) -> None:
    bench.good.status()
    bench.good.print(OUT)
    bench.good.status()
    assert bench.printed() == OUT.data


def test_without_a_printer_every_job_is_refused_for_good() -> None:
    assert NoPrinter().status().state == "off"
    with pytest.raises(PrintFailed) as failed:
        NoPrinter().print(OUT)
    assert failed.value.state == "off"


@pytest.mark.parametrize(
    ("mood", "state", "maybe_printed"),
    [
        ("hangs", "error", False),
        ("babbles", "error", False),
        ("cover_open", "error", False),
        ("paper_out", "paper_out", False),
        ("runs_out", "paper_out", True),
        ("cut_off", "error", True),
    ],
)
def test_trouble_is_named_and_says_whether_paper_may_be_out(mood: Mood, state: str, *, maybe_printed: bool) -> None:
    with TcpPrinter(mood) as printer:
        with pytest.raises(PrintFailed) as failed:
            NetworkPrinter("127.0.0.1", printer.port, patience=HASTE).print(OUT)
        assert (failed.value.state, failed.value.maybe_printed) == (state, maybe_printed)
        assert bool(printer.paper) is maybe_printed


@pytest.mark.parametrize(("mood", "state"), [("hangs", "error"), ("paper_out", "paper_out"), ("cover_open", "error")])
def test_status_names_the_trouble_without_raising(mood: Mood, state: str) -> None:
    with TcpPrinter(mood) as printer:
        status = NetworkPrinter("127.0.0.1", printer.port, patience=HASTE).status()
        assert status.state == state
        assert status.detail


def test_printer_that_answers_but_never_says_it_is_done_is_taken_at_its_word() -> None:
    with TcpPrinter("no_gs_r") as printer:
        NetworkPrinter("127.0.0.1", printer.port, patience=HASTE).print(OUT)
        assert printer.paper == OUT.data


def test_usb_cable_pulled_in_the_middle_leaves_a_doubt() -> None:
    with pytest.raises(PrintFailed) as failed:
        UsbPrinter(1, 2, link=lambda *_: PluggedIn(READY, breaks=True)).print(OUT)
    assert failed.value.maybe_printed


def test_usb_printer_that_is_out_of_paper_or_silent_gets_nothing() -> None:
    for answers, state in ((PAPER_OUT, "paper_out"), ({}, "error")):
        link = PluggedIn(answers)
        printer = UsbPrinter(1, 2, link=lambda *_, link=link: link)
        assert printer.status().state == state
        with pytest.raises(PrintFailed):
            printer.print(OUT)
        assert link.paper == b""


def test_device_that_takes_no_more_is_given_up_after_a_while(tmp_path: Path) -> None:
    pipe = tmp_path / "lp0"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    try:
        long = Printout(bytes(1 << 20), "", "long")
        with pytest.raises(PrintFailed) as failed:
            FilePrinter(pipe, patience=HASTE / 10).print(long)
        assert failed.value.maybe_printed
    finally:
        os.close(reader)


def test_unplugged_device_does_not_become_a_file() -> None:
    printer = open_printer("file", "/dev/usb/lp-not-there", Path())
    assert printer.status().state == "error"
    with pytest.raises(PrintFailed):
        printer.print(OUT)


def test_folder_keeps_bytes_and_text_of_every_job(tmp_path: Path) -> None:
    printer = open_printer("file", "receipts/", tmp_path)
    printer.print(OUT)
    printer.print(Printout(b"2", "two", "../000002 sale"))
    names = sorted(path.name for path in (tmp_path / "receipts").iterdir())
    assert names == ["..-000002-sale.bin", "..-000002-sale.txt", "000001-sale.bin", "000001-sale.txt"]
    assert (tmp_path / "receipts" / "000001-sale.txt").read_text() == "Total 9.67\n"


@pytest.mark.parametrize(
    ("kind", "target", "made"),
    [
        ("none", "", NoPrinter),
        ("network", "192.168.1.50", NetworkPrinter),
        ("network", "printer.shop:9101/one-way", NetworkPrinter),
        ("network", "[fe80::1]:9100", NetworkPrinter),
        ("usb", "04b8:0e15", UsbPrinter),
        ("file", "/dev/usb/lp0", FilePrinter),
        ("file", "receipts.bin", FilePrinter),
        ("file", "", FolderPrinter),
    ],
)
def test_settings_name_the_printer(kind: str, target: str, made: type, tmp_path: Path) -> None:
    assert type(open_printer(kind, target, tmp_path)) is made


@pytest.mark.parametrize(
    ("kind", "target"),
    [
        ("laser", "x"),
        ("network", ""),
        ("network", "host:0"),
        ("network", "host:99999"),
        ("network", "http://host/"),
        ("usb", "epson"),
        ("file", "/etc/passwd"),
        ("file", "../outside"),
        ("file", "/dev/usb/../../etc/passwd"),
        ("file", "/dev/sda"),
        ("file", "/"),
        ("file", "C:\\autoexec.bat"),
    ],
)
def test_settings_that_name_no_printer_are_refused(kind: str, target: str, tmp_path: Path) -> None:
    with pytest.raises(Invalid):
        open_printer(kind, target, tmp_path)


@pytest.mark.parametrize(
    ("answers", "state", "words"),
    [
        (READY, "ready", ""),
        (READY | {4: 0x1E}, "ready", "running low"),
        (PAPER_OUT, "paper_out", "out of paper"),
        (COVER_OPEN, "error", "cover"),
        (READY | {2: 0x52}, "error", "jammed"),
        (READY | {1: 0x1A}, "error", "offline"),
        (READY | {1: 0x00}, "error", "ESC/POS"),
    ],
)
def test_status_bytes_become_words(answers: dict[int, int], state: str, words: str) -> None:
    status = read_answers(Answers(answers[1], answers[2], answers[4]))
    assert status.state == state
    assert words in status.detail


class Interface(list[SimpleNamespace]):
    """One interface of a USB device, as pyusb shows it: its ends by address, all of them for bulk data."""

    def __init__(self, kind: int, *addresses: int) -> None:
        """Take the class of the interface."""
        super().__init__(SimpleNamespace(bEndpointAddress=address, bmAttributes=2) for address in addresses)
        self.bInterfaceClass = kind


@pytest.mark.parametrize(
    ("interfaces", "found"),
    [
        ([Interface(7, 0x01, 0x82)], (0x82, 0x01)),
        ([Interface(7, 0x81, 0x03)], (0x81, 0x03)),
        ([Interface(3, 0x81, 0x01), Interface(7, 0x83, 0x02)], (0x83, 0x02)),  # a keyboard in the same case
        ([Interface(255, 0x84, 0x05)], (0x84, 0x05)),  # says that it is a thing of its maker's own kind
        ([Interface(7, 0x03)], (USUAL[0], 0x03)),  # never answers
        ([], USUAL),
    ],
)
def test_a_usb_printer_is_written_to_where_its_maker_says(interfaces: list[Interface], found: tuple[int, int]) -> None:
    assert endpoints(interfaces) == found
