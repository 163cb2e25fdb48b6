"""When a code that the camera read counts: two frames agree, no rival was seen as often, and the shop sells it.

A blurred code can be misread with a valid check digit, 2 to 10 times in 1,000 (measured with decoders on real
photographs; ADR 0017). Such a misreading is hardly ever made twice in the same way, nor often a product of the shop.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from typing import Final

import msgspec

from tillmesh.kernel.limits import SCAN_CODES_MAX, SCAN_FRAMES_MAX
from tillmesh.shop.gtin import canonical

AGREE_FRAMES: Final = 2
UNKNOWN_FRAMES: Final = 4  # guess: a code that is no product is told of only when it is beyond doubt
WINDOW_MS: Final = 1_500  # guess: a hand holds a product still for about a second
HOLD_MS: Final = 1_500  # a code that stays in the picture is one scan; away for this long, and it is the next piece
FAST: Final = b"f"  # how hard the decoders look at a picture: the first byte of what they are given
DEEP: Final = b"d"
DEEP_EVERY: Final = 4  # each fourth frame without a code is looked at by the slow decoders too


class Seen(msgspec.Struct, frozen=True):
    """A code in one frame."""

    format: str
    text: str
    identifier: str = ""  # of a GS1 code (ISO/IEC 15424): it says that the text is an element string

    @property
    def typed(self) -> str:
        """Give the code as a scanner that names GS1 codes would type it."""
        return self.identifier + self.text


class Frame(msgspec.Struct, frozen=True):
    """What one frame showed: each number once."""

    at_ms: int
    texts: tuple[tuple[str, str], ...]  # the number in its one spelling -> as it was read


class View(msgspec.Struct, frozen=True):
    """What the camera saw lately. A value: each frame makes the next one."""

    frames: tuple[Frame, ...] = ()
    taken: tuple[tuple[str, int], ...] = ()  # numbers already answered for, and when each was last in the picture
    empty: int = 0  # frames in a row without any code

    @property
    def wants_deep(self) -> bool:
        """Say whether the next frame is worth the slow decoders."""
        return self.empty % DEEP_EVERY == DEEP_EVERY - 1


class Looked(msgspec.Struct, frozen=True):
    """What follows from a frame: codes to ring up, and codes that are beyond doubt but no product here."""

    view: View
    accepted: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()


def look(view: View, found: Iterable[Seen], now_ms: int, is_product: Callable[[str], bool]) -> Looked:
    """Take the codes of one frame in, and say which of them count now."""
    texts = {canonical(seen.text): seen.typed for seen in found}
    frame = Frame(now_ms, tuple(sorted(texts.items())[:SCAN_CODES_MAX]))
    recent = [one for one in view.frames if 0 <= now_ms - one.at_ms <= WINDOW_MS]
    frames = (*recent[1 - SCAN_FRAMES_MAX :], frame)
    taken = {number: at for number, at in view.taken if 0 <= now_ms - at <= HOLD_MS}
    seen = Counter(number for one in frames for number, _ in one.texts)
    accepted, unknown = [], []
    for number, text in frame.texts:
        if number in taken:
            taken[number] = now_ms
        elif seen[number] >= AGREE_FRAMES and not _has_rival(number, seen):
            if is_product(text):
                accepted.append(text)
                taken[number] = now_ms
            elif seen[number] >= UNKNOWN_FRAMES:
                unknown.append(text)
                taken[number] = now_ms
    return Looked(
        View(frames, tuple(taken.items()), 0 if frame.texts else view.empty + 1), tuple(accepted), tuple(unknown)
    )


def _has_rival(number: str, seen: Counter[str]) -> bool:
    """Say whether a look-alike was seen as often: as long, and different in a few places, as misreadings are."""
    return any(count >= seen[number] and other != number and _alike(number, other) for other, count in seen.items())


def _alike(one: str, other: str) -> bool:
    if len(one) != len(other):
        return False
    return 2 * sum(a != b for a, b in zip(one, other, strict=True)) <= len(one)
