"""What a till is doing in its store, and which tills hear each other, from what is known here."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from enum import StrEnum
from itertools import combinations
from typing import Final, NamedTuple


class Stage(StrEnum):
    """What a till is doing, in the words of the HTTP API."""

    INITIALIZING = "initializing"  # starting: it does not take part yet
    DISCOVERING = "discovering"  # looking for the others, or for who leads them
    CANDIDATE = "candidate"  # asking the others to be led by it
    FOLLOWER = "follower"
    LEADER = "leader"
    SYNCING_TO_CLOUD = "syncing_to_cloud"  # leading, and uploading to head office right now


CANDIDATES: Final = frozenset({"candidate", "pre_candidate", "pre-candidate"})


def stage_of(*, role: str | None, leader_known: bool, reached: int, uploading: bool) -> Stage:
    """Name what a till is doing; ``role`` is its part in the store's agreement, None before it has one.

    A till that stands for election with nobody in reach is looking for the others, whatever it calls itself.
    """
    if role is None:
        return Stage.INITIALIZING
    if role == Stage.LEADER:
        return Stage.SYNCING_TO_CLOUD if uploading else Stage.LEADER
    if role in CANDIDATES:
        return Stage.CANDIDATE if reached else Stage.DISCOVERING
    return Stage.FOLLOWER if leader_known else Stage.DISCOVERING


class Line(NamedTuple):
    """A pair of tills, and whether they hear each other; None if nobody in reach can say."""

    one: str
    other: str
    up: bool | None


def lines(
    me: str, reached: Collection[str], others: Collection[str], told: Mapping[str, Collection[str]]
) -> list[Line]:
    """Say of every pair of tills whether they hear each other.

    ``told`` holds whom each other till reached when it last said so; what one says that is out of reach is old, and
    does not count.
    """
    known: dict[str, Collection[str]] = {name: told[name] for name in reached if name in told}
    known[me] = reached

    def up(one: str, other: str) -> bool | None:
        if me in (one, other):
            return (other if one == me else one) in reached
        said = [far in known[near] for near, far in ((one, other), (other, one)) if near in known]
        return all(said) if said else None

    return [Line(one, other, up(one, other)) for one, other in combinations(sorted({me, *others}), 2)]
