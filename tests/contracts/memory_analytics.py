"""Analytics in memory, added up the slow way: what the contract suite holds the real one to."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import UTC, datetime
from hashlib import sha256

from tillmesh.fleet.chains import Chains
from tillmesh.fleet.ports import DayRow, Entry, Position, ProductRow
from tillmesh.fleet.projecting import Kind, LineRow, SaleRow
from tillmesh.fleet.reporting import QUARTER_MS, QuarterRow
from tillmesh.kernel.ids import event_id


class MemoryAnalytics:
    """Analytics that forget everything with the process."""

    def __init__(self) -> None:
        self.begin_anew()

    def begin_anew(self) -> None:
        self.at: dict[str, int] = {}
        self.chains = Chains()
        self.sales: list[tuple[str, SaleRow]] = []
        self.lines: list[tuple[str, LineRow]] = []

    def position(self) -> Position:
        return dict(self.at)

    def take(self, entries: Sequence[tuple[Position, Entry]]) -> None:
        for position, entry in entries:
            rows = self.chains.take(entry)
            self.sales += [(entry.store, row) for row in rows.sales]
            self.lines += [(entry.store, row) for row in rows.lines]
            self.at.update(position)

    def days(self, stores: Sequence[str], first_ms: int, last_ms: int) -> list[DayRow]:
        found: dict[tuple[str, str], list[int]] = defaultdict(lambda: [0, 0, 0])
        for store, row in self.sales:
            if first_ms <= row.at_ms < last_ms and (not stores or store in stores):
                day = datetime.fromtimestamp(row.at_ms / 1000, UTC).date().isoformat()
                sign = 1 if row.kind == Kind.SALE else -1
                sums = found[store, day]
                sums[0] += row.kind == Kind.SALE
                sums[1] += sign * row.total_minor
                sums[2] += sign * row.tax_minor
        return [DayRow(store, day, *sums) for (store, day), sums in sorted(found.items())]

    def quarters(
        self, stores: Sequence[str], first_ms: int, last_ms: int, step_ms: int = QUARTER_MS
    ) -> list[QuarterRow]:
        found: dict[tuple[str, int], list[int]] = defaultdict(lambda: [0, 0, 0])
        for store, row in self.sales:
            if first_ms <= row.at_ms < last_ms and (not stores or store in stores):
                sign = 1 if row.kind == Kind.SALE else -1
                sums = found[store, row.at_ms - row.at_ms % step_ms]
                sums[0] += row.kind == Kind.SALE
                sums[1] += sign * row.total_minor
                sums[2] += sign * row.tax_minor
        return [QuarterRow(store, quarter, *sums) for (store, quarter), sums in sorted(found.items())]

    def products(self, stores: Sequence[str], first_ms: int, last_ms: int, limit: int) -> list[ProductRow]:
        voided = {(store, row.answers) for store, row in self.sales if row.kind == Kind.VOID}
        found: dict[str, list[int]] = defaultdict(lambda: [0, 0])
        names: dict[str, str] = {}
        for store, row in self.lines:
            wanted = first_ms <= row.at_ms < last_ms and (not stores or store in stores)
            if wanted and (store, event_id(row.actor, row.seq)) not in voided:
                sign = 1 if row.kind == Kind.SALE else -1
                found[row.sku][0] += sign * row.quantity_milli
                found[row.sku][1] += sign * row.total_minor
                names[row.sku] = max(names.get(row.sku, ""), row.name)
        rows = [ProductRow(sku, names[sku], *sums) for sku, sums in found.items()]
        return sorted(rows, key=lambda row: (-row.net_minor, row.sku))[:limit]

    def digest(self) -> str:
        return sha256(repr((sorted(self.sales), sorted(self.lines))).encode()).hexdigest()

    def close(self) -> None:
        pass
