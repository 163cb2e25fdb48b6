"""What a damaged database still gives: everything that joins on, and nothing that was not written there."""

import random
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.services.sqlite.disk_shop import settle_log, shop_at
from tillmesh.adapters.sqlite.database import DatabaseDamaged
from tillmesh.adapters.sqlite.salvage import salvage, salvage_carts
from tillmesh.adapters.sqlite.store import FILE
from tillmesh.kernel.envelope import Envelope
from tillmesh.shop import events as e
from tillmesh.terminal.bootstrap import Opened, open_terminal
from tillmesh.terminal.rebuilding import rebuild
from tillmesh.terminal.verifying import verify
from tillmesh.till import commands as c

SALES = 60
PAGE = 4096


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """A lone till with sales on several pages, and an open cart."""
    place = tmp_path / "till"
    with shop_at(place) as shop:
        shop.furnish().open()
        for number in range(SALES):
            shop.sell(cart_id=f"paid-{number}")
        shop.ops(c.CartOperation(op_id="1", op="add", line_id="1", sku="mug"))
    settle_log(place)
    return place


def log_of(place: Path) -> list[Envelope]:
    with shop_at(place) as shop:
        return shop.log()


def pages_of(place: Path, table: str) -> list[int]:
    """List the pages of a table's or an index's tree."""
    with shop_at(place) as shop:
        found = shop.writer.db.execute("SELECT pageno FROM dbstat WHERE name = ? ORDER BY pageno", (table,)).fetchall()
    settle_log(place)
    return [int(str(number)) for (number,) in found]


def flip(place: Path, page: int, draw: random.Random) -> None:
    at = (page - 1) * PAGE + draw.randrange(PAGE)
    with (place / FILE).open("r+b") as file:
        file.seek(at)
        byte = file.read(1)[0]
        file.seek(at)
        file.write(bytes([byte ^ 1 << draw.randrange(8)]))


@pytest.fixture
def fresh(tmp_path: Path, shop: Path) -> Iterator[Opened]:
    """Another till of the same store, to read into; it has the same key."""
    with closing(open_terminal(shop)) as opened:
        store, key = opened.origin.store, opened.key
    (tmp_path / "fresh" / "keys").mkdir(parents=True)
    (tmp_path / "fresh" / "keys" / "database.key").write_bytes(key)
    with closing(open_terminal(tmp_path / "fresh", store=store)) as opened:
        yield opened


def held(opened: Opened, actor: str) -> int:
    return opened.writer.head(actor).seq


def test_everything_comes_out_of_a_whole_database_with_the_open_cart(shop: Path, fresh: Opened) -> None:
    events = log_of(shop)
    grown = salvage(shop / FILE, fresh.key, fresh.origin.store, fresh.writer)
    salvage_carts(shop / FILE, fresh.key, fresh.writer)
    assert {head.seq for head in grown.values()} == {len(events)}
    assert fresh.writer.books.cart("cart-1") is not None
    assert salvage(shop / FILE, fresh.key, fresh.origin.store, fresh.writer) == {}, "twice is once"


@pytest.mark.parametrize("seed", range(6))
def test_what_stands_before_a_page_that_does_not_read_comes_out_and_the_rest_once_the_hole_is_filled(
    shop: Path, fresh: Opened, seed: int
) -> None:
    events, draw = log_of(shop), random.Random(seed)
    flip(shop, draw.choice(pages_of(shop, "event")[1:]), draw)
    salvage(shop / FILE, fresh.key, fresh.origin.store, fresh.writer)
    first = held(fresh, events[0].actor)
    assert first < len(events)
    for event in events[first:]:  # another till fills the hole, event by event
        with fresh.writer.transaction():
            fresh.writer.ledger.append_foreign([event])
        if salvage(shop / FILE, fresh.key, fresh.origin.store, fresh.writer):
            break
    assert held(fresh, events[0].actor) == len(events)


def test_a_lone_till_reads_out_its_damaged_database_and_names_what_is_gone(shop: Path) -> None:
    events = log_of(shop)
    flip(shop, pages_of(shop, "event")[-2], random.Random(1))
    told = rebuild(shop)
    report = verify(shop)
    assert report["ok"], report
    assert "does not open" in told or "damaged" in told
    assert "can't be read any more" in told
    with shop_at(shop) as again:
        kept = [event for event in again.log() if event.actor == events[0].actor]
        assert kept == events[: len(kept)]
        assert len(kept) > 5
        assert again.read(again.sell(cart_id="after"), e.SaleClosed).receipt_number.endswith("-000001")
    assert list((shop / "quarantine").glob("*/till.db"))


def test_a_lone_till_loses_nothing_to_a_damaged_index(shop: Path) -> None:
    events = log_of(shop)
    flip(shop, pages_of(shop, "receipt_request")[0], random.Random(2))
    told = rebuild(shop)
    assert "everything came back" in told
    with shop_at(shop) as again:
        assert [event for event in again.log() if event.actor == events[0].actor] == events
    assert verify(shop)["ok"]


def test_a_database_whose_first_page_is_gone_gives_nothing(shop: Path, fresh: Opened) -> None:
    flip(shop, 1, random.Random(3))
    assert salvage(shop / FILE, fresh.key, fresh.origin.store, fresh.writer) == {}
    with pytest.raises(DatabaseDamaged):
        open_terminal(shop)
