"""The log on disk as the core reads it, and one in memory for tests and as a mirror of the disk.

The core only reads. The driver writes what a Ready holds, in one durable transaction, before it sends a message.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from tillmesh.raft.errors import Compacted, Unavailable
from tillmesh.raft.messages import ConfState, Entry, HardState, Snapshot


class Storage(Protocol):
    """What the core needs to read; indexes count from 1."""

    def initial_state(self) -> tuple[HardState, ConfState]:
        """Give what was durable when the node started; the configuration is that of ``Config.applied``."""

    def entries(self, lo: int, hi: int, max_size: int) -> Sequence[Entry]:
        """Give entries of [lo, hi) up to max_size bytes of data, at least one; Compacted or Unavailable otherwise."""

    def term(self, i: int) -> int:
        """Give the term of entry i, which may be the snapshot's last; Compacted or Unavailable otherwise."""

    def first_index(self) -> int:
        """Give the first index that is still an entry."""

    def last_index(self) -> int:
        """Give the last index that is stored."""

    def snapshot(self) -> Snapshot:
        """Give the newest snapshot; index 0 when there is none."""


class MemoryStorage:
    """A log in memory. Starts with a configuration at index 0, or takes one with a snapshot."""

    def __init__(self, conf_state: ConfState | None = None, hard_state: HardState | None = None) -> None:
        self._hard = hard_state or HardState()
        self._conf: ConfState | None = None  # None: that of the snapshot.
        self._snapshot = Snapshot(conf_state=conf_state or ConfState())
        self._entries: list[Entry] = []
        # Index and term of the entry before the first: what was compacted last. Never beyond the snapshot.
        self._base, self._base_term = 0, 0

    @classmethod
    def loaded(
        cls, hard: HardState, snapshot: Snapshot, *, base: int, base_term: int, entries: list[Entry]
    ) -> MemoryStorage:
        """Mirror a log that is stored elsewhere; ``base`` is the entry before the first of ``entries``."""
        self = cls(hard_state=hard)
        self._snapshot, self._base, self._base_term, self._entries = snapshot, base, base_term, entries
        return self

    def initial_state(self) -> tuple[HardState, ConfState]:
        """Give hard state and configuration."""
        return self._hard, self._snapshot.conf_state if self._conf is None else self._conf

    def first_index(self) -> int:
        """Give the first index that is still an entry."""
        return self._base + 1

    def last_index(self) -> int:
        """Give the last index that is stored."""
        return self._base + len(self._entries)

    def snapshot(self) -> Snapshot:
        """Give the newest snapshot."""
        return self._snapshot

    def term(self, i: int) -> int:
        """Give the term of entry i."""
        if i == self._base:
            return self._base_term
        self._check(i)
        return self._entries[i - self._base - 1].term

    def entries(self, lo: int, hi: int, max_size: int) -> Sequence[Entry]:
        """Give entries of [lo, hi) up to max_size bytes."""
        self._check(lo)
        self._check(hi - 1)
        return limit(self._entries[lo - self._base - 1 : hi - self._base - 1], max_size)

    def set_hard_state(self, hard_state: HardState) -> None:
        """Store term, vote and commit index."""
        self._hard = hard_state

    def set_conf_state(self, conf_state: ConfState) -> None:
        """Store the configuration that holds where the node will be told it has applied; else the snapshot's counts."""
        self._conf = conf_state

    def append(self, entries: Sequence[Entry]) -> None:
        """Store entries; whatever stood at or after the first of them is gone."""
        kept = [entry for entry in entries if entry.index > self._base]
        if not kept:
            return
        at = kept[0].index - self._base - 1
        assert at <= len(self._entries), f"a gap between {self.last_index()} and {kept[0].index}"
        self._entries[at:] = kept

    def apply_snapshot(self, snapshot: Snapshot) -> None:
        """Replace everything by a snapshot that came from the leader."""
        if snapshot.index and snapshot.index <= self._snapshot.index:
            raise Compacted(
                f"a snapshot of index {snapshot.index}; this till has one of {self._snapshot.index}",
                hint="Keep the newer one.",
            )
        self._snapshot, self._conf = snapshot, None
        self._entries, self._base, self._base_term = [], snapshot.index, snapshot.term

    def create_snapshot(self, index: int, conf_state: ConfState, data: bytes) -> Snapshot:
        """Make a snapshot of the state after an applied entry; the log stays until it is compacted."""
        if index <= self._snapshot.index:
            raise Compacted(
                f"a snapshot of index {self._snapshot.index} is there; {index} is not newer", hint="Use the one there."
            )
        self._snapshot = Snapshot(index=index, term=self.term(index), conf_state=conf_state, data=data)
        return self._snapshot

    def compact(self, index: int) -> None:
        """Drop entries up to and including index, which a snapshot covers."""
        if index <= self._base:
            raise Compacted(f"entry {index} is already compacted; the log starts at {self._base + 1}")
        if index > self._snapshot.index:
            raise Unavailable(
                f"entry {index} is in no snapshot; the newest covers {self._snapshot.index}", hint="Make one first."
            )
        term = self.term(index)
        del self._entries[: index - self._base]
        self._base, self._base_term = index, term

    def _check(self, i: int) -> None:
        if i <= self._base:
            raise Compacted(f"entry {i} is compacted; the log starts at {self._base + 1}", hint="Use the snapshot.")
        if i > self.last_index():
            raise Unavailable(f"entry {i} is not there; the log ends at {self.last_index()}", hint="Wait for it.")


def limit(entries: list[Entry], max_size: int) -> list[Entry]:
    """Cut entries to max_size bytes of data, but never to none: one large entry must still pass."""
    size = 0
    for count, entry in enumerate(entries):
        size += len(entry.data)
        if size > max_size and count:
            return entries[:count]
    return entries
