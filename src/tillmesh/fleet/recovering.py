"""Giving a store its log back: pages of what was accepted, each stretch under a signature that the store can check."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from typing import Final, TypeAlias

from tillmesh.fleet.ports import Entry, Position, Stretch
from tillmesh.kernel.envelope import Envelope, Head
from tillmesh.kernel.errors import Invalid
from tillmesh.kernel.limits import LOG_PLACE_CHARS_MAX, SYNC_EVENTS_PER_BATCH_MAX
from tillmesh.sync.messages import Run, runs_of
from tillmesh.sync.recovery import Page

Vouch: TypeAlias = Callable[[Head], bytes | None]  # head office's own signature of a head, where it may stand for one
_PLACE: Final = re.compile(r"[0-9a-z]+:(?:0|[1-9][0-9]{0,17})")


def page_of(store: str, stretch: Stretch, vouch: Vouch) -> Page:
    """Make a page of a stretch of the log."""
    runs = [run for entry in stretch.entries for run in _runs(entry, vouch)]
    return Page(store, runs, write_place(stretch.place), stretch.whole)


def write_place(place: Position) -> str:
    """Write a place in the log as text."""
    return ",".join(f"{part}:{entry}" for part, entry in sorted(place.items()))


def read_place(text: str) -> dict[str, int]:
    """Read a place in the log; nothing means its beginning. Raises Invalid for anything else."""
    words = text.split(",") if text else []
    if len(text) > LOG_PLACE_CHARS_MAX or not all(map(_PLACE.fullmatch, words)):
        raise Invalid(f"{text[:40]!r} is no place in the log", hint="Take it from the page before.")
    return {part: int(entry) for part, _, entry in (word.partition(":") for word in words)}


def _runs(entry: Entry, vouch: Vouch) -> Iterator[Run]:
    """Cut an entry where its tills have signed."""
    signatures = {(each.head.actor, each.head.seq): each.signature for each in entry.signed}
    for events in _stretches(entry.events, signatures.keys()):
        last = events[-1]
        vouched = vouch(Head(last.actor, last.seq, last.hash))
        if vouched is not None:
            signatures[last.actor, last.seq] = vouched
        yield from runs_of(events, signatures)


def _stretches(events: Iterable[Envelope], signed: Iterable[tuple[str, int]]) -> Iterator[list[Envelope]]:
    """Give stretches of one actor's log each, that end in signed heads as far as there are any."""
    ends = frozenset(signed)
    found: list[Envelope] = []
    for event in events:
        if found and (event.actor, event.seq) != (found[-1].actor, found[-1].seq + 1):
            yield found
            found = []
        found.append(event)
        if (event.actor, event.seq) in ends or len(found) >= SYNC_EVENTS_PER_BATCH_MAX:
            yield found
            found = []
    if found:
        yield found
