"""Complaint 14: a big catalogue is slow. Work is counted here, since a test that times fails where a machine is slow.

SQLite says after each statement how many steps of its own it took. A till with 100,000 products must do for a scan, a
search, a page of products and its own start what one with 1,000 does, and each of the 100,000 must be found.
"""

from __future__ import annotations

import gzip
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from random import Random
from typing import Any

import apsw
import msgspec
import pytest

from tests.services.sqlite.disk_shop import DiskShop
from tests.unit.till.shop_till import line, op
from tillmesh.adapters.sqlite import searching
from tillmesh.adapters.sqlite.store import Reader
from tillmesh.bench.goods import invented, stock_shelves
from tillmesh.kernel.limits import PRODUCTS_PER_EVENT_MAX
from tillmesh.shop.events import Change
from tillmesh.till.scanning import find_scanned

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("shelves"), pytest.mark.timeout(600)]

MANY, FEW = 100_000, 1_000
MORE_MAX = 2  # times the work of the small shop; what is left is the depth of trees
PAGE = 50
SHELVES = ("Tea", "Honey")
CATALOGUE_BYTES_MAX = 40  # of each product, as it is sent; the names of these products take half of it


class Work:
    """What SQLite did meanwhile: steps of its virtual machine, and rows of products it walked over without an index."""

    def __init__(self) -> None:
        self.steps = 0
        self.sorts = 0

    def done(self, told: dict[str, Any]) -> None:
        self.steps += told["stmt_status"]["SQLITE_STMTSTATUS_VM_STEP"]
        self.sorts += told["stmt_status"]["SQLITE_STMTSTATUS_SORT"]


@contextmanager
def counted(db: apsw.Connection) -> Iterator[Work]:
    """Count what a connection does."""
    work = Work()
    db.trace_v2(apsw.SQLITE_TRACE_PROFILE, work.done)
    try:
        yield work
    finally:
        db.trace_v2(0, None)


class Shelves:
    """A shop with so many products, closed again; who looks at it opens it as its program does."""

    def __init__(self, place: Path, count: int) -> None:
        self.place = place
        self.changes: Sequence[Change] = list(invented(count))
        shop = DiskShop(place)
        stock_shelves(shop.opened, list(self.changes))
        shop.close()

    def some(self, count: int) -> list[Change]:
        return [*Random(14).sample(self.changes, count - 2), self.changes[0], self.changes[-1]]


Shops = tuple[Shelves, Shelves]


@pytest.fixture(scope="module")
def shops(tmp_path_factory: pytest.TempPathFactory) -> Shops:
    """A small shop and a big one."""
    place = tmp_path_factory.mktemp("shelves")
    return Shelves(place / "few", FEW), Shelves(place / "many", MANY)


@contextmanager
def open_at(shelves: Shelves) -> Iterator[tuple[DiskShop, Reader]]:
    shop = DiskShop(shelves.place)
    reader = shop.opened.reader()
    try:
        yield shop, reader
    finally:
        reader.close()
        shop.close()


def test_every_one_of_100000_products_is_found_by_its_code_on_a_till_that_hears_nobody(shops: Shops) -> None:
    _, many = shops
    with open_at(many) as (_, reader), counted(reader.db) as work:

        def look(_: object, books: Any) -> list[str]:
            return [find_scanned(books, barcode=change.key)[0].sku for change in many.changes]

        assert reader.read(look) == [change.key for change in many.changes]
    assert work.steps / MANY < 100


def scanned(shelves: Shelves) -> int:
    """Scan into a cart and sell it; give the steps from the scan to the durable sale."""
    with open_at(shelves) as (shop, _), counted(shop.writer.db) as work:
        for at, change in enumerate(shelves.some(20)):
            scan = op("add", f"scan-{at}", line_id=f"line-{at}", barcode=change.key)
            shop.ops(scan, cart_id="scanned")
        prices = [int(str(change.fields["price_minor"])) for change in shelves.some(6)]
        shop.sell(
            *(line(change.key) for change in shelves.some(6)), cart_id=f"sold-{len(shelves.changes)}", paid=sum(prices)
        )
    return work.steps


def test_a_scan_and_a_sale_are_the_same_work_with_100000_products_as_with_1000(shops: Shops) -> None:
    few, many = (scanned(shelves) for shelves in shops)
    assert 0 < many <= MORE_MAX * few


def listed(reader: Reader, text: str, department: str = "") -> tuple[list[str], Work]:
    with counted(reader.db) as work:
        found = reader.read(lambda db, _: searching.search(db, text, department=department, limit=PAGE))
    return found, work


def test_a_search_for_one_product_is_the_same_work_with_100000_products_as_with_1000(shops: Shops) -> None:
    steps = []
    for shelves in shops:
        with open_at(shelves) as (_, reader):
            steps.append(0)
            for change in shelves.some(20):
                found, work = listed(reader, change.key)
                assert found == [change.key]
                steps[-1] += work.steps
    assert 0 < steps[1] <= MORE_MAX * steps[0]


def test_the_first_page_of_products_is_the_same_work_with_100000_products_as_with_1000(shops: Shops) -> None:
    steps = []
    for shelves in shops:
        with open_at(shelves) as (_, reader):
            pages = [listed(reader, "", department) for department in ("", *SHELVES)]
        assert [len(found) for found, _ in pages] == [PAGE, *(min(PAGE, count(shelves, name)) for name in SHELVES)]
        assert [work.sorts for _, work in pages] == [0, 0, 0]
        steps.append(sum(work.steps for _, work in pages))
    assert 0 < steps[1] <= MORE_MAX * steps[0]


def count(shelves: Shelves, department: str) -> int:
    return sum(change.fields["department"] == department for change in shelves.changes)


def test_a_till_reads_no_products_to_start_and_its_page_none_that_it_has_already(shops: Shops) -> None:
    steps = []
    for shelves in shops:
        work = Work()

        def watch(db: apsw.Connection, work: Work = work) -> None:
            db.trace_v2(apsw.SQLITE_TRACE_PROFILE, work.done)

        apsw.connection_hooks.append(watch)
        try:
            with open_at(shelves) as (_, reader):
                reader.read(lambda db, books: searching.catalogue_version(db, books.priced_for_all(0)))
        finally:
            apsw.connection_hooks.remove(watch)
        steps.append(work.steps)
    # Which catalogue it is, the version says: the few events that brought the products are counted in an index.
    assert 0 < steps[1] <= steps[0] + 10 * MANY // PRODUCTS_PER_EVENT_MAX


def test_the_whole_catalogue_is_one_walk_and_a_few_bytes_of_each_product(shops: Shops) -> None:
    each = []
    for shelves in shops:
        with open_at(shelves) as (_, reader), counted(reader.db) as work:
            found = reader.read(lambda db, books: searching.catalogue(db, books.priced_for_all(0)))
        assert found["count"] == len(shelves.changes) == len(set(found["columns"]["sku"]))
        sent = gzip.compress(msgspec.json.encode(found), 5, mtime=0)
        assert len(sent) <= CATALOGUE_BYTES_MAX * len(shelves.changes)
        each.append(work.steps / len(shelves.changes))
    assert each[1] <= MORE_MAX * each[0]
