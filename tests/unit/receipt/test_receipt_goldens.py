"""Every kind of paper, as text of three widths, as HTML and as ESC/POS bytes, against files a person has looked at.

After a wanted change: ``TILLMESH_GOLDEN=write python -m pytest tests/unit/receipt``, then read the difference.
"""

import os
from pathlib import Path

import pytest

from tests import receipt_builders as shop
from tillmesh.adapters.devices import EscPosEncoder
from tillmesh.adapters.devices.symbols import draw
from tillmesh.adapters.locales import BabelFormats
from tillmesh.shop.receipt import Mark, Receipt, SaleTicket, Words, layout, render_html, render_text

GOLDEN = Path(__file__).parents[2] / "golden" / "receipts"
WORDS = Words(BabelFormats("en_GB", "Europe/London"))


def _sale_in_euro() -> SaleTicket:
    """A shop in Vienna: other words for amounts, letters of other code pages, taxes of two rates."""
    lines = (
        shop.line("K\u00e4rntner Nudel", 1_290, tax_code="reduced", rate_ppm=100_000),
        shop.line("\u0160kofja Loka, \u039b\u03ac\u03b4\u03b9, \u725b\u4e73", 350),
        shop.line("Jalape\u00f1o, cr\u00e8me, \u00a3, \u20ac", 99),
    )
    return SaleTicket(shop.sale(*lines, currency="EUR"), shop.ANCHOR, "J\u00f6rg")


PAPERS: dict[str, Receipt] = {
    "sale": layout(SaleTicket(shop.small_sale(), shop.ANCHOR, "Ana"), shop.HEADER, WORDS),
    "sale-full": layout(shop.full_ticket(), shop.HEADER, WORDS),
    "sale-copy": layout(shop.full_ticket(), shop.HEADER, WORDS, mark=Mark.COPY),
    "sale-doubtful": layout(shop.full_ticket(), shop.HEADER, WORDS, mark=Mark.POSSIBLE_DUPLICATE, training=True),
    "sale-euro": layout(_sale_in_euro(), shop.HEADER, Words(BabelFormats("de_AT", "Europe/Vienna"))),
    "refund": layout(shop.refund_ticket(), shop.HEADER, WORDS),
    "void": layout(shop.void_ticket(), shop.HEADER, WORDS),
    "report-x": layout(shop.x_ticket(), shop.HEADER, WORDS),
    "report-z": layout(shop.z_ticket(), shop.HEADER, WORDS),
    "cash-slip": layout(shop.cash_ticket(), shop.HEADER, WORDS),
}


def check(name: str, text: str) -> None:
    path = GOLDEN / name
    if os.environ.get("TILLMESH_GOLDEN") == "write":
        path.write_text(text, encoding="utf-8")
    assert text == path.read_text(encoding="utf-8")


@pytest.mark.parametrize("columns", [32, 42, 48])
@pytest.mark.parametrize("name", PAPERS)
def test_paper_reads_as_it_was_approved(name: str, columns: int) -> None:
    text = render_text(PAPERS[name], columns)
    assert max(len(line) for line in text.splitlines()) <= columns
    check(f"{name}.{columns}.txt", text)


@pytest.mark.parametrize("name", PAPERS)
def test_screen_shows_what_was_approved(name: str) -> None:
    check(f"{name}.html", render_html(PAPERS[name], draw))


@pytest.mark.parametrize("name", PAPERS)
def test_printer_gets_the_approved_bytes(name: str) -> None:
    """The golden file is Python's spelling of the bytes, a printed line a line, so that a person can read it."""
    data = EscPosEncoder(42).encode(PAPERS[name], name).data
    check(f"{name}.escpos", "".join(f"{line!r}\n" for line in data.splitlines(keepends=True)))


def test_no_golden_file_is_left_over() -> None:
    expected = {
        f"{name}{suffix}" for name in PAPERS for suffix in (".32.txt", ".42.txt", ".48.txt", ".html", ".escpos")
    }
    assert {path.name for path in GOLDEN.iterdir()} == expected
