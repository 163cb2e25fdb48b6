"""PDF papers: readable files, labels where the sheet has them, and bars that scanners read."""

import re

import barcode
import pytest

from tillmesh.adapters.devices.pdf import SHEETS, Label, Table, labels, table
from tillmesh.adapters.devices.pdf.bars import bars
from tillmesh.adapters.devices.pdf.pages import Page, shortened, width_mm, write_pdf
from tillmesh.kernel.errors import Invalid
from tillmesh.shop.gtin import check_digit


def objects(pdf: bytes) -> int:
    """Follow the table of a file to each of its objects; give their number."""
    start = int(re.search(rb"startxref\n(\d+)", pdf)[1])  # type: ignore[index]
    assert pdf[start : start + 5] == b"xref\n"
    places = [int(one) for one in re.findall(rb"(\d{10}) 00000 n", pdf[start:])]
    for number, place in enumerate(places, 1):
        assert pdf[place:].startswith(b"%d 0 obj\n" % number)
    return len(places)


def modules(runs: list[int]) -> str:
    return "".join(("1" if at % 2 == 0 else "0") * run for at, run in enumerate(runs))


@pytest.mark.parametrize("body", ["400638133393", "500000000001", "212345678901", "000000000000", "978020137962"])
def test_bars_of_an_ean_13_equal_those_of_an_independent_library(body: str) -> None:
    code = body + check_digit(body)
    assert modules(bars(code)[0]) == barcode.get("ean13", code).build()[0].replace("G", "1")


@pytest.mark.parametrize("body", ["9638507", "1234567"])
def test_bars_of_an_ean_8_equal_those_of_an_independent_library(body: str) -> None:
    code = body + check_digit(body)
    assert modules(bars(code)[0]) == barcode.get("ean8", code).build()[0].replace("G", "1")


def test_a_code_of_the_shop_s_own_becomes_a_code_128_and_what_no_bars_can_say_has_none() -> None:
    assert sum(bars("shirt.m.red")[0]) == 11 * (1 + 11 + 1) + 13
    assert bars("Größe")[0] == []
    assert bars("4006381333930")[0] == bars("4006381333930")[0] != bars("4006381333931")[0]


def test_a_file_says_where_each_of_its_objects_begins() -> None:
    page = Page(100, 50)
    page.text(5, 10, "Äpfel (3 €) \\ 50 %", 12, bold=True)
    page.text(95, 20, "1.234,50", 9, right=True)
    page.box(5, 30, 20, 2, grey=0.5)
    pdf = write_pdf([page, Page(100, 50)], "Paper")
    assert objects(pdf) == 5 + 2 * 2
    assert "(Äpfel \\(3 €\\) \\\\ 50 %)".encode("cp1252") in pdf
    assert b"/Count 2" in pdf


@pytest.mark.parametrize("sheet", SHEETS)
def test_labels_fill_sheets_and_every_bar_is_on_its_paper(sheet: str) -> None:
    size = SHEETS[sheet]
    count = size.columns * size.rows + 1
    pdf = labels(
        [Label("A product with a long name that has no room on small labels", "12,34 €", "4006381333931")] * count,
        sheet,
    )
    assert b"/Count 2" in pdf
    boxes = [tuple(map(float, one)) for one in re.findall(rb"([\d.]+) ([\d.]+) ([\d.]+) ([\d.]+) re f", pdf)]
    assert len(boxes) == count * 30
    width, height = size.width * 72 / 25.4, size.height * 72 / 25.4
    assert all(x >= 0 and y >= 0 and x + w <= width and y + h <= height for x, y, w, h in boxes)
    module = min(w for _, _, w, _ in boxes) * 25.4 / 72
    assert module >= 0.2, "thinner bars are not read by hand scanners"


def test_places_that_were_used_stay_free() -> None:
    one = labels([Label("Tea", "1", "tea-1")], "a4-24")
    later = labels([Label("Tea", "1", "tea-1")], "a4-24", skip=23)
    assert one != later
    assert b"/Count 1" in later
    for wrong in (24, -1):
        with pytest.raises(Invalid):
            labels([Label("Tea", "1", "tea-1")], "a4-24", skip=wrong)


def test_a_long_table_goes_on_with_its_heading_on_the_next_page() -> None:
    rows = [(f"Product {at}", str(at), "1,00 €") for at in range(120)]
    pdf = table("Report", "Fernhill Market", [Table("Products", ("Product", "Quantity", "Total"), rows)])
    pages = int(re.search(rb"/Count (\d+)", pdf)[1])  # type: ignore[index]
    assert pages > 2
    assert pdf.count(b"(Quantity)") == pages
    assert all(f"(Product {at})".encode() in pdf for at in range(120))


def test_a_text_is_shortened_to_its_room() -> None:
    assert shortened("Tea", 10, 50) == "Tea"
    short = shortened("A very long name of a product", 10, 20)
    assert short.endswith("...")
    assert width_mm(short, 10) <= 20
    assert shortened("Tea", 10, 0.1) == ""
