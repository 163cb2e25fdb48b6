"""Head office on PostgreSQL and Kafka: the same sums as on files, and several sync services beside each other."""

import os
import random
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import msgspec
import pytest

from tests.laws.hub_world import OFFICE, sale, sealed, signed
from tests.servers import ON_SERVERS, Servers, log_in, master_in, reading_in
from tests.shop_days import DAY_MS, OPENED_MS, Days
from tillmesh.adapters.kafka.messages import read_message, write_message
from tillmesh.adapters.postgres.database import Database, one, rows
from tillmesh.adapters.postgres.master import STEPS
from tillmesh.adapters.sqlite.hub.master import SqliteMaster
from tillmesh.adapters.sqlite.hub.reading import SqliteReading
from tillmesh.fleet.ports import Away, Entry, LogBroken, Occupied
from tillmesh.fleet.projecting import project
from tillmesh.fleet.syncing import SyncService, catch_up, rebuild
from tillmesh.hub.settings import PostgresTables, Settings
from tillmesh.kernel.envelope import Envelope, Head
from tillmesh.kernel.errors import Damaged
from tillmesh.shop.events import Change, Payment, ProductsChanged, SaleLine, StockMove, StockReceived
from tillmesh.sync.messages import Mark, runs_of
from tillmesh.sync.upload import Batch

KEY = bytes(range(32))
A = "tilla.aaaaaaaa"


def on_servers(test: object) -> object:
    """Mark a test that needs the real servers."""
    for mark in ON_SERVERS:
        test = mark(test)
    return test


def service_in(room: Settings) -> SyncService:
    return SyncService(log_in(room), master_in(room), OFFICE, signed, mint=lambda: "headoffice.bbbbbbbb")


def close(*services: SyncService) -> None:
    for service in services:
        service._log.close()
        service._master.close()


def batch(events: list[Envelope], store: str = "corner", term: int = 1) -> Batch:
    heads = {event.actor: Mark(event.seq, event.hash) for event in events}
    return Batch(store, term, A, heads, runs_of(events))


@on_servers
def test_the_master_database_is_made_anew_only_while_no_service_on_any_machine_has_it_open(servers: Servers) -> None:
    room = servers.room()
    here, there = master_in(room), master_in(room)
    here._patience_s = 0
    there.position()
    with pytest.raises(Occupied, match=rf"in use by tillmesh on .*, process {os.getpid()} from"), here.alone():
        raise AssertionError("it is not alone")
    there.close()
    here._patience_s = 60
    with here.alone():
        with pytest.raises(Away, match="made anew"):
            there.position()
        here.begin_anew()
    assert there.position() == {}
    there.close()
    here.close()


def chain(count: int, store: str = "corner", actor: str = A) -> list[Envelope]:
    events: list[Envelope] = []
    head = Head(actor)
    for number in range(1, count + 1):
        events.append(sealed(head, sale(number, 100 * number), number, store))
        head = Head(actor, number, events[-1].hash)
    return events


@on_servers
def test_the_same_days_have_the_same_hash_on_files_and_on_servers(servers: Servers, tmp_path: Path) -> None:
    room = servers.room()
    stores = [Days("corner"), Days("market", tills=3), Days("kiosk", tills=1)]
    entries = [entry for store in stores for entry in store.entries(12, 25)]
    random.Random(3).shuffle(entries)
    in_order = sorted(entries, key=lambda entry: entry.at_ms)
    files, log, tables = SqliteMaster(tmp_path / "master.db", KEY), log_in(room), master_in(room)
    for number, entry in enumerate(in_order, 1):
        files.apply({"log": number}, entry)
        log.append(entry)
    assert catch_up(log, tables) == len(entries)
    wanted = files.digest()
    assert tables.digest() == wanted
    assert rebuild(log, tables) == (len(entries), wanted)
    ours, theirs = reading_in(room), SqliteReading(tmp_path / "master.db", KEY)
    assert ours.stores() == theirs.stores()
    assert {shown.store: shown.revenue_minor for shown in ours.stores()} == {s.store: s.revenue_minor for s in stores}
    assert ours.shops() == theirs.shops()
    for store in ("corner", "market"):
        assert ours.sales(store, OPENED_MS, 500) == theirs.sales(store, OPENED_MS, 500)
        assert ours.latest(store, 20) == theirs.latest(store, 20)
        assert ours.products(store, "sku01", 20) == theirs.products(store, "sku01", 20)
        assert ours.takings_by_till(store, 0, OPENED_MS + 30 * DAY_MS) == theirs.takings_by_till(
            store, 0, OPENED_MS + 30 * DAY_MS
        )
    assert ours.catalogue("tea", 10) == theirs.catalogue("tea", 10)
    for each in (ours, theirs, files, log, tables):
        each.close()


@on_servers
def test_tables_of_the_first_version_are_emptied_and_filled_again_from_the_log(
    servers: Servers, tmp_path: Path
) -> None:
    room = servers.room()
    assert isinstance(room.master, PostgresTables)
    first = tmp_path / "steps"
    first.mkdir()
    (first / "0001_foundation.sql").write_bytes((STEPS / "0001_foundation.sql").read_bytes())
    old = Database(room.master.dsn, room.master.schema, first)
    with old.using() as db:
        assert one(db, "SELECT max(number) FROM version") == 1
        db.execute("INSERT INTO position VALUES ('0', 7)")
        db.execute("INSERT INTO fence VALUES ('corner', 'tillb.bbbbbbbb', 'two histories', 1)")
        db.execute("INSERT INTO line SELECT 1, 1, 1, 1, 0, 0, 'a', 'b', 1, 1, 1")
    old.close()
    log, tables, files = log_in(room), master_in(room), SqliteMaster(tmp_path / "master.db", KEY)
    for number, entry in enumerate(Days("corner").entries(2, 10), 1):
        log.append(entry)
        files.apply({"log": number}, entry)
    assert tables.position() == {}
    assert catch_up(log, tables) == 2
    assert tables.digest() == files.digest()
    assert tables.held("corner").fenced == {"tillb.bbbbbbbb": "two histories"}
    for each in (log, tables, files):
        each.close()


@on_servers
def test_lines_and_payments_are_read_as_rows_whatever_people_call_their_goods(servers: Servers, tmp_path: Path) -> None:
    names = ['6" pipe \\ "quoted"', "Müsli 🥣", "tab\there", "[], {}", "\x7f\x1f", "null", ""]
    lines = tuple(
        SaleLine(
            sku=f"sku-{number}", name=name, unit="piece", quantity_milli=-1_000 * number, list_price_minor=5,
            unit_price_minor=5, gross_minor=5, discount_minor=0, cart_discount_minor=0, tax_code="A", rate_ppm=0,
            tax_minor=-number, total_minor=10**11 - number,
        )
        for number, name in enumerate(names)
    )  # fmt: skip
    paid = tuple(Payment(method=name, amount_minor=number) for number, name in enumerate(names))
    whole = msgspec.structs.replace(sale(1, 100), lines=lines, payments=paid)
    bare = msgspec.structs.replace(sale(2, 100), payments=())
    first = sealed(Head(A), whole, 1)
    events = (first, sealed(Head(A, 1, first.hash), bare, 2))
    room = servers.room()
    files, tables = SqliteMaster(tmp_path / "master.db", KEY), master_in(room)
    for master in (files, tables):
        master.apply({"log": 1}, Entry("corner", 1, A, 1, events))
    assert files.digest() == tables.digest()
    assert isinstance(room.master, PostgresTables)
    database = Database(room.master.dsn, room.master.schema)
    with database.using() as db:
        assert [name for (name,) in rows(db, "SELECT name FROM line ORDER BY line")] == names
        assert rows(db, "SELECT method, amount_minor FROM payment ORDER BY payment") == [
            (name, number) for number, name in enumerate(names)
        ]
    for each in (database, files, tables):
        each.close()


@on_servers
def test_weeks_lie_in_rooms_of_their_own_and_a_mad_clock_makes_none(servers: Servers) -> None:
    room = servers.room()
    tables = master_in(room)
    days = Days("corner", tills=1)
    for number, entry in enumerate(days.entries(8, 60), 1):
        tables.apply({"log": number}, entry)
    head = days.heads[A]
    mad = sealed(head, sale(10**10, 700), 1, "corner")  # closed in the year 2286
    tables.apply({"log": 9}, Entry("corner", 1, A, days.now_ms, (mad,)))
    assert isinstance(room.master, PostgresTables)
    database = Database(room.master.dsn, room.master.schema)
    with database.using() as db:
        placed = rows(db, "SELECT DISTINCT t.tableoid::regclass::text, t.at_ms / 604800000 FROM sale t ORDER BY 2")
        plan = "\n".join(
            str(line)
            for (line,) in rows(
                db,
                "EXPLAIN SELECT * FROM sale WHERE store = (SELECT id FROM store LIMIT 1) AND at_ms = %s",
                (OPENED_MS,),
            )
        )
        named = "SELECT count(*) FROM pg_tables WHERE schemaname = current_schema() AND tablename LIKE %s"
        tables_made = one(db, named, ("sale%w____",))
    database.close()
    tables.close()
    assert len(placed) >= 3, "the days span several weeks"
    assert all(name.endswith(f"_w{week}") for name, week in placed[:-1])
    assert placed[-1][0].endswith("_other")
    assert tables_made == len(placed) - 1
    assert f"_w{OPENED_MS // 604_800_000}" in plan
    assert f"_w{OPENED_MS // 604_800_000 + 1}" not in plan


@on_servers
def test_a_batch_that_another_service_left_between_log_and_tables_is_not_passed_over(servers: Servers) -> None:
    room = servers.room()
    one_service, other = service_in(room), service_in(room)
    events = chain(9)
    assert one_service.take(batch(events[:3]), 1).acked == {A: 3}
    assert other.take(batch(events[:4]), 2).acked == {A: 4}  # so it holds itself for caught up
    log = log_in(room)
    log.append(Entry("corner", 1, A, 3, tuple(events[4:6])))  # a third one died here
    assert other.take(batch(events[:8]), 4).acked == {A: 8}
    assert one_service.take(batch(events), 5).acked == {A: 9}
    log.append(Entry("corner", 1, A, 6, tuple(chain(3, actor="tillb.bbbbbbbb"))))
    assert one_service.look_after() == 1
    reading = reading_in(room)
    (shown,) = reading.stores()
    assert (shown.events, shown.sales, shown.revenue_minor) == (12, 12, 4_500 + 600)
    entries, digest = rebuild(log, one_service._master)
    assert (entries, digest) == (6, other._master.digest())
    reading.close()
    log.close()
    close(one_service, other)


@on_servers
def test_services_that_take_the_same_batches_at_once_count_them_once(servers: Servers) -> None:
    room = servers.room()
    services = [service_in(room) for _ in range(3)]
    events = chain(120)

    def upload(service: SyncService) -> dict[str, int]:
        acked: dict[str, int] = {}
        for end in range(10, 121, 10):
            acked = dict(service.take(batch(events[:end]), end).acked)
        return acked

    with ThreadPoolExecutor(len(services)) as pool:
        assert list(pool.map(upload, services)) == [{A: 120}] * 3
    reading = reading_in(room)
    (shown,) = reading.stores()
    assert (shown.sales, shown.revenue_minor) == (120, 100 * 120 * 121 // 2)
    assert rebuild(services[0]._log, services[0]._master)[1] == services[1]._master.digest()
    reading.close()
    close(*services)


@on_servers
def test_a_log_that_is_not_the_one_that_was_applied_is_refused(servers: Servers) -> None:
    room, other = servers.room(), servers.room()
    service = service_in(room)
    service.take(batch(chain(3)), 1)
    strange = SyncService(log_in(other), service._master, OFFICE, signed, mint=str)
    with pytest.raises(LogBroken, match="holds the messages 0 to 0"):
        strange.take(batch(chain(4)), 2)
    strange._log.close()
    close(service)


@on_servers
def test_what_no_database_can_hold_breaks_none(servers: Servers, tmp_path: Path) -> None:
    room = servers.room()
    head, events = Head(A), []
    for number, body in enumerate(
        [
            StockReceived(moves=(StockMove(sku="nul\0", quantity_milli=5),), by="ann"),
            StockReceived(moves=(StockMove(sku="long" * 2_000, quantity_milli=5),), by="ann"),
            ProductsChanged(changes=(Change(key="long" * 2_000, fields={"name": "x"}),), by="ann"),
            ProductsChanged(changes=(Change(key="tea", fields={"name": "nul\0", "department": "\0"}),), by="ann"),
        ],
        1,
    ):
        events.append(sealed(head, body, number))
        head = Head(A, number, events[-1].hash)
    files, tables = SqliteMaster(tmp_path / "master.db", KEY), master_in(room)
    for master in (files, tables):
        master.apply({"log": 1}, Entry("corner", 1, A, 1, tuple(events)))
        assert master.held("corner").heads[A].seq == 4
    assert files.digest() == tables.digest()
    assert [row.key for row in project(events).writes] == ["tea"]
    files.close()
    tables.close()


def test_events_that_were_altered_in_the_log_do_not_replay() -> None:
    entry = Entry("corner", 3, A, 5, tuple(chain(4)))
    data = write_message(entry)
    assert read_message(data) == entry
    refused = 0
    for at in range(len(data)):
        try:
            found = read_message(data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :])
        except Damaged:
            refused += 1
        else:  # who sent it and when is in no hash
            assert found.events == entry.events
    assert refused > len(data) // 2
    with pytest.raises(Damaged):
        read_message(b"")


def test_a_message_with_events_of_several_tills_comes_back_as_it_was() -> None:
    events = (*chain(3), *chain(2, actor="tillb.bbbbbbbb"), *chain(5)[3:])
    assert read_message(write_message(Entry("corner", 3, A, 5, events))).events == events
