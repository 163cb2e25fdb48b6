"""What tills that are gone leave in ten years, before and after they are folded: room, bytes that are said, time."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from functools import partial
from pathlib import Path
from random import Random
from statistics import median
from typing import Final

import apsw

from tillmesh.adapters.sqlite import folding, listings, oversold, replica, reporting
from tillmesh.adapters.sqlite.database import one, write
from tillmesh.bench.goods import MANAGER, START_MS, in_cash, invented, stock_shelves
from tillmesh.bench.measuring import Row, best_cpu_us, cpu_us, spread
from tillmesh.kernel.codec import encode
from tillmesh.kernel.envelope import Envelope, Head, seal
from tillmesh.kernel.errors import Conflict
from tillmesh.kernel.ids import mint_actor, mint_terminal
from tillmesh.kernel.limits import FOLD_PRODUCTS_PER_TURN_MAX, STOCK_TAIL_SALES_MAX
from tillmesh.shop.events import VERSION, StockAdjusted, StockCounted, StockMove
from tillmesh.sync.frames import write_frame
from tillmesh.sync.messages import PROTOCOL, Hello, Mark, Presence
from tillmesh.terminal.bootstrap import Opened, open_terminal
from tillmesh.till.commands import CloseSale, CountStock, FoldActors, WantedLine

PRODUCTS: Final = 20_000
TILLS: Final = 15
GONE: Final = 30  # three replaced a year, for ten years
_MOVES: Final = 500  # in one event
_LOOKS: Final = 5
Seen = dict[str, float]


def run(place: Path, *, products: int, tills: int = TILLS, gone: int = GONE) -> list[Row]:
    """Let every till move every product; then measure as if nobody had gone, with those that are gone, and folded."""
    goods = list(invented(products))
    skus = [change.key for change in goods]
    with closing(open_terminal(place / "till")) as opened:
        stock_shelves(opened, goods)
        seen = [_lived(opened, skus, range(1, tills))]
        leaving = [_actor(number) for number in range(tills, tills + gone)]
        seen.append(_lived(opened, skus, range(tills, tills + gone)))
        levels, turns_ms = listings.stock_levels(opened.writer.db), _folded(opened, leaving)
        if listings.stock_levels(opened.writer.db) != levels:
            raise Conflict("the stock is another one after folding", hint="This is a bug: please report it.")
        seen.append(_look(opened, skus))
    return list(_rows(seen, turns_ms, gone))


def _actor(number: int) -> str:
    draw = Random(number)  # noqa: S311 - names need no secrets
    return mint_actor(mint_terminal(draw.randbytes(5)), draw.randbytes(5))


def _lived(opened: Opened, skus: Sequence[str], numbers: range) -> Seen:
    """Let tills with these numbers move all products, and look."""
    for number in numbers:
        with opened.writer.transaction():
            opened.writer.ledger.append_foreign(_moves(opened.origin.store, _actor(number), skus))
    opened.writer.books.forget()
    return _look(opened, skus)


def _moves(store: str, actor: str, skus: Sequence[str]) -> Iterator[Envelope]:
    head, draw = Head(actor), Random(actor)  # noqa: S311 - goods need no secrets
    for turn, first in enumerate(range(0, 2 * len(skus), _MOVES)):
        wanted = [skus[n % len(skus)] for n in range(first, min(first + _MOVES, 2 * len(skus)))]
        sign = 1 if first < len(skus) else -1
        moves = tuple(StockMove(sku=sku, quantity_milli=sign * 1_000 * draw.randint(1, 200)) for sku in wanted)
        body = encode(StockAdjusted(moves=moves, by="bench", reason="as sold"))
        event = seal(store, head, hlc=START_MS + turn << 16, kind="stock_adjusted", version=VERSION, body=body)
        yield event
        head = Head(actor, event.seq, event.hash)


def _folded(opened: Opened, actors: Sequence[str]) -> list[float]:
    """Fold actors and carry their rows over; give the CPU that the event and each turn of the writer took (ms)."""
    db, known = opened.writer.db, dict(opened.writer.books.vector())
    told = FoldActors(finals=tuple((actor, known[actor]) for actor in actors), epoch=1)
    took, last = [cpu_us(lambda: opened.writer.execute(opened.till, MANAGER, told, START_MS), 1) / 1e3], ""
    while skus := folding.waiting(db, last, FOLD_PRODUCTS_PER_TURN_MAX):
        took.append(cpu_us(partial(_carry, db, skus), 1) / 1e3)
        last = skus[-1]
    opened.writer.books.forget()
    return took


def _carry(db: apsw.Connection, skus: Sequence[str]) -> None:
    with write(db):
        folding.carry(db, skus)


def _look(opened: Opened, skus: Sequence[str]) -> Seen:
    """Measure what the number of actors may matter for."""
    db, books, draw = opened.writer.db, opened.writer.books, Random(1)  # noqa: S311
    asked = draw.choices(skus, k=1_000)
    marks = {name: Mark(head.seq, head.hash) for name, head in replica.heads(db).items()}
    hello = Hello(PROTOCOL, opened.origin.store, 0, opened.origin.actor, marks)
    counted = opened.writer.execute(opened.till, MANAGER, CountStock(sku=skus[0], quantity_milli=0), START_MS)
    assert isinstance(counted.bodies[0], StockCounted)
    size = "SELECT sum(pgsize) FROM dbstat WHERE name = 'stock_column'"
    return {
        "rows": float(one(db, "SELECT count(*) FROM stock_column")),
        "MB": int(one(db, size)) / 1e6,
        "sale us": median(_sale_us(opened, skus, number) for number in range(STOCK_TAIL_SALES_MAX)),
        "stock us": _cpu_us(lambda: [books.stock_milli(sku) for sku in asked], len(asked)),
        "list ms": _cpu_us(lambda: listings.stock_levels(db)) / 1e3,
        "below ms": _cpu_us(lambda: oversold.below_zero(db)) / 1e3,
        "hash ms": _cpu_us(lambda: reporting.state_parts(db)) / 1e3,
        "hello B": float(len(write_frame(hello))),
        "presence B": float(len(write_frame(Presence({name: mark.seq for name, mark in marks.items()})))),
        "count B": float(len(counted.events[0].body)),
    }


def _sale_us(opened: Opened, skus: Sequence[str], number: int) -> float:
    draw = Random(number)  # noqa: S311
    lines = tuple(WantedLine(sku=sku, quantity_milli=1_000) for sku in draw.sample(skus, k=min(6, len(skus))))
    paid = (in_cash(opened.writer.books, lines),)
    sale = CloseSale(cart_id=f"{opened.till.head.seq}", lines=lines, payments=paid)
    return cpu_us(lambda: opened.writer.execute(opened.till, MANAGER, sale, START_MS), 1)


def _cpu_us(work: Callable[[], object], count: int = 1) -> float:
    """Give the CPU of the quickest of some blocks: the machine may do other work."""
    return min(best_cpu_us(work, count, _LOOKS))


_ASKED: Final = {
    "rows": ("rows of stock", ""),
    "MB": ("room of the stock on the disk", "MB"),
    "stock us": ("CPU of asking for the stock of one product", "us"),
    "sale us": ("CPU of a sale of six lines", "us"),
    "list ms": ("CPU of listing the stock of all products", "ms"),
    "below ms": ("CPU of looking for stock below zero", "ms"),
    "hash ms": ("CPU of the state hash", "ms"),
    "hello B": ("a greeting between two tills", "bytes"),
    "presence B": ("saying to a till what is held, every 5 s", "bytes"),
    "count B": ("the event of a count", "bytes"),
}


def _rows(seen: list[Seen], turns_ms: list[float], gone: int) -> Iterator[Row]:
    """Give each quantity as it is after folding, beside the store to which nothing ever happened, and before."""
    new, old, now = seen
    for key, (what, unit) in _ASKED.items():
        note = f"without any that is gone {new[key]:,.1f}, with {gone} of them {old[key]:,.1f}"
        folds = key in {"rows", "MB"}
        met = now[key] < new[key] * 1.5 if folds else None  # one column more, and pages that are not full
        aim = "half as much again as without, at most" if folds else ""
        yield Row(what=f"{what}, folded", unit=unit, spread=spread([now[key]]), aim=aim, met=met, note=note)
    yield Row(what="CPU of the event that folds", unit="ms", spread=spread(turns_ms[:1]))
    yield Row(what=f"CPU of a turn of carrying rows over, {FOLD_PRODUCTS_PER_TURN_MAX} products", unit="ms",
              spread=spread(turns_ms[1:]), note=f"{sum(turns_ms[1:]):,.0f} ms in all")  # fmt: skip
