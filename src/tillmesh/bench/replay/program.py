"""``tillmesh bench replay FILE``: sell every invoice, then hold every report against the file."""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from tillmesh.adapters.sqlite.store import FILE
from tillmesh.bench import machine
from tillmesh.bench.replay.expected import expected
from tillmesh.bench.replay.invoices import read
from tillmesh.bench.replay.reported import reported
from tillmesh.bench.replay.selling import Replay
from tillmesh.kernel.errors import Conflict, Invalid
from tillmesh.terminal.bootstrap import open_terminal
from tillmesh.terminal.signing import sign_heads
from tillmesh.terminal.verifying import verify

DIFFERENCES_SHOWN: Final = 50


def main(arguments: Sequence[str]) -> int:
    """Replay and compare; exit status 1 when anything differs."""
    options = _parser().parse_args(list(arguments))
    if options.data is not None:
        return report(replay(options.file, options.data, limit=options.limit), as_json=options.json)
    with tempfile.TemporaryDirectory(prefix="tillmesh-replay-") as held:
        return report(replay(options.file, Path(held) / "till", limit=options.limit), as_json=options.json)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="tillmesh bench replay",
        description="Sell the invoices of a file (columns InvoiceNo, StockCode, Description, Quantity, InvoiceDate, "
        "UnitPrice, CustomerID, Country) and compare every report with an independent sum over the file.",
    )
    parser.add_argument("file", type=Path, metavar="FILE", help="CSV, packed with gzip or not")
    parser.add_argument("--data", type=Path, metavar="DIR", help="keep the till's data here (default: throw it away)")
    parser.add_argument("--limit", type=int, metavar="N", help="only the first N invoices")
    parser.add_argument("--json", action="store_true", help="the result as JSON")
    return parser


@dataclass(frozen=True, slots=True)
class Played:
    """What a replay left behind: its counts, every report of the till, and how long each part took."""

    run: Replay
    reports: dict[str, Any]
    seconds: dict[str, float]


def play(file: Path, data_dir: Path, *, limit: int | None = None) -> Played:
    """Sell a file's invoices in a new data directory and ask for every report."""
    if data_dir.exists() and any(data_dir.iterdir()):
        raise Conflict(f"{data_dir} is not empty", hint="Name a new directory.")
    first = next(read(file, limit), None)
    if first is None:
        raise Invalid(f"{file} has no invoice", hint="Is it the retail file?")
    opened = open_terminal(data_dir)
    try:
        begun = time.perf_counter()
        run = Replay(opened)
        run.found(read(file, limit), first.at_ms)
        founded = time.perf_counter()
        run.sell(read(file, limit))
        sold = time.perf_counter()
        ours = reported(opened.writer.db, opened.writer.books, run.plan.days, run.x_reports)
        done = time.perf_counter()
        sign_heads(opened, opened.writer.db, time.time_ns() // 1_000_000)
    finally:
        opened.close()
    seconds = {"products and customers": founded - begun, "selling": sold - founded, "reports": done - sold}
    return Played(run, ours, seconds)


def replay(file: Path, data_dir: Path, *, limit: int | None = None) -> dict[str, Any]:
    """Replay a file into a new data directory, compare, verify, and give what was found."""
    begun = time.perf_counter()
    about = machine.describe(file.parent)
    played = play(file, data_dir, limit=limit)
    compared = time.perf_counter()
    theirs = expected(file, limit)
    rounded = theirs.pop("rounded")
    found = list(differences(played.reports, theirs))
    checked = verify(data_dir)
    ended = time.perf_counter()
    size = (data_dir / FILE).stat().st_size
    done, selling_s = played.run.plan.done, played.seconds["selling"]
    return {
        "machine": about,
        "done": dict(sorted(done.items())),
        "days": len(played.run.plan.days),
        "events": played.run.events,
        "differences": found,
        "verified": checked["ok"],
        "problems": checked["problems"] + checked["gaps"],
        "totals": theirs["all"],
        "lost_to_whole_pence_gbp": rounded,
        "database_bytes": size,
        "bytes_per_sale": size // max(1, done["sales"]),
        "sales_per_second": round(done["sales"] / selling_s),
        "lines_per_second": round(done["rows sold"] / selling_s),
        "seconds": {
            name: round(value, 1)
            for name, value in {**played.seconds, "comparing and verifying": ended - compared}.items()
        },
        "minutes": round((ended - begun) / 60, 2),
    }


def differences(ours: Any, theirs: Any, path: str = "") -> Iterator[str]:
    """Name every place where two reports are not the same."""
    if isinstance(ours, dict) and isinstance(theirs, dict):
        for name in sorted(ours.keys() | theirs.keys()):
            where = f"{path} / {name}" if path else str(name)
            if name not in theirs:
                yield f"{where}: the till says {ours[name]}, the file has nothing"
            elif name not in ours:
                yield f"{where}: the till has nothing, the file says {theirs[name]}"
            else:
                yield from differences(ours[name], theirs[name], where)
    elif ours != theirs:
        yield f"{path}: the till says {ours}, the file says {theirs}"


def report(result: dict[str, Any], *, as_json: bool) -> int:
    """Print a result; give 0 if every report equals the file and the log verifies, else 1."""
    ok = not result["differences"] and result["verified"]
    if as_json:
        print(json.dumps({**result, "differences": result["differences"][:DIFFERENCES_SHOWN], "ok": ok}, indent=2))
        return 0 if ok else 1
    for name, count in result["done"].items():
        print(f"{count:>9,} {name}")
    totals = result["totals"]
    print(f"{result['days']:>9,} days, each with its X, Z and day report; {result['events']:,} events")
    print(f"    sold {totals['sales_minor'] / 100:,.2f} GBP, returned {totals['refunds_minor'] / 100:,.2f} GBP, "
          f"tax {totals['tax_minor'] / 100:,.2f} GBP")  # fmt: skip
    print(f"    {result['sales_per_second']:,} sales/s ({result['lines_per_second']:,} lines/s), "
          f"{result['bytes_per_sale']:,} bytes per sale, {result['database_bytes'] / 1e6:.1f} MB, "
          f"{result['minutes']} minutes in all")  # fmt: skip
    for difference in result["differences"][:DIFFERENCES_SHOWN]:
        print(f"DIFFERENT {difference}")
    for problem in result["problems"]:
        print(f"PROBLEM {problem}")
    print("Every report equals the file, and the log verifies." if ok else
          f"{len(result['differences'])} differences, verified: {result['verified']}")  # fmt: skip
    return 0 if ok else 1
