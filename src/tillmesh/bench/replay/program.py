"""``tillmesh bench replay FILE``: sell every invoice, then hold every report against the file."""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections.abc import Iterator, Sequence
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
        return _report(replay(options.file, options.data, limit=options.limit), as_json=options.json)
    with tempfile.TemporaryDirectory(prefix="tillmesh-replay-") as held:
        return _report(replay(options.file, Path(held) / "till", limit=options.limit), as_json=options.json)


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


def replay(file: Path, data_dir: Path, *, limit: int | None = None) -> dict[str, Any]:
    """Replay a file into a new data directory and give what was found."""
    if data_dir.exists() and any(data_dir.iterdir()):
        raise Conflict(f"{data_dir} is not empty", hint="Name a new directory.")
    first = next(read(file, limit), None)
    if first is None:
        raise Invalid(f"{file} has no invoice", hint="Is it the retail file?")
    about = machine.describe(file.parent)
    begun = time.perf_counter()
    opened = open_terminal(data_dir)
    try:
        run = Replay(opened)
        run.found(read(file, limit), first.at_ms)
        founded = time.perf_counter()
        run.sell(read(file, limit))
        sold = time.perf_counter()
        ours = reported(opened.writer.db, opened.writer.books, run.plan.days, run.x_reports)
        reports = time.perf_counter()
        sign_heads(opened, opened.writer.db, time.time_ns() // 1_000_000)
    finally:
        opened.close()
    theirs = expected(file, limit)
    rounded = theirs.pop("rounded")
    checked = verify(data_dir)
    size = (data_dir / FILE).stat().st_size
    sales = run.plan.done["sales"]
    return {
        "machine": about,
        "done": dict(sorted(run.plan.done.items())),
        "days": len(run.plan.days),
        "events": run.events,
        "differences": list(differences(ours, theirs)),
        "verified": checked["ok"],
        "problems": checked["problems"] + checked["gaps"],
        "totals": theirs["all"],
        "lost_to_whole_pence_gbp": rounded,
        "database_bytes": size,
        "bytes_per_sale": size // max(1, sales),
        "sales_per_second": round(sales / (sold - founded)),
        "lines_per_second": round(run.plan.done["rows sold"] / (sold - founded)),
        "seconds": {
            "products and customers": round(founded - begun, 1),
            "selling": round(sold - founded, 1),
            "reports": round(reports - sold, 1),
            "comparing and verifying": round(time.perf_counter() - reports, 1),
        },
        "minutes": round((time.perf_counter() - begun) / 60, 2),
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


def _report(result: dict[str, Any], *, as_json: bool) -> int:
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
