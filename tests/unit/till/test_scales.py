"""What scales send, recorded from their manuals, and what the till understands of it."""

from __future__ import annotations

import pytest

from tillmesh.till.scales import DIALOGUES, Reading, dialogue_of
from tillmesh.till.scales.reading import GRAMS_MAX, grams_of

STATUS = {  # bit 6 is always 1
    "in motion": (b"\x02?A\r", "moving"),
    "in motion outside of the zero range": (b"\x02?I\r", "moving"),
    "too much on it": (b"\x02?B\r", "over"),
    "too much and moving": (b"\x02?C\r", "over"),
    "lifted below zero": (b"\x02?D\r", "below"),
    "not zeroed when it was switched on": (b"\x02?H\r", "unset"),
}


def heard(kind: str, data: bytes) -> Reading | None:
    dialogue = dialogue_of(kind)
    assert dialogue is not None
    return dialogue.hear(data).reading


def test_the_8217_is_asked_with_one_letter_and_answers_in_grams() -> None:
    dialogue = DIALOGUES["mettler8217"]()
    assert dialogue.ask(199) == b"W"
    assert dialogue.hear(b"\x0200.345\r").reading == Reading("stable", 345)
    assert dialogue.hear(b"\x0212.005N\r").reading == Reading("stable", 12_005)
    assert dialogue.hear(b"\x0200.000\r").reading == Reading("stable", 0)


@pytest.mark.parametrize("case", STATUS)
def test_the_8217_says_why_it_has_no_weight(case: str) -> None:
    data, state = STATUS[case]
    assert heard("mettler8217", data) == Reading(state)  # type: ignore[arg-type]


def test_the_8217_at_the_middle_of_zero_holds_nothing() -> None:
    assert heard("mettler8217", b"\x02?P\r") == Reading("stable", 0)


def test_a_scale_that_weighs_in_pounds_is_told_from_one_that_weighs_in_kilograms() -> None:
    assert heard("mettler8217", b"\x0201.25\r") == Reading("pounds")
    assert heard("lines", b"ST,+00001.25 lb\r\n") == Reading("pounds")


def test_the_8217_is_understood_with_its_parity_bits_and_in_pieces() -> None:
    dialogue = DIALOGUES["mettler8217"]()
    whole = bytes(byte | (0x80 if byte.bit_count() % 2 else 0) for byte in b"\x0200.345\r")
    for at in range(len(whole) - 1):
        assert dialogue.hear(whole[at : at + 1]).reading is None
    assert dialogue.hear(whole[-1:]).reading == Reading("stable", 345)


def test_noise_before_and_half_a_message_are_not_a_weight() -> None:
    dialogue = DIALOGUES["mettler8217"]()
    assert dialogue.hear(b"\xff\x00garbage\r\x0200.3").reading is None
    assert dialogue.hear(b"\x0200.345\r").reading == Reading("stable", 345)
    assert dialogue.hear(b"\x02" + b"0" * 100_000 + b"00.345\r").reading is None
    assert dialogue.hear(b"\x0200.120\r").reading == Reading("stable", 120)


def test_of_many_answers_at_once_the_newest_counts() -> None:
    assert heard("mettler8217", b"\x0200.345\r\x02?A\r") == Reading("moving")
    assert heard("lines", b"ST,GS,+ 0.345kg\r\nUS,GS,+ 0.400kg\r\nST,GS,+ 0.410kg\r\n") == Reading("stable", 410)


@pytest.mark.parametrize(
    ("line", "reading"),
    [
        (b"ST,GS,+ 0.345kg\r\n", Reading("stable", 345)),
        (b"ST,NT,+0012.34kg\r", Reading("stable", 12_340)),
        (b"US,GS,+ 0.345kg\r\n", Reading("moving", 345)),
        (b"ST,+001234.5  g\r\n", Reading("stable", 1235)),
        (b"ST,+00000.00  g\r\n", Reading("stable", 0)),
        (b"ST,GS,- 0.020kg\r\n", Reading("below")),
        (b"OL,+999999.9  g\r\n", Reading("over")),
        (b"OL,-99999999 PC\r\n", Reading("below")),
        (b"ST,GS,\x31\xc5,  0000.345 kg\r\n", Reading("stable", 345)),
        (b"ST,GS,\x31\xc5,000013.5 kg\r\n", Reading("stable", 13_500)),
        (b"QT,+00012345 PC\r\n", None),
        (b"ST,GS,+ 0.3.5kg\r\n", None),
        (b"hello\r\n\r\n", None),
    ],
)
def test_lines_of_text_are_readings(line: bytes, reading: Reading | None) -> None:
    assert heard("lines", line) == reading


def test_a_line_without_an_end_does_not_fill_the_till() -> None:
    dialogue = DIALOGUES["lines"]()
    for _ in range(1_000):
        assert dialogue.hear(b"ST,GS,+ 0.345kg" * 10).reading is None
    assert len(vars(dialogue)["_held"]) <= 64
    dialogue.hear(b"\r\n")
    assert dialogue.hear(b"ST,GS,+ 0.345kg\r\n").reading == Reading("stable", 345)


def test_a_weight_that_no_counter_scale_has_is_none() -> None:
    assert grams_of(f"{GRAMS_MAX}", "g") == GRAMS_MAX
    assert grams_of(f"{GRAMS_MAX + 1}", "g") is None
    assert grams_of("1.5", "lb") is None
    assert grams_of("", "g") is None


def test_a_kind_that_nobody_knows_is_no_scale() -> None:
    assert dialogue_of("none") is None


RESULT = b"\x0202\x1b3\x1b00345\x1b000399\x1b000138\x03"
PRICE = b"\x04\x0201\x1b000399\x1b\x03"
STATUS_QUESTION = b"\x04\x0208\x03"


def test_dialog_06_is_told_the_price_and_then_asked_for_the_weight() -> None:
    dialogue = DIALOGUES["dialog06"]()
    assert dialogue.ask(399) == PRICE
    assert dialogue.ask(399) == b""  # the answer is on its way
    assert dialogue.hear(b"\x06").answer == b"\x04\x05"
    assert dialogue.hear(RESULT[:9]).reading is None
    assert dialogue.hear(RESULT[9:]).reading == Reading("stable", 345)


def test_dialog_06_says_why_not_and_is_asked_again_when_it_stands_still() -> None:
    dialogue = DIALOGUES["dialog06"]()
    dialogue.ask(399)
    dialogue.hear(b"\x06")
    assert dialogue.hear(b"\x15").answer == STATUS_QUESTION
    assert dialogue.hear(b"\x0209\x1b20\x03").reading == Reading("moving")
    assert dialogue.ask(399) == b"\x04\x05"
    assert dialogue.hear(RESULT).reading == Reading("stable", 345)


@pytest.mark.parametrize(("code", "state"), [("31", "below"), ("32", "over"), ("21", "again"), ("11", "refused")])
def test_dialog_06_begins_anew_after_what_somebody_has_to_change(code: str, state: str) -> None:
    dialogue = DIALOGUES["dialog06"]()
    dialogue.ask(399)
    dialogue.hear(b"\x06\x15")
    assert dialogue.hear(b"\x0209\x1b%s\x03" % code.encode()).reading == Reading(state)  # type: ignore[arg-type]
    assert dialogue.ask(399) == PRICE


def test_dialog_06_after_a_weighing_waits_until_the_goods_are_taken_off() -> None:
    dialogue = DIALOGUES["dialog06"]()
    dialogue.ask(399)
    dialogue.hear(b"\x06" + RESULT)
    assert dialogue.ask(399) == STATUS_QUESTION
    assert dialogue.hear(b"\x0209\x1b21\x03").reading is None
    assert dialogue.ask(399) == STATUS_QUESTION
    assert dialogue.hear(b"\x0209\x1b30\x03").reading == Reading("stable", 0)
    assert dialogue.ask(399) == PRICE


def test_dialog_06_that_demands_checksums_refuses_this_till() -> None:
    dialogue = DIALOGUES["dialog06"]()
    dialogue.ask(399)
    assert dialogue.hear(b"\x06\x0211\x1b2A7\x03").reading == Reading("refused")


def test_dialog_06_is_only_looked_at_while_nobody_weighs_and_asked_again_when_it_was_deaf() -> None:
    dialogue = DIALOGUES["dialog06"]()
    assert dialogue.ask(None) == STATUS_QUESTION
    heard = dialogue.hear(b"\x0209\x1b00\x03")
    assert (heard.reading, heard.alive) == (Reading("wait"), True)
    assert dialogue.ask(399) == PRICE
    assert [dialogue.ask(399) for _ in range(6)] == [b"", b"", b"", b"", b"", PRICE]


def test_dialog_06_in_another_unit_is_no_weight_in_kilograms() -> None:
    dialogue = DIALOGUES["dialog06"]()
    dialogue.ask(399)
    assert dialogue.hear(b"\x06" + RESULT.replace(b"\x1b3", b"\x1b1", 1)).reading == Reading("pounds")
