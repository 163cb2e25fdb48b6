"""Term, vote and log of this terminal in its database, and a mirror in memory for the core to read.

The mirror is read on the thread that steps the node, the tables are written on the writer's thread: ``write`` there,
then ``note`` here, or ``save`` for both. What a store agrees on is small, and compacted, so the mirror is.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import apsw
import msgspec

from tillmesh.adapters.sqlite.database import rows, storage_errors, write
from tillmesh.kernel.errors import Damaged
from tillmesh.raft import (
    ConfState,
    Entry,
    EntryType,
    HardState,
    LogLost,
    MemoryStorage,
    NodeId,
    Ready,
    Snapshot,
    decode_conf_state,
    decode_snapshot,
    encode,
)
from tillmesh.till.agreement import Promise

_CREATE: Final = "INSERT INTO raft_state VALUES (1, ?, ?, ?, 0, 0, ?, 0, ?)"
_LOAD: Final = "SELECT term, vote, commit_index, base, base_term, snapshot, applied, conf FROM raft_state"
_ENTRIES: Final = "SELECT idx, term, conf_change, data FROM raft_entry ORDER BY idx"
_HARD: Final = "UPDATE raft_state SET term = ?, vote = ?, commit_index = ?"
_TAKE: Final = "UPDATE raft_state SET snapshot = ?, base = ?, base_term = ?, applied = ?, conf = ?"


class Cut(NamedTuple):
    """A snapshot on its way to the disk, and the last entry that goes with it."""

    snapshot: Snapshot
    upto: int
    upto_term: int


class SqliteRaftStorage:
    """Fulfils ``tillmesh.raft.Storage``; one FULL transaction for each Ready."""

    def __init__(self, db: apsw.Connection, conf_state: ConfState | None = None) -> None:
        """Load the log; a terminal without one starts with this configuration and remembers it."""
        self._db = db
        with storage_errors():
            if not rows(db, _LOAD):
                self._create(conf_state or ConfState())
            self._memory, self.applied = _load(rows(db, _LOAD)[0], rows(db, _ENTRIES))

    def _create(self, conf: ConfState) -> None:
        with write(self._db):
            self._db.execute(_CREATE, (0, None, 0, encode(Snapshot(conf_state=conf)), encode(conf)))

    # What the core reads.

    def initial_state(self) -> tuple[HardState, ConfState]:
        """Give term, vote and commit index, and the configuration that holds at ``applied``."""
        return self._memory.initial_state()

    def entries(self, lo: int, hi: int, max_size: int) -> Sequence[Entry]:
        """Give entries of [lo, hi) up to max_size bytes."""
        return self._memory.entries(lo, hi, max_size)

    def term(self, i: int) -> int:
        """Give the term of entry i."""
        return self._memory.term(i)

    def first_index(self) -> int:
        """Give the first index that is still an entry."""
        return self._memory.first_index()

    def last_index(self) -> int:
        """Give the last index that is stored."""
        return self._memory.last_index()

    def snapshot(self) -> Snapshot:
        """Give the newest snapshot."""
        return self._memory.snapshot()

    # What the driver writes.

    def save(self, ready: Ready) -> None:
        """Make a Ready durable; only then may its messages leave."""
        self.write(ready)
        self.note(ready)

    def write(self, ready: Ready) -> None:
        """Write a Ready to the disk, in one transaction; the writer's thread."""
        if ready.hard_state is None and ready.snapshot is None and not ready.entries:
            return
        with write(self._db):
            if ready.snapshot is not None:
                self._write_snapshot(ready.snapshot)
            self._write_entries(ready.entries)
            if ready.hard_state is not None:
                self._write_hard_state(ready.hard_state)

    def note(self, ready: Ready) -> None:
        """Let the core see what was written; the node's thread."""
        if ready.snapshot is not None:
            self._memory.apply_snapshot(ready.snapshot)
            self._memory.set_conf_state(ready.snapshot.conf_state)
            self.applied = ready.snapshot.index
        self._memory.append(ready.entries)
        if ready.hard_state is not None:
            self._memory.set_hard_state(ready.hard_state)

    def append(self, entries: Sequence[Entry]) -> None:
        """Store entries; whatever stood at or after the first of them is gone."""
        with write(self._db):
            self._write_entries(entries)
        self._memory.append(entries)

    def set_hard_state(self, hard_state: HardState) -> None:
        """Store term, vote and commit index."""
        with write(self._db):
            self._write_hard_state(hard_state)
        self._memory.set_hard_state(hard_state)

    def set_applied(self, applied: int, conf_state: ConfState) -> None:
        """Store how far the state machine of this terminal is, and who is a member there.

        Belongs into the transaction that applies the entries; inside one it takes part in it.
        """
        with storage_errors():
            self._db.execute("UPDATE raft_state SET applied = ?, conf = ?", (applied, encode(conf_state)))
        self.applied = applied
        self._memory.set_conf_state(conf_state)

    def apply_snapshot(self, snapshot: Snapshot) -> None:
        """Replace everything by a snapshot that came from the leader."""
        self.save(Ready(None, None, (), snapshot, (), (), must_sync=True))

    def create_snapshot(self, index: int, conf_state: ConfState, data: bytes) -> Snapshot:
        """Make a snapshot of the state after an applied entry; the log stays until it is compacted."""
        snapshot = self._memory.create_snapshot(index, conf_state, data)
        with write(self._db):
            self._db.execute("UPDATE raft_state SET snapshot = ?", (encode(snapshot),))
        return snapshot

    def compact(self, index: int) -> None:
        """Drop entries up to and including index, which a snapshot covers."""
        self._memory.compact(index)
        with write(self._db):
            self._db.execute("DELETE FROM raft_entry WHERE idx <= ?", (index,))
            self._db.execute("UPDATE raft_state SET base = ?, base_term = ?", (index, self._memory.term(index)))

    def begin_cut(self, index: int, conf_state: ConfState, data: bytes, keep: int) -> Cut:
        """Make a snapshot of the state after an applied entry, to drop what lies ``keep`` entries before.

        The node's thread; ``write_cut`` on the writer's thread and then ``end_cut`` here follow.
        """
        snapshot = self._memory.create_snapshot(index, conf_state, data)
        upto = max(index - keep, self._memory.first_index() - 1)
        return Cut(snapshot, upto, self._memory.term(upto))

    def write_cut(self, cut: Cut) -> None:
        """Bring a cut to the disk: the snapshot, where the state machine starts from, and the shorter log."""
        snapshot = cut.snapshot
        with write(self._db):
            self._db.execute("DELETE FROM raft_entry WHERE idx <= ?", (cut.upto,))
            row = (encode(snapshot), cut.upto, cut.upto_term, snapshot.index, encode(snapshot.conf_state))
            self._db.execute(_TAKE, row)

    def end_cut(self, cut: Cut) -> None:
        """Drop from the mirror what is dropped on the disk."""
        if cut.upto >= self._memory.first_index():
            self._memory.compact(cut.upto)
        self.applied = cut.snapshot.index
        self._memory.set_conf_state(cut.snapshot.conf_state)

    def bind(self, db: apsw.Connection) -> None:
        """Write over another connection from now on: the one before was closed after an error."""
        self._db = db

    def _write_snapshot(self, snapshot: Snapshot) -> None:
        self._db.execute("DELETE FROM raft_entry")
        conf = encode(snapshot.conf_state)
        self._db.execute(_TAKE, (encode(snapshot), snapshot.index, snapshot.term, snapshot.index, conf))

    def _write_entries(self, entries: Sequence[Entry]) -> None:
        entries = [entry for entry in entries if entry.index >= self._memory.first_index()]
        if not entries:
            return
        self._db.execute("DELETE FROM raft_entry WHERE idx >= ?", (entries[0].index,))
        self._db.executemany(
            "INSERT INTO raft_entry VALUES (?, ?, ?, ?)",
            ((entry.index, entry.term, entry.type is EntryType.CONF_CHANGE, entry.data) for entry in entries),
        )

    def _write_hard_state(self, hard: HardState) -> None:
        vote = None if hard.vote is None else msgspec.msgpack.encode(hard.vote)
        self._db.execute(_HARD, (hard.term, vote, hard.commit))


def promise(db: apsw.Connection, actor: str) -> Promise:
    """Give what an actor has promised to the others, as this disk knows it."""
    with storage_errors():
        held = rows(db, "SELECT term, vote, base_term, base FROM raft_state")
        ends = rows(db, "SELECT term, idx FROM raft_entry ORDER BY idx DESC LIMIT 1")
    if not held:
        return Promise(actor, 0)
    term, vote, *base = held[0]
    end = ends[0] if ends else base
    return Promise(actor, term, "" if vote is None else str(msgspec.msgpack.decode(vote, type=NodeId)), *end)


def _load(row: tuple[Any, ...], stored: list[tuple[Any, ...]]) -> tuple[MemoryStorage, int]:
    term, vote, commit, base, base_term, snapshot, applied, conf = row
    kinds = (EntryType.NORMAL, EntryType.CONF_CHANGE)
    try:
        hard = HardState(term, None if vote is None else msgspec.msgpack.decode(vote, type=NodeId), commit)
    except msgspec.DecodeError as cause:
        raise Damaged("the stored vote does not decode", hint="Let this terminal rejoin under a new id.") from cause
    entries = [Entry(e_term, index, data, kinds[is_change]) for index, e_term, is_change, data in stored]
    if [entry.index for entry in entries] != list(range(base + 1, base + 1 + len(entries))):
        raise LogLost(f"the stored log has a gap after {base}", hint="Let this terminal rejoin under a new id.")
    memory = MemoryStorage.loaded(hard, decode_snapshot(snapshot), base=base, base_term=base_term, entries=entries)
    memory.set_conf_state(decode_conf_state(conf))
    return memory, applied
