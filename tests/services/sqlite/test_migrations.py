"""Old data under a new program: nothing is lost, nothing is done halfway, and nothing newer is touched."""

import os
from contextlib import closing
from hashlib import sha256
from pathlib import Path

import apsw
import pytest

from tests.unit.till.shop_till import ORIGIN, Shop, line
from tillmesh.adapters.sqlite import database, searching
from tillmesh.adapters.sqlite.database import connect, in_memory, migrate, one, scripts, write
from tillmesh.adapters.sqlite.ledger import Ledger, log
from tillmesh.adapters.sqlite.reporting import state_parts
from tillmesh.adapters.sqlite.store import FILE, open_database, read_origin
from tillmesh.kernel.errors import StorageFailed
from tillmesh.shop import events as e
from tillmesh.till import commands as c

VERSION_1 = Path(__file__).with_name("version_1.sql")
NEWEST = scripts()[-1][0]
# Tables that shops already have: a migration that was released is never edited, only followed by another.
RELEASED = {1: "f1a63a5d8d6844d03cb71af1a95ea01f24b3617d2c89c86e7c6a5172872838b7"}


@pytest.fixture
def old(tmp_path: Path) -> tuple[Path, bytes]:
    """An encrypted database as version 1 left it, with the day of a shop in it."""
    path, key = tmp_path / FILE, os.urandom(32)
    with closing(connect(path, key)) as db:
        db.execute(scripts()[0][1])
        db.execute(VERSION_1.read_text("utf-8"))
        db.execute("PRAGMA user_version=1")
    return path, key


def test_released_migrations_are_never_edited() -> None:
    assert {number: sha256(sql.encode()).hexdigest() for number, sql in scripts() if number in RELEASED} == RELEASED


def test_migrations_are_numbered_without_gaps() -> None:
    assert [number for number, _ in scripts()] == list(range(1, NEWEST + 1))


def test_a_shop_of_version_1_goes_on_where_it_was(old: tuple[Path, bytes]) -> None:
    with closing(open_database(*old)) as db:
        assert one(db, "PRAGMA user_version") == NEWEST
        assert read_origin(db) == ORIGIN
        shop = Shop(db=db)
        assert (shop.till.head.seq, shop.till.receipts) == (11, 4)
        working = shop.books.cart("open")
        assert working is not None
        assert [one_line.sku for one_line in working[0].lines] == ["milk"]
        parked = shop.books.parked("k3m7qx2p.4f9a2c77-10")
        assert parked is not None
        assert not parked.removed
        assert shop.sell(cart_id="first") == "k3m7qx2p.4f9a2c77-4"
        new = shop.read(shop.sell(line("milk"), cart_id="new"), e.SaleClosed)
        assert new.receipt_number == "4F9A-000005"
        closed = shop.read(shop.do(c.CloseShift(counted_minor=10_199)).reply, e.ShiftClosed)
        assert (closed.z_number, closed.perpetual_minor) == (2, 2_500 - 1_250 + 199)


def test_what_an_old_program_projected_is_what_the_new_one_projects(old: tuple[Path, bytes]) -> None:
    with closing(open_database(*old)) as db, closing(in_memory()) as anew:
        with write(anew):
            assert Ledger(anew, ORIGIN.store).append_foreign(log(db)) == 11
        assert state_parts(db) == state_parts(anew)
        assert searching.search(db, "mug") == ["mug"]


def test_the_catalogue_s_version_is_read_from_an_index(old: tuple[Path, bytes]) -> None:
    with closing(open_database(*old)) as db:
        first = searching.catalogue_version(db)
        plan = db.execute("EXPLAIN QUERY PLAN SELECT count(*), max(hlc) FROM event WHERE type = 'products_changed'")
        assert "event_products" in str(plan.fetchall())
        shop = Shop(db=db)
        shop.sell(cart_id="new")
        assert searching.catalogue_version(db) == first
        shop.furnish()
        assert searching.catalogue_version(db) != first


def test_opening_again_changes_nothing(old: tuple[Path, bytes]) -> None:
    with closing(open_database(*old)) as db:
        before = db.execute("SELECT sql FROM sqlite_master ORDER BY name").fetchall()
    with closing(open_database(*old)) as db:
        assert migrate(db) == NEWEST
        assert db.execute("SELECT sql FROM sqlite_master ORDER BY name").fetchall() == before


def test_an_upgraded_shop_has_the_tables_of_a_new_one(old: tuple[Path, bytes]) -> None:
    sql = "SELECT type, name, sql FROM sqlite_master ORDER BY type, name"
    with closing(open_database(*old)) as upgraded, closing(in_memory()) as new:
        assert upgraded.execute(sql).fetchall() == new.execute(sql).fetchall()


def test_a_migration_that_fails_leaves_everything_as_it_was(
    old: tuple[Path, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    half = (NEWEST + 1, "CREATE TABLE half (x); INSERT INTO nowhere VALUES (1)")
    known = scripts()
    monkeypatch.setattr(database, "scripts", lambda _: [*known, half])
    with pytest.raises(apsw.SQLError, match="nowhere"):
        open_database(*old)
    with closing(connect(*old)) as db:
        assert one(db, "PRAGMA user_version") == NEWEST
        assert one(db, "SELECT count(*) FROM sqlite_master WHERE name = 'half'") == 0


def test_a_database_of_a_newer_program_is_left_alone(old: tuple[Path, bytes]) -> None:
    with closing(connect(*old)) as db:
        db.execute(f"PRAGMA user_version={NEWEST + 1}")
    with pytest.raises(StorageFailed, match=f"version {NEWEST + 1}, this program knows {NEWEST}"):
        open_database(*old)
    with closing(connect(*old)) as db:
        assert one(db, "PRAGMA user_version") == NEWEST + 1
        assert len(list(log(db))) == 11
