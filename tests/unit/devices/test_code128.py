"""Barcodes of receipt numbers: what a scanner reads back is what was to be written."""

import re

import pytest
from barcode.charsets import code128 as table
from hypothesis import given
from hypothesis import strategies as st

from tillmesh.adapters.devices.code128 import commands, modules_of, runs

ASCII = st.text(st.characters(min_codepoint=32, max_codepoint=126), min_size=1, max_size=40)


def scan(widths: list[int]) -> str:
    """Read bars as a scanner does, with the symbol table of another library."""
    bits = "".join(("1" if i % 2 == 0 else "0") * width for i, width in enumerate(widths))
    assert bits.endswith("1100011101011")
    symbols = [table.CODES.index(bits[i : i + 11]) for i in range(0, len(bits) - 13, 11)]
    *content, check = symbols
    assert check == (content[0] + sum(place * value for place, value in enumerate(content))) % 103
    text, code_set = "", {104: "B", 105: "C"}[content[0]]
    for value in content[1:]:
        if code_set == "C" and value < 100:
            text += f"{value:02d}"
        elif value in (99, 100):
            code_set = {99: "C", 100: "B"}[value]
        else:
            text += chr(value + 32)
    return text


def obey(data: str) -> str:
    """Read printer commands as the printer does: {B and {C switch, {{ is a brace."""
    text, code_set, at = "", "", 0
    while at < len(data):
        if data[at] == "{" and data[at + 1] in "BC":
            code_set, at = data[at + 1], at + 2
        elif code_set == "C":
            text, at = text + f"{ord(data[at]):02d}", at + 1
        else:
            step = 2 if data[at] == "{" else 1
            text, at = text + data[at], at + step
    return text


@given(ASCII)
def test_scanner_reads_what_was_drawn(content: str) -> None:
    assert scan(runs(content)) == content


@given(ASCII | st.from_regex(r"[0-9A-Z]{4}-[0-9]{6}", fullmatch=True))
def test_printer_draws_what_it_was_told(content: str) -> None:
    assert obey(commands(content)) == content


@given(st.integers(0, 999_999))
def test_no_receipt_number_is_a_command_to_the_printer(number: int) -> None:
    assert not re.search("\x10[\x04\x05\x14]", commands(f"4F9A-{number:06d}"))


def test_receipt_that_would_have_opened_the_drawer_does_not() -> None:
    """162001 packed in pairs is DLE DC4 SOH, a pulse on the drawer's pin."""
    assert commands("4F9A-162001") == "{B4F9A-162001"


def test_receipt_number_fits_narrow_paper() -> None:
    assert modules_of("4F9A-000412") * 2 <= 32 * 12


@pytest.mark.parametrize("content", ["", "Pr\u00fcfung", "a\nb", "x" * 81])
def test_what_cannot_be_a_barcode_is_none(content: str) -> None:
    assert runs(content) == []
    assert modules_of(content) == 0
