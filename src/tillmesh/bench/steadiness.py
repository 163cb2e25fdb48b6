"""Does a large store keep its leader while it works? Fifteen tills sell on this machine's few cores for minutes."""

from __future__ import annotations

import time
from pathlib import Path
from random import Random
from typing import Final

from tillmesh.bench.failover import Store, running
from tillmesh.bench.measuring import Row, spread
from tillmesh.bench.visible import SKU
from tillmesh.kernel.errors import Conflict
from tillmesh.till.agreement import voters_wanted

MINUTES: Final = 10
TILLS: Final = 15
EACH_S: Final = 5.0  # one sale of each till: 720 an hour, far more than a cashier's hands


def run(place: Path, minutes: int = MINUTES, tills: int = TILLS) -> list[Row]:
    """Sell for some minutes and count elections; a store that works should have none."""
    with running(place / "store", tills) as store:
        store.formed(voters_wanted(tills))
        for n in store.tills:
            store.sign_in(n)
        price = int(store.call(1, "GET", f"/products/{SKU}")["price_minor"])
        begun = _terms(store)
        answered = _sell(store, price, minutes * 60.0)
        elections = max(_terms(store).values()) - max(begun.values())
        leader = store.formed(voters_wanted(tills))
    note = f"till {leader} leads; {len(answered)} sales meanwhile"
    return [
        Row(
            what=f"elections in {minutes} minutes, {tills} tills that sell",
            unit="",
            spread=spread([float(elections)]),
            aim="none",
            met=elections == 0,
            note=note,
        ),
        Row(what="POST /sales meanwhile", unit="ms", spread=spread(answered)),
    ]


def _terms(store: Store) -> dict[int, int]:
    return {n: int(store.call(n, "GET", "/raft")["term"]) for n in store.tills}


def _sell(store: Store, price: int, seconds: float) -> list[float]:
    """Let a till after the other sell something; give how long each sale took to be answered, in ms."""
    draw, answered = Random(15), list[float]()  # noqa: S311 - who sells next
    end, number = time.monotonic() + seconds, 0
    while time.monotonic() < end:
        time.sleep(draw.uniform(0.5, 1.5) * EACH_S / len(store.tills))
        number += 1
        basket = {
            "cart_id": f"steady-{number}",
            "lines": [{"sku": SKU, "quantity": "1"}],
            "payments": [{"method": "cash", "amount_minor": price}],
        }
        before = time.perf_counter()
        sold = store.call(draw.choice(sorted(store.tills)), "POST", "/sales", basket)
        answered.append((time.perf_counter() - before) * 1e3)
        if not sold["durable"]:
            raise Conflict("a sale was answered before it was on disk", hint="Run tillmesh verify.")
    return answered
