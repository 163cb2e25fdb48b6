"""Spoken clips on disk: one file an engine, with who said what."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Final

import msgspec
import numpy as np

from tillmesh.edge.voice import COMMANDS
from tillmesh.edge.voice.sound import Sound
from tillmesh.learn.voice.sound import trimmed
from tillmesh.learn.voice.speakers import Speaker
from tillmesh.learn.voice.texts import command, negative

SEED: Final = 20_261_125
AT_ONCE: Final = 2
Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Clip:
    """Somebody saying something. ``command`` is "" for what is no command."""

    engine: str
    voice: str
    text: str
    command: str
    sound: Sound


class _Said(msgspec.Struct):
    voice: str
    text: str
    command: str
    start: int
    end: int


def script(rng: Random, count: int, prose: list[str]) -> list[tuple[str, str]]:
    """Choose what is said: (command, text). Each command as often as another, numbers of products as often as ten."""
    names = [one.name for one in COMMANDS]
    lines: list[tuple[str, str]] = []
    for place in range(count):
        kind = place % 20
        if kind < 6:
            lines.append(("", negative(rng, prose)))
        elif kind < 12:
            lines.append(("add", command(rng, "add")))
        else:
            name = names[(place // 20 * 8 + kind - 12) % len(names)]
            lines.append((name, command(rng, name)))
    return lines


def speak(folder: Path, speakers: Sequence[Speaker], count: int, prose: list[str], say: Say) -> Path:
    """Let the voices of one engine say ``count`` lines in turns, and keep the sound."""
    engine = speakers[0].engine
    path = folder / f"{engine}.npz"
    if path.exists():
        return path
    lines = script(Random(f"{SEED} {engine}"), count, prose)  # noqa: S311 - shoppers need no secrets

    def one(place: int) -> tuple[str, Sound]:
        speaker = speakers[place % len(speakers)]
        rng = Random(f"{SEED} {engine} {place}")  # noqa: S311 - nor here
        return speaker.voice, trimmed(speaker.say(lines[place][1], rng))

    said, parts, at = [], [], 0
    with ThreadPoolExecutor(AT_ONCE) as pool:
        for (name, text), (voice, sound) in zip(lines, pool.map(one, range(count)), strict=True):
            said.append(_Said(voice, text, name, at, at + len(sound)))
            parts.append((np.clip(sound, -1, 1) * 32_767).astype(np.int16))
            at += len(sound)
            if len(said) % 250 == 0:
                say(f"{engine}: {len(said)} of {count} clips")
    folder.mkdir(parents=True, exist_ok=True)
    half = path.with_suffix(".half.npz")
    np.savez(half, sound=np.concatenate(parts), said=np.frombuffer(msgspec.json.encode(said), np.uint8))
    half.rename(path)
    return path


def read(paths: Iterable[Path]) -> list[Clip]:
    """Read clips back."""
    clips: list[Clip] = []
    for path in paths:
        with np.load(path, allow_pickle=False) as held:
            sound, raw = held["sound"], held["said"].tobytes()
        for one in msgspec.json.decode(raw, type=list[_Said]):
            piece = sound[one.start : one.end].astype(np.float32) / np.float32(32_767)
            clips.append(Clip(path.stem, one.voice, one.text, one.command, piece))
    return clips
