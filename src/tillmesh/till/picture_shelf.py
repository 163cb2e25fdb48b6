"""Which pictures give way when a till's shelf of them is full, and which ones are at head office or here only.

First those that no product names any more, then those used longest ago. Never one that this till's own people
added, and of the others only one that two tills with smaller names say they hold. Of all holders the smallest two keep
it, so tills that make room at the same time can't drop the last copy between them; and if one till lies, the smallest
of the others keeps it: but for the liar no smaller one says that it does.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Final, NamedTuple

from tillmesh.kernel.limits import PICTURE_UNNAMED_MS, PICTURES_BYTES_MAX
from tillmesh.shop.pictures import Picture

COPIES_BESIDE: Final = 2  # at tills with smaller names; one of them may lie


class Held(NamedTuple):
    """A picture on the shelf."""

    sha256: str
    size: int
    own: bool  # added by people of this till
    used_ms: int
    named: bool  # by a product


class Named(NamedTuple):
    """A picture that products name, and whether this till has it."""

    picture: Picture
    here: bool


class Exchange(NamedTuple):
    """What is to be fetched from head office, and what it lacks and can have."""

    fetch: list[Picture]
    send: list[Picture]


def compare(named: Sequence[Named], held: Collection[str]) -> Exchange:
    """Say what each side lacks that the other one has."""
    return Exchange(
        fetch=[one.picture for one in named if not one.here and one.picture.sha256 in held],
        send=[one.picture for one in named if one.here and one.picture.sha256 not in held],
    )


def forgotten(shelf: Sequence[Held], now_ms: int) -> list[str]:
    """List those that no product has named for a day, as far as their last use tells."""
    return [one.sha256 for one in shelf if not one.named and one.used_ms <= now_ms - PICTURE_UNNAMED_MS]


def over(shelf: Sequence[Held], size: int, bytes_max: int = PICTURES_BYTES_MAX) -> int:
    """Say how many bytes must go so that a picture of a size fits; not above 0: it fits."""
    return sum(one.size for one in shelf) + size - bytes_max


def may_go(shelf: Sequence[Held]) -> list[Held]:
    """List what could give way, the first first; whether others hold it is still to be asked."""
    return sorted((one for one in shelf if not (one.own and one.named)), key=lambda one: (one.named, one.used_ms, one))


def giving_way(shelf: Sequence[Held], bytes_over: int, copies: Mapping[str, int]) -> list[str] | None:
    """List what gives way for so many bytes; None if there can't be made room.

    ``copies`` says how many tills with smaller names say they hold a picture.
    """
    gone: list[str] = []
    for one in may_go(shelf):
        if bytes_over <= 0:
            break
        if not one.named or copies.get(one.sha256, 0) >= COPIES_BESIDE:
            gone.append(one.sha256)
            bytes_over -= one.size
    return gone if bytes_over <= 0 else None
