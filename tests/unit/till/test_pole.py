"""What stands on a pole display of two lines and twenty characters."""

from __future__ import annotations

import pytest

from tillmesh.till.pole import COLUMNS, KINDS, PAGES, Row, Screen, beginning, greeting, written


def shown(screen: Screen, page: str = "wpc1252") -> tuple[str, str]:
    """Read an Epson display as a customer would."""
    data = written(screen, "epson", page)
    top, bottom = data[:4], data[4 + COLUMNS : 8 + COLUMNS]
    assert (top, bottom) == (b"\x1f$\x01\x01", b"\x1f$\x01\x02")
    codec = PAGES[page][1]
    return data[4 : 4 + COLUMNS].decode(codec), data[8 + COLUMNS :].decode(codec)


def test_a_line_gives_way_to_its_amount() -> None:
    screen = Screen(Row("Conference pears, organic", "£1.96"), Row("TOTAL", "£12.34"))
    assert shown(screen) == ("Conference pea £1.96", "TOTAL         £12.34")


def test_a_display_without_a_euro_sign_spells_it_and_keeps_the_whole_amount() -> None:
    screen = Screen(Row("Käse", "2,49\N{NO-BREAK SPACE}€"), Row())
    assert shown(screen, "pc858")[0] == "Käse          2,49 €"
    assert shown(screen, "pc437")[0] == "Käse        2,49 EUR"


def test_what_a_code_page_lacks_becomes_its_plain_letter() -> None:
    assert shown(Screen(Row("Žluťoučký kůň"), Row("日本 ½")), "pc437") == ("Zlutoucky kun".ljust(20), "?? ½".ljust(20))
    assert shown(Screen(Row("Хлеб"), Row()), "pc866")[0] == "Хлеб".ljust(20)


def test_nothing_in_a_product_name_commands_the_display() -> None:
    assert shown(Screen(Row("Tea\x1b@\x1f\x0c"), Row()))[0] == "Tea @".ljust(20)


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "none"])
@pytest.mark.parametrize("page", PAGES)
def test_every_screen_fills_both_lines_whole(kind: str, page: str) -> None:
    data = written(Screen(Row("x" * 50, "9" * 50), Row("ÄÖÜ€ß" * 9)), kind, page)
    assert len(data) == 2 * COLUMNS + 8
    assert beginning(kind, page).startswith(b"\x1b@")


def test_a_cd5220_is_told_both_lines_with_their_ends() -> None:
    assert (
        written(Screen(Row("A"), Row("B")), "cd5220", "pc437")
        == b"\x1bQA" + b"A".ljust(20) + b"\r\x1bQB" + b"B".ljust(20) + b"\r"
    )


def test_a_greeting_is_cut_between_words_and_stands_in_the_middle() -> None:
    assert shown(greeting("Welcome to Fernhill Market")) == ("Welcome to Fernhill ", "       Market       ")
    assert shown(greeting("Donaudampfschifffahrtsgesellschaft")) == ("Donaudampfschifffahr", "   tsgesellschaft   ")
    assert shown(greeting("")) == (" " * 20, " " * 20)
