"""How far reports have taken the log of each till, and what it adds up to: kept by every analytics beside its rows."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from tillmesh.fleet.ports import Entry, Held
from tillmesh.fleet.projecting import Rows, project
from tillmesh.fleet.syncing import fresh
from tillmesh.kernel.envelope import Head


class ChainRow(NamedTuple):
    """One till's log as far as it was taken."""

    store: str
    actor: str
    seq: int
    weight: int  # what its numbers may add up to


class Chains:
    """The logs of some stores."""

    def __init__(self, found: Iterable[ChainRow] = ()) -> None:
        self._seqs: dict[str, dict[str, int]] = {}
        self._weights: dict[str, dict[str, int]] = {}
        for store, actor, seq, weight in found:
            self._seqs.setdefault(store, {})[actor] = seq
            self._weights.setdefault(store, {})[actor] = weight

    def take(self, entry: Entry) -> Rows:
        """Give the rows of what is new in an entry, and move on."""
        seqs, weights = self._seqs.setdefault(entry.store, {}), self._weights.setdefault(entry.store, {})
        events = fresh(Held(heads={actor: Head(actor, seq) for actor, seq in seqs.items()}), entry.events)
        rows = project(events, weights)
        for event in events:
            seqs[event.actor] = event.seq
        for actor, weight in rows.weights.items():
            weights[actor] = weights.get(actor, 0) + weight
        return rows

    def rows(self) -> list[ChainRow]:
        """Give all of it, to be kept."""
        return [
            ChainRow(store, actor, seq, self._weights.get(store, {}).get(actor, 0))
            for store, seqs in self._seqs.items()
            for actor, seq in seqs.items()
        ]
