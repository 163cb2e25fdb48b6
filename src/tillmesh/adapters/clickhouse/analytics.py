"""Analytics in ClickHouse, fed from the event log with rows that were de-duplicated before.

There are no transactions over tables, so the order makes up for them: rows first, then up to where each log was
taken, then the place in the event log. Whatever a crash leaves out is inserted again, and replaces itself.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from importlib.resources import files
from string import Template
from typing import Any, Final

from tillmesh.adapters.clickhouse.wire import Wire
from tillmesh.fleet.chains import ChainRow, Chains
from tillmesh.fleet.ports import DayRow, Entry, Position, ProductRow
from tillmesh.fleet.reporting import QUARTER_MS, QuarterRow
from tillmesh.kernel.errors import Invalid

_TABLES: Final = (files("tillmesh.adapters.clickhouse") / "tables.sql").read_text("utf-8")
_COLUMNS: Final = {
    "sale": ("store", "actor", "seq", "kind", "at_ms", "total_minor", "tax_minor", "answers"),
    "line": (
        "store", "actor", "seq", "line", "kind", "at_ms", "sku", "name", "quantity_milli", "total_minor", "tax_minor",
    ),
    "head": ("store", "actor", "seq", "weight"),
    "position": ("part", "entry"),
}  # fmt: skip
_SUMS: Final = (
    "countIf(kind = 0), sum(if(kind = 0, total_minor, -total_minor)), sum(if(kind = 0, tax_minor, -tax_minor)) "
    "FROM sale FINAL WHERE at_ms >= $first AND at_ms < $last AND $where"
)
_DAYS: Final = Template(
    f"SELECT store, intDiv(at_ms, 86400000) AS day, {_SUMS} GROUP BY store, day ORDER BY store, day"
)
_QUARTERS: Final = Template(
    f"SELECT store, intDiv(at_ms, $step) * $step AS quarter, {_SUMS} GROUP BY store, quarter ORDER BY store, quarter"
)
# The lines of a sale that was taken back whole count no more; those of a refund count against it.
_PRODUCTS: Final = Template(
    "WITH voided AS (SELECT store, splitByChar('-', answers)[1] AS actor, "
    "toInt64OrZero(splitByChar('-', answers)[2]) AS seq FROM sale FINAL WHERE kind = 2 AND $where) "
    "SELECT sku, max(name), sum(if(kind = 0, quantity_milli, -quantity_milli)), "
    "sum(if(kind = 0, total_minor, -total_minor)) AS net FROM line FINAL "
    "WHERE at_ms >= $first AND at_ms < $last AND $where "
    "AND (store, actor, seq) NOT IN (SELECT store, actor, seq FROM voided) "
    "GROUP BY sku ORDER BY net DESC, sku LIMIT $limit"
)
_HEADS: Final = Template(
    "SELECT store, actor, max(seq), argMax(weight, seq) FROM head WHERE $where GROUP BY store, actor"
)
_DIGEST: Final = Template("SELECT count(), sum(sipHash64(*)), sum(cityHash64(*)) FROM $table FINAL")
_STORE: Final = re.compile(r"[0-9a-z]{1,64}")
EPOCH: Final = date(1970, 1, 1)


class ClickAnalytics:
    """Writes come from one thread, questions from any. A server that is away is met at the first question."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire
        self._has_tables = False

    def position(self) -> Position:
        """Say up to where the log was taken in."""
        found = self._met().ask("SELECT part, max(entry) FROM position GROUP BY part")
        return {part: int(entry) for part, entry in found}

    def take(self, entries: Sequence[tuple[Position, Entry]]) -> None:
        """Take in entries and note the last place; what was taken in before changes nothing."""
        chains = self._chains({entry.store for _, entry in entries})
        sales: list[tuple[Any, ...]] = []
        lines: list[tuple[Any, ...]] = []
        place: dict[str, int] = {}
        for position, entry in entries:
            rows = chains.take(entry)
            sales += [
                (entry.store, s.actor, s.seq, int(s.kind), s.at_ms, s.total_minor, s.tax_minor, s.answers)
                for s in rows.sales
            ]
            lines += [(entry.store, *line) for line in rows.lines]
            place |= position
        self._insert("sale", sales)
        self._insert("line", lines)
        self._insert("head", chains.rows())
        self._insert("position", list(place.items()))

    def days(self, stores: Sequence[str], first_ms: int, last_ms: int) -> list[DayRow]:
        """Add up sales per store and day (UTC)."""
        found = self._ask(_DAYS, stores, first_ms, last_ms)
        return [DayRow(store, (EPOCH + timedelta(days=day)).isoformat(), *sums) for store, day, *sums in found]

    def quarters(
        self, stores: Sequence[str], first_ms: int, last_ms: int, step_ms: int = QUARTER_MS
    ) -> list[QuarterRow]:
        """Add up sales per store and quarter of an hour, or another step."""
        return [QuarterRow(*row) for row in self._ask(_QUARTERS, stores, first_ms, last_ms, step=step_ms)]

    def products(self, stores: Sequence[str], first_ms: int, last_ms: int, limit: int) -> list[ProductRow]:
        """List the products with the highest net sales."""
        return [ProductRow(*row) for row in self._ask(_PRODUCTS, stores, first_ms, last_ms, limit=limit)]

    def digest(self) -> str:
        """Give a hash of what was taken in, added up by the server itself: equal rows give equal hashes."""
        found = [self._met().ask(_DIGEST.substitute(table=table))[0] for table in ("sale", "line")]
        return "-".join(f"{count}.{one:016x}.{other:016x}" for count, one, other in found)

    def begin_anew(self) -> None:
        """Forget everything: first how far we had come, so that a crash on the way leaves nothing out."""
        for table in ("position", "head", "line", "sale"):
            self._met().tell(f"TRUNCATE TABLE {table}")

    def close(self) -> None:
        """Nothing is held open."""

    def _met(self) -> Wire:
        """Give the wire once the tables are there; twice does no harm."""
        if not self._has_tables:
            for statement in re.sub(r"^--.*$", "", _TABLES, flags=re.MULTILINE).split(";"):
                self._wire.tell(statement.strip())
            self._has_tables = True
        return self._wire

    def _insert(self, table: str, rows: Sequence[Sequence[object]]) -> None:
        self._met().insert(table, _COLUMNS[table], rows)

    def _chains(self, stores: Iterable[str]) -> Chains:
        found = self._met().ask(_HEADS.substitute(where=_where(sorted(stores))))
        return Chains(ChainRow(store, actor, int(seq), int(weight)) for store, actor, seq, weight in found)

    def _ask(
        self, question: Template, stores: Sequence[str], first_ms: int, last_ms: int, *, limit: int = 0, step: int = 1
    ) -> Any:
        numbers = {"first": int(first_ms), "last": int(last_ms), "limit": int(limit), "step": int(step)}
        asked = question.substitute(numbers, where=_where(stores))
        return self._met().ask(asked)


def _where(stores: Sequence[str]) -> str:
    """Narrow a question down to some stores; no stores means all."""
    for store in stores:
        if not _STORE.fullmatch(store):
            raise Invalid(f"{store[:70]!r} is not the id of a store", hint="Look at the list of stores.")
    return f"store IN ({', '.join(repr(store) for store in stores)})" if stores else "1"
