"""Reading beside selling: search as it is typed, the day report, the X report, and importing a whole catalogue."""

from __future__ import annotations

import csv
import io
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import Any, Final

import apsw

from tillmesh.adapters.sqlite import reporting, searching
from tillmesh.bench.goods import MANAGER, START_MS, in_cash, invented, records, stock_shelves
from tillmesh.bench.measuring import Row, ratio, spread
from tillmesh.kernel.codec import decode
from tillmesh.shop.events import Change, SaleClosed
from tillmesh.terminal.bootstrap import open_terminal
from tillmesh.terminal.import_command import import_products
from tillmesh.till.commands import CloseSale, WantedLine
from tillmesh.till.shifts import shift_totals

QUERIES: Final = 400
LIKES: Final = 40
SALES: Final = 2_000
REPORTS: Final = 30
PER_COMMIT: Final = 200


def search(place: Path, products: Path | None, *, queries: int = QUERIES) -> list[Row]:
    """Search a whole catalogue by the prefixes that somebody types, beside a scan with LIKE."""
    changes = records(products)
    opened = open_terminal(place / "till")
    stock_shelves(opened, changes)
    opened.close()
    opened = open_terminal(place / "till")
    reader = opened.reader()
    typed = list(_typed(changes, queries))
    step = max(1, queries // LIKES)
    pairs: list[tuple[float, float]] = []
    ours: list[float] = []
    try:
        for number, text in enumerate(typed):
            took = _ms(lambda text=text: reader.read(lambda db, _: searching.search(db, text)))  # type: ignore[misc]
            ours.append(took)
            if number % step == 0:
                pairs.append((took, _ms(lambda text=text: _like(reader.db, text))))  # type: ignore[misc]
    finally:
        reader.close()
        opened.close()
    found = spread(ours)
    same, likes = [pair[0] for pair in pairs], [pair[1] for pair in pairs]
    return [
        Row(what=f"search {len(changes):,} products, each key typed", unit="ms", spread=found, aim="p95 at most 50 ms",
            met=found.p95 <= 50, ratio=ratio("a scan with LIKE, same words", same, likes)),
        Row(what="a scan with LIKE", unit="ms", spread=spread(likes)),
    ]  # fmt: skip


def _typed(changes: list[Change], count: int) -> Iterator[str]:
    """Type the names of random products letter by letter, from the second letter on; sometimes a word of the middle."""
    rng = Random(7)  # noqa: S311 - shoppers need no secrets
    done = 0
    while True:
        name = str(rng.choice(changes).fields["name"])
        words = name.split()
        text = name if rng.random() < 0.7 else rng.choice(words)
        for end in range(2, min(len(text), 14) + 1):
            yield text[:end]
            done += 1
            if done == count:
                return


def _like(db: apsw.Connection, text: str) -> list[str]:
    sql = "SELECT sku FROM product WHERE active AND name LIKE ? ORDER BY favourite DESC, length(name), name LIMIT 50"
    return [sku for (sku,) in db.execute(sql, (f"%{text}%",))]


def reports(place: Path, *, sales: int = SALES, count: int = REPORTS) -> list[Row]:
    """Ask for the day report and the X report of a shift of 2,000 sales, beside decoding its events and no more."""
    opened = open_terminal(place / "till")
    goods = list(invented(1_000))
    stock_shelves(opened, goods)
    rng = Random(3)  # noqa: S311 - shoppers need no secrets
    baskets = [
        tuple(WantedLine(sku=rng.choice(goods).key, quantity_milli=1_000) for _ in range(6)) for _ in range(sales)
    ]
    commands = [
        CloseSale(cart_id=f"report-{n}", lines=lines, payments=(in_cash(opened.writer.books, lines),))
        for n, lines in enumerate(baskets)
    ]
    for start in range(0, sales, PER_COMMIT):
        batch = [(MANAGER, command) for command in commands[start : start + PER_COMMIT]]
        opened.writer.execute_all(opened.till, batch, START_MS + start * 1_000)
    reader = opened.reader()
    today = datetime.fromtimestamp(START_MS / 1_000, UTC).date()
    shift = opened.writer.books.current_shift()
    assert shift is not None
    try:
        tasks: dict[str, Callable[[], object]] = {
            "day report": lambda: reader.read(lambda db, books: reporting.day(db, books, today)),
            "X report": lambda: reader.read(lambda _, books: shift_totals(books, shift)),
        }
        rows = []
        for name, task in tasks.items():
            pairs = [(_ms(task), _ms(lambda: _decoded(reader.db))) for _ in range(count)]
            mine, theirs = [pair[0] for pair in pairs], [pair[1] for pair in pairs]
            both = ratio("reading and decoding the events", mine, theirs)
            rows.append(Row(what=f"{name}, {sales:,} sales", unit="ms", spread=spread(mine), ratio=both))
        return rows
    finally:
        reader.close()
        opened.close()


def _decoded(db: apsw.Connection) -> int:
    rows: list[Any] = db.execute("SELECT body FROM event WHERE type = 'sale_closed'").fetchall()
    return len([decode(body, SaleClosed) for (body,) in rows])


def imports(place: Path, products: Path | None, *, rounds: int = 1) -> list[Row]:
    """Import a product file as the command does, beside parsing it and filling one plain table."""
    file = products or _written(place / "products.csv")
    ours, theirs = [], []
    report: dict[str, object] = {}
    for number in range(rounds):
        begun = time.perf_counter()
        report = import_products(file, place / f"till-{number}", mapping={}, dry_run=False, skip_bad=False)
        ours.append(time.perf_counter() - begun)
        begun = time.perf_counter()
        _plain_import(file, place / f"plain-{number}.db")
        theirs.append(time.perf_counter() - begun)
    pair = ratio("csv into one plain table with an index", ours, theirs)
    note = f"created {report['created']}, errors {report['error_count']}"
    return [Row(what="import a product file", unit="s", spread=spread(ours), ratio=pair, note=note)]


def _written(path: Path) -> Path:
    """Write the invented products as a file of our own columns."""
    with path.open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["sku", "barcode", "name", "price", "unit", "tax_code", "department"])
        for change in invented(97_000):
            f = change.fields
            price = f"{int(str(f['price_minor'])) / 100:.2f}"
            rows.writerow([change.key, change.key, f["name"], price, f["unit"], f["tax_code"], f["department"]])
    return path


def _plain_import(file: Path, target: Path) -> None:
    from tillmesh.terminal.importing import chunks

    text = io.StringIO(b"".join(chunks(file)).decode("utf-8-sig"))
    rows = list(csv.reader(text))
    db = apsw.Connection(str(target))
    db.execute("PRAGMA journal_mode=WAL").fetchall()
    width = len(rows[0])
    db.execute(f"CREATE TABLE p ({', '.join(f'c{n}' for n in range(width))})")
    db.execute("CREATE INDEX p_first ON p (c0)")
    with db:
        marks = ", ".join("?" * width)
        db.executemany(f"INSERT INTO p VALUES ({marks})", [row for row in rows[1:] if len(row) == width])  # noqa: S608
    db.close()


def _ms(work: Callable[[], object]) -> float:
    begun = time.perf_counter_ns()
    work()
    return (time.perf_counter_ns() - begun) / 1e6
