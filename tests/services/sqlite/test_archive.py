"""Old sales that were put away: smaller, and everything reads as before."""

import asyncio
from collections.abc import Mapping
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import apsw
import pytest

from tests.services.sqlite.disk_shop import DiskShop, settle_log, shop_at
from tests.unit.till.shop_till import START_MS, line
from tillmesh.adapters.host.keys import database_key
from tillmesh.adapters.sqlite import archive, listings, replica, reporting
from tillmesh.adapters.sqlite.database import DatabaseDamaged, connect, one, write
from tillmesh.adapters.sqlite.store import FILE
from tillmesh.adapters.sqlite.walking import walk
from tillmesh.kernel.envelope import Envelope
from tillmesh.kernel.errors import Damaged
from tillmesh.kernel.limits import ARCHIVE_CHUNK_EVENTS
from tillmesh.sync.messages import Span
from tillmesh.terminal.archiving import Archiving
from tillmesh.terminal.bootstrap import open_terminal
from tillmesh.terminal.driver import Driver
from tillmesh.terminal.verifying import verify
from tillmesh.till import commands as c
from tillmesh.till.retention import DAY_MS

SALES = 40
# A mark of the right size; joined as hexadecimal digits, since SQLite makes text of joined blobs.
MARKED = "unhex('C1' || hex(CAST(length(body) AS TEXT)))"
LATER_MS = START_MS + 31 * DAY_MS
DAY = datetime.fromtimestamp(START_MS / 1000, UTC).date()


def put_away(shop: DiskShop, *, least: int = 1, before_ms: int = LATER_MS) -> int:
    """Put away what may be of this till's own sales, and give how many that were."""
    number, count = shop.books.actors.find(shop.till.head.actor), 0
    assert number is not None
    while chunk := archive.gather(shop.writer.db, number, shop.till.head.seq, before_ms, least=least):
        with write(shop.writer.db):
            assert archive.put_away(shop.writer.db, chunk) > 0
        count += len(chunk.sizes)
    return count


def bodies(shop: DiskShop) -> int:
    return int(one(shop.writer.db, "SELECT sum(length(body)) FROM event WHERE type = 'sale_closed'"))


@pytest.fixture
def place(tmp_path: Path) -> Path:
    place = tmp_path / "till"
    with shop_at(place) as shop:
        shop.furnish().open()
        for number in range(SALES):
            shop.sell(line("mug"), line("milk", 2), cart_id=f"paid-{number}")
        shop.sign()
    return place


def test_everything_reads_as_before_and_the_log_is_smaller(place: Path) -> None:
    with shop_at(place) as shop:
        log, day = shop.log(), reporting.day(shop.writer.db, shop.books, DAY)
        state, size = reporting.state_parts(shop.writer.db), bodies(shop)
        sales = listings.sales(shop.books, listings.SaleFilter(limit=100))
        served = _served(shop)
        assert put_away(shop) == SALES
        shop.books.forget()
        assert bodies(shop) < size // 10
        assert one(shop.writer.db, "SELECT sum(length(data)) FROM archive") < size // 3
        assert shop.log() == log
        assert reporting.day(shop.writer.db, shop.books, DAY) == day
        assert listings.sales(shop.books, listings.SaleFilter(limit=100)) == sales
        assert listings.sales(shop.books, listings.SaleFilter(text="milk", limit=100)) == sales
        assert _served(shop) == served
        with write(shop.writer.db):
            shop.writer.ledger.rebuild()
        assert reporting.state_parts(shop.writer.db) == state
        for piece in walk(shop.writer.db, shop.opened.origin.store):
            piece(shop.writer.db, shop.books)
    report = verify(place)
    assert report["ok"], report


def _served(shop: DiskShop) -> list[Envelope]:
    """Read the log as another till is given it."""
    return replica.load(shop.books, [Span(shop.till.head.actor, 1, shop.till.head.seq)])


def test_an_old_sale_is_refunded_and_its_cart_is_still_the_same_sale(place: Path) -> None:
    with shop_at(place) as shop:
        sold = listings.sales(shop.books, listings.SaleFilter(limit=100))[-1]
        put_away(shop)
        assert shop.sell(line("mug"), line("milk", 2), cart_id="paid-0") == sold.id
        refund = c.RefundSale(sale_id=sold.id, lines=(c.WantedRefund(line=1, quantity_milli=1000),), reason="broken",
                              payments=(), refund_key="r1")  # fmt: skip
        shop.do(refund, approved=("refund",))
        assert [event.type for event in shop.books.answers(sold.id)] == ["sale_refunded"]


def test_a_second_run_and_a_second_program_put_nothing_away_twice(place: Path) -> None:
    with shop_at(place) as shop:
        number = shop.books.actors.find(shop.till.head.actor)
        assert number is not None
        chunk = archive.gather(shop.writer.db, number, shop.till.head.seq, LATER_MS, least=1)
        assert chunk is not None
        with write(shop.writer.db):
            archive.put_away(shop.writer.db, chunk)
            assert archive.put_away(shop.writer.db, chunk) == 0
        assert put_away(shop) == 0
        assert archive.reached(shop.writer.db) == {shop.till.head.actor: chunk.last}


def test_few_sales_wait_for_more_and_young_ones_for_their_age(place: Path) -> None:
    with shop_at(place) as shop:
        assert put_away(shop, least=ARCHIVE_CHUNK_EVENTS) == 0
        assert put_away(shop, before_ms=START_MS) == 0


LEAVE = "INSERT INTO moving SELECT actor, seq, hlc, type, version, hash, length(body), 0 FROM event WHERE seq = 9;"
GO = "DELETE FROM event WHERE seq = 9;"
BACK = (
    "INSERT INTO event SELECT actor, seq, hlc, type, version, unhex('C1' || hex(CAST(size AS TEXT))), hash FROM moving;"
)


@pytest.mark.parametrize(
    "statement",
    [
        f"UPDATE event SET body = {MARKED} WHERE seq = 9",  # nothing of it is in the archive
        "UPDATE event SET body = X'90' WHERE type = 'sale_closed'",
        "DELETE FROM archive",
        "UPDATE archive SET data = X'00'",
        "DELETE FROM event WHERE type = 'sale_closed'",
        LEAVE + GO,  # nothing of it is in the archive
        LEAVE + "DELETE FROM moving;",
        LEAVE + "UPDATE moving SET size = 1;",
    ],
)
def test_the_archive_is_no_way_around_the_log(place: Path, statement: str) -> None:
    with shop_at(place) as shop:
        if not statement.startswith("UPDATE event"):
            put_away(shop)
        with pytest.raises(apsw.ConstraintError, match="append-only"), write(shop.writer.db):
            shop.writer.db.execute(statement)


@pytest.mark.parametrize(
    ("back", "why"),
    [
        ("", "FOREIGN KEY"),  # it left, and did not come back before the commit
        ("DELETE FROM moving;", "append-only"),
        (BACK.replace("hlc", "hlc + 1", 1) + "DELETE FROM moving;", "append-only"),
        (BACK.replace("CAST(size", "CAST(size + 1") + "DELETE FROM moving;", "append-only"),
        (BACK.replace(" hash FROM", " zeroblob(32) FROM") + "DELETE FROM moving;", "append-only"),
        (BACK, "FOREIGN KEY"),  # it came back, and nobody looked whether it is the same
    ],
)
def test_a_row_leaves_the_log_only_to_come_back_as_it_was(place: Path, back: str, why: str) -> None:
    with shop_at(place) as shop:
        log = shop.log()
        seq = int(one(shop.writer.db, "SELECT min(seq) FROM event WHERE type = 'sale_closed'"))
        piece = f"INSERT INTO archive SELECT actor, {seq}, {seq}, X'00' FROM event WHERE seq = {seq};"
        statements = (piece + LEAVE + GO + back).replace("seq = 9", f"seq = {seq}")
        with pytest.raises(apsw.ConstraintError, match=why), write(shop.writer.db):
            shop.writer.db.execute(statements)
        assert shop.log() == log


def test_pages_of_the_log_that_sales_were_put_away_from_are_free_for_others(place: Path) -> None:
    with shop_at(place) as shop:
        db = shop.writer.db
        before, free = _pages(db), int(one(db, "PRAGMA freelist_count"))
        put_away(shop)
        gone = before - _pages(db)
        assert gone > before // 3
        assert int(one(db, "PRAGMA freelist_count")) >= free + gone - 2  # the archive took some
        assert one(db, "SELECT sum(unused) FROM dbstat WHERE name = 'event'") < _pages(db) * 4096 // 2


def _pages(db: apsw.Connection) -> int:
    return int(one(db, "SELECT count(*) FROM dbstat WHERE name = 'event'"))


def test_a_piece_of_the_archive_that_was_changed_is_found(place: Path) -> None:
    with shop_at(place) as shop:
        put_away(shop)
    settle_log(place)
    with closing(connect(place / FILE, database_key(place, None))) as db:
        db.execute("DROP TRIGGER archive_is_append_only")
        with write(db):
            data = bytearray(one(db, "SELECT data FROM archive"))
            data[len(data) // 2] ^= 1
            db.execute("UPDATE archive SET data = ?", (bytes(data),))
    with shop_at(place) as shop, pytest.raises((Damaged, DatabaseDamaged)):
        shop.log()
    assert not verify(place)["ok"]


def test_a_running_till_puts_away_what_all_others_hold_and_says_so(place: Path) -> None:
    async def scene() -> None:
        driver = Driver(open_terminal(place))
        archiving = Archiving(driver)
        archiving.after_days = lambda: 7  # then a few sales are enough
        told: list[Mapping[str, int]] = []
        archiving.reached = told.append
        actor = driver.identity.actor
        archiving.tills = lambda: {actor: 0}
        assert await archiving.put_away(at_ms=LATER_MS) == 0
        archiving.tills = lambda: {actor: 10_000}
        assert await archiving.put_away(at_ms=LATER_MS) == SALES
        assert archiving.saved_bytes > 0
        assert list(told[-1]) == [actor]
        driver.close()

    asyncio.run(scene())
    assert verify(place)["ok"]
