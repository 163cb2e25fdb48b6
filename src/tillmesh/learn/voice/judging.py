"""How good a head is: commands of voices it never heard, in quiet and in noise, and speech that is no command."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from typing import Any, Final

import msgspec
import numpy as np

from tillmesh.adapters.inference.hearing import Ear, words_of
from tillmesh.edge.voice import PRODUCT_WORDS, Calibration, Evidence, Heard, understand
from tillmesh.edge.voice.commands import BY_NAME, NUMBERS
from tillmesh.edge.voice.decoding import confidence, threshold, weighed
from tillmesh.edge.voice.sound import RATE_HZ, Sound, spoken_seconds
from tillmesh.learn.voice.clips import Clip
from tillmesh.learn.voice.head import Weights
from tillmesh.learn.voice.sound import loud, with_noise
from tillmesh.learn.voice.texts import is_near

NOISES_DB: Final = (None, 20, 10, 5)
NOTHING: Final = 3.5  # of 1.5 to 4.5, the one with which most words were right on the voices that choose
OPEN: Final = Calibration(accept=0.0, nothing=NOTHING)
Z95: Final = 1.96


class Score(msgspec.Struct, frozen=True, kw_only=True):
    """Of so many commands, how many were understood."""

    spoken: int
    best: float  # the best guess is the right command, whatever its confidence
    command: float  # the right command, accepted
    whole: float  # the right command with the right number and product words
    refused: float
    wrong: float  # another command was accepted
    sure: float  # the right command, so sure that nothing but what the command itself asks is asked
    wrong_sure: float


class Judged(msgspec.Struct, frozen=True, kw_only=True):
    """One clip: what it says about confidence."""

    evidence: Evidence
    is_right: bool
    wanted: str
    is_near: bool = False  # no command, but made to be taken for one
    seconds: float
    heard: Heard


def judge(ear: Ear, head: Weights, clips: Sequence[Clip], noise_db: int | None, seed: int) -> list[Judged]:
    """Hear clips with so much noise, accepting everything: thresholds come later."""
    rng = np.random.default_rng(seed)
    background = [clip.sound for clip in clips[:: max(1, len(clips) // 100)]]
    found = []
    for clip in clips:
        sound = np.pad(clip.sound, (RATE_HZ // 5, RATE_HZ // 5))
        if noise_db is not None:
            sound = with_noise(rng, sound, noise_db, background)
        found.append(judged(ear, head, loud(sound, 0.5), clip))
    return found


def judged(ear: Ear, head: Weights, sound: Sound, clip: Clip) -> Judged:
    """Hear one clip."""
    steps = words_of(ear.hear(sound), head).tolist()
    spoken_s = spoken_seconds(sound)
    heard, evidence = weighed(steps, OPEN, spoken_s=spoken_s)
    right = bool(clip.command) and heard.command == clip.command and heard.slots == slots_of(clip)
    return Judged(
        evidence=evidence,
        is_right=right,
        wanted=clip.command,
        is_near=not clip.command and is_near(clip.text),
        seconds=len(sound) / RATE_HZ,
        heard=heard,
    )


def slots_of(clip: Clip) -> dict[str, Any]:
    """Read the slots that a text has, as the recogniser should."""
    numbers = [NUMBERS[word] for word in clip.text.split() if word in NUMBERS]
    takes_number = clip.command in {"add", "quantity", "discount", "line"} and numbers
    product = [word for word in clip.text.split() if word in PRODUCT_WORDS]
    slots: dict[str, Any] = {"n": sum(numbers)} if takes_number else {}
    if clip.command in {"add", "search_for"}:
        slots["product"] = " ".join(product)
    return slots


def score(found: Sequence[Judged], by: Calibration) -> Score:
    """Count over the clips that are commands."""
    spoken = [one for one in found if one.wanted]
    of = max(1, len(spoken))
    levels = [confidence(one.evidence, by) for one in spoken]
    taken = [one for one, level in zip(spoken, levels, strict=True) if level >= by.accept]
    sure = [one for one in taken if is_sure(one, by)]

    def share(some: Sequence[Judged]) -> float:
        return sum(one.heard.command == one.wanted for one in some) / of

    return Score(
        spoken=len(spoken), best=share(spoken), command=share(taken), whole=sum(one.is_right for one in taken) / of,
        refused=1 - len(taken) / of, wrong=len(taken) / of - share(taken), sure=share(sure),
        wrong_sure=len(sure) / of - share(sure),
    )  # fmt: skip


class Rate(msgspec.Struct, frozen=True, kw_only=True):
    """How often speech that is no command was taken for one."""

    hours: float
    asked: int  # taken for a command, and asked about
    done: int  # done without a question
    asked_per_hour: float
    done_per_hour: float
    done_per_hour_most: float  # the upper end of what may be, in 95 of 100 cases
    near: int  # phrases beside these hours that were made to be taken for a command
    near_asked: int
    near_done: int


def false_accepts(found: Sequence[Judged], by: Calibration) -> Rate:
    """Count over the clips that are no command: by the hour, and apart from it those made to be taken for one."""
    others, near = natural(found), [one for one in found if one.is_near]
    hours = sum(one.seconds for one in others) / 3_600
    done, near_done = (sum(is_done(one, by) for one in some) for some in (others, near))
    asked, near_asked = (
        sum(confidence(one.evidence, by) >= by.accept for one in some) - count
        for some, count in ((others, done), (near, near_done))
    )
    per = 1 / max(hours, 1e-9)
    return Rate(
        hours=hours, asked=asked, done=done, asked_per_hour=asked * per, done_per_hour=done * per,
        done_per_hour_most=poisson_most(done) * per, near=len(near), near_asked=near_asked, near_done=near_done,
    )  # fmt: skip


def natural(found: Sequence[Judged]) -> list[Judged]:
    """Give what is no command and was not made to be taken for one."""
    return [one for one in found if not one.wanted and not one.is_near]


def is_done(one: Judged, by: Calibration) -> bool:
    """Say whether what was heard is done without any question."""
    return is_sure(one, by) and not BY_NAME[one.heard.command].confirms


def is_sure(one: Judged, by: Calibration) -> bool:
    """Say whether what was heard is clear enough for what it is."""
    name = one.heard.command
    return bool(name) and confidence(one.evidence, by) >= threshold(name, by)


def poisson_most(count: int) -> float:
    """Give the upper end of the 95 % interval of a count (Byar's approximation, Breslow and Day 1987, page 69)."""
    n = count + 1
    return n * (1 - 1 / (9 * n) + Z95 / (3 * math.sqrt(n))) ** 3


def expected_error(found: Sequence[Judged], by: Calibration, bins: int = 10) -> float:
    """Give the expected calibration error: how far confidence is from the share that was right, on average."""
    pairs = sorted((confidence(one.evidence, by), one.is_right) for one in found)
    groups = [pairs[len(pairs) * at // bins : len(pairs) * (at + 1) // bins] for at in range(bins)]
    off = sum(abs(sum(level for level, _ in some) - sum(right for _, right in some)) for some in groups)
    return off / max(1, len(pairs))


def latencies_ms(ear: Ear, head: Weights, clips: Sequence[Clip]) -> list[float]:
    """Time the whole way from sound to command, one clip after the other."""
    found = []
    for clip in clips:
        began = time.perf_counter()
        understand(words_of(ear.hear(clip.sound), head).tolist(), OPEN, spoken_s=spoken_seconds(clip.sound))
        found.append((time.perf_counter() - began) * 1e3)
    return found
