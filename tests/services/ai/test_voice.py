"""Spoken commands through a running till: real recordings of synthetic speakers, silence, and what is no sound."""

import os
import signal
from pathlib import Path

import msgspec
import pytest

from tests.services.ai.till import AiShop, refused
from tests.services.api.shop import Json
from tests.unit.edge.test_voice_sound import tone, wav
from tillmesh.adapters.inference.shelf import read_folder
from tillmesh.adapters.inference.tasks.voice import Listener
from tillmesh.edge.bundle import Bundle, open_bundle
from tillmesh.learn.shipping import SHIPPED, shipped_keys

pytestmark = [pytest.mark.service, pytest.mark.slow, pytest.mark.xdist_group("ai")]
SPOKEN = Path(__file__).parents[2] / "data" / "spoken"
LONE = Path(__file__).parents[2] / "data" / "lone"
UNSPOKEN = Path(__file__).parents[2] / "data" / "unspoken"


def say(shop: AiShop, name: str) -> Json:
    return hear(shop, (SPOKEN / f"{name}.wav").read_bytes())


def hear(shop: AiShop, sound: bytes) -> Json:
    return shop.model("/ai/voice", sound, "audio/wav")


@pytest.mark.parametrize("path", sorted(SPOKEN.glob("*.wav")), ids=lambda path: path.stem)
def test_a_spoken_command_is_understood(ai_shop: AiShop, path: Path) -> None:
    answer = hear(ai_shop, path.read_bytes())
    assert " ".join(answer["words"]) == path.stem.replace("-", " ")
    assert answer["command"]


def best_guess(path: Path) -> str:
    """What the model that ships thinks it heard, were it to accept everything."""
    bundle = open_bundle(read_folder(SHIPPED / "voice"), shipped_keys())
    settings = bundle.manifest.settings
    open_to_all = {**settings, "calibration": {**settings["calibration"], "accept": 0.0}}
    listener = Listener(Bundle(msgspec.structs.replace(bundle.manifest, settings=open_to_all), bundle.files))
    return str(listener.run([path.read_bytes()])[0]["command"])


@pytest.mark.parametrize("path", sorted(LONE.glob("*.wav")), ids=lambda path: path.stem)
def test_a_lone_word_is_guessed_right_and_never_done_without_a_question(ai_shop: AiShop, path: Path) -> None:
    """People say single words to each other all day: whether one is asked about or let fall lies near the threshold."""
    answer = hear(ai_shop, path.read_bytes())
    assert answer["command"] in {"", path.stem}
    assert answer["requires_confirmation"]
    assert not answer["sure"]
    assert best_guess(path) == path.stem


@pytest.mark.parametrize("path", sorted(UNSPOKEN.glob("*.wav")), ids=lambda path: path.stem)
def test_what_people_say_beside_the_till_is_no_command(ai_shop: AiShop, path: Path) -> None:
    answer = hear(ai_shop, path.read_bytes())
    assert answer["command"] == ""
    assert answer["requires_confirmation"]
    assert not answer["sure"]


def test_silence_and_a_tone_are_no_command(ai_shop: AiShop) -> None:
    for sound in (wav(tone(16_000) * 0), wav(tone(16_000, 1.5))):
        answer = hear(ai_shop, sound)
        assert answer["command"] == ""
        assert answer["requires_confirmation"]


@pytest.mark.parametrize("data", [b"", b"RIFF", b"no sound at all"])
def test_what_is_no_sound_is_refused_in_words(ai_shop: AiShop, data: bytes) -> None:
    answer = refused(ai_shop, "/ai/voice", data)
    assert answer.status_code == 422, answer.text
    assert "WAV" in answer.json()["hint"]


def test_a_worker_that_dies_while_somebody_speaks_costs_a_word_and_no_sale(ai_shop: AiShop) -> None:
    hear(ai_shop, wav(tone(16_000)))
    pid, ends = ai_shop.ai.runner.pid, ai_shop.ai.runner.restarts
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    ai_shop.wait_for(lambda: True if ai_shop.ai.runner.restarts > ends else None, 60.0)
    assert ai_shop.sale("spoken-into-the-void")["durable"]
    assert not hear(ai_shop, wav(tone(16_000)))["fallback"]


def test_the_commands_are_listed_for_whoever_asks(ai_shop: AiShop) -> None:
    listed = ai_shop.ok("GET", "/ai/voice/commands")["commands"]
    assert {"name", "phrases", "does", "slots", "confirms"} <= set(listed[0])
    assert any(one["slots"] == ["n", "product"] for one in listed)
