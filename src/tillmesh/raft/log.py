"""The log as the core sees it: what is stored, what is still to be stored, how far it is committed and applied.

Source: Raft (extended version), section 5.3.
"""

from __future__ import annotations

from collections.abc import Sequence

from tillmesh.raft.errors import Compacted, LogLost, Unavailable
from tillmesh.raft.messages import Entry, EntryType, Snapshot
from tillmesh.raft.storage import Storage, limit


class RaftLog:
    """Stored entries and, from ``offset`` on, unstable ones that the next Ready hands to the driver."""

    def __init__(self, storage: Storage, *, applied: int, commit: int) -> None:
        first, last = storage.first_index(), storage.last_index()
        self._storage = storage
        self.snapshot: Snapshot | None = None  # Received and not stored yet; what lies before it does not count.
        self.unstable: list[Entry] = []
        self.offset = last + 1  # Index of unstable[0]; everything before is stored.
        self.committed = max(commit, first - 1)  # Never above last_index, never decreases.
        self.applied = max(applied, first - 1)  # Never above committed.
        if max(self.committed, self.applied) > last:
            raise LogLost(
                f"entries up to {max(self.committed, self.applied)} were committed here; the log ends at {last}",
                hint="Let this terminal rejoin under a new id.",
            )
        self.committed = max(self.committed, self.applied)

    def first_index(self) -> int:
        """Give the first index that is still an entry."""
        return self.snapshot.index + 1 if self.snapshot else self._storage.first_index()

    def last_index(self) -> int:
        """Give the last index, stored or not."""
        return self.offset + len(self.unstable) - 1

    def last_term(self) -> int:
        """Give the term of the last entry."""
        return self.term(self.last_index())

    def term(self, i: int) -> int:
        """Give the term of entry i; raises Compacted or Unavailable."""
        if i >= self.offset:
            if i > self.last_index():
                raise Unavailable(f"entry {i} is not there; the log ends at {self.last_index()}", hint="Wait for it.")
            return self.unstable[i - self.offset].term
        if self.snapshot:
            if i == self.snapshot.index:
                return self.snapshot.term
            raise Compacted(f"entry {i} is before the snapshot of {self.snapshot.index}", hint="Use the snapshot.")
        return self._storage.term(i)

    def term_of_committed(self) -> int:
        """Give the term of the last committed entry; 0 when nothing is."""
        return self.term(self.committed)

    def matches(self, i: int, term: int) -> bool:
        """Say whether entry i is there and of this term: then everything before it is equal too (log matching)."""
        try:
            return self.term(i) == term
        except (Compacted, Unavailable):
            return False

    def entries(self, lo: int, hi: int, max_size: int) -> list[Entry]:
        """Give entries of [lo, hi) up to max_size bytes of data, at least one if there is any."""
        if lo >= hi:
            return []
        if lo < self.first_index():
            raise Compacted(
                f"entry {lo} is compacted; the log starts at {self.first_index()}", hint="Use the snapshot."
            )
        found: list[Entry] = []
        if lo < self.offset:
            stored = min(hi, self.offset)
            found = list(self._storage.entries(lo, stored, max_size))
            if len(found) < stored - lo:
                return found
        if hi > self.offset:
            found += self.unstable[max(lo - self.offset, 0) : hi - self.offset]
        return limit(found, max_size)

    def is_up_to_date(self, index: int, term: int) -> bool:
        """Say whether a log that ends with this entry is at least as good as ours (section 5.4.1)."""
        mine = self.last_term()
        return term > mine or (term == mine and index >= self.last_index())

    def append(self, entries: Sequence[Entry]) -> None:
        """Append after cutting what conflicts; committed entries are never cut."""
        first = entries[0].index
        assert self.committed < first <= self.last_index() + 1, f"entry {first} would overwrite {self.committed}"
        if first < self.offset:
            self.offset, self.unstable = first, list(entries)
        else:
            self.unstable[first - self.offset :] = entries

    def try_append(self, prev: int, prev_term: int, entries: Sequence[Entry]) -> int | None:
        """Take a leader's entries if the one before them matches; give the last index they cover, or None.

        Entries that are there already are left alone: a late duplicate must not cut what came after it (section 5.3).
        """
        if not self.matches(prev, prev_term):
            return None
        for count, entry in enumerate(entries):
            if not self.matches(entry.index, entry.term):
                self.append(entries[count:])
                break
        return prev + len(entries)

    def last_agreement(self, index: int, term: int) -> tuple[int, int]:
        """Find the last entry at or before index whose term is at most this: further right no log of that term agrees.

        Lets a refused append skip whole terms at once (end of section 5.3). Gives index and term, term 0 if compacted.
        """
        while index > 0:
            try:
                mine = self.term(index)
            except (Compacted, Unavailable):
                return index, 0
            if mine <= term:
                return index, mine
            index -= 1
        return 0, 0

    def commit_to(self, index: int) -> bool:
        """Move the commit index forward; never back."""
        if index <= self.committed:
            return False
        if index > self.last_index():
            raise LogLost(
                f"the leader knows that this node stored entry {index}; the log ends at {self.last_index()}",
                hint="Let this terminal rejoin under a new id.",
            )
        self.committed = index
        return True

    def next_committed(self, max_size: int) -> list[Entry]:
        """Give committed entries that are not applied yet; none while a snapshot has to be applied first."""
        if self.snapshot or self.applied >= self.committed:
            return []
        return self.entries(self.applied + 1, self.committed + 1, max_size)

    def has_unapplied_conf_change(self) -> bool:
        """Say whether a committed change of membership has not taken effect here yet."""
        pending = self.next_committed(2**62)
        return any(entry.type is EntryType.CONF_CHANGE for entry in pending)

    def newest_snapshot(self) -> Snapshot:
        """Give the snapshot to send to who is too far behind; raises Unavailable when there is none yet."""
        snapshot = self.snapshot or self._storage.snapshot()
        if not snapshot.index:
            raise Unavailable("no snapshot was made yet", hint="Make one before compacting the log.")
        return snapshot

    def restore(self, snapshot: Snapshot) -> None:
        """Forget all entries in favour of a snapshot."""
        assert snapshot.index > self.committed
        self.snapshot, self.unstable, self.offset = snapshot, [], snapshot.index + 1
        self.committed = snapshot.index

    def stable_to(self, index: int, term: int) -> None:
        """Note that entries up to this one are stored, unless they were replaced meanwhile."""
        if self.offset <= index <= self.last_index() and self.term(index) == term:
            del self.unstable[: index + 1 - self.offset]
            self.offset = index + 1

    def snapshot_stored(self, index: int) -> None:
        """Note that a received snapshot is stored."""
        if self.snapshot and self.snapshot.index == index:
            self.snapshot = None

    def applied_to(self, index: int) -> None:
        """Note how far the state machine is."""
        assert index <= self.committed
        self.applied = max(self.applied, index)
