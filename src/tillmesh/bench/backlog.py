"""A day without internet: the leader of a store of fifteen tills drains what all of them sold, and goes on selling.

The tills' logs are made offline and lie on the leader's disk, as they do in a store whose tills hear each other; then
the real program uploads them to the real head office, which often says "later" and "busy", while somebody sells.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Final

from tillmesh.adapters.wan.bundle import Bundle
from tillmesh.adapters.wan.client import HubClient, Unreachable
from tillmesh.bench import head_office
from tillmesh.bench.goods import MANAGER, START_MS, in_cash
from tillmesh.bench.head_office import Office, resident_mb
from tillmesh.bench.measuring import Row, spread
from tillmesh.bench.serving import Client, running, site_of, until_ready
from tillmesh.hub.bootstrap import enrol_store, open_hub
from tillmesh.hub.running import now_ms
from tillmesh.kernel.errors import Conflict
from tillmesh.terminal.bootstrap import open_terminal
from tillmesh.terminal.joining import join_here, learn, store_of
from tillmesh.terminal.provisioning import store_authority
from tillmesh.terminal.store_commands import head_office as give_bundle
from tillmesh.till.commands import CloseSale, Command, WantedLine, Who

TILLS: Final = 15
SALES: Final = 3_000
PRODUCTS: Final = 2_000
AIM_P99_MS: Final = 100
AIM_MB: Final = 256
AT_ONCE: Final = 1_000
CROWD: Final = 3  # callers of another store, so that somebody often waits
CROWD_S: Final = 0.02  # between their calls
DRAINED_S: Final = 540.0
PAUSE_S: Final = (0.02, 0.08)  # between what the cashier does
# The crowd stands for many stores.
STINGY: Final = (
    "[limits]\nuploads_burst = 3\nuploads_per_s = 1\nasks_burst = 100000\nasks_per_s = 10000\nwaiting_max = 2\n"
)


@dataclass(slots=True)
class Cashier:
    """Somebody who sells and searches at the leader meanwhile, and how long each call took, in ms."""

    client: Client
    prices: dict[str, int]
    draw: Random = field(default_factory=lambda: Random(15))  # noqa: S311 - shoppers need no secrets
    taken_minor: int = 0
    sales: int = 0
    sold_ms: list[float] = field(default_factory=list)
    found_ms: list[float] = field(default_factory=list)

    def work(self) -> None:
        """Sell one thing, then look for another."""
        sku = self.draw.choice(list(self.prices))
        paid = [{"method": "cash", "amount_minor": self.prices[sku]}]
        basket = {"cart_id": f"meanwhile-{self.sales}", "lines": [{"sku": sku, "quantity": 1}], "payments": paid}
        begun = time.perf_counter()
        self.client.call("POST", "/sales", basket)
        self.sold_ms.append((time.perf_counter() - begun) * 1e3)
        self.sales, self.taken_minor = self.sales + 1, self.taken_minor + self.prices[sku]
        begun = time.perf_counter()
        self.client.call("GET", f"/products?q={self.draw.choice('abcdefghijklm')}o&limit=50")
        self.found_ms.append((time.perf_counter() - begun) * 1e3)
        time.sleep(self.draw.uniform(*PAUSE_S))


def run(place: Path, sales: int = SALES, tills: int = TILLS, products: int = PRODUCTS) -> list[Row]:
    """Measure the leader of one store while it drains a backlog."""
    leader, prices = site_of(place, None, count=products)
    others = _join(place, leader, tills)
    taken = sum(_sell(site, list(prices), sales) for site in (leader, *others))
    _hear(leader, others)
    another = _connect(place / "hub", leader)
    with head_office.running(place / "hub", STINGY) as office:
        more = ("--no-mdns", "--link-bind", "127.0.0.1", "--hub-url", office.stores_url)
        with _crowd(office.stores_url, another), running(leader, *more) as (port, pid):
            until_ready(port)
            cashier = Cashier(Client(port), prices)
            cashier.client.sign_in()
            begun = time.perf_counter()
            weights = _drain(office, cashier, pid, sales * tills, taken)
            wall_s = time.perf_counter() - begun
            cashier.client.close()
        answers = {status: office.counted(f'tillmesh_hub_batches_total{{status="{status}"}}') for status in (429, 503)}
    return _rows(cashier, weights, wall_s, sales * tills, answers)


def _join(place: Path, leader: Path, tills: int) -> list[Path]:
    """Let the other tills join while none has sold anything."""
    places = [place / f"till-{number}" for number in range(2, tills + 1)]
    for number, other in enumerate(places, 2):
        join_here(leader, other, number=number, float_minor=10_000, by=MANAGER)
    return places


def _sell(site: Path, skus: Sequence[str], sales: int) -> int:
    """Sell offline, many sales to a transaction; give what was taken."""
    taken = 0
    draw = Random(site.name)  # noqa: S311 - shoppers need no secrets
    with closing(open_terminal(site)) as opened:
        opened.writer.db.execute("PRAGMA synchronous=OFF").fetchall()
        books = opened.writer.books
        for first in range(0, sales, AT_ONCE):
            wanted: list[tuple[Who, Command]] = []
            for number in range(first, min(first + AT_ONCE, sales)):
                lines = tuple(WantedLine(sku=draw.choice(skus), quantity_milli=1_000) for _ in range(3))
                paid = (in_cash(books, lines),)
                wanted.append((MANAGER, CloseSale(cart_id=f"{site.name}-{number}", lines=lines, payments=paid)))
                taken += sum(product.price_minor for line in lines if (product := books.product(line.sku)))
            opened.writer.execute_all(opened.till, wanted, START_MS + first * 1_000)
        opened.anchor.remember(opened.till.head, opened.till.receipts)
    return taken


def _hear(leader: Path, others: Sequence[Path]) -> None:
    """Let the leader hold what all the others sold, as if they had been linked all day."""
    with closing(open_terminal(leader)) as opened:
        opened.writer.db.execute("PRAGMA synchronous=OFF").fetchall()
        for other in others:
            with closing(open_terminal(other)) as source:
                learn(opened, source, now_ms())


def _connect(hub: Path, leader: Path) -> Bundle:
    """Enrol the store, and another one whose calls are in the way; give the other one's bundle."""
    another = head_office.enrolled(hub, ["another"])["another"]
    store = store_of(leader)
    opened = open_hub(hub)
    try:
        data = enrol_store(opened, store, now_ms(), store_authority(leader))
    finally:
        opened.close()
    give_bundle(leader, data)
    return another


@contextmanager
def _crowd(url: str, bundle: Bundle) -> Iterator[None]:
    """Let another store ask all the time."""
    over = threading.Event()

    def ask() -> None:
        with closing(HubClient(url, bundle)) as client:
            while not over.wait(CROWD_S):
                try:
                    client.state()
                except Unreachable:
                    return

    threads = [threading.Thread(target=ask, daemon=True) for _ in range(CROWD)]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        over.set()
        for thread in threads:
            thread.join(30)


def _drain(office: Office, cashier: Cashier, pid: int, sales: int, taken: int) -> list[float]:
    """Sell on until head office has everything; give the memory of the till meanwhile, in MB."""
    weights = [resident_mb(pid)]
    end = time.monotonic() + DRAINED_S
    while True:
        cashier.work()
        weights.append(resident_mb(pid))
        shown = [one for one in office.call("GET", "/stores")["stores"] if one["store"] != "another"]
        if shown and shown[0]["sales"] >= sales:
            break
        if time.monotonic() > end:
            raise Conflict(f"head office has {shown} after {DRAINED_S:.0f} s", hint="See its log.")
    # What was sold in the last moments is under way still.
    while (shown[0]["sales"], shown[0]["revenue_minor"]) != (sales + cashier.sales, taken + cashier.taken_minor):
        if time.monotonic() > end:
            raise Conflict(f"{sales + cashier.sales} sales, head office says {shown}", hint="A bug of ours.")
        time.sleep(0.1)
        shown = [one for one in office.call("GET", "/stores")["stores"] if one["store"] != "another"]
    return weights


def _rows(
    cashier: Cashier, weights: Sequence[float], wall_s: float, sales: int, answers: dict[int, float]
) -> list[Row]:
    both = spread([*cashier.sold_ms, *cashier.found_ms])
    note = f"of {answers[429]:.0f} answers 'later' and {answers[503]:.0f} 'busy'; every sale arrived once"
    return [
        Row(what=f"{sales:,} sales until all are at head office", unit="s", spread=spread([wall_s]), note=note),
        Row(what="the till meanwhile: POST /sales", unit="ms", spread=spread(cashier.sold_ms)),
        Row(what="the till meanwhile: search", unit="ms", spread=spread(cashier.found_ms)),
        Row(
            what="the till meanwhile, both", unit="ms", spread=both, aim=f"p99 < {AIM_P99_MS} ms",
            met=both.p99 < AIM_P99_MS,
        ),
        Row(
            what="the till's memory meanwhile", unit="MB", spread=spread(weights), note=f"{weights[0]:.0f} at first",
            aim=f"never over {AIM_MB} MB", met=max(weights) <= AIM_MB,
        ),
    ]  # fmt: skip
