"""One suite for every analytics of head office: in memory, and as it runs."""

import itertools
from collections.abc import Iterator, Sequence
from datetime import date
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from tests.contracts.clickhouse_server import clickhouse
from tests.contracts.memory_analytics import MemoryAnalytics
from tests.contracts.memory_hub import MemoryLog
from tests.laws.hub_world import sealed
from tillmesh.adapters.clickhouse.analytics import ClickAnalytics
from tillmesh.adapters.clickhouse.wire import Wire
from tillmesh.adapters.duckdb.analytics import FILE, DuckAnalytics
from tillmesh.fleet.ports import Analytics, DayRow, Entry, ProductRow
from tillmesh.fleet.reporting import HOUR_MS, QuarterRow, add_up, bounds
from tillmesh.fleet.standing import Takings
from tillmesh.fleet.syncing import feed
from tillmesh.kernel.codec import Record
from tillmesh.kernel.envelope import Envelope, Head
from tillmesh.kernel.errors import Invalid, StorageFailed
from tillmesh.shop.events import Payment, RefundLine, SaleClosed, SaleLine, SaleRefunded, SaleVoided

A = "tilla.aaaaaaaa"
KEY = bytes(range(32))
DATABASES = itertools.count()
DAY_MS = 86_400_000
NEW_YEAR = date(1970, 1, 1)


REAL_SERVER = (pytest.mark.service, pytest.mark.slow, pytest.mark.xdist_group("clickhouse"))


@pytest.fixture(scope="session")
def clickhouse_url() -> Iterator[str]:
    """ClickHouse's engine, once for all tests; each takes a database of its own."""
    with clickhouse() as url:
        yield url


@pytest.fixture(params=["memory", "duckdb", pytest.param("clickhouse", marks=REAL_SERVER)])
def analytics(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Analytics]:
    match request.param:
        case "memory":
            found: Analytics = MemoryAnalytics()
        case "duckdb":
            found = DuckAnalytics(tmp_path / FILE, KEY)
        case _:
            found = ClickAnalytics(wire(request.getfixturevalue("clickhouse_url")))
    yield found
    found.close()


def wire(url: str) -> Wire:
    return Wire(url, f"test_{next(DATABASES)}")


def line(sku: str, total_minor: int) -> SaleLine:
    return SaleLine(
        sku=sku, name=f'Some "{sku}"', unit="piece", quantity_milli=2_000, list_price_minor=total_minor // 2,
        unit_price_minor=total_minor // 2, gross_minor=total_minor, discount_minor=0, cart_discount_minor=0,
        tax_code="standard", rate_ppm=0, tax_minor=1, total_minor=total_minor,
    )  # fmt: skip


def sale(at_ms: int, *lines: SaleLine) -> SaleClosed:
    total = sum(each.total_minor for each in lines)
    return SaleClosed(
        cart_id=str(at_ms), receipt_number="1", shift_id="s", cashier="mary", currency="EUR", prices_include_tax=True,
        lines=lines, taxes=(), payments=(Payment(method="cash", amount_minor=total),), discount_minor=0,
        tax_minor=len(lines), total_minor=total, closed_at_ms=at_ms,
    )  # fmt: skip


def voided(sale_id: str, at_ms: int, total_minor: int) -> SaleVoided:
    return SaleVoided(
        sale_id=sale_id, receipt_number="V", shift_id="s", by="ann", reason="wrong", payments=(),
        total_minor=total_minor, tax_minor=2, voided_at_ms=at_ms,
    )  # fmt: skip


def refunded(sale_id: str, at_ms: int) -> SaleRefunded:
    back = RefundLine(
        line=0, sku="tea", name='Some "tea"', unit="piece", quantity_milli=1_000, unit_price_minor=50,
        tax_code="standard", rate_ppm=0, tax_minor=0, total_minor=50,
    )  # fmt: skip
    return SaleRefunded(
        sale_id=sale_id, refund_key="r", receipt_number="R", shift_id="s", by="ann", reason="broken", currency="EUR",
        lines=(back,), taxes=(), payments=(), tax_minor=0, total_minor=50, refunded_at_ms=at_ms,
    )  # fmt: skip


def history(store: str) -> list[Envelope]:
    """Two days of a small store: three sales, one of them voided, and a refund."""
    events: list[Envelope] = []

    def happen(body: Record, at_ms: int) -> None:
        head = Head(A, events[-1].seq, events[-1].hash) if events else Head(A)
        events.append(sealed(head, body, at_ms, store))

    happen(sale(1_000, line("tea", 100), line("milk", 300)), 1_000)
    happen(sale(2_000, line("tea", 100), line("jam", 700)), 2_000)
    happen(sale(DAY_MS + 1_000, line("milk", 200)), DAY_MS + 1_000)
    happen(voided(events[1].id, DAY_MS + 2_000, 800), DAY_MS + 2_000)
    happen(refunded(events[0].id, DAY_MS + 3_000), DAY_MS + 3_000)
    return events


def log_of(*stores: str) -> MemoryLog:
    log = MemoryLog()
    for store in stores:
        events = history(store)
        log.append(Entry(store, 1, A, 0, tuple(events[:2])))
        log.append(Entry(store, 1, A, 0, tuple(events)))  # sent again with more: a log may hold an event twice
    return log


def test_reports_add_up_sales_without_what_was_taken_back(analytics: Analytics) -> None:
    assert feed(log_of("one", "two"), analytics) == 4
    assert analytics.days(["one"], 0, 10 * DAY_MS) == [
        DayRow("one", "1970-01-01", 2, 1_200, 4),
        DayRow("one", "1970-01-02", 1, 200 - 800 - 50, 1 - 2),
    ]
    assert [row.store for row in analytics.days([], 0, DAY_MS)] == ["one", "two"]
    assert analytics.days(["nowhere"], 0, DAY_MS) == []
    assert analytics.products(["two"], 0, 10 * DAY_MS, 10) == [
        ProductRow("milk", 'Some "milk"', 4_000, 500),
        ProductRow("tea", 'Some "tea"', 1_000, 50),
    ]
    assert [row.sku for row in analytics.products([], 0, DAY_MS, 1)] == ["milk"]


def test_sales_are_added_up_by_the_quarter_of_an_hour_for_every_clock_on_a_wall(analytics: Analytics) -> None:
    feed(log_of("one", "two"), analytics)
    rows = analytics.quarters(["one"], 0, 10 * DAY_MS)
    assert rows == [QuarterRow("one", 0, 2, 1_200, 4), QuarterRow("one", DAY_MS, 1, 200 - 800 - 50, 1 - 2)]
    east = add_up(analytics.quarters([], 0, 10 * DAY_MS), {"one": ZoneInfo("Asia/Kolkata")}, NEW_YEAR, NEW_YEAR)
    assert east.days == {"1970-01-01": Takings(2, 1_200, 4)}
    assert east.hours[5] == east.stores["one"] == east.total == Takings(2, 1_200, 4), "0:00 UTC is 5:30 there"
    west = add_up(rows, {"one": ZoneInfo("America/New_York")}, NEW_YEAR, NEW_YEAR)
    assert (west.total, west.hours[19]) == (Takings(1, -650, -1), Takings(1, -650, -1)), (
        "the first two are of 1969 there"
    )
    by_hours = analytics.quarters(["one"], 0, 10 * DAY_MS, HOUR_MS)
    assert add_up(by_hours, {"one": ZoneInfo("America/New_York")}, NEW_YEAR, NEW_YEAR) == west
    assert bounds(NEW_YEAR, NEW_YEAR, [ZoneInfo("Asia/Kolkata"), ZoneInfo("UTC")]) == (-19_800_000, DAY_MS)


def test_what_was_taken_in_is_not_taken_in_again(analytics: Analytics) -> None:
    log = log_of("one")
    feed(log, analytics)
    before = analytics.digest(), analytics.days([], 0, 10 * DAY_MS)
    assert feed(log, analytics) == 0
    analytics.take(list(log.replay({})))  # as after a crash that forgot the position
    assert (analytics.digest(), analytics.days([], 0, 10 * DAY_MS)) == before


def test_analytics_made_anew_are_the_same(analytics: Analytics) -> None:
    log = log_of("one", "two")
    feed(log, analytics)
    before = analytics.digest()
    analytics.begin_anew()
    assert analytics.days([], 0, 10 * DAY_MS) == []
    assert analytics.position() == {}
    assert feed(log, analytics) == 4
    assert analytics.digest() == before


def test_analytics_survive_a_restart(tmp_path: Path) -> None:
    first = DuckAnalytics(tmp_path / FILE, KEY)
    feed(log_of("one"), first)
    shown, at = first.days([], 0, 10 * DAY_MS), first.position()
    first.close()
    second = DuckAnalytics(tmp_path / FILE, KEY)
    assert (second.days([], 0, 10 * DAY_MS), second.position()) == (shown, at)
    second.close()


def test_nothing_of_analytics_stands_in_clear_on_the_disk_and_another_key_opens_nothing(tmp_path: Path) -> None:
    old = [tmp_path / name for name in ("analytics.duckdb", "analytics.duckdb.wal")]
    for file in old:
        file.write_bytes(b"written in clear by an earlier version")
    analytics = DuckAnalytics(tmp_path / FILE, KEY)
    feed(log_of("canary"), analytics)
    shown = analytics.products([], 0, 10 * DAY_MS, 10)
    assert shown
    for word in ("canary", shown[0].sku, shown[0].name):
        assert not any(word.encode() in file.read_bytes() for file in tmp_path.iterdir()), word
    analytics.close()
    assert not any(word in file.read_bytes() for file in tmp_path.iterdir() for word in (b"canary", b"CREATE TABLE"))
    assert not any(file.exists() for file in old)
    with pytest.raises(StorageFailed, match="Wrong encryption key"):
        DuckAnalytics(tmp_path / FILE, bytes(32))
    again = DuckAnalytics(tmp_path / FILE, KEY)
    assert again.products([], 0, 10 * DAY_MS, 10) == shown
    again.close()


def test_an_sql_text_of_analytics_reaches_no_other_file_and_no_network(tmp_path: Path) -> None:
    (tmp_path / "other.csv").write_text("a,b\n1,2\n")
    analytics = DuckAnalytics(tmp_path / FILE, KEY)
    for text in (f"FROM '{tmp_path}/other.csv'", f"ATTACH '{tmp_path}/more.db'", "FROM 'https://127.0.0.1:9/x.csv'",
                 f"COPY sale TO '{tmp_path}/out.csv'", "SET enable_external_access = true"):  # fmt: skip
        with pytest.raises(Exception, match="Cannot "):
            analytics._db.execute(text)
    analytics.close()
    assert {file.name for file in tmp_path.iterdir()} == {FILE, "other.csv"}


class Breaking(Wire):
    """A wire that breaks before one table is written, once."""

    def __init__(self, url: str, database: str, table: str) -> None:
        super().__init__(url, database)
        self.table = table

    def insert(self, table: str, columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
        if table == self.table:
            self.table = ""
            raise StorageFailed("the server went away", hint="Wait.")
        super().insert(table, columns, rows)


@pytest.mark.service
@pytest.mark.slow
@pytest.mark.xdist_group("clickhouse")
@pytest.mark.parametrize("table", ["sale", "line", "head", "position"])
def test_what_a_crash_left_in_clickhouse_is_inserted_again_and_counts_once(clickhouse_url: str, table: str) -> None:
    whole, broken = (
        ClickAnalytics(wire(clickhouse_url)),
        ClickAnalytics(Breaking(clickhouse_url, f"test_{next(DATABASES)}", table)),
    )
    log = log_of("one", "two")
    feed(log, whole)
    with pytest.raises(StorageFailed):
        feed(log, broken)
    feed(log, broken)
    assert broken.digest() == whole.digest()
    assert broken.days([], 0, 10 * DAY_MS) == whole.days([], 0, 10 * DAY_MS)
    assert broken.products([], 0, 10 * DAY_MS, 10) == whole.products([], 0, 10 * DAY_MS, 10)


def test_a_store_that_is_no_name_reaches_no_database() -> None:
    away = ClickAnalytics(Wire("http://127.0.0.1:1", "nowhere"))
    with pytest.raises(Invalid):
        away.days(["one') OR 1=1 --"], 0, 1)
    with pytest.raises(StorageFailed, match="does not answer"):
        away.position()
    with pytest.raises(Invalid):
        Wire("ftp://nowhere", "nowhere")


def test_what_duckdb_refuses_is_said_in_words_and_it_is_opened_anew_after_a_fatal_error(tmp_path: Path) -> None:
    reports = DuckAnalytics(tmp_path / FILE, KEY)
    with pytest.raises(StorageFailed, match="does not work"), reports._in_words():
        raise pytest.importorskip("duckdb").FatalException("the database was invalidated")
    assert reports.position() == {}  # over a connection that was made since
    reports._db.execute("DROP TABLE position")
    for ask in (reports.position, reports.begin_anew):
        with pytest.raises(StorageFailed, match="does not work"):
            ask()
    reports.close()
