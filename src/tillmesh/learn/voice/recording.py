"""Which voice says how much of what: to train, to choose thresholds, and to judge; each with texts of its own."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Final

from tillmesh.kernel.errors import NotFound
from tillmesh.learn.voice import clips as spoken
from tillmesh.learn.voice.clips import Clip, Line
from tillmesh.learn.voice.speakers import CHOOSE, JUDGE, SEED, TRAIN, Speaker, role, speakers
from tillmesh.learn.voice.talk import TALK
from tillmesh.learn.voice.texts import ending, sentences

# How many commands and how many lines that are none.
COUNTS: Final[dict[tuple[str, str], tuple[int, int]]] = {
    (TRAIN, "espeak-ng"): (2_200, 3_000),
    (TRAIN, "flite"): (600, 1_200),
    (TRAIN, "hibari"): (1_500, 1_600),
    (CHOOSE, "espeak-ng"): (400, 1_300),
    (CHOOSE, "flite"): (200, 900),
    (CHOOSE, "festival"): (150, 350),
    (JUDGE, "piper"): (250, 450),
}
# Prose that stays as it is, and of which each role has its own: it is on every Debian.
LICENCES: Final = Path("/usr/share/common-licenses")
PROSE: Final = {TRAIN: ("GPL-3", "MPL-2.0", "Artistic"), CHOOSE: ("Apache-2.0", "GFDL-1.3", "CC0-1.0")}
DOCS: Final = Path(__file__).parents[4] / "docs"  # judges: all pages but those that name commands
HELD_TALK: Final = 4  # each fourth line of talk is kept from training and chooses
Say = Callable[[str], None]


def clips_of(work: Path, wanted: str, say: Say, share: float = 1.0) -> list[Clip]:
    """Give what the installed engines say in a role."""
    return spoken.read(record(work, wanted, say, share))


def record(work: Path, wanted: str, say: Say, share: float = 1.0) -> list[Path]:
    """Let every engine that is installed say the lines of a role, or the first share of them, into a file each."""
    by_engine: dict[str, list[Speaker]] = {}
    for speaker in speakers():
        if role(speaker) == wanted:
            by_engine.setdefault(speaker.engine, []).append(speaker)
    if not by_engine:
        raise NotFound(
            f"no synthetic speaker that is to {wanted} is installed",
            hint="See docs/reference/voice.md for those it was made with.",
        )
    return [
        spoken.speak(work / "clips" / f"{engine}.{wanted}.npz", found, _some(_lines(wanted, engine), share), say)
        for engine, found in by_engine.items()
    ]


def _some(lines: list[Line], share: float) -> list[Line]:
    return lines[: max(1, round(share * len(lines)))]


def _lines(wanted: str, engine: str) -> list[Line]:
    """Choose what an engine says in a role; commands and others mixed, so that every voice says both."""
    rng = Random(f"{SEED} {wanted} {engine}")  # noqa: S311 - shoppers need no secrets
    commands, others = COUNTS[wanted, engine]
    lines = spoken.commands(rng, commands) + _others(rng, others, wanted)
    rng.shuffle(lines)
    return lines


def _others(rng: Random, count: int, wanted: str) -> list[Line]:
    if wanted == JUDGE:  # prose piece by piece, as it is: nothing made to be confused
        pages = (path.read_text("utf-8") for path in sorted(DOCS.rglob("*.md")) if path.stem not in {"voice", "models"})
        texts = [text for text in sentences(pages) if not ending(text)]
        return [("", text) for text in rng.sample(texts, count)]
    prose = sentences((LICENCES / name).read_text("utf-8") for name in PROSE[wanted])
    held = TALK[::HELD_TALK]
    talk = held if wanted == CHOOSE else [line for line in TALK if line not in held]
    return spoken.others(rng, count, prose, talk)
