"""What goes to the printer, byte by byte, where a golden file does not say why."""

import logging
import re
import tempfile
from pathlib import Path

import pytest

from tests.receipt_builders import ANCHOR, HEADER, WORDS, full_ticket, line, sale, small_sale
from tillmesh.adapters.devices import EscPosEncoder
from tillmesh.adapters.devices.symbols import draw
from tillmesh.shop.receipt import Barcode, Qr, SaleTicket, layout


def encoded(name: str, columns: int = 42) -> bytes:
    receipt = layout(SaleTicket(sale(line(name, 99, unit_price_minor=99)), ANCHOR, "Ana"), HEADER, WORDS)
    return EscPosEncoder(columns).encode(receipt, "test").data


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("\u00a3 \u20ac \u00f1 \u00e8 \u00df \u00d8", b"\n\x9c \xd5 \xa4 \x8a \xe1 \x9d"),
        ("Sm\u00f8rrebr\u00f8d", b"\nSm\x9brrebr\x9bd"),
        ("Jalapen\u0303o", b"\nJalape\xa4o"),
        ("Milk \U0001f95b", b"\nMilk ??"),
        ("\u725b\u4e73", b"\n????"),
        ("\uff21\uff22", b"\nA?B?"),
        ("\u2460", b"\n1"),
    ],
)
def test_letters_come_out_in_the_code_page_of_the_printer(name: str, data: bytes) -> None:
    assert data in encoded(name)


def test_other_scripts_switch_the_code_page_for_their_line_only() -> None:
    data = encoded("\u039b\u03ac\u03b4\u03b9 \u0441\u044b\u0440")
    pages = re.findall(rb"\x1bt(.)", data)
    assert pages[0] == pages[-1] == b"\x13"
    assert len(pages) > 2
    assert b"\n\x1bt\x13" in data


def test_printer_is_reset_first_and_cuts_last() -> None:
    data = encoded("Milk")
    assert data.startswith(b"\x1b@\x1bt\x13")
    assert data.endswith(b"\x1dV\x01")


def test_receipt_never_opens_the_drawer_by_itself() -> None:
    assert b"\x1bp" not in EscPosEncoder().encode(layout(full_ticket(), HEADER, WORDS), "x").data


@pytest.mark.parametrize(("pin", "pulse"), [(2, b"\x1bp\x00"), (5, b"\x1bp\x01")])
def test_drawer_is_opened_on_its_pin_and_nothing_is_printed(pin: int, pulse: bytes) -> None:
    out = EscPosEncoder(drawer_pin=pin).kick("drawer")
    assert out.data.startswith(pulse)
    assert len(out.data) == 5
    assert "drawer" in out.text


@pytest.mark.parametrize(("asked", "used"), [(42, 42), (48, 48), (32, 32), (40, 32), (1, 32), (99, 48)])
def test_paper_nobody_makes_becomes_the_next_narrower_one(asked: int, used: int) -> None:
    assert EscPosEncoder(asked).columns == used


def test_barcode_wider_than_the_paper_is_left_out() -> None:
    long = sale(line("Milk", 99), receipt_number="A-VERY-LONG-RECEIPT-NUMBER-OF-SOMEBODY")
    for number, there in ((long, False), (small_sale(), True)):
        data = EscPosEncoder(32).encode(layout(SaleTicket(number, ANCHOR, "Ana"), HEADER, WORDS), "x").data
        assert (b"\x1dkI" in data) is there
        assert b"\x1d(k" in data


def test_bold_is_switched_on_again_after_the_size_has_changed() -> None:
    """ESC ! sets the size and forgets the weight: the total must not come out thin."""
    data = EscPosEncoder().encode(layout(full_ticket(), HEADER, WORDS), "x").data
    assert b"\x1b!\x10\x1bE\x01\x1b" not in data
    assert re.search(rb"\x1b!\x10\x1bE\x01TOTAL", data)


def test_loading_the_library_leaves_no_folder_and_no_log_handler_behind() -> None:
    before = set(Path(tempfile.gettempdir()).glob("tmp*/*.capabilities.pickle"))
    handlers = logging.root.handlers[:]
    encoded("Milk")
    assert logging.root.handlers == handlers
    assert set(Path(tempfile.gettempdir()).glob("tmp*/*.capabilities.pickle")) == before


def test_codes_on_the_screen_scale_and_are_black_on_white() -> None:
    for part in (Qr("tillmesh:1:x"), Barcode("4F9A-000412")):
        svg = draw(part)
        assert svg.startswith("<svg")
        assert "viewBox" in svg
        assert "#fff" in svg
        assert "style=" not in svg
    assert draw(Barcode("\u00fc")) == ""
