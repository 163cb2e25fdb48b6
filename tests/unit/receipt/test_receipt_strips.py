"""Lines of paper: they fit, they lose nothing, and nothing in them can command a printer."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.receipt_builders import ANCHOR, HEADER, WORDS, full_ticket, line, sale
from tillmesh.shop.receipt import COLUMNS, Receipt, SaleTicket, Strip, layout, render_html, render_text, strips
from tillmesh.shop.receipt.parts import Barcode, Heading, Item, Qr, Row, Table, Text
from tillmesh.shop.receipt.strips import clean, row, width, wrap

ANY_TEXT = st.text(st.characters(codec="utf-8"), max_size=200)


def paper(*parts: Heading | Item | Row | Table | Text | Qr | Barcode) -> Receipt:
    return Receipt("sale", "1", "en", parts)


@given(name=ANY_TEXT, amount=ANY_TEXT, columns=st.sampled_from(COLUMNS), scaled=st.booleans())
def test_every_line_fits_the_paper(name: str, amount: str, columns: int, *, scaled: bool) -> None:
    parts = (Heading(name), Text(name, "centre"), Row(name, amount, large=True), Item(name, amount))
    for strip in strips(paper(*parts), columns, scaled=scaled):
        assert isinstance(strip, Strip)
        room = columns // 2 if strip.scale == "double" else columns
        assert width(strip.text) <= room


@given(ANY_TEXT, st.integers(2, 60))
def test_wrapping_keeps_every_letter_in_order(text: str, columns: int) -> None:
    lines = wrap(text, columns)
    assert "".join("".join(lines).split()) == "".join(clean(text).split())
    assert all(width(each) <= columns for each in lines)


@given(ANY_TEXT)
@example("\u1680\u3000\u202f")
def test_no_control_character_reaches_the_printer(text: str) -> None:
    assert clean(text).isprintable() or not clean(text)


def test_product_name_cannot_open_the_drawer() -> None:
    trick = line("Gum\x1bp\x00\x19\x19\x10\x14\x01\x00\x01\u202e", 99)
    printed = render_text(layout(SaleTicket(sale(trick), ANCHOR, "Ana"), HEADER, WORDS))
    assert "\x1b" not in printed
    assert "\x10" not in printed
    assert "Gum p" in printed


@pytest.mark.parametrize(
    ("left", "right", "lines"),
    [
        ("Milk", "£2.99", ["Milk           £2.99"]),
        ("Milk of the old mill", "£2.99", ["Milk of the    £2.99", "  old mill"]),
        ("Milk", "", ["Milk"]),
        ("", "£2.99", ["               £2.99"]),
        ("Total", "£1,000,000,000.00", ["Total", "   £1,000,000,000.00"]),
        ("牛乳", "£2.99", ["牛乳           £2.99"]),
        ("Cre\u0300me", "£2.99", ["Crème          £2.99"]),
    ],
)
def test_label_and_amount_share_a_line_while_there_is_room(left: str, right: str, lines: list[str]) -> None:
    assert [each.rstrip() for each in row(left, right, 20)] == lines


def test_word_longer_than_the_paper_is_cut() -> None:
    assert wrap("Donaudampfschifffahrtsgesellschaft", 20) == ["Donaudampfschifffahr", "tsgesellschaft"]


def test_amounts_of_a_table_stand_below_each_other() -> None:
    table = Table(("Rate", "Net", "Tax"), (("20%", "£8.19", "£1.63"), ("0%", "£1,006.92", "£0.00")))
    lines = render_text(paper(table), 32).splitlines()
    assert [line[-5:] for line in lines] == ["  Tax", "£1.63", "£0.00"]
    assert lines[1].index("£8.19") + 5 == lines[2].index("£1,006.92") + 9


def test_table_that_is_too_wide_becomes_a_list() -> None:
    table = Table(("Payments", "Taken", "Returned"), (("Gift card", "£1,000,000.00", "£1,000,000.00"),))
    assert render_text(paper(table), 32).splitlines() == [
        "Gift card",
        "  Taken            £1,000,000.00",
        "  Returned         £1,000,000.00",
    ]


def test_codes_are_written_as_what_they_say() -> None:
    assert render_text(paper(Qr("tillmesh:1", ""), Barcode("4F9A-000001")), 32).split("\n") == [
        "           tillmesh:1",
        "        [ 4F9A-000001 ]",
        "",
    ]


def test_screen_shows_names_and_does_not_run_them() -> None:
    evil = sale(line("<script>alert('1')</script> & \"Co\"", 99))
    shown = render_html(layout(SaleTicket(evil, ANCHOR, "<b>Ana</b>"), HEADER, WORDS))
    assert "<script" not in shown
    assert "<b>" not in shown
    assert "&lt;script&gt;alert(&#39;1&#39;)&lt;/script&gt; &amp; &quot;Co&quot;" in shown


def test_screen_needs_no_inline_style() -> None:
    assert "style=" not in render_html(layout(full_ticket(), HEADER, WORDS))
