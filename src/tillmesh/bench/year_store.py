"""``tillmesh bench year --tills 15``: the calendar of a shop's year, and what was seen at the end of each month.

Every night a till restarts. Two machines are thrown away and replaced. In the middle of the year each till, one a
night, finds its database with the tables of version ``BEFORE``, and brings it up to date.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Final

from tillmesh.adapters.host.keys import database_key
from tillmesh.adapters.sqlite.database import connect, write
from tillmesh.adapters.sqlite.store import FILE
from tillmesh.bench.measuring import Row, spread
from tillmesh.bench.year_shop import PRODUCTS, YearShop
from tillmesh.kernel.errors import Conflict, Invalid
from tillmesh.kernel.limits import DATA_BYTES_BUDGET

MONTHS: Final = 12
HOUR_S: Final = 3_600
BEFORE: Final = 20  # of the tables
SINCE: Final = (  # what later versions have added, taken away
    "DROP TABLE aside; DROP INDEX product_in_order; DROP INDEX product_in_department; DROP TABLE folded; "
    "DROP TABLE request_done"
)
TILLS_MIN: Final = 3  # one issues certificates, one leads, one is replaced
Look = dict[str, float]


def run(
    place: Path,
    *,
    days: int,
    tills: int,
    sales: int,
    products: int = PRODUCTS,
    say: Callable[[str], None] = lambda _: None,
) -> list[Row]:
    """Live through so many days, and look at the shop twelve times; raises if anything is not as it was sold."""
    if tills < TILLS_MIN or days < MONTHS:
        raise Invalid(f"a year of {days} days and {tills} tills", hint=f"At least {MONTHS} days and {TILLS_MIN} tills.")
    begin, begin_cpu, looks = time.perf_counter(), time.process_time(), list[Look]()
    with closing(YearShop(place, tills, products)) as shop:
        ends = [days * month // MONTHS - 1 for month in range(1, MONTHS + 1)]
        for day in range(days):
            shop.live(sales)
            shop.night()
            _nightly(shop, day, days)
            if day in ends:
                looks.append(_look(shop, ends[len(looks) - 1] + 1 if looks else 0, day))
                say(_told(day + 1, time.perf_counter() - begin, time.process_time() - begin_cpu, looks[-1]))
        states = _judge(shop)
        took = time.perf_counter() - begin, time.process_time() - begin_cpu
        return [*_rows(looks, shop.upgraded_ms), *_verdicts(states, days * sales, shop.wire.bytes, took)]


def _told(days: int, took_s: float, cpu_s: float, look: Look) -> str:
    rounded = {name: round(value, 1) for name, value in look.items()}
    return json.dumps({"days": days, "minutes": round(took_s / 60, 1), "CPU minutes": round(cpu_s / 60, 1), **rounded})


def _nightly(shop: YearShop, day: int, days: int) -> None:
    """Every night one till restarts, one time as if it had crashed; two are replaced in the year."""
    count, past = len(shop.tills), day - days // 2
    if 0 <= past < count:
        shop.restart(past, gently=True, between=_as_it_was)
    shop.restart(day % count, gently=day % 2 == 0)
    if day in {days // 3, days * 2 // 3}:
        shop.replace(1 + day % (count - 1))


def _as_it_was(place: Path) -> None:
    """Make a database one of version BEFORE, as the program of that version left it."""
    with closing(connect(place / FILE, database_key(place))) as db, write(db):
        db.execute(SINCE)
        db.execute("DELETE FROM meta WHERE name = 'projecting'")
        db.execute(f"PRAGMA user_version={BEFORE}")


def _look(shop: YearShop, first: int, last: int) -> Look:
    """Measure, and compare a month's reports on one till with what was sold, its stock too; verify that till."""
    number = last % len(shop.tills)
    found = {
        "memory MB": _resident_mb(),
        "largest MB": max(till.disk_bytes() for till in shop.tills) / 1e6,
        "smallest MB": min(till.disk_bytes() for till in shop.tills) / 1e6,
        "start ms": spread(shop.opened_ms).median,
        "slowest start ms": max(shop.opened_ms),
        "start CPU ms": spread(shop.opened_cpu_ms).median,
        "days right": float(shop.check_reports(number, first, last)),
    }
    shop.opened_ms.clear()
    shop.opened_cpu_ms.clear()
    shop.check_stock(number)
    begin = time.perf_counter()
    shop.verify(number, quick=True)
    return {**found, "verify s": time.perf_counter() - begin, "load": os.getloadavg()[0]}


def _judge(shop: YearShop) -> set[str]:
    """At the end every till reports every day right and verifies; one makes all its tables anew from the log."""
    states = set()
    for number in range(len(shop.tills)):
        shop.check_reports(number, 0, shop.day - 1)
        shop.check_stock(number)
        states.add(shop.verify(number, quick=number > 0))
    if len(states) != 1:
        raise Conflict(f"{len(shop.tills)} tills hold {len(states)} states", hint="This is a bug: please report it.")
    return states


def _resident_mb() -> float:
    """Give the memory that this process holds, all tills together."""
    pages = int(Path("/proc/self/statm").read_text("ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def _rows(looks: list[Look], upgraded_ms: list[float]) -> Iterator[Row]:
    size, memory, start = ([look[key] for look in looks] for key in ("largest MB", "memory MB", "start CPU ms"))
    yield _row(
        "the largest database, at the end of each month", "MB", size, "under 2,000", size[-1] * 1e6 < DATA_BYTES_BUDGET
    )
    calm = max(memory[3:]) < 1.5 * memory[2]
    yield _row("memory of all tills together", "MB", memory, "never half as much again as after three months", calm)
    flat = spread(start[-3:]).median < 2 * spread(start[:3]).median
    yield _row(
        "CPU of opening a till, median of each month", "ms", start, "not twice as much in the last quarter", flat
    )
    yield _row("opening a till, median of each month", "ms", [look["start ms"] for look in looks])
    yield _row("opening a till, slowest of each month", "ms", [look["slowest start ms"] for look in looks])
    yield _row("tillmesh verify --quick of one till", "s", [look["verify s"] for look in looks])
    yield Row(what=f"opening a database of version {BEFORE}: all tables made anew", unit="s",
              spread=spread(ms / 1e3 for ms in upgraded_ms))  # fmt: skip
    yield _row("load of the machine", "", [look["load"] for look in looks])


def _row(what: str, unit: str, months: list[float], aim: str = "", met: bool | None = None) -> Row:
    note = f"first month {months[0]:.1f}, last {months[-1]:.1f}"
    return Row(what=what, unit=unit, spread=spread(months), aim=aim, met=met, note=note)


def _verdicts(states: set[str], sales: int, said: int, took: tuple[float, float]) -> Iterator[Row]:
    wall_s, cpu_s = took
    right = f"every day's report right on every till, stock too; all verified, state {min(states)[:12]} everywhere"
    yield Row(what="sales", unit="", spread=spread([sales]), note=right)
    yield Row(what="said between tills", unit="MB", spread=spread([said / 1e6]))
    yield Row(what="time it took", unit="min", spread=spread([wall_s / 60]), aim="a year in an hour",
              met=wall_s <= HOUR_S, note=f"{cpu_s / 60:.1f} minutes of CPU on one core")  # fmt: skip
