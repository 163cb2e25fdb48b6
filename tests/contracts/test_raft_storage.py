"""Where Raft keeps its log: what the core may count on, in memory and on disk."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import apsw
import pytest

from tillmesh.adapters.sqlite.database import connect, migrate, one, write
from tillmesh.adapters.sqlite.raft_storage import SqliteRaftStorage
from tillmesh.kernel.errors import Damaged, StorageFailed
from tillmesh.raft import (
    Compacted,
    Config,
    ConfState,
    Entry,
    EntryType,
    HardState,
    LogLost,
    MemoryStorage,
    RawNode,
    Ready,
    Snapshot,
    Unavailable,
)

CONF = ConfState(("k3m7qx2p", "m2aaaaaa"), ("z7bbbbbb",))
Store = MemoryStorage | SqliteRaftStorage
KEY = bytes(32)


def database(folder: Path) -> apsw.Connection:
    db = connect(folder / "till.db", KEY)
    migrate(db)
    return db


@pytest.fixture(params=["memory", "sqlite"])
def opened(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[Store, Callable[[], Store]]]:
    """A storage and what opens it again after a restart; memory has nothing to forget."""
    if request.param == "memory":
        memory = MemoryStorage(CONF)
        yield memory, lambda: memory
        return
    with closing(database(tmp_path)) as db, closing(connect(tmp_path / "till.db", KEY)) as second:
        yield SqliteRaftStorage(db, CONF), lambda: SqliteRaftStorage(second)


def log(*terms: int, first: int = 1) -> list[Entry]:
    return [Entry(term, index, f"{index}.{term}".encode()) for index, term in enumerate(terms, first)]


def terms(store: Store) -> list[int]:
    return [store.term(i) for i in range(store.first_index(), store.last_index() + 1)]


Opened = tuple[Store, Callable[[], Store]]


def test_new_till_knows_its_bootstrap_members_and_nothing_else(opened: Opened) -> None:
    for store in (opened[0], opened[1]()):
        assert store.initial_state() == (HardState(), CONF)
        assert (store.first_index(), store.last_index(), store.term(0)) == (1, 0, 0)
        assert store.snapshot().index == 0


def test_term_vote_and_commit_survive(opened: Opened) -> None:
    store, again = opened
    store.set_hard_state(HardState(7, "k3m7qx2p", 0))
    store.append(log(1, 2))
    store.set_hard_state(HardState(8, None, 2))
    assert again().initial_state()[0] == HardState(8, None, 2)
    store.set_hard_state(HardState(8, "m2aaaaaa", 2))
    assert again().initial_state()[0].vote == "m2aaaaaa"


def test_numbers_are_ids_too(opened: Opened) -> None:
    store, again = opened
    store.set_hard_state(HardState(1, 3, 0))
    assert again().initial_state()[0].vote == 3


def test_entries_survive_with_data_and_kind(opened: Opened) -> None:
    store, again = opened
    entries = [Entry(1, 1), Entry(1, 2, b"\x00settings"), Entry(2, 3, b"x", EntryType.CONF_CHANGE)]
    store.append(entries)
    assert list(again().entries(1, 4, 1_000)) == entries


def test_a_new_leaders_entries_replace_the_tail(opened: Opened) -> None:
    store, again = opened
    store.append(log(1, 1, 1, 1))
    store.append(log(2, first=3))
    assert terms(store) == terms(again()) == [1, 1, 2]


def test_reading_is_limited_by_size_but_never_to_nothing(opened: Opened) -> None:
    store, _ = opened
    store.append([Entry(1, i, bytes(100)) for i in range(1, 6)])
    assert [len(store.entries(1, 6, size)) for size in (0, 100, 250, 10_000)] == [1, 1, 2, 5]
    assert [e.index for e in store.entries(3, 5, 10_000)] == [3, 4]


def test_what_is_not_there_yet_is_unavailable(opened: Opened) -> None:
    store, _ = opened
    store.append(log(1))
    for ask in (lambda: store.term(2), lambda: store.entries(1, 3, 9), lambda: store.compact(1)):
        with pytest.raises(Unavailable):
            ask()


def test_compacted_log_keeps_the_term_before_its_first_entry(opened: Opened) -> None:
    store, again = opened
    store.append(log(1, 1, 2, 3))
    store.create_snapshot(3, CONF, b"state")
    assert store.first_index() == 1
    store.compact(3)
    for kept in (store, again()):
        assert (kept.first_index(), kept.last_index(), kept.term(3), terms(kept)) == (4, 4, 2, [3])
        assert kept.snapshot() == Snapshot(3, 2, CONF, b"state")
        with pytest.raises(Compacted):
            kept.term(2)
        with pytest.raises(Compacted):
            kept.entries(3, 5, 9)


def test_older_snapshot_is_refused(opened: Opened) -> None:
    store, _ = opened
    store.append(log(1, 1, 1))
    store.create_snapshot(2, CONF, b"")
    for ask in (
        lambda: store.create_snapshot(2, CONF, b""),
        lambda: store.apply_snapshot(Snapshot(1, 1, CONF)),
    ):
        with pytest.raises(Compacted):
            ask()
    store.compact(2)
    with pytest.raises(Compacted):
        store.compact(2)


def test_leaders_snapshot_replaces_everything(opened: Opened) -> None:
    store, again = opened
    store.append(log(1, 1))
    given = Snapshot(9, 4, ConfState(("m2aaaaaa",)), b"all")
    store.apply_snapshot(given)
    for kept in (store, again()):
        assert (kept.first_index(), kept.last_index(), kept.term(9)) == (10, 9, 4)
        assert kept.snapshot() == given
        assert kept.initial_state()[1] == given.conf_state
    store.append(log(4, first=10))
    assert terms(again()) == [4]


def test_a_node_lives_through_restarts(opened: Opened) -> None:
    store, again = opened
    alone = ConfState(("k3m7qx2p",))
    store.apply_snapshot(Snapshot(1, 1, alone))

    def run(on: Store, work: Callable[[RawNode], None]) -> RawNode:
        node = RawNode(Config("k3m7qx2p", election_timeout=lambda: 6, applied=1), on)
        work(node)
        while node.has_ready():
            ready = node.ready()
            keep(on, ready)
            node.advance(ready)
        return node

    def first(node: RawNode) -> None:
        node.campaign()
        node.propose(b"a")

    run(store, first)
    after = run(again(), RawNode.campaign).status()
    assert (after.term, after.commit, after.last_index, after.voters) == (2, 4, 4, ("k3m7qx2p",))


def keep(store: Store, ready: Ready) -> None:
    if isinstance(store, SqliteRaftStorage):
        store.save(ready)
        return
    store.append(ready.entries)
    if ready.hard_state is not None:
        store.set_hard_state(ready.hard_state)


# The disk alone.


def ready(entries: list[Entry], hard: HardState | None, snapshot: Snapshot | None = None) -> Ready:
    return Ready(None, hard, tuple(entries), snapshot, (), (), must_sync=True)


def test_a_ready_is_on_disk_as_a_whole_or_not_at_all(tmp_path: Path) -> None:
    with closing(database(tmp_path)) as db:
        store = SqliteRaftStorage(db, CONF)
        store.save(ready(log(1), HardState(1, "m2aaaaaa", 0)))
        db.execute("CREATE TEMP TRIGGER full BEFORE UPDATE ON raft_state BEGIN SELECT RAISE(ABORT, 'no'); END")
        with pytest.raises(apsw.ConstraintError):
            store.save(ready(log(2, 2, first=1), HardState(2, None, 0)))
        for kept in (store, SqliteRaftStorage(db)):
            assert terms(kept) == [1]
            assert kept.initial_state()[0] == HardState(1, "m2aaaaaa", 0)


def test_a_ready_is_one_synced_transaction(tmp_path: Path) -> None:
    with closing(database(tmp_path)) as db:
        store = SqliteRaftStorage(db, CONF)
        commits = []

        def committing() -> bool:
            commits.append(1)
            return False

        db.set_commit_hook(committing)
        snapshot = Snapshot(5, 1, CONF)
        store.save(ready(log(2, first=6), HardState(2, None, 5), snapshot))
        db.set_commit_hook(None)
        assert len(commits) == 1
        assert one(db, "PRAGMA synchronous") == 2
        assert (store.first_index(), terms(store), store.applied) == (6, [2], 5)


def test_an_empty_ready_does_not_touch_the_disk(tmp_path: Path) -> None:
    with closing(database(tmp_path)) as db:
        store = SqliteRaftStorage(db, CONF)
        before = db.total_changes()
        store.save(ready([], None))
        assert db.total_changes() == before


def test_applied_index_and_members_are_stored_with_what_was_applied(tmp_path: Path) -> None:
    with closing(database(tmp_path)) as db:
        store = SqliteRaftStorage(db, CONF)
        store.append(log(1, 1))
        more = ConfState(("k3m7qx2p", "m2aaaaaa", "n4cccccc"))
        with write(db):
            store.set_applied(2, more)
        again = SqliteRaftStorage(db)
        assert (again.applied, again.initial_state()[1]) == (2, more)


def test_a_log_with_a_hole_is_not_believed(tmp_path: Path) -> None:
    with closing(database(tmp_path)) as db:
        store = SqliteRaftStorage(db, CONF)
        store.append(log(1, 1, 1))
        db.execute("DELETE FROM raft_entry WHERE idx = 2")
        with pytest.raises(LogLost):
            SqliteRaftStorage(db)


def test_unreadable_votes_and_members_are_damage(tmp_path: Path) -> None:
    with closing(database(tmp_path)) as db:
        SqliteRaftStorage(db, CONF)
        db.execute("UPDATE raft_state SET vote = x'c1'")
        with pytest.raises(Damaged):
            SqliteRaftStorage(db)
        db.execute("UPDATE raft_state SET vote = NULL, conf = x'c1'")
        with pytest.raises(Damaged):
            SqliteRaftStorage(db)


def test_a_full_disk_is_said_in_our_words(tmp_path: Path) -> None:
    with closing(database(tmp_path)) as db:
        store = SqliteRaftStorage(db, CONF)
        db.execute(f"PRAGMA max_page_count={one(db, 'PRAGMA page_count')}")
        with pytest.raises(StorageFailed):
            store.save(ready([Entry(1, 1, bytes(500_000))], HardState(1, None, 0)))
        assert terms(store) == []


def test_a_cut_log_starts_again_from_its_snapshot_with_the_entries_kept_beside_it(tmp_path: Path) -> None:
    with closing(database(tmp_path)) as db, closing(connect(tmp_path / "till.db", KEY)) as second:
        store = SqliteRaftStorage(db, CONF)
        store.append(log(1, 1, 1, 2, 2))
        store.set_hard_state(HardState(2, None, 5))
        cut = store.begin_cut(4, CONF, b"agreed", keep=2)
        store.write_cut(cut)
        store.end_cut(cut)
        for each in (store, SqliteRaftStorage(second)):
            assert (each.first_index(), each.last_index(), each.term(2)) == (3, 5, 1)
            assert (each.snapshot().index, each.snapshot().term, each.snapshot().data) == (4, 2, b"agreed")
            assert each.applied == 4
