"""How soon a sale is on the pages of all other tills: real processes, links, disks, and live events as for a page."""

from __future__ import annotations

import http.client
import json
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from random import Random
from typing import Any, Final

from tillmesh.bench.failover import PIN, Store, running
from tillmesh.bench.measuring import Row, spread
from tillmesh.kernel.errors import Conflict
from tillmesh.till.agreement import voters_wanted

SALES: Final = 100
SIZES: Final = (3, 5, 15)
AIM_P95_MS: Final = 250
SKU: Final = "FM-00301"
PAUSE_S: Final = (0.02, 0.08)  # between sales, so that they do not fall into step with anything
SEEN_S: Final = 30.0  # a sale that is nowhere after so long is an error
QUIET_S: Final = 60.0  # longer than any page waits for the next event


class Pages:
    """A page of every till, each on a thread that notes when it is told of a sale. Times are ``perf_counter``."""

    def __init__(self, store: Store, tokens: dict[int, str]) -> None:
        self._told: dict[str, dict[int, float]] = {}
        self._news = threading.Condition()
        self._links = {n: _listen(store.tills[n]["url"], tokens[n]) for n in store.tills}
        for n, (_, stream) in self._links.items():
            threading.Thread(target=self._read, args=(n, stream), daemon=True).start()

    def _read(self, n: int, stream: http.client.HTTPResponse) -> None:
        kind = b""
        try:
            for line in stream:
                if line.startswith(b"event: "):
                    kind = line[7:].strip()
                elif line.startswith(b"data: ") and kind == b"sale":
                    now = time.perf_counter()
                    with self._news:
                        self._told.setdefault(json.loads(line[6:])["sale_id"], {})[n] = now
                        self._news.notify_all()
        except (OSError, ValueError, AttributeError):
            return  # closed: the measurement is over

    def wait(self, sale_id: str) -> dict[int, float]:
        """Wait until the page of every till was told of a sale, and give when."""
        with self._news:
            if not self._news.wait_for(lambda: len(self._told.get(sale_id, ())) == len(self._links), SEEN_S):
                missing = self._links.keys() - self._told.get(sale_id, {}).keys()
                raise Conflict(f"after {SEEN_S:.0f} s sale {sale_id} is not on tills {missing}", hint="See their logs.")
            return self._told.pop(sale_id)

    def close(self) -> None:
        """Close every page."""
        for connection, _ in self._links.values():
            if connection.sock is not None:
                with suppress(OSError):  # the till hung up first
                    connection.sock.shutdown(socket.SHUT_RDWR)  # only this wakes who reads; closing waits for it
            connection.close()


def _listen(url: str, token: str) -> tuple[http.client.HTTPConnection, http.client.HTTPResponse]:
    host, port = url.removeprefix("http://").split(":")
    connection = http.client.HTTPConnection(host, int(port), timeout=QUIET_S)
    connection.request("GET", "/api/v1/events", headers={"Authorization": f"Bearer {token}"})
    return connection, connection.getresponse()


@contextmanager
def pages_of(store: Store, tokens: dict[int, str]) -> Iterator[Pages]:
    """Open a page of every till."""
    pages = Pages(store, tokens)
    try:
        yield pages
    finally:
        pages.close()


def run(place: Path, sales: int = SALES, sizes: tuple[int, ...] = SIZES) -> list[Row]:
    """Measure stores of these sizes, one after the other; milliseconds."""
    return [row for tills in sizes for row in _measured(place / f"store-{tills}", sales, tills)]


def _measured(place: Path, sales: int, tills: int) -> list[Row]:
    each, last, answered = list[float](), list[float](), list[float]()
    with running(place, tills) as store:
        store.formed(voters_wanted(tills))
        tokens = {n: str(store.call(n, "POST", "/session", {"pin": PIN})["token"]) for n in store.tills}
        for n in store.tills:
            store.sign_in(n)
        price = store.call(1, "GET", f"/products/{SKU}")["price_minor"]
        draw = Random(tills)  # noqa: S311 - which till sells next
        with pages_of(store, tokens) as pages:
            for number in range(sales):
                time.sleep(draw.uniform(*PAUSE_S))
                seller = draw.choice(sorted(store.tills))
                begun = time.perf_counter()
                sold = store.call(seller, "POST", "/sales", _basket(f"visible-{number}", price))
                answered.append((time.perf_counter() - begun) * 1e3)
                told = pages.wait(sold["sale_id"])
                others = [(at - begun) * 1e3 for n, at in told.items() if n != seller]
                each += others
                last.append(max(others))
        hashes = {store.call(n, "GET", "/state-hash")["hash"] for n in store.tills}
    found = spread(each)
    agreed = "all tills agree" if len(hashes) == 1 else "the tills do not agree"
    note = f"POST /sales was answered after {spread(answered).median:.0f} ms in the median; at the end {agreed}"
    return [
        Row(
            what=f"a sale until it is on the page of another till, {tills} tills",
            unit="ms",
            spread=found,
            aim=f"p95 <= {AIM_P95_MS} ms",
            met=found.p95 <= AIM_P95_MS,
            note=note,
        ),
        Row(what=f"the same, until it is on the pages of all {tills - 1} others", unit="ms", spread=spread(last)),
    ]


def _basket(cart_id: str, price: int) -> dict[str, Any]:
    return {
        "cart_id": cart_id,
        "lines": [{"sku": SKU, "quantity": "1"}],
        "payments": [{"method": "cash", "amount_minor": price}],
    }
