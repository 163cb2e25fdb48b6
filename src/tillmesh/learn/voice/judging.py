"""How good a head is: commands of voices it never heard, in quiet and in noise, and speech that is no command."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any, Final

import msgspec
import numpy as np

from tillmesh.adapters.inference.hearing import Ear, words_of
from tillmesh.edge.voice import Calibration, Heard, understand
from tillmesh.edge.voice.commands import NUMBERS
from tillmesh.edge.voice.decoding import best_walk, confidence, eager, freest
from tillmesh.edge.voice.grammar import whole
from tillmesh.edge.voice.sound import RATE_HZ, Sound
from tillmesh.learn.voice.clips import Clip
from tillmesh.learn.voice.head import Weights
from tillmesh.learn.voice.sound import loud, with_noise

NOISES_DB: Final = (None, 20, 10, 5)
NOTHING: Final = 2.5  # of 0.5 to 3.5, the one with which most was understood on the voices that choose
OPEN: Final = Calibration(accept=0.0, nothing=NOTHING)


class Score(msgspec.Struct, frozen=True, kw_only=True):
    """Of so many commands, how many were understood."""

    spoken: int
    command: float  # the right command, accepted
    whole: float  # the right command with the right number and product words
    refused: float
    wrong: float  # another command was accepted


class Judged(msgspec.Struct, frozen=True, kw_only=True):
    """One clip: what it says about confidence."""

    gap: float
    clear: float
    is_right: bool
    is_command: bool
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
    heard = understand(steps, OPEN)
    heard_steps = eager(steps, NOTHING)
    walk = best_walk(heard_steps, whole())
    gap = 99.0 if walk is None else freest(heard_steps) - walk.score
    clear = -99.0 if walk is None else walk.clear
    right = bool(clip.command) and heard.command == clip.command and heard.slots == slots_of(clip)
    return Judged(
        gap=gap, clear=clear, is_right=right, is_command=bool(clip.command), seconds=len(sound) / RATE_HZ, heard=heard
    )


def slots_of(clip: Clip) -> dict[str, Any]:
    """Read the slots that a text has, as the recogniser should."""
    from tillmesh.edge.voice import PRODUCT_WORDS

    numbers = [NUMBERS[word] for word in clip.text.split() if word in NUMBERS]
    takes_number = clip.command in {"add", "quantity", "discount", "line"} and numbers
    product = [word for word in clip.text.split() if word in PRODUCT_WORDS]
    slots: dict[str, Any] = {"n": sum(numbers)} if takes_number else {}
    if clip.command in {"add", "search_for"}:
        slots["product"] = " ".join(product)
    return slots


def score(found: Sequence[Judged], clips: Sequence[Clip], by: Calibration) -> Score:
    """Count over the clips that are commands."""
    spoken = command = whole_ = refused = 0
    for one, clip in zip(found, clips, strict=True):
        if not clip.command:
            continue
        spoken += 1
        if confidence(one.gap, one.clear, by) < by.accept:
            refused += 1
        elif one.heard.command == clip.command:
            command += 1
            whole_ += one.is_right
    count = max(1, spoken)
    wrong = (spoken - refused - command) / count
    return Score(spoken=spoken, command=command / count, whole=whole_ / count, refused=refused / count, wrong=wrong)


def false_accepts_per_hour(found: Sequence[Judged], by: Calibration) -> tuple[float, int, float]:
    """Give false accepts per hour, their number, and the hours of speech that is no command."""
    others = [one for one in found if not one.is_command]
    hours = sum(one.seconds for one in others) / 3_600
    count = sum(confidence(one.gap, one.clear, by) >= by.accept for one in others)
    return count / max(hours, 1e-9), count, hours


def calibrate(found: Sequence[Judged], per_hour_max: float, nothing: float = NOTHING) -> Calibration:
    """Fit confidence by logistic regression; "sure" begins where so few others per hour pass, "accepted" at a half."""
    x = np.array([[1.0, min(one.gap, 50.0), max(one.clear, -20.0)] for one in found])
    y = np.array([float(one.is_right) for one in found])
    weights = np.zeros(3)
    for _ in range(200):
        p = 1 / (1 + np.exp(-np.clip(x @ weights, -30, 30)))
        hessian = (x * (p * (1 - p))[:, None]).T @ x + 1e-3 * np.eye(3)
        weights += np.linalg.solve(hessian, x.T @ (y - p) - 1e-3 * weights)
    bias, per_gap, per_clear = map(float, weights)
    fitted = Calibration(bias, per_gap, per_clear, accept=0.5, sure=1.0, nothing=nothing)
    others = sorted(confidence(one.gap, one.clear, fitted) for one in found if not one.is_command)
    hours = sum(one.seconds for one in found if not one.is_command) / 3_600
    allowed = int(per_hour_max * hours)
    sure = others[-1 - allowed] + 1e-4 if len(others) > allowed else 0.5
    return msgspec.structs.replace(fitted, sure=max(0.5, sure))


def latencies_ms(ear: Ear, head: Weights, clips: Sequence[Clip]) -> list[float]:
    """Time the whole way from sound to command, one clip after the other."""
    found = []
    for clip in clips:
        began = time.perf_counter()
        understand(words_of(ear.hear(clip.sound), head).tolist(), OPEN)
        found.append((time.perf_counter() - began) * 1e3)
    return found
