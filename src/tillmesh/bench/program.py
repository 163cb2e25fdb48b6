"""``tillmesh bench``: measure one thing, or replay a real shop's invoices."""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from tillmesh.bench import machine, showing
from tillmesh.bench.measuring import Row


@dataclass(frozen=True, slots=True)
class Wish:
    """What the command line asked for; None is the benchmark's own default."""

    place: Path
    products: Path | None = None
    count: int | None = None
    stores: int | None = None
    photos: Path | None = None
    promotions: int = 0
    customers: int = 0
    tills: int | None = None
    config: Path | None = None


@dataclass(frozen=True, slots=True)
class Benchmark:
    """A benchmark: one sentence, what runs it, and what --count counts."""

    about: str
    run: Callable[[Wish], list[Row]]
    counted: str


def main(arguments: Sequence[str]) -> int:
    """List the benchmarks, or run the one that is named."""
    given = list(arguments)
    if given[:1] == ["replay"]:
        from tillmesh.bench.replay.program import main as replay

        return replay(given[1:])
    options = _parser().parse_args(given)
    if options.name is None:
        print(_listed())
        return 0
    names = _all() if options.name == "all" else [options.name]
    with tempfile.TemporaryDirectory(prefix="tillmesh-bench-", dir=options.dir) as held:
        about = machine.describe(Path(held))
        results: dict[str, list[Row]] = {}
        for name in names:
            place = Path(held) / name
            place.mkdir()
            wish = Wish(
                place, options.products, options.count, options.stores, options.photos, options.promotions,
                options.customers, options.tills, options.config,
            )  # fmt: skip
            results[name] = BENCHMARKS[name].run(wish)
    print((showing.as_json if options.json else showing.as_text)(dict(results), about))
    missed = [row for rows in results.values() for row in rows if row.met is False]
    return 1 if missed and options.strict else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="tillmesh bench", description=_listed(), formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("name", nargs="?", choices=[*BENCHMARKS, "all"], metavar="NAME")
    parser.add_argument("--json", action="store_true", help="every number as JSON")
    parser.add_argument("--count", type=_positive, help="how much to measure; the unit is the benchmark's own")
    parser.add_argument("--tills", type=_positive, help="year: a whole shop of so many tills, restarts and all")
    parser.add_argument("--stores", type=_positive, help="fleet: how many stores (default 100)")
    parser.add_argument("--config", type=Path, metavar="hub.toml", help="fleet: on the servers that this names")
    parser.add_argument("--products", type=Path, help="a product file instead of 97,000 invented ones")
    parser.add_argument("--promotions", type=_positive, default=0, help="ui: how many promotions hold (default none)")
    parser.add_argument("--customers", type=_positive, default=0, help="ui: how many customers (default none)")
    parser.add_argument(
        "--photos", type=Path, metavar="DIR", help="for barcode: photographs of codes, a folder for each kind"
    )
    parser.add_argument("--dir", type=Path, help="measure on the disk of this directory (default: the temporary one)")
    parser.add_argument("--strict", action="store_true", help="exit 1 when an aim is not met")
    return parser


def _all() -> list[str]:
    """Name every benchmark that can run here: one wants photographs, a till has no browser's driver or head office."""
    needs = {"ui": "playwright", "fleet": "duckdb", "reports": "duckdb", "backlog": "duckdb", "gateway": "envoy"}
    missing = {"barcode"} | {name for name, module in needs.items() if find_spec(module) is None}
    if not _has_servers():
        missing.add("ingest")
    return [name for name in BENCHMARKS if name not in missing]


def _has_servers() -> bool:
    if find_spec("confluent_kafka") is None:
        return False
    from tillmesh.hub.stack.jars import folder

    return (folder() / "complete").exists()


def _positive(text: str) -> int:
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError("must be at least 1")
    return value


def _listed() -> str:
    width = max(len(name) for name in BENCHMARKS)
    lines = [f"  {name:{width}}  {one.about} (--count: {one.counted})" for name, one in BENCHMARKS.items()]
    replay = "  replay FILE: sell a real shop's invoices; see tillmesh bench replay --help"
    return "\n".join(["Benchmarks: tillmesh bench NAME [--json]", *lines, "", replay])


def _sale(wish: Wish) -> list[Row]:
    from tillmesh.bench import sale

    return sale.run(wish.place, blocks=wish.count or sale.BLOCKS)


def _price(wish: Wish) -> list[Row]:
    from tillmesh.bench import cores

    return cores.prices(blocks=wish.count or cores.BLOCKS)


def _seal(wish: Wish) -> list[Row]:
    from tillmesh.bench import cores

    return cores.seals(blocks=wish.count or cores.BLOCKS)


def _crdt(wish: Wish) -> list[Row]:
    from tillmesh.bench import crdts

    return crdts.run(wish.place, rounds=wish.count or crdts.ROUNDS)


def _counter(wish: Wish) -> list[Row]:
    from tillmesh.bench import cores

    return cores.counters(blocks=wish.count or cores.BLOCKS)


def _search(wish: Wish) -> list[Row]:
    from tillmesh.bench import reading

    return reading.search(wish.place, wish.products, queries=wish.count or reading.QUERIES)


def _report(wish: Wish) -> list[Row]:
    from tillmesh.bench import reading

    return reading.reports(wish.place, sales=wish.count or reading.SALES)


def _import(wish: Wish) -> list[Row]:
    from tillmesh.bench import reading

    return reading.imports(wish.place, wish.products, rounds=wish.count or 1)


def _start(wish: Wish) -> list[Row]:
    from tillmesh.bench import serving

    return serving.start(wish.place, wish.products, starts=wish.count or serving.STARTS)


def _memory(wish: Wish) -> list[Row]:
    from tillmesh.bench import serving

    return serving.memory(wish.place, wish.products, sales=wish.count or serving.SALES_BEFORE_WEIGHING)


def _http(wish: Wish) -> list[Row]:
    from tillmesh.bench import serving

    return serving.sales_per_second(wish.place, wish.products, blocks=wish.count or serving.BLOCKS)


def _store(wish: Wish) -> list[Row]:
    from tillmesh.bench import visible

    return visible.run(wish.place, sales=wish.count or visible.SALES)


def _steady(wish: Wish) -> list[Row]:
    from tillmesh.bench import steadiness

    return steadiness.run(wish.place, minutes=wish.count or steadiness.MINUTES)


def _failover(wish: Wish) -> list[Row]:
    from tillmesh.bench import failover

    return failover.run(wish.place, runs=wish.count or failover.RUNS)


def _year(wish: Wish) -> list[Row]:
    from tillmesh.bench import year, year_store

    if wish.tills is not None:
        days, sales = wish.count or year.DAYS, year.SALES_A_DAY
        return year_store.run(wish.place, days=days, tills=wish.tills, sales=sales, say=_aside)
    return year.run(wish.place, days=wish.count or year.DAYS)


def _aside(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def _month(wish: Wish) -> list[Row]:
    from tillmesh.bench import month

    return month.run(wish.place, days=wish.count or month.DAYS)


def _retired(wish: Wish) -> list[Row]:
    from tillmesh.bench import retired

    return retired.run(wish.place, products=wish.count or retired.PRODUCTS)


def _newcomer(wish: Wish) -> list[Row]:
    from tillmesh.bench import newcomer

    return newcomer.run(wish.place, events=wish.count or newcomer.EVENTS)


def _fleet(wish: Wish) -> list[Row]:
    from tillmesh.bench import fleet

    batches = wish.count or fleet.BATCHES
    return fleet.run(wish.place, stores=wish.stores or fleet.STORES, batches=batches, config=wish.config)


def _reports(wish: Wish) -> list[Row]:
    from tillmesh.bench import reports

    return reports.run(wish.place, lines=wish.count or reports.LINES)


def _backlog(wish: Wish) -> list[Row]:
    from tillmesh.bench import backlog

    return backlog.run(wish.place, sales=wish.count or backlog.SALES)


def _ingest(wish: Wish) -> list[Row]:
    from tillmesh.bench import ingest

    return ingest.run(blocks=wish.count or ingest.BLOCKS)


def _gateway(wish: Wish) -> list[Row]:
    from tillmesh.bench import gateway

    return gateway.run(wish.place, blocks=wish.count or gateway.BLOCKS)


def _ui(wish: Wish) -> list[Row]:
    from tillmesh.bench import ui

    scans = wish.count or ui.SCANS
    return ui.run(wish.place, wish.products, scans=scans, promotions=wish.promotions, customers=wish.customers)


def _ai(wish: Wish) -> list[Row]:
    from tillmesh.bench import models

    return models.run(wish.place, photos=wish.count or models.PHOTOS)


def _barcode(wish: Wish) -> list[Row]:
    from tillmesh.bench import codes

    return codes.run(wish.photos, frames=wish.count or codes.FRAMES)


BENCHMARKS: Final[dict[str, Benchmark]] = {
    "sale": Benchmark("the whole sale path beside raw SQLite on the same disk", _sale, "pairs of blocks"),
    "price": Benchmark("pricing a cart", _price, "pairs of blocks"),
    "seal": Benchmark("sealing an event into the hash chain", _seal, "pairs of blocks"),
    "crdt": Benchmark("counting, encoding and merging 100,000 decrements, beside Loro and pycrdt", _crdt, "rounds"),
    "counter": Benchmark(
        "our counters alone on the same decrements, beside bare integers", _counter, "pairs of blocks"
    ),
    "search": Benchmark("searching 97,000 products with every key typed", _search, "searches"),
    "report": Benchmark("day report and X report after 2,000 sales", _report, "sales"),
    "import": Benchmark("importing 97,000 products", _import, "imports"),
    "start": Benchmark("starting the program with 97,000 products", _start, "starts"),
    "memory": Benchmark("memory of the program with 97,000 products", _memory, "sales"),
    "http": Benchmark("sales over HTTP, one client", _http, "blocks of 50 sales"),
    "store": Benchmark("a sale until it is on the pages of 2, 4 and 14 other tills", _store, "sales per store"),
    "failover": Benchmark("kill -9 of the leader until the next setting is agreed on", _failover, "kills per store"),
    "steady": Benchmark("elections while 15 tills sell on this machine", _steady, "minutes"),
    "year": Benchmark("the database of a shop that goes on for months, and its speed", _year, "days"),
    "month": Benchmark("all of a till's data after 30 days of the volumes that the design names", _month, "days"),
    "retired": Benchmark("what replaced tills leave in ten years, before and after folding", _retired, "products"),
    "newcomer": Benchmark("giving a new till everything: three ways, the same log", _newcomer, "events"),
    "fleet": Benchmark("many stores at one head office: --stores N", _fleet, "batches of each store"),
    "reports": Benchmark("head office's reports on 5 million lines of ten stores, embedded", _reports, "lines"),
    "gateway": Benchmark("uploads through Envoy beside straight ones", _gateway, "pairs of blocks"),
    "backlog": Benchmark("15 tills' day without internet drains while the leader sells", _backlog, "sales per till"),
    "ai": Benchmark("recognition from JPEG to answer, and the memory of the worker", _ai, "photos"),
    "barcode": Benchmark(
        "bar codes on your photographs (--photos DIR): read, misread, time", _barcode, "frames a photograph"
    ),
    "ingest": Benchmark("head office on Kafka and PostgreSQL, beside bare inserts", _ingest, "blocks of 5,000 events"),
    "ui": Benchmark("the page in a real browser, against its limits", _ui, "scans"),
}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
