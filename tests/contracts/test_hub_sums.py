"""Sums that a broken or lying till would drive past 64 bits: it costs that till its own numbers, and nobody else."""

import random
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.contracts.test_hub_ports import KEY, A, B, chain, entry
from tests.laws.hub_world import sale, sealed
from tests.servers import ON_SERVERS, Servers, log_in, master_in, reading_in
from tillmesh.adapters.duckdb.analytics import DuckAnalytics
from tillmesh.adapters.sqlite.hub.log import SqliteEventLog
from tillmesh.adapters.sqlite.hub.master import SqliteMaster
from tillmesh.adapters.sqlite.hub.reading import SqliteReading
from tillmesh.fleet.ingest import TooManyActors, judge
from tillmesh.fleet.ports import EventLog, Held, Master, Reading
from tillmesh.fleet.projecting import NUMBER_MAX
from tillmesh.fleet.syncing import catch_up, feed, rebuild
from tillmesh.kernel.codec import Record
from tillmesh.kernel.envelope import Envelope, Head
from tillmesh.kernel.limits import ACTOR_SUM_MAX, SYNC_ACTORS_MAX
from tillmesh.shop.events import StockMove, StockReceived
from tillmesh.sync.messages import Mark, runs_of
from tillmesh.sync.upload import Batch

FIT = ACTOR_SUM_MAX // NUMBER_MAX  # so many of the largest events count


class Kept(NamedTuple):
    """A log, its master database, and who answers from it."""

    log: EventLog
    master: Master
    reading: Reading


@pytest.fixture(params=["sqlite", pytest.param("servers", marks=ON_SERVERS)])
def kept(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Kept]:
    if request.param == "servers":
        servers: Servers = request.getfixturevalue("servers")
        room = servers.room()
        made = Kept(log_in(room), master_in(room), reading_in(room))
    else:
        file = tmp_path / "master.db"
        made = Kept(SqliteEventLog(tmp_path / "events.db", KEY), SqliteMaster(file, KEY), SqliteReading(file, KEY))
    yield made
    for each in reversed(made):
        each.close()


def unknown(actor: str, seq: int) -> bytes | None:
    return None


def chained(actor: str, bodies: Sequence[Record]) -> list[Envelope]:
    events: list[Envelope] = []
    head = Head(actor)
    for number, body in enumerate(bodies, 1):
        events.append(sealed(head, body, number))
        head = Head(actor, number, events[-1].hash)
    return events


def received(*quantities: int) -> StockReceived:
    return StockReceived(moves=tuple(StockMove(sku="tea", quantity_milli=milli) for milli in quantities), by="x")


def test_sales_beyond_what_a_till_can_sell_are_kept_and_counted_nowhere_and_catching_up_goes_on(
    kept: Kept, tmp_path: Path
) -> None:
    poison = chained(A, [sale(number, NUMBER_MAX) for number in range(1, 150)])
    for events in (poison[:100], chain(B, 3), poison[100:]):
        kept.log.append(entry(events))
    assert catch_up(kept.log, kept.master) == 3
    assert kept.master.held("corner").heads[A].seq == len(poison)
    (shown,) = kept.reading.stores()
    assert (shown.sales, shown.revenue_minor, shown.uncounted) == (
        FIT + 3, FIT * NUMBER_MAX + 600, len(poison) - FIT,
    )  # fmt: skip
    assert shown.events == len(poison) + 3
    assert kept.reading.takings("corner", 0, 10**9).net_minor == shown.revenue_minor
    kept.log.append(entry(chain(B, 5)))  # and whatever comes after it counts
    assert catch_up(kept.log, kept.master) == 1
    assert kept.reading.stores()[0].sales == FIT + 5
    before = kept.master.digest()
    assert rebuild(kept.log, kept.master) == (4, before)
    reports = DuckAnalytics(tmp_path / "reports.duckdb", KEY)
    assert feed(kept.log, reports) == 4
    (day,) = reports.days([], 0, 10**9)
    assert (day.sales, day.net_minor) == (FIT + 5, kept.reading.stores()[0].revenue_minor)
    reports.close()


def test_deliveries_beyond_all_measure_move_nothing_and_what_comes_after_them_does(kept: Kept) -> None:
    bodies = [received(5_000), received(*[NUMBER_MAX] * 30), *[received(NUMBER_MAX)] * 100, received(-2_000)]
    kept.log.append(entry(chained(A, bodies)))
    kept.log.append(entry(chain(B, 1)))
    assert catch_up(kept.log, kept.master) == 2
    (shown,) = kept.reading.stores()
    assert (shown.uncounted, shown.sales) == (1 + 100 - FIT, 1)
    assert kept.reading.stock_milli("corner", "tea") == FIT * NUMBER_MAX + 3_000
    assert kept.reading.shops()[0].uncounted == {A: 1 + 100 - FIT}


def test_which_events_count_depends_on_no_order_of_tills_or_batches(kept: Kept) -> None:
    rng = random.Random(7)
    logs = {
        actor: chained(actor, [received(*rng.choices([7, NUMBER_MAX, NUMBER_MAX + 1], k=8)) for _ in range(9)])
        for actor in (A, B)
    }
    digests = set()
    for _ in range(3):
        kept.master.begin_anew()
        left = {actor: list(events) for actor, events in logs.items()}
        place = 0
        while left:
            actor = rng.choice(sorted(left))
            size, place = rng.randrange(1, 5), place + 1
            kept.master.apply({"log": place}, entry(left[actor][:size]))
            left[actor] = left[actor][size:]
            if not left[actor]:
                del left[actor]
        digests.add((kept.master.digest(), kept.reading.stores()[0].uncounted))
    assert len(digests) == 1


def test_a_store_has_only_so_many_authors_of_events_that_all_of_them_together_fit() -> None:
    held = Held(heads={f"till{number}.aaaaaaaa": Head(f"till{number}.aaaaaaaa") for number in range(SYNC_ACTORS_MAX)})
    events = chain("new.aaaaaaaa", 1)
    batch = Batch("corner", 1, A, {"new.aaaaaaaa": Mark(1, events[0].hash)}, runs_of(events))
    with pytest.raises(TooManyActors) as refused:
        judge(held, batch, unknown)
    assert (refused.value.status, refused.value.members()) == (422, {"actor": "new.aaaaaaaa"})
    known = chain("till7.aaaaaaaa", 1)
    again = Batch("corner", 1, A, {"till7.aaaaaaaa": Mark(1, known[0].hash)}, runs_of(known))
    assert judge(held, again, unknown).events == known
