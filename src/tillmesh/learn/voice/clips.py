"""Spoken clips on disk: one file for each engine and role, with who said what."""

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
from tillmesh.learn.voice.speakers import SEED, Speaker
from tillmesh.learn.voice.texts import command, other

PROGRAMS: Final = ("espeak-ng", "flite", "festival")  # engines that run as processes: two at once
Say = Callable[[str], None]
Line = tuple[str, str]  # the command, "" for none, and the text


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


def commands(rng: Random, count: int) -> list[Line]:
    """Choose commands: three in seven are products, the others each as often as another."""
    names = [one.name for one in COMMANDS]
    chosen = ["add" if place % 7 < 3 else names[(place // 7 * 4 + place % 7) % len(names)] for place in range(count)]
    return [(name, command(rng, name)) for name in chosen]


def others(rng: Random, count: int, prose: Sequence[str], talk: Sequence[str]) -> list[Line]:
    """Choose lines that are no command."""
    return [("", other(rng, prose, talk)) for _ in range(count)]


def speak(path: Path, speakers: Sequence[Speaker], lines: Sequence[Line], say: Say) -> Path:
    """Let the voices of one engine say lines in turns, and keep the sound; what was kept before is not said again."""
    if path.exists():
        return path

    def one(place: int) -> tuple[str, Sound]:
        speaker = speakers[place % len(speakers)]
        rng = Random(f"{SEED} {path.stem} {place}")  # noqa: S311 - shoppers need no secrets
        return speaker.voice, trimmed(speaker.say(lines[place][1], rng))

    said, parts, at = [], [], 0
    with ThreadPoolExecutor(2 if speakers[0].engine in PROGRAMS else 1) as pool:
        for (name, text), (voice, sound) in zip(lines, pool.map(one, range(len(lines))), strict=True):
            said.append(_Said(voice, text, name, at, at + len(sound)))
            parts.append((np.clip(sound, -1, 1) * 32_767).astype(np.int16))
            at += len(sound)
            if len(said) % 250 == 0:
                say(f"{path.stem}: {len(said)} of {len(lines)} clips")
    path.parent.mkdir(parents=True, exist_ok=True)
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
            clips.append(Clip(path.stem.split(".")[0], one.voice, one.text, one.command, piece))
    return clips
