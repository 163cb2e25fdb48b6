"""Results as a table for people and as JSON for programs."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

import msgspec

from tillmesh.bench.measuring import Row


def as_json(results: dict[str, Sequence[Row]], machine: dict[str, Any]) -> str:
    """Write everything that was measured."""
    rows = {name: [msgspec.to_builtins(row) for row in found] for name, found in results.items()}
    return json.dumps({"machine": machine, "benchmarks": rows}, indent=2)


def as_text(results: dict[str, Sequence[Row]], machine: dict[str, Any]) -> str:
    """Write a table per benchmark: median, p95, p99, how many, the ratio, and whether the aim is met."""
    lines = [", ".join(f"{name.replace('_', ' ')} {value}" for name, value in machine.items())]
    for name, rows in results.items():
        lines += ["", name, *_table(rows)]
    return "\n".join(lines)


def _table(rows: Sequence[Row]) -> Iterator[str]:
    width = max(len(row.what) for row in rows)
    yield f"  {'':{width}}  {'median':>9} {'p95':>9} {'p99':>9} {'n':>7}"
    for row in rows:
        s = row.spread
        numbers = f"{number(s.median):>9} {number(s.p95):>9} {number(s.p99):>9} {s.n:>7} {row.unit}"
        yield f"  {row.what:{width}}  {numbers}".rstrip()
        for note in _notes(row):
            yield f"  {'':{width}}    {note}"


def _notes(row: Row) -> Iterator[str]:
    if row.ratio is not None:
        r = row.ratio
        yield f"{number(r.median)} times {r.peer} ({number(r.least)} to {number(r.most)} in {r.pairs} pairs)"
    if row.aim:
        yield f"aim: {row.aim}" + {True: ": met", False: ": NOT MET", None: ""}[row.met]
    if row.note:
        yield row.note


def number(value: float) -> str:
    """Write three significant digits, and whole numbers above that."""
    if value >= 100 or value == int(value):
        return f"{value:,.0f}"
    return f"{value:.2f}" if value >= 10 else f"{value:.3g}"
