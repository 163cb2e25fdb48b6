"""One suite for every event log and every master database of head office: in memory, in files, on real servers."""

import random
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.contracts.memory_hub import MemoryLog, MemoryMaster
from tests.laws.hub_world import OFFICE, sale, sealed
from tests.servers import ON_SERVERS, Servers, log_in, master_in
from tillmesh.adapters.sqlite.hub.log import SqliteEventLog
from tillmesh.adapters.sqlite.hub.master import SqliteMaster
from tillmesh.fleet.ports import Entry, EventLog, LogBroken, Master, Position, Reading
from tillmesh.fleet.syncing import catch_up, rebuild
from tillmesh.kernel.envelope import Envelope, Head
from tillmesh.shop.events import Change, ProductsChanged, SaleVoided, StockMove, StockReceived
from tillmesh.sync.signatures import SignedHead

KEY = bytes(range(32))
A, B = "tilla.aaaaaaaa", "tillb.bbbbbbbb"
Pair = tuple[EventLog, Master]


@pytest.fixture(params=["memory", "sqlite", pytest.param("servers", marks=ON_SERVERS)])
def fresh_pair(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Callable[[], Pair]]:
    """Makes logs and master databases that know nothing yet."""
    made: list[EventLog | Master] = []

    def make() -> Pair:
        if request.param == "memory":
            pair: Pair = (MemoryLog(), MemoryMaster())
        elif request.param == "servers":
            servers: Servers = request.getfixturevalue("servers")
            room = servers.room()
            pair = (log_in(room), master_in(room))
        else:
            folder = tmp_path / str(len(made))
            folder.mkdir()
            pair = (SqliteEventLog(folder / "events.db", KEY), SqliteMaster(folder / "master.db", KEY))
        made.extend(pair)
        return pair

    yield make
    for each in made:
        each.close()


def chain(actor: str, count: int, store: str = "corner") -> list[Envelope]:
    """Sales of one till, from its first."""
    events: list[Envelope] = []
    head = Head(actor)
    for number in range(1, count + 1):
        events.append(sealed(head, sale(number, 100 * number), number, store))
        head = Head(actor, number, events[-1].hash)
    return events


def entry(events: list[Envelope], store: str = "corner", term: int = 1, generation: int = 0) -> Entry:
    return Entry(store, term, events[0].actor if events else A, 5_000, tuple(events), generation=generation)


def test_what_was_appended_is_replayed_in_order_from_any_position(fresh_pair: Callable[[], Pair]) -> None:
    log, _ = fresh_pair()
    wanted = [entry(chain(A, 3)), entry(chain(B, 2), generation=3), entry(chain(A, 2, "other"), "other")]
    positions = [log.append(each) for each in wanted]
    found = list(log.replay({}))
    for store in ("corner", "other"):  # in each store's order; that of stores among each other is the log's own affair
        assert [each for _, each in found if each.store == store] == [each for each in wanted if each.store == store]
    assert sorted(sorted(at.items()) for at, _ in found) == sorted(sorted(at.items()) for at in positions)
    behind: dict[str, int] = {}
    for number, (at, _) in enumerate(found, 1):
        behind |= at
        assert list(log.replay(behind)) == found[number:]


def test_places_of_a_store_count_up_from_one(fresh_pair: Callable[[], Pair]) -> None:
    log, _ = fresh_pair()
    positions: list[Position] = [log.append(entry([event])) for event in chain(A, 3)]
    assert len({part for at in positions for part in at}) == 1
    assert [place for at in positions for place in at.values()] == [1, 2, 3]


def test_the_signatures_that_events_came_under_are_kept(fresh_pair: Callable[[], Pair]) -> None:
    log, _ = fresh_pair()
    events = chain(A, 3)
    signed = (SignedHead(Head(A, 3, events[-1].hash), b"s" * 64),)
    log.append(entry(events)._replace(signed=signed))
    log.append(entry(chain(B, 1)))
    assert sorted(carried.signed for _, carried in log.replay({})) == [(), signed]


def test_a_long_log_is_replayed_whole(fresh_pair: Callable[[], Pair]) -> None:
    log, _ = fresh_pair()
    events = chain(A, 120)
    for event in events:
        log.append(entry([event]))
    assert [e for _, carried in log.replay({}) for e in carried.events] == events


def of_store(log: EventLog, store: str) -> list[Entry]:
    """Read on for one store until all of it is there."""
    found: list[Entry] = []
    place: dict[str, int] = {}
    whole = False
    while not whole:
        stretch = log.of_store(store, place)
        assert stretch.whole or dict(stretch.place) != place
        found += stretch.entries
        place, whole = dict(stretch.place), stretch.whole
    assert log.of_store(store, place).entries == ()
    return found


def test_one_stores_entries_are_read_in_portions_in_their_order_and_nobody_elses(
    fresh_pair: Callable[[], Pair],
) -> None:
    log, _ = fresh_pair()
    noise = random.Random(6)
    wanted: dict[str, list[Entry]] = {f"store{number}": [] for number in range(5)}
    heads = {store: Head(A) for store in wanted}
    for number in range(1, 61):
        store = noise.choice(list(wanted))
        long = "".join(chr(noise.randrange(32, 0x2000)) for _ in range(40_000))
        event = sealed(heads[store], StockReceived(moves=(), by=long), number, store)
        heads[store] = Head(A, event.seq, event.hash)
        signed = (SignedHead(heads[store], b"s" * 64),)
        wanted[store].append(entry([event], store)._replace(signed=signed))
        log.append(wanted[store][-1])
    log.append(entry([], "store0", term=9, generation=2))
    wanted["store0"].append(entry([], "store0", term=9, generation=2))
    assert {store: of_store(log, store) for store in wanted} == wanted
    assert of_store(log, "nobody") == []


def test_a_large_entry_comes_back_as_it_was(fresh_pair: Callable[[], Pair]) -> None:
    log, _ = fresh_pair()
    noise = random.Random(5)
    events, head = [], Head(A)
    for number in range(1, 6):
        reason = "".join(chr(noise.randrange(32, 0x2000)) for _ in range(40_000))
        events.append(sealed(head, StockReceived(moves=(), by=reason), number))
        head = Head(A, number, events[-1].hash)
    log.append(entry(events))
    assert [carried.events for _, carried in log.replay({})] == [tuple(events)]


def test_the_master_database_holds_heads_hashes_term_and_position(fresh_pair: Callable[[], Pair]) -> None:
    _, master = fresh_pair()
    events = chain(A, 5)
    assert master.held("corner").heads == {}
    master.apply({"log": 7}, entry(events, term=3))
    held = master.held("corner")
    assert held.heads == {A: Head(A, 5, events[-1].hash)}
    assert (held.term, held.clock) == (3, events[-1].hlc)
    assert master.hash_of("corner", A, 2) == events[1].hash
    assert master.hash_of("corner", A, 6) is None
    assert master.hash_of("other", A, 2) is None
    assert dict(master.position()) == {"log": 7}


def test_the_hash_of_every_event_is_known_however_it_came(fresh_pair: Callable[[], Pair]) -> None:
    _, master = fresh_pair()
    a, b = chain(A, 6), chain(B, 2)
    for at, events in enumerate((a[:1], [*a[1:4], *b], a[4:]), 1):
        master.apply({"log": at}, entry(events))
    for event in (*a, *b):
        assert master.hash_of("corner", event.actor, event.seq) == event.hash
    for store, actor, seq in (("corner", A, 7), ("corner", B, 3), ("other", A, 1), ("corner", "tillc.cccccccc", 1)):
        assert master.hash_of(store, actor, seq) is None


def test_events_that_come_twice_change_nothing(fresh_pair: Callable[[], Pair]) -> None:
    _, master = fresh_pair()
    events = chain(A, 5)
    master.apply({"log": 1}, entry(events))
    before = master.digest()
    master.apply({"log": 2}, entry(events[2:]))
    assert master.digest() == before
    assert dict(master.position()) == {"log": 2}


def test_a_gap_in_the_log_is_an_error_and_changes_nothing(fresh_pair: Callable[[], Pair]) -> None:
    _, master = fresh_pair()
    events = chain(A, 5)
    with pytest.raises(LogBroken):
        master.apply({"log": 1}, entry(events[1:]))
    assert master.held("corner").heads == {}
    assert dict(master.position()) == {}


def test_a_term_never_goes_back(fresh_pair: Callable[[], Pair]) -> None:
    _, master = fresh_pair()
    master.apply({"log": 1}, entry([], term=9))
    master.apply({"log": 2}, entry(chain(A, 1), term=2))
    assert master.held("corner").term == 9


def test_a_term_of_credentials_that_were_revoked_is_forgotten_with_the_first_term_of_later_ones(
    fresh_pair: Callable[[], Pair],
) -> None:
    log, master = fresh_pair()
    events = chain(A, 4)
    entries = [
        entry(events[:1], term=2**62),
        entry(events[1:2], term=7, generation=1),
        entry(events[2:3], term=2**62),  # was let in before the others were revoked, and comes in behind them
        entry([], term=5, generation=1),
        entry(events[3:], term=8, generation=1),
        entry(chain(A, 1, "other"), "other", term=3),
    ]
    seen = []
    for each in entries:
        master.apply(log.append(each), each)
        held = master.held("corner")
        seen.append((held.generation, held.term))
    assert seen == [(0, 2**62), (1, 7), (1, 7), (1, 7), (1, 8), (1, 8)]
    assert (master.held("other").generation, master.held("other").term) == (0, 3)
    assert master.held("corner").heads[A].seq == 4
    rebuild(log, master)
    held = master.held("corner")
    assert (held.generation, held.term, held.heads[A].seq) == (1, 8, 4)


def test_whose_credentials_are_of_a_later_generation_is_who_uploads_for_a_store(
    read_master: tuple[Master, Reading],
) -> None:
    master, reading = read_master
    for number, (actor, term, generation) in enumerate(((A, 2**62, 0), (B, 7, 1), (A, 2**62, 0)), 1):
        master.apply({"log": number}, Entry("corner", term, actor, 5_000 + number, (), generation=generation))
    assert [(store.sender, store.term) for store in reading.stores()] == [(B, 7)]


def test_the_order_of_stores_and_tills_does_not_change_the_hash(fresh_pair: Callable[[], Pair]) -> None:
    parts = [entry(chain(A, 3)), entry(chain(B, 2)), entry(chain(A, 2, "other"), "other")]
    digests = set()
    for order in (parts, parts[::-1], [parts[1], parts[2], parts[0]]):
        _, master = fresh_pair()
        for number, each in enumerate(order, 1):
            master.apply({"log": number}, each)
        digests.add(master.digest())
    assert len(digests) == 1
    _, other = fresh_pair()
    other.apply({"log": 1}, parts[0])
    assert other.digest() not in digests


def test_what_the_log_has_and_the_master_database_lacks_is_caught_up(fresh_pair: Callable[[], Pair]) -> None:
    log, master = fresh_pair()
    events = chain(A, 9)
    master.apply(log.append(entry(events[:3])), entry(events[:3]))
    log.append(entry(events[3:6]))
    log.append(entry(events[3:9]))  # sent again by another leader after the crash
    assert catch_up(log, master) == 2
    assert master.held("corner").heads[A].seq == 9


def test_a_rebuilt_master_database_has_the_same_hash_and_keeps_its_fences(fresh_pair: Callable[[], Pair]) -> None:
    log, master = fresh_pair()
    for each in (entry(chain(A, 3)), entry(chain(B, 2)), entry(chain(A, 2, "other"), "other")):
        master.apply(log.append(each), each)
    master.fence("corner", B, "two histories", 1)
    before = master.digest()
    assert rebuild(log, master) == (3, before)
    assert master.held("corner").fenced == {B: "two histories"}
    assert master.held("other").fenced == {}


def test_head_offices_own_events_wait_for_the_store_that_lacks_them(fresh_pair: Callable[[], Pair]) -> None:
    _, master = fresh_pair()
    change = ProductsChanged(changes=(Change(key="tea", fields={"price_minor": 250}),), by="headoffice:ann")
    events, head = [], Head(OFFICE)
    for number in range(1, 5):
        events.append(sealed(head, change, number))
        head = Head(OFFICE, number, events[-1].hash)
    master.apply({"log": 1}, entry([*chain(A, 2), *events]))
    assert master.outbox("corner", {A: 2}, 100, 1 << 20) == events
    assert master.outbox("corner", {OFFICE: 3}, 100, 1 << 20) == events[3:]
    assert master.outbox("corner", {OFFICE: 1}, 2, 1 << 20) == events[1:3]
    assert master.outbox("corner", {}, 100, 1) == events[:1]
    assert master.outbox("other", {}, 100, 1 << 20) == []
    assert master.said("corner", "products_changed", 3) == [event.body for event in events[:0:-1]]
    assert master.said("corner", "sale_closed", 3) == []  # the store's own
    assert master.said("other", "products_changed", 3) == []


def test_questions_to_the_master_database_stay_within_one_store(read_master: tuple[Master, Reading]) -> None:
    master, reading = read_master
    events = chain(A, 2)
    head = Head(A, 2, events[-1].hash)
    for number, body in enumerate(
        [
            ProductsChanged(changes=(Change(key="tea", fields={"name": "Tea", "price_minor": 250}),), by="ann"),
            StockReceived(moves=(StockMove(sku="tea", quantity_milli=5_000),), by="ann"),
            SaleVoided(
                sale_id=events[0].id, receipt_number="V1", shift_id="s", by="ann", reason="wrong", payments=(),
                total_minor=100, tax_minor=0,
            ),
        ],
        3,
    ):  # fmt: skip
        events.append(sealed(head, body, number))
        head = Head(A, events[-1].seq, events[-1].hash)
    master.apply({"log": 1}, entry(events))
    master.apply({"log": 2}, entry(chain(A, 1, "other"), "other"))
    corner, other = reading.stores()
    assert (corner.store, corner.sales, corner.revenue_minor, corner.events) == ("corner", 2, 200, 5)
    assert (other.store, other.sales, other.revenue_minor) == ("other", 1, 100)
    assert sorted(sold.kind for sold in reading.sales("corner", 0, 10)) == ["sale", "sale", "void"]
    assert reading.stock_milli("corner", "tea") == 5_000
    assert reading.stock_milli("other", "tea") == 0
    assert reading.product("other", "tea") is None
    assert [found["sku"] for found in reading.products("corner", "TE", 10)] == ["tea"]
    assert reading.products("corner", "no\0such", 10) == []
