"""Train the head: clips through a shop to embeddings, embeddings to words."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Final

import numpy as np

from tillmesh.adapters.inference.hearing import WIDTH, Ear, Floats
from tillmesh.edge.voice import WORDS
from tillmesh.learn.voice.clips import Clip
from tillmesh.learn.voice.head import Adam, Weights, new_weights, train_step
from tillmesh.learn.voice.sound import lived
from tillmesh.learn.voice.texts import labels

BATCH: Final = 64
DROPOUT: Final = 0.2
RATE: Final = 2e-3
Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Example:
    """What was heard, and the words it stands for."""

    heard: Floats
    words: list[int]


def examples(ear: Ear, clips: Sequence[Clip], times: int, seed: int, say: Say) -> list[Example]:
    """Let every command live through the shop so many times, each time otherwise, and what is none once."""
    background = [clip.sound for clip in clips[:: max(1, len(clips) // 300)]]
    found = []
    for turn in range(times):
        for place, clip in enumerate(clips):
            if turn and not clip.command:
                continue
            heard = ear.hear(lived(np.random.default_rng((seed, turn, place)), clip.sound, background))
            words = labels(clip.text)
            repeats = sum(a == b for a, b in pairwise(words))
            if len(heard) >= len(words) + repeats:
                found.append(Example(heard.astype(np.float16), words))
            if place % 500 == 0:
                say(f"{clip.engine}: heard {place} of {len(clips)}, time {turn + 1} of {times}")
    return found


def keep(path: Path, found: Sequence[Example]) -> None:
    """Keep examples on disk."""
    path.parent.mkdir(parents=True, exist_ok=True)
    half = path.with_suffix(".half.npz")
    np.savez(
        half, heard=np.concatenate([one.heard for one in found]), steps=[len(one.heard) for one in found],
        words=np.concatenate([one.words for one in found]), counts=[len(one.words) for one in found],
    )  # fmt: skip
    half.rename(path)


def kept(path: Path) -> list[Example]:
    """Read kept examples."""
    with np.load(path, allow_pickle=False) as held:
        heard = np.split(held["heard"], np.cumsum(held["steps"])[:-1])
        words = np.split(held["words"], np.cumsum(held["counts"])[:-1])
    return [Example(one, said.tolist()) for one, said in zip(heard, words, strict=True)]


def train(found: Sequence[Example], epochs: int, seed: int, say: Say, start: Weights | None = None) -> Weights:
    """Give the weights after so many times through all examples, from the beginning or going on from others."""
    rng = np.random.default_rng(seed)
    weights = start or _fresh(rng, found)
    order = sorted(range(len(found)), key=lambda place: len(found[place].heard))
    batches = [order[at : at + BATCH] for at in range(0, len(order), BATCH)]
    adam = Adam(weights)
    count, total = 0, epochs * len(batches)
    for epoch in range(epochs):
        losses = []
        for number in rng.permutation(len(batches)):
            chosen = [found[place] for place in batches[number]]
            rate = RATE * min(1.0, count / 300) * 0.5 * (1 + np.cos(np.pi * count / total))
            loss, gradient = train_step(weights, *_padded(chosen), rng, DROPOUT)
            adam.step(weights, gradient, rate)
            losses.append(loss)
            count += 1
        say(f"epoch {epoch + 1} of {epochs}: loss {np.mean(losses):.3f}")
    return weights


def _fresh(rng: np.random.Generator, found: Sequence[Example]) -> Weights:
    """Draw weights; what is heard is brought to a mean of 0 and a spread of 1 first."""
    weights = new_weights(rng, WIDTH, len(WORDS))
    some = np.concatenate([one.heard for one in found[:: max(1, len(found) // 3_000)]]).astype(np.float32)
    weights["mean"] = some.mean(axis=0)
    weights["scale"] = 1 / (some.std(axis=0) + np.float32(1e-3))
    return weights


def _padded(chosen: Sequence[Example]) -> tuple[Floats, list[int], list[list[int]]]:
    lengths = [len(one.heard) for one in chosen]
    x = np.zeros((len(chosen), max(lengths), WIDTH), np.float32)
    for row, one in enumerate(chosen):
        x[row, : len(one.heard)] = one.heard
        x[row, len(one.heard) :] = one.heard[-1]
    return x, lengths, [one.words for one in chosen]
