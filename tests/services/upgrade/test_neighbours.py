"""Tills of different age in one store: what only the newer understands is kept, passed on, and understood one day."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import apsw
import pytest

from tests.services.sqlite.disk_shop import DiskShop, shop_at, trade
from tests.unit.till.shop_till import MANAGER, line
from tillmesh.adapters.sqlite import replica
from tillmesh.adapters.sqlite.books import Books
from tillmesh.adapters.sqlite.database import connect, newest, one, write
from tillmesh.adapters.sqlite.folding import RETIRED
from tillmesh.adapters.sqlite.ledger import Ledger, log
from tillmesh.adapters.sqlite.reporting import state_parts
from tillmesh.adapters.sqlite.store import FILE, open_database
from tillmesh.bench.year_store import SINCE
from tillmesh.kernel.envelope import Envelope, Head, seal
from tillmesh.kernel.errors import Damaged, NotFound, StorageFailed
from tillmesh.shop.events import KINDS, VERSION
from tillmesh.sync.messages import Span
from tillmesh.terminal.bootstrap import open_terminal
from tillmesh.terminal.going_back import go_back
from tillmesh.till import commands as c
from tillmesh.till.journal import rows_of

TYPE = "goods_ordered"  # what the older program of these tests does not know


@contextmanager
def older_program(unknown: str = TYPE) -> Iterator[None]:
    """Let this program not know a type, as an older one; afterwards the types stand in their order again."""
    kinds = dict(KINDS)
    del KINDS[unknown]
    try:
        yield
    finally:
        KINDS.clear()
        KINDS.update(kinds)


@pytest.fixture
def newer(tmp_path: Path) -> Iterator[DiskShop]:
    """A till of today's program that has ordered goods, received some of them, and sold on."""
    with shop_at(tmp_path / "newer") as shop:
        shop.furnish().open()
        goods = (c.WantedGoods(sku="mug", quantity_milli=12_000, cost_minor=50),)
        order = shop.do(c.PlaceOrder(supplier="Acme", lines=goods), MANAGER).reply
        assert isinstance(order, str)
        shop.do(c.ReceiveOrder(order_id=order, key="first", quantities=(("mug", 5_000),)), MANAGER)
        shop.sell(line("mug"), cart_id="new")
        yield shop


def taken_in(path: Path, key: bytes, events: list[Envelope], store: str) -> None:
    with closing(open_database(path, key)) as db, write(db):
        Ledger(db, store).append_foreign(events)


def parts(db: apsw.Connection) -> dict[str, str]:
    return state_parts(db)


KEY = bytes(32)


def test_an_older_till_passes_on_what_it_does_not_understand_and_understands_it_after_its_upgrade(
    newer: DiskShop, tmp_path: Path
) -> None:
    events, store, path = newer.log(), newer.opened.origin.store, tmp_path / "older.db"
    with older_program():
        taken_in(path, KEY, events, store)
        with closing(open_database(path, KEY)) as db:
            assert one(db, "SELECT count(*) FROM aside") == 1
            assert one(db, "SELECT count(*) FROM purchase") == 1, "the receipt of the goods is understood"
            books = Books(db, "")
            passed_on = replica.load(books, (Span(newer.till.head.actor, 1, len(events)),))
            assert [(each.hash, each.body) for each in passed_on] == [(each.hash, each.body) for each in events]
            assert all(
                event.type != TYPE
                for event in books.events("SELECT actor, seq, hlc, type, version, body, hash FROM event")
            )
    with closing(open_database(path, KEY)) as db:
        assert one(db, "SELECT count(*) FROM aside") == 0
        assert parts(db) == parts(newer.writer.db)


def test_a_till_starts_after_its_upgrade_though_a_hostile_one_wrote_what_nobody_can_read(
    newer: DiskShop, tmp_path: Path
) -> None:
    store, path = newer.opened.origin.store, tmp_path / "older.db"
    hostile = seal(store, Head("liar0000.liar0000"), hlc=5, kind=TYPE, version=1, body=b"\x00?")
    with older_program():
        taken_in(path, KEY, [*newer.log(), hostile], store)
    for _ in range(2):
        with closing(open_database(path, KEY)) as db:
            assert one(db, "SELECT count(*) FROM aside") == 1
            assert parts(db) == parts(newer.writer.db)
            sql = "SELECT actor, seq, hlc, type, version, body, hash FROM event"
            assert [each.id for each in Books(db, "").events(sql) if each.actor == hostile.actor] == []
            with write(db):
                Ledger(db, store).rebuild()
                db.execute("DELETE FROM meta WHERE name = 'projecting'")  # all tables are made anew


def test_a_newer_till_takes_from_an_honest_older_one_what_a_hostile_till_wrote(newer: DiskShop, tmp_path: Path) -> None:
    """Refused, it would end the link to whoever passes it on, again and again, and with it all that comes behind it."""
    store, path = newer.opened.origin.store, tmp_path / "other.db"
    hostile = seal(store, Head("liar0000.liar0000"), hlc=5, kind=TYPE, version=1, body=b"\x00?")
    behind = seal(store, Head(hostile.actor, 1, hostile.hash), hlc=6, kind=TYPE, version=1, body=b"\x01")
    taken_in(path, KEY, [hostile, *newer.log(), behind], store)
    with closing(open_database(path, KEY)) as db:
        assert one(db, "SELECT count(*) FROM aside") == 2
        assert parts(db) == parts(newer.writer.db)
        assert {one.id for one in log(db)} == {one.id for one in [*newer.log(), hostile, behind]}
        assert {name for event in (hostile, behind) for name, _ in rows_of(event)} == {"chain.csv"}


def test_a_till_that_goes_back_to_an_older_program_and_forward_again_counts_everything_once(
    newer: DiskShop, tmp_path: Path
) -> None:
    events, store, path = newer.log(), newer.opened.origin.store, tmp_path / "till.db"
    taken_in(path, KEY, events, store)
    for _ in range(2):
        with older_program(), closing(open_database(path, KEY)) as db:
            assert one(db, "SELECT count(*) FROM aside") == 1
            assert one(db, "SELECT count(*) FROM audit WHERE seq IN (SELECT seq FROM aside)") == 0
        with closing(open_database(path, KEY)) as db:
            assert parts(db) == parts(newer.writer.db)


def test_an_older_till_counts_as_much_stock_as_newer_ones_that_folded_who_is_gone_and_folds_after_its_upgrade(
    newer: DiskShop, tmp_path: Path
) -> None:
    me, store, path = newer.till.head, newer.opened.origin.store, tmp_path / "older.db"
    newer.do(c.FoldActors(finals=((me.actor, me.seq),), epoch=1), MANAGER)
    with older_program("actors_folded"):
        taken_in(path, KEY, newer.log(), store)
        with closing(open_database(path, KEY)) as db:
            assert Books(db, "").stock_columns("mug").keys() == {me.actor}
            assert Books(db, "").stock_milli("mug") == newer.books.stock_milli("mug")
    with closing(open_database(path, KEY)) as db:
        assert Books(db, "").stock_columns("mug").keys() == {RETIRED}
        assert parts(db) == parts(newer.writer.db)


def test_a_newer_version_of_an_event_is_set_aside_whatever_its_body_holds(tmp_path: Path) -> None:
    with shop_at(tmp_path / "till") as shop:
        shop.furnish().open()
        before, store = state_parts(shop.writer.db), shop.opened.origin.store
        event = seal(store, Head("newer000.newer000"), hlc=5, kind="sale_closed", version=VERSION + 1, body=b"\x00?")
        with shop.writer.transaction():
            shop.writer.ledger.append_foreign([event])
        assert state_parts(shop.writer.db) == before
        assert one(shop.writer.db, "SELECT count(*) FROM aside") == 1
        assert shop.books.event(event.id) is None
        assert replica.load(shop.books, (Span(event.actor, 1, 1),))[0].body == event.body
        shop.sell(cart_id="after")


def test_tables_of_a_program_that_kept_no_account_are_made_anew(newer: DiskShop, tmp_path: Path) -> None:
    path = tmp_path / "till.db"
    taken_in(path, KEY, newer.log(), newer.opened.origin.store)
    with closing(connect(path, KEY)) as db, write(db):
        db.execute(f"DELETE FROM purchase; {SINCE}")
        db.execute("DELETE FROM meta WHERE name = 'projecting'")
        db.execute("PRAGMA user_version=20")
    with closing(open_database(path, KEY)) as db:
        assert parts(db) == parts(newer.writer.db)


def test_an_event_that_looks_like_the_mark_of_an_archived_one_is_refused(tmp_path: Path) -> None:
    with shop_at(tmp_path / "till") as shop:
        store = shop.opened.origin.store
        event = seal(store, Head("newer000.newer000"), hlc=5, kind="drone_landed", version=1, body=b"\xc1999")
        with pytest.raises(Damaged, match="no event begins so"), shop.writer.transaction():
            shop.writer.ledger.append_foreign([event])
        assert replica.load(shop.books, (Span(event.actor, 1, 1),)) == []


# Going back over a change of tables.


def test_an_older_program_refuses_a_newer_database_in_words_and_touches_nothing(tmp_path: Path) -> None:
    trade(tmp_path)
    with shop_at(tmp_path) as shop:
        shop.writer.db.execute(f"PRAGMA user_version={newest() + 1}")
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir() if path.is_file()}
    with pytest.raises(StorageFailed, match=f"version {newest() + 1}, this program knows {newest()}") as refused:
        open_terminal(tmp_path, recover=True)
    assert refused.value.hint == "Install the newer program again."
    after = {path.name: path.read_bytes() for path in tmp_path.iterdir() if path.is_file()}
    assert after == before
    assert not (tmp_path / "quarantine").exists()


def test_a_till_goes_back_to_the_copy_of_before_its_upgrade_and_gets_what_was_sold_since_from_the_others(
    tmp_path: Path,
) -> None:
    place = tmp_path / "till"
    trade(place)
    with shop_at(place) as shop:
        shop.writer.db.execute(SINCE)
        shop.writer.db.execute("DELETE FROM meta WHERE name = 'projecting'")
        shop.writer.db.execute("PRAGMA user_version=20")
        actor, head = shop.till.head.actor, shop.till.head.seq
    with shop_at(place) as shop:  # upgraded: the copy is made
        shop.sell(cart_id="since")
        others = shop.log()
    assert "version 20 again" in go_back(place)
    with closing(connect(place / FILE, shop.opened.key, read_only=True)) as db:
        assert one(db, "PRAGMA user_version") == 20
        assert len(list(log(db))) == head
    with shop_at(place) as shop:
        assert shop.opened.origin.actor != actor, "an old copy goes on as another incarnation"
        replica.merge(shop.writer, shop.till, others, shop.clock_ms)
        assert one(shop.writer.db, "SELECT count(*) FROM receipt") == 3
        shop.sell(cart_id="after")
    kept = list((place / "quarantine").rglob(FILE))
    assert len(kept) == 1, "the newer database is kept"


def test_a_till_without_a_copy_says_how_else_to_go_back(tmp_path: Path) -> None:
    trade(tmp_path)
    with pytest.raises(NotFound, match="no copy from before an upgrade") as refused:
        go_back(tmp_path)
    assert "--restore" in refused.value.hint


def test_a_running_till_is_not_taken_back(tmp_path: Path) -> None:
    with shop_at(tmp_path), pytest.raises(StorageFailed, match="a program has"):
        go_back(tmp_path)
