"""What may be said, and which of it was: probabilities of words in, a command out."""

import math

import msgspec
import pytest

from tillmesh.edge.voice import COMMANDS, PRODUCT_WORDS, WORDS, Calibration, Evidence, Heard, understand
from tillmesh.edge.voice.commands import NUMBERS
from tillmesh.edge.voice.decoding import confidence, weighed

SURE = Calibration(bias=4.0, per_gap=-1.0, per_clear=1.0, accept=0.5, sure=0.8)
CLEAR, FAINT = 0.97, 0.03


def steps_of(said: str, *, clear: float = CLEAR) -> list[list[float]]:
    """Let each word be heard for two steps, with two steps of nothing around it."""
    places = [0, 0]
    for word in said.split():
        place = WORDS.index(word)
        places += [place, place, 0, 0]
    return [_step(place, clear if place else CLEAR) for place in places]


def _step(place: int, clear: float) -> list[float]:
    rest = math.log((1 - clear) / (len(WORDS) - 1))
    return [math.log(clear) if number == place else rest for number in range(len(WORDS))]


def hear(said: str, **how: float) -> Heard:
    return understand(steps_of(said, **how), SURE)


def phrases() -> list[tuple[str, str]]:
    return [
        (command.name, phrase.replace("{n}", "twenty three").replace("{product}", "whole milk"))
        for command in COMMANDS
        for phrase in command.phrases
    ]


@pytest.mark.parametrize(("name", "phrase"), phrases())
def test_every_phrase_is_understood_as_its_command(name: str, phrase: str) -> None:
    heard = hear(phrase)
    assert heard.command == name
    assert heard.words == tuple(phrase.split())


def test_there_are_about_fifty_commands() -> None:
    assert 45 <= len(COMMANDS) <= 60


def test_a_number_of_a_product_fills_both_slots() -> None:
    assert hear("two whole milk").slots == {"n": 2, "product": "whole milk"}


@pytest.mark.parametrize(("said", "number"), [("seven", 7), ("nineteen", 19), ("forty", 40), ("ninety nine", 99)])
def test_numbers_count_to_ninety_nine(said: str, number: int) -> None:
    assert hear(f"discount {said} percent").slots == {"n": number}


def test_one_more_is_a_command_and_no_number() -> None:
    assert hear("one more").slots == {}


def test_a_word_that_was_nearly_swallowed_is_heard_when_nothing_counts_less() -> None:
    faint = [_mixed("pay", CLEAR), _mixed("", CLEAR), _mixed("cash", 0.2), _mixed("", CLEAR)]
    assert understand(faint, SURE).command == "charge"
    assert understand(faint, msgspec.structs.replace(SURE, nothing=2.0)).command == "pay_cash"


def _mixed(word: str, share: float) -> list[float]:
    """Hear a word with some probability, and otherwise nothing."""
    place = WORDS.index(word)
    left = [0.0009 / len(WORDS)] * len(WORDS)
    left[place] += share
    left[0] += 0.999 - share
    return [math.log(one) for one in left]


def test_words_that_are_no_command_are_refused() -> None:
    heard = hear("<other> percent <other> remove")
    assert heard.command == ""
    assert heard.requires_confirmation


def test_a_command_inside_other_words_is_refused() -> None:
    assert hear("<other> <other> clear <other>").command == ""


def test_silence_is_no_command() -> None:
    assert understand(steps_of(""), SURE).command == ""
    assert understand([], SURE).command == ""


def test_a_mumbled_command_is_asked_about_or_refused_but_not_done() -> None:
    assert hear("undo", clear=FAINT).requires_confirmation


@pytest.mark.parametrize("said", ["pay cash", "pay card", "refund", "clear sale", "discount ten percent", "sign out"])
def test_what_touches_money_or_lets_go_asks_first_however_clear_it_was(said: str) -> None:
    assert hear(said).requires_confirmation


def test_a_clear_harmless_command_needs_no_second_word() -> None:
    assert not hear("one more").requires_confirmation


def test_a_number_that_is_none_makes_nobody_sure() -> None:
    assert confidence(Evidence(gap=math.nan, clear=0.0), SURE) == 0.0


def test_words_beside_the_command_are_evidence_against_it() -> None:
    clean = weighed(steps_of("undo"), SURE, spoken_s=0.5)[1]
    beside = weighed(steps_of("<other> <other> undo"), SURE, spoken_s=0.5)[1]
    assert clean.stray < 1 < beside.stray
    assert clean.doubt < 1 < beside.doubt


def test_more_speech_than_a_word_takes_is_evidence_against_it() -> None:
    short, long = (weighed(steps_of("undo"), SURE, spoken_s=seconds)[1] for seconds in (0.5, 3.0))
    assert (short.spare_s, short.lone) == (0.0, 1.0)
    assert long.spare_s > 2
    by = msgspec.structs.replace(SURE, per_spare=-3.0)
    assert confidence(long, by) < SURE.accept < confidence(short, by)


def test_the_doubt_is_that_of_exactly_these_words() -> None:
    """One step, and a word of 97 in 100: the words were said with that probability."""
    evidence = weighed([_step(WORDS.index("undo"), CLEAR)], SURE)[1]
    assert evidence.doubt == pytest.approx(-math.log(CLEAR), abs=1e-3)


def test_no_word_stands_twice_and_product_words_are_no_numbers() -> None:
    assert len(set(WORDS)) == len(WORDS)
    assert not set(PRODUCT_WORDS) & set(NUMBERS)
    assert len(set(PRODUCT_WORDS)) == len(PRODUCT_WORDS)
