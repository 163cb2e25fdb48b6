"""The real program as a process: how fast it starts, what it weighs, and how many sales it takes over HTTP."""

from __future__ import annotations

import http.client
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random
from typing import Any, Final

from tillmesh.bench.goods import MANAGER, PRODUCTS, START_MS, records, stock_shelves
from tillmesh.bench.measuring import Row, ratio, spread
from tillmesh.bench.offers import stock_offers
from tillmesh.bench.ports import free_ports
from tillmesh.kernel.errors import Conflict
from tillmesh.shop.events import Change
from tillmesh.terminal.bootstrap import open_terminal
from tillmesh.terminal.web.pins import Pins
from tillmesh.till.commands import ChangeRecords

PIN: Final = "2468"
STARTS: Final = 5
READY_S: Final = 60.0
POLL_S: Final = 0.005
TICKS_PER_S: Final = os.sysconf("SC_CLK_TCK")
BLOCK: Final = 50
BLOCKS: Final = 20
SALES_BEFORE_WEIGHING: Final = 500


class Client:
    """A kept-alive connection to a till, signed in once."""

    def __init__(self, port: int) -> None:
        self._http = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        self._headers = {"Content-Type": "application/json"}

    def sign_in(self) -> None:
        """Sign in as the manager."""
        answer = json.loads(self.call("POST", "/session", {"pin": PIN}))
        self._headers["Authorization"] = f"Bearer {answer['token']}"

    def call(self, method: str, path: str, body: object = None) -> bytes:
        """Make a call and give the body of its answer; raises :class:`Conflict` for anything but 2xx."""
        sent = None if body is None else json.dumps(body)
        self._http.request(method, "/api/v1" + path, sent, self._headers)
        response = self._http.getresponse()
        data = response.read()
        if not 200 <= response.status < 300:
            raise Conflict(f"{method} {path} answered {response.status}: {data[:200]!r}", hint="Run tillmesh doctor.")
        return data

    def close(self) -> None:
        """Close the connection."""
        self._http.close()


def site_of(
    place: Path, products: Path | None, *, count: int = PRODUCTS, promotions: int = 0, customers: int = 0
) -> tuple[Path, dict[str, int]]:
    """Make a shop with a manager and a catalogue, offers and customers; give its place and the price of each sku."""
    changes = records(products, count)
    site = place / "till"
    opened = open_terminal(site)
    pins = Pins(opened.pepper, opened.origin.store)
    fields: dict[str, Any] = {"name": "Bench", "role": "manager", "pin_tag": pins.tag_now(PIN), "active": True}
    person = ChangeRecords(entity="person", changes=(Change(key="bench", fields=fields),))
    opened.writer.execute(opened.till, MANAGER, person, START_MS)
    stock_shelves(opened, changes)
    stock_offers(opened, [change.key for change in changes], promotion_count=promotions, customer_count=customers)
    pins.close()
    opened.close()
    return site, {change.key: int(str(change.fields["price_minor"])) for change in changes}


@contextmanager
def running(site: Path, *more: str) -> Iterator[tuple[int, int]]:
    """Run the terminal program, with more options; give port and process id. Killed if it does not stop."""
    port = free_ports(1)
    command = [sys.executable, "-m", "tillmesh", "terminal", "--data-dir", str(site), "--port", str(port), *more]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)  # noqa: S603 - our own program
    try:
        yield port, process.pid
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def until_ready(port: int) -> None:
    """Poll the health page until the till answers 200."""
    ends = time.perf_counter() + READY_S
    while time.perf_counter() < ends:
        try:
            client = Client(port)
            client.call("GET", "/health")
            client.close()
        except (OSError, http.client.HTTPException, Conflict):
            time.sleep(POLL_S)
        else:
            return
    raise Conflict(f"no till answered within {READY_S:.0f} s", hint="Run tillmesh doctor.")


def start(place: Path, products: Path | None, *, starts: int = STARTS) -> list[Row]:
    """Start the program cold in its own process, beside starting Python with the same imports and nothing else."""
    site, prices = site_of(place, products)
    ready, catalogue, bare = [], [], []
    for _ in range(starts):
        begun = time.perf_counter()
        with running(site) as (port, _):
            until_ready(port)
            ready.append(time.perf_counter() - begun)
            client = Client(port)
            client.sign_in()
            client.call("GET", "/catalogue")
            catalogue.append(time.perf_counter() - begun)
            client.close()
        begun = time.perf_counter()
        subprocess.run([sys.executable, "-c", "import tillmesh.terminal.program"], check=True)
        bare.append(time.perf_counter() - begun)
    first, whole = spread(ready), spread(catalogue)
    peer = "Python and the imports alone"
    return [
        Row(what=f"start to ready, {len(prices):,} products", unit="s", spread=first, ratio=ratio(peer, ready, bare),
            aim="at most 5 s", met=first.most <= 5),
        Row(what="start to signed in with the whole catalogue", unit="s", spread=whole, aim="at most 5 s",
            met=whole.most <= 5),
    ]  # fmt: skip


def memory(place: Path, products: Path | None, *, sales: int = SALES_BEFORE_WEIGHING) -> list[Row]:
    """Weigh the program after start, after the catalogue was fetched, and after sales, searches and a report."""
    site, prices = site_of(place, products)
    rows = []
    with running(site) as (port, pid):
        until_ready(port)
        rows.append(_weighed("started", pid, len(prices)))
        client = Client(port)
        client.sign_in()
        client.call("GET", "/catalogue")
        rows.append(_weighed("catalogue fetched", pid, len(prices)))
        sell = _seller(client, prices)
        for number in range(sales):
            sell()
            if number % 10 == 0:
                client.call("GET", f"/products?q={'abcdefghijklmnoprst'[number // 10 % 19]}o&limit=50")
        client.call("GET", "/reports/x")
        client.call("GET", "/catalogue")
        rows.append(_weighed(f"after {sales} sales, searches and an X report", pid, len(prices)))
        client.close()
    return rows


def _weighed(what: str, pid: int, count: int) -> Row:
    fields = dict(line.split()[:2] for line in Path(f"/proc/{pid}/smaps_rollup").read_text("utf-8").splitlines()[1:])
    resident, own = int(fields["Rss:"]) / 1024, int(fields["Pss:"]) / 1024
    return Row(what=f"memory, {count:,} products: {what}", unit="MiB", spread=spread([resident]), aim="below 300 MB",
               met=resident * 1.048576 < 300, note=f"{own:.0f} MiB proportional (Pss)")  # fmt: skip


def sales_per_second(place: Path, products: Path | None, *, blocks: int = BLOCKS) -> list[Row]:
    """Post sales of six lines over one kept-alive connection, beside the smallest call on the same connection."""
    site, prices = site_of(place, products)
    wall: list[float] = []
    mine, empty = [], []
    with running(site) as (port, pid):
        until_ready(port)
        client = Client(port)
        client.sign_in()
        sell = _seller(client, prices)
        for _ in range(BLOCK):
            sell()
        cpu = cpu_s(pid)
        for _ in range(blocks):
            took = [_ms(sell) for _ in range(BLOCK)]
            wall += took
            mine.append(sum(took) / BLOCK)
            empty.append(sum(_ms(lambda: client.call("GET", "/session")) for _ in range(BLOCK)) / BLOCK)
        cpu = (cpu_s(pid) - cpu) / (blocks * BLOCK) * 1e3
        client.close()
    note = f"{1e3 * len(wall) / sum(wall):,.0f} sales/s; CPU of the program per sale and session call {cpu:.2f} ms"
    both = ratio("GET /session, same connection", mine, empty)
    return [Row(what="POST /sales of 6 lines, one client", unit="ms", spread=spread(wall), ratio=both, note=note)]


def _seller(client: Client, prices: dict[str, int]) -> Callable[[], object]:
    rng = Random(11)  # noqa: S311 - shoppers need no secrets
    numbers, skus = iter(range(10**9)), list(prices)

    def sell() -> object:
        wanted = [(rng.choice(skus), rng.randint(1, 3)) for _ in range(6)]
        lines = [{"sku": sku, "quantity": str(pieces)} for sku, pieces in wanted]
        payments = [{"method": "cash", "amount_minor": sum(prices[sku] * pieces for sku, pieces in wanted)}]
        return client.call("POST", "/sales", {"cart_id": f"http-{next(numbers)}", "lines": lines, "payments": payments})

    return sell


def cpu_s(pid: int) -> float:
    """Give the CPU that a process has used, user and system, all threads. Source: proc(5), stat."""
    fields = Path(f"/proc/{pid}/stat").read_text("utf-8").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS_PER_S


def _ms(work: Callable[[], object]) -> float:
    begun = time.perf_counter_ns()
    work()
    return (time.perf_counter_ns() - begun) / 1e6
