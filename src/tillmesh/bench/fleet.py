"""Many stores at one head office: simulated leaders with certificates and keys, over TLS, against the real program.

What a store sends was sealed and packed beforehand, so that this process does little but send. Head office's CPU is
its own process's, all threads; the two share the machine.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import apsw

from tillmesh.adapters.wan.bundle import Bundle
from tillmesh.adapters.wan.client import HubClient, Reply
from tillmesh.bench.head_office import Office
from tillmesh.bench.measuring import Ratio, Row, spread
from tillmesh.bench.production import Stand, embedded, production
from tillmesh.bench.upload_work import Work, work_of
from tillmesh.kernel.errors import Conflict
from tillmesh.sync.upload import MEDIA, read_answer

STORES: Final = 100
BATCHES: Final = 10  # of each store
EVENTS: Final = 100  # in a batch: a busy store's 15 minutes, or what waits after an hour without internet
SENDERS: Final = 4
RUNG_S: Final = 60.0
WAIT_S: Final = 120.0
STILL_S: Final = 3.0  # nobody new listens for so long: all do


@dataclass(slots=True)
class Store:
    """One store's leader: its line, its bell, and what it is going to send."""

    name: str
    bundle: Bundle
    client: HubClient
    bell: HubClient
    batches: list[Work] = field(default_factory=list)


def run(place: Path, stores: int = STORES, batches: int = BATCHES, config: Path | None = None) -> list[Row]:
    """Let so many stores connect, upload, upload again, idle, listen, and be told of a price.

    Without a ``config`` head office is one process with files; with one it is made of the servers that it names.
    """
    run_id = f"{time.time_ns() // 1_000_000:x}" if config else ""  # the servers keep what earlier runs have left
    names = [f"store{run_id}{number:05}" for number in range(stores)]
    with embedded(place, names) if config is None else production(place, names, config) as stand:
        office = stand.office
        fleet = [
            Store(name, bundle, HubClient(stand.stores_url, bundle), HubClient(stand.stores_url, bundle))
            for name, bundle in stand.bundles.items()
        ]
        for each in fleet:
            each.batches = work_of(each.name, batches, EVENTS)
        try:
            rows = [*_connect(office, fleet), *_ingest(stand, fleet, place), *_quiet(office, fleet)]
            rows += [*_ring(stand, fleet), *_asked(office)]
            _check(office, fleet)
        finally:
            for each in fleet:
                each.client.close()
                each.bell.close()
    return rows


def _connect(office: Office, fleet: Sequence[Store]) -> list[Row]:
    """Shake hands and ask what head office holds, each store on a new connection."""
    before = office.cpu_s()
    times = _all(fleet, lambda store: _ok(store.client.state()))
    cpu_ms = (office.cpu_s() - before) / len(fleet) * 1e3
    return [
        Row(what="a store connects: TLS, certificate, key, state", unit="ms", spread=spread(times)),
        Row(what="the same: CPU of head office", unit="ms", spread=spread([cpu_ms])),
    ]


def _ingest(stand: Stand, fleet: Sequence[Store], place: Path) -> list[Row]:
    """Upload everything, then everything again, then the same events into a bare table."""
    office = stand.office
    events = sum(work.events for store in fleet for work in store.batches)
    sizes = [len(work.packed) for store in fleet for work in store.batches]
    begun, before = time.perf_counter(), office.cpu_s()
    parts = {name: read() for name, read in stand.parts.items()}
    times = _all(fleet, _upload_all)
    wall_s, cpu_s = time.perf_counter() - begun, office.spent_s(before)
    others = [
        Row(
            what=f"taken in: CPU of {name} per 1,000 events",
            unit="ms",
            spread=spread([(stand.parts[name]() - was) / events * 1e6]),
        )
        for name, was in parts.items()
    ]
    raw_s = _raw(place / "raw.db", fleet)
    before = office.cpu_s()
    again = _all(fleet, _upload_all)
    again_cpu_s = office.spent_s(before)
    note = f"{events} events of 6 lines in batches of {EVENTS}, {sum(sizes) / events:.0f} bytes each on the way"
    beside = raw_s / cpu_s
    return [
        Row(
            what="taken in: events per CPU second of head office",
            unit="1/s",
            spread=spread([events / cpu_s]),
            ratio=Ratio(peer="bare SQLite, FULL", median=beside, least=beside, most=beside, pairs=1),
            note=note,
        ),
        *others,
        Row(what="taken in: events per second", unit="1/s", spread=spread([events / wall_s])),
        Row(what="a batch until it is durable and answered", unit="ms", spread=spread(times)),
        Row(what="sent a second time: events per CPU second", unit="1/s", spread=spread([events / again_cpu_s])),
        Row(what="a batch that was known already", unit="ms", spread=spread(again)),
    ]


def _quiet(office: Office, fleet: Sequence[Store]) -> list[Row]:
    """Let every store say that it has nothing new, as each does every 15 minutes."""
    before = office.cpu_s()
    times = _all(fleet, lambda store: _ok(store.client.upload(store.batches[-1].empty, MEDIA)))
    cpu_ms = (office.cpu_s() - before) / len(fleet) * 1e3
    return [
        Row(what="a store with nothing new", unit="ms", spread=spread(times)),
        Row(what="the same: CPU of head office", unit="ms", spread=spread([cpu_ms])),
    ]


def _ring(stand: Stand, fleet: Sequence[Store]) -> list[Row]:
    """Let every store listen, weigh head office, then change one price everywhere."""
    office = stand.office
    before_mb = office.memory_mb()
    rung: list[float] = []
    guard = threading.Lock()

    def listen(store: Store) -> None:
        heard = False
        while not heard:
            heard = _ok(store.bell.news(0)).problem().get("news") is True
        now = time.perf_counter()
        with guard:
            rung.append(now)

    threads = [threading.Thread(target=listen, args=(store,), daemon=True) for store in fleet]
    for thread in threads:
        thread.start()
    alone = _listening(stand, len(fleet))
    weight_mb = (office.memory_mb() - before_mb) / len(fleet)
    cpu, begun = office.cpu_s(), time.perf_counter()
    tea = {"sku": "tea", "name": "Tea", "price_minor": 250}
    office.call("POST", "/catalogue", {"products": [tea], "stores": [store.name for store in fleet]})
    written_ms = (time.perf_counter() - begun) * 1e3
    for thread in threads:
        thread.join(RUNG_S)
    if len(rung) != len(fleet):
        raise Conflict(f"{len(rung)} of {len(fleet)} stores were told", hint="See head office's log.")
    cpu_ms = (office.cpu_s() - cpu) / len(fleet) * 1e3
    weight = Row(what="memory of a store that listens", unit="kB", spread=spread([weight_mb * 1e3]))
    return [
        *([weight] if alone else []),  # behind a gateway some listen at the other service, and memory was freed before
        Row(what="one price for all: written", unit="ms", spread=spread([written_ms]), note=f"{len(fleet)} stores"),
        Row(
            what="one price for all: until a store was told",
            unit="ms",
            spread=spread((at - begun) * 1e3 for at in rung),
        ),
        Row(what="the same: CPU of head office per store", unit="ms", spread=spread([cpu_ms])),
    ]


def _listening(stand: Stand, wanted: int) -> bool:
    """Wait until the stores listen, and say whether all do here: nobody can ask a second service how many it has."""
    if "second sync service" not in stand.parts:
        _until(lambda: stand.office.counted("tillmesh_hub_listening") >= wanted, "the stores did not listen")
        return True
    heard = -1.0
    while (now := stand.office.counted("tillmesh_hub_listening")) > heard:
        heard = now
        time.sleep(STILL_S)
    return False


def _asked(office: Office) -> list[Row]:
    """Open the page that shows all stores."""
    begun = time.perf_counter()
    shown = office.call("GET", "/overview")["stores"]
    taken_ms = (time.perf_counter() - begun) * 1e3
    row = Row(what="how all stores stand", unit="ms", spread=spread([taken_ms]), note=f"{len(shown)} stores")
    return [row, Row(what="memory of head office", unit="MB", spread=spread([office.memory_mb()]))]


def _check(office: Office, fleet: Sequence[Store]) -> None:
    """Count what has arrived: whatever was measured must have been done."""
    shown = {one["store"]: one["revenue_minor"] for one in office.call("GET", "/stores")["stores"]}
    for store in fleet:
        taken = sum(work.taken_minor for work in store.batches)
        if shown.get(store.name) != taken:
            raise Conflict(
                f"{store.name} took {taken}, head office says {shown.get(store.name)}", hint="A bug of ours."
            )


def _upload_all(store: Store) -> list[float]:
    times = []
    for work in store.batches:
        begun = time.perf_counter()
        answer = read_answer(_ok(store.client.upload(work.packed, MEDIA)).body)
        times.append((time.perf_counter() - begun) * 1e3)
        if answer.acked.get(work.actor, 0) < work.last:
            raise Conflict(f"{store.name}: {work.last} was not acknowledged", hint="See head office's log.")
    return times


def _all(fleet: Sequence[Store], act: Callable[[Store], Any]) -> list[float]:
    """Let every store do something, a few of them at a time; give how long each took, or the times that it gives."""

    def timed(store: Store) -> list[float]:
        begun = time.perf_counter()
        found = act(store)
        return found if isinstance(found, list) else [(time.perf_counter() - begun) * 1e3]

    with ThreadPoolExecutor(SENDERS) as senders:
        return [each for times in senders.map(timed, fleet) for each in times]


def _raw(file: Path, fleet: Sequence[Store]) -> float:
    """Write the same events into one bare table, a batch a transaction, synced; give the CPU seconds."""
    db = apsw.Connection(str(file))
    db.execute("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL").fetchall()
    db.execute(
        "CREATE TABLE event (store TEXT, actor TEXT, seq INTEGER, hlc INTEGER, body BLOB, hash BLOB, "
        "PRIMARY KEY (store, actor, seq)) STRICT, WITHOUT ROWID"
    )
    before = time.process_time()
    for store in fleet:
        for work in store.batches:
            db.execute("BEGIN IMMEDIATE")
            db.executemany("INSERT INTO event VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING", work.rows())
            db.execute("COMMIT")
    taken = time.process_time() - before
    db.close()
    return taken


def _ok(reply: Reply) -> Reply:
    if reply.status != 200:
        raise Conflict(f"head office answered {reply.status}: {json.dumps(reply.problem())[:200]}", hint="See its log.")
    return reply


def _until(holds: Callable[[], bool], otherwise: str) -> None:
    end = time.monotonic() + WAIT_S
    while not holds():
        if time.monotonic() > end:
            raise Conflict(f"{otherwise} within {WAIT_S:.0f} s", hint="See head office's log.")
        time.sleep(0.05)
