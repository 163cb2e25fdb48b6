"""Speech of people: the prompts of a telephone system, as Debian ships them (asterisk-core-sounds).

They never train. English ones judge, by their transcript; those in other languages, cut where the voice pauses, are
speech that is no command and help to choose thresholds. Where they are not installed, the machines' voices are all.
"""

from __future__ import annotations

import gzip
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import numpy as np

from tillmesh.edge.voice.sound import RATE_HZ, Sound, read_wav
from tillmesh.kernel.errors import TillmeshError
from tillmesh.learn.voice.clips import Clip
from tillmesh.learn.voice.texts import ending

SOUNDS: Final = Path("/usr/share/asterisk/sounds")
ENGLISH: Final = "en_US_f_Allison"
SAID: Final = Path("/usr/share/doc/asterisk-core-sounds-en/core-sounds-en.txt.gz")
FOREIGN: Final = ("it_IT_*", "ru_RU_*", "fr_CA_*")
DIGITS: Final = "zero one two three four five six seven eight nine".split()
PIECE: Final = RATE_HZ // 50
PAUSE: Final = 12  # pieces of 20 ms
SPAN: Final = (0.3, 4.0)  # seconds of a piece: as somebody holds the key


def english() -> list[Clip]:
    """Give the English prompts with what they say; those that are commands by their words are commands."""
    if not SAID.exists():
        return []
    clips = []
    for line in gzip.decompress(SAID.read_bytes()).decode("utf-8", "replace").splitlines():
        name, _, text = line.partition(":")
        path = SOUNDS / ENGLISH / f"{name.strip()}.wav"
        words = " ".join(re.findall(r"[a-z']+", re.sub(r"\d", _digit, text.lower())))
        if line.startswith(";") or "[" in text or not words or not path.exists():
            continue
        sound = _sound(path)
        if sound is not None:
            clips.append(Clip("people", name.strip(), words, ending(words), sound))
    return clips


def foreign() -> list[Clip]:
    """Give pieces of prompts in other languages; none is a command."""
    paths = [path for pattern in FOREIGN for path in sorted(SOUNDS.glob(f"{pattern}/**/*.wav"))]
    return [
        Clip("people", path.relative_to(SOUNDS).parts[0], "", "", piece)
        for path in paths
        if (sound := _sound(path)) is not None
        for piece in pieces(sound)
    ]


def pieces(sound: Sound) -> Iterator[Sound]:
    """Cut where the voice pauses, or at the longest that somebody holds the key."""
    power = np.square(sound[: len(sound) // PIECE * PIECE].reshape(-1, PIECE)).mean(axis=1)
    if not len(power):
        return
    loud = np.flatnonzero(power > power.max() * 1e-3)
    start = last = -1
    for at in (*loud.tolist(), len(power) + 2 * PAUSE):
        if start >= 0 and (at - last > PAUSE or (at - start) * 0.02 > SPAN[1]):
            if (last - start) * 0.02 >= SPAN[0]:
                yield sound[start * PIECE : (last + 1) * PIECE]
            start = -1
        start = at if start < 0 else start
        last = at


def _digit(match: re.Match[str]) -> str:
    return f" {DIGITS[int(match[0])]} "


def _sound(path: Path) -> Sound | None:
    """Read a prompt; longer ones than a till takes are left out."""
    try:
        return read_wav(path.read_bytes())
    except TillmeshError:
        return None
