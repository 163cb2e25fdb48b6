"""Card numbers are found however they are written, and other numbers are left alone."""

import logging

import pytest

from tillmesh.kernel.errors import Invalid
from tillmesh.shop.cardnumbers import hide_card_numbers, holds_card_number, luhn_valid, refuse_card_number
from tillmesh.terminal.logs import Careful

# Numbers that card schemes and payment companies publish for tests.
CARDS = [
    "4111111111111111", "4012888888881881", "4222222222222", "5555555555554444", "5105105105105100", "2223003122003222",
    "378282246310005", "371449635398431", "6011111111111117", "3530111333300000", "30569309025904", "38520000023237",
    "6200000000000005", "6304000000000000", "4917610000000000003", "5019717010103742", "135412345678911",
]  # fmt: skip


@pytest.mark.parametrize("number", CARDS)
def test_a_test_number_of_each_scheme_is_found_however_it_is_written(number: str) -> None:
    assert luhn_valid(number)
    grouped = [number[at : at + 4] for at in range(0, len(number), 4)]
    for text in (number, " ".join(grouped), "-".join(grouped), ".".join(grouped), "\u00a0".join(grouped)):
        assert holds_card_number(text)
        assert holds_card_number(f"paid with {text} 12/29 cvc 123, thanks")
        assert holds_card_number(f"123 {text}")
        with pytest.raises(Invalid) as refused:
            refuse_card_number(text, "the note")
        assert number not in refused.value.detail
        assert not holds_card_number(hide_card_numbers(f"x{text}y"))


@pytest.mark.parametrize(
    "text",
    ["", "12", "4111 1111 1111 1112", "0000 0000 0000 0000", "1732286400000", "1732286400000000000", "1732286400004",
     "732 829 320 00074", "+49 1512 3456", "2026-11-22 15:04:05.123", "k3m7qx2p.4f9a2c-17", "**** 4242",
     "550e8400-e29b-41d4-a716-446655440000", "DE89 3704 0044 0532 0130 0", "4006381333931", "A1B2C3"],
)  # fmt: skip
def test_what_is_no_card_number_may_be_written(text: str) -> None:
    assert refuse_card_number(text, "the note") == text
    assert hide_card_numbers(text) == text


def test_few_times_and_ids_look_like_cards() -> None:
    """Every tenth number has a valid check digit; a till must not refuse a tenth of what it is told."""
    milliseconds = range(1_732_286_400_000, 1_732_286_410_000)
    assert not any(holds_card_number(str(number)) for number in milliseconds)
    nanoseconds = range(1_732_286_400_000_000_000, 1_732_286_400_000_010_000)
    assert not any(holds_card_number(str(number)) for number in nanoseconds)


def test_the_log_holds_no_card_number_even_in_a_traceback() -> None:
    record = logging.LogRecord("x", logging.ERROR, __file__, 1, "card %s", ("5555555555554444",), None)
    try:
        int("4111 1111 1111 1111")
    except ValueError as error:
        record.exc_info = (type(error), error, error.__traceback__)
    written = Careful("%(message)s").format(record)
    assert "4111" not in written.replace('int("4111 1111 1111 1111")', "")
    assert "card [card number]" in written
