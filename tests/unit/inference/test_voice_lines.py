"""What the synthetic speakers are given to say, and how recordings of people are cut."""

from random import Random

import numpy as np
import pytest

from tillmesh.learn.program import card_of, plain
from tillmesh.learn.voice.clips import commands, others
from tillmesh.learn.voice.prompts import pieces
from tillmesh.learn.voice.talk import TALK
from tillmesh.learn.voice.texts import ending, is_near

PROSE = ["the quick brown fox jumps over a lazy dog", "you may add one more to the list"]


def test_every_command_that_is_to_be_spoken_is_one() -> None:
    for name, text in commands(Random(1), 400):
        assert ending(text) == name, text


def test_nothing_that_is_to_be_no_command_is_one_by_accident() -> None:
    lines = others(Random(1), 400, PROSE, TALK)
    assert not [text for name, text in lines if name or ending(text)]


def test_the_same_seed_gives_the_same_lines() -> None:
    assert others(Random(7), 50, PROSE, TALK) == others(Random(7), 50, PROSE, TALK)


@pytest.mark.parametrize(("text", "near"), [("bring", True), ("pay time cash", True), ("have a nice day", False)])
def test_lone_words_and_spoilt_commands_do_not_count_as_an_hour_of_talk(text: str, near: bool) -> None:
    assert is_near(text) is near


def test_a_recording_is_cut_where_the_voice_pauses_and_where_a_hand_would_let_go() -> None:
    tone = np.sin(np.arange(16_000) * 0.3).astype(np.float32)
    pause = np.zeros(8_000, np.float32)
    cut = [len(piece) / 16_000 for piece in pieces(np.concatenate([tone, pause, tone, tone, pause, *[tone] * 5]))]
    assert cut[:2] == pytest.approx([1.0, 2.0], abs=0.1)
    assert max(cut) <= 4.1
    assert not list(pieces(np.zeros(100, np.float32)))


def test_an_answer_for_people_has_a_line_for_each_figure() -> None:
    assert plain({"name": "voice", "report": {"hours": 1.5}, "files": ["a"]}) == [
        "name: voice", "report", "  hours: 1.5", "files", "  1: a",
    ]  # fmt: skip


def test_a_model_card_says_of_what_a_model_is_made_and_how_good_it_is() -> None:
    card = card_of({"name": "voice", "version": 2, "engine": "litert", "bytes": 2_600_000, "licence": "Apache-2.0",
                    "sources": ["a mouth"], "metrics": {"right": 0.94}})  # fmt: skip
    assert card.startswith("# voice, version 2\n")
    assert "- a mouth" in card
    assert "| right | 0.94 |" in card
