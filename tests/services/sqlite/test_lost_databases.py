"""A database that is gone or damaged: what the files beside it know, and when a fresh one takes its place."""

from contextlib import closing
from pathlib import Path

import pytest

from tests.services.sqlite.disk_shop import raw, shop_at, trade
from tests.unit.till.shop_till import START_MS
from tillmesh.adapters.host.quarantine import FOLDER, KEPT_MAX, kept, put_away
from tillmesh.adapters.sqlite.database import DatabaseDamaged, one, write
from tillmesh.adapters.sqlite.store import FILE
from tillmesh.kernel.errors import Damaged, StorageFailed
from tillmesh.kernel.ids import series, terminal_of
from tillmesh.terminal.bootstrap import Opened, open_terminal
from tillmesh.terminal.provisioning import enrol, found
from tillmesh.terminal.recovering import give_up

NOW_S = START_MS // 1000


def spoil(data_dir: Path) -> None:
    """Make the first page of the database unreadable."""
    with (data_dir / FILE).open("r+b") as file:
        file.seek(64)
        file.write(bytes(64))


def in_store(folder: Path) -> Path:
    """Make a till with some sales that belongs to a store with one other till."""
    first, second = folder / "first", folder / "second"
    for place in (first, second):
        trade(place)
    with closing(open_terminal(first)) as opened:
        store = opened.origin.store
        found(first, store, opened.origin.actor, NOW_S)
    for path in second.glob("till.db*"):
        path.unlink()
    (second / "anchor").unlink()
    with closing(open_terminal(second, store=store)) as opened:
        enrol(first, second, store, opened.origin.actor, NOW_S)
    return second


def actor_of(opened: Opened) -> str:
    return opened.origin.actor


def test_a_lone_tills_damaged_or_missing_database_is_left_alone(tmp_path: Path) -> None:
    trade(tmp_path)
    spoil(tmp_path)
    before = (tmp_path / FILE).read_bytes()
    with pytest.raises(DatabaseDamaged, match="does not open") as refused:
        open_terminal(tmp_path, recover=True)
    assert "doctor" in refused.value.hint
    assert (tmp_path / FILE).read_bytes() == before
    for path in tmp_path.glob("till.db*"):
        path.unlink()
    with pytest.raises(DatabaseDamaged, match="gone"):
        open_terminal(tmp_path, recover=True)
    assert not (tmp_path / FILE).exists(), "it is not mistaken for a new shop"


def test_a_damaged_database_is_put_away_and_a_fresh_one_begins_as_the_same_terminal(tmp_path: Path) -> None:
    place = in_store(tmp_path)
    with closing(open_terminal(place)) as opened:
        former = actor_of(opened)
        opened.anchor.remember(opened.till.head, 7)
    spoil(place)
    damaged = (place / FILE).read_bytes()
    with pytest.raises(DatabaseDamaged):
        open_terminal(place)  # no other command gives a database up
    with closing(open_terminal(place, recover=True)) as opened:
        again = actor_of(opened)
        assert (terminal_of(again), series(again) != series(former)) == (terminal_of(former), True)
        assert opened.restoring is not None
        assert (opened.restoring.former, opened.restoring.receipts) == (former, 7)
        assert opened.till.head.seq == 0
        [folder] = kept(place)
        assert opened.restoring.folder == f"{FOLDER}/{folder.name}"
        assert (folder / FILE).read_bytes() == damaged
        assert "does not open" in (folder / "why.txt").read_text()
    with closing(open_terminal(place, recover=True)) as opened:
        assert opened.restoring is not None, "a restart goes on with it"
        assert actor_of(opened) == again
    with pytest.raises(StorageFailed, match="getting its data back"):
        open_terminal(place)  # an import would go into an empty shop


@pytest.mark.parametrize("left", ["nothing", "an empty file", "a half-made database", "only its write-ahead log"])
def test_a_database_that_is_gone_is_made_again_from_whatever_a_crash_has_left(tmp_path: Path, left: str) -> None:
    place = in_store(tmp_path)
    (place / FILE).unlink()
    match left:
        case "an empty file":
            (place / FILE).touch()
        case "a half-made database":
            raw(place).close()
        case "only its write-ahead log":
            (place / f"{FILE}-wal").write_bytes(bytes(5000))
        case _:
            assert not (place / FILE).exists()
    with closing(open_terminal(place, recover=True)) as opened:
        assert opened.restoring is not None
        assert "database is" in opened.restoring.why


@pytest.mark.parametrize("moved", range(3))
def test_a_crash_on_the_way_into_the_quarantine_is_finished_by_the_next_start(tmp_path: Path, moved: int) -> None:
    """The folder is made and noted; then so many files were moved before the power went."""
    place = in_store(tmp_path)
    with closing(open_terminal(place)) as opened:
        former = actor_of(opened)
    (place / f"{FILE}-wal").touch()
    (place / "aside").mkdir()
    names = [FILE + "-wal", FILE][moved:]
    for name in names:  # what the crash left in its place
        (place / name).rename(place / "aside" / name)
    put_away(place, FILE, "2026-11-25", "torn to pieces")
    for name in names:
        (place / "aside" / name).rename(place / name)
    with pytest.raises(DatabaseDamaged):
        open_terminal(place)
    with closing(open_terminal(place, recover=True)) as opened:
        assert opened.restoring is not None
        assert (opened.restoring.why, opened.restoring.former) == ("torn to pieces", former)
        [folder] = kept(place)
        assert (folder / FILE).exists()
        assert opened.restoring.folder == f"{FOLDER}/{folder.name}"
    with closing(open_terminal(place, recover=True)) as opened:
        assert opened.restoring is not None


def test_somebody_may_give_a_database_up_by_hand(tmp_path: Path) -> None:
    place = in_store(tmp_path)
    with closing(open_terminal(place)), pytest.raises(StorageFailed, match="open"):
        give_up(place, "by hand")
    assert give_up(place, "by hand").startswith(FOLDER)
    with closing(open_terminal(place, recover=True)) as opened:
        assert opened.restoring is not None
        assert opened.restoring.why == "by hand"
    trade(tmp_path / "alone")
    with pytest.raises(DatabaseDamaged):
        give_up(tmp_path / "alone", "by hand")


def test_a_wrong_key_is_no_reason_to_give_a_database_up(tmp_path: Path) -> None:
    place = in_store(tmp_path)
    key = place / "keys" / "database.key"
    right = key.read_bytes()
    key.write_bytes(bytes(reversed(right)))
    with pytest.raises(Damaged, match="wrong key"):
        open_terminal(place, recover=True)
    assert kept(place) == []
    key.write_bytes(right)
    with closing(open_terminal(place, recover=True)) as opened:
        assert opened.restoring is None


def test_a_disk_that_damages_one_database_after_the_other_is_not_given_another(tmp_path: Path) -> None:
    for number in range(KEPT_MAX):
        (tmp_path / FILE).write_bytes(bytes([number]))
        put_away(tmp_path, FILE, "2026-11-25", "torn")
    assert [(path / FILE).read_bytes()[0] for path in kept(tmp_path)] == list(range(KEPT_MAX))
    (tmp_path / FILE).write_bytes(b"one more")
    with pytest.raises(StorageFailed, match=f"limit is {KEPT_MAX}"):
        put_away(tmp_path, FILE, "2026-11-26", "torn")
    assert (tmp_path / FILE).read_bytes() == b"one more"


def test_another_incarnation_does_not_vote_with_the_promises_of_the_one_before(tmp_path: Path) -> None:
    with shop_at(tmp_path) as shop, write(shop.writer.db):
        shop.writer.db.execute("INSERT INTO raft_state VALUES (1, 9, NULL, 0, 0, 0, x'', 0, x'')")
        shop.writer.db.execute("INSERT INTO raft_entry VALUES (1, 9, 0, x'')")
    counted = "SELECT (SELECT count(*) FROM raft_state) + (SELECT count(*) FROM raft_entry)"
    with shop_at(tmp_path) as shop:
        assert one(shop.writer.db, counted) == 2, "a restart keeps every promise"
    with closing(open_terminal(tmp_path, doubt="another till holds more of this one")) as opened:
        assert one(opened.writer.db, counted) == 0
        assert opened.notices == (("new_incarnation", "another till holds more of this one"),)
