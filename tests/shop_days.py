"""Days of a store as entries of head office's log: everything that is projected, from one seed."""

import random

from tests.laws.hub_world import OFFICE, sealed
from tillmesh.fleet.ports import Entry
from tillmesh.kernel.codec import Record
from tillmesh.kernel.envelope import Envelope, Head
from tillmesh.shop.events import (
    Change,
    Payment,
    ProductsChanged,
    RefundLine,
    SaleClosed,
    SaleLine,
    SaleRefunded,
    SaleVoided,
    SettingsChanged,
    StockMove,
    StockReceived,
)

DAY_MS = 86_400_000
OPENED_MS = 1_781_049_600_000  # 2026-06-10 00:00 UTC
SKUS = tuple(f"sku{number:03}" for number in range(40))


class Days:
    """The tills of one store, each with its own chain."""

    def __init__(self, store: str, *, tills: int = 2, seed: int = 1) -> None:
        self.store, self.rng = store, random.Random(f"{store}-{seed}")
        self.actors = [f"till{chr(97 + number)}.aaaaaaaa" for number in range(tills)]
        self.heads: dict[str, Head] = {}
        self.now_ms, self.number = OPENED_MS, 0
        self.revenue_minor = 0
        self.sold: list[tuple[str, SaleClosed]] = []

    def entries(self, count: int, events: int) -> list[Entry]:
        """Give so many entries of so many events."""
        return [self.entry(events) for _ in range(count)]

    def entry(self, events: int) -> Entry:
        """Give one entry; some are head office's own changes."""
        actor = self.rng.choice([*self.actors, OFFICE] if self.number else self.actors)
        made = tuple(self._next(actor) for _ in range(events))
        return Entry(self.store, 1, actor, self.now_ms, made)

    def _next(self, actor: str) -> Envelope:
        self.number += 1
        self.now_ms += self.rng.randrange(1_000, 4 * 3_600_000)
        head = self.heads.get(actor, Head(actor))
        body = self._priced() if actor == OFFICE else self._happened(self.rng.random())
        event = sealed(head, body, self.now_ms, self.store)
        if isinstance(body, SaleClosed):
            self.sold.append((event.id, body))
        self.heads[actor] = Head(actor, event.seq, event.hash)
        return event

    def _happened(self, chance: float) -> Record:
        if chance < 0.05:
            return self._priced()
        if chance < 0.1:
            return SettingsChanged(changes=(Change(key="store", fields={"name": f"Shop {self.number}"}),), by="ann")
        if chance < 0.15:
            moves = tuple(StockMove(sku=sku, quantity_milli=24_000) for sku in self.rng.sample(SKUS, 3))
            return StockReceived(moves=moves, by="ann")
        if chance < 0.22 and self.sold:
            return self._taken_back()
        return self._sale()

    def _priced(self) -> ProductsChanged:
        changes = tuple(
            Change(key=sku, fields={"name": f"Tea {sku}", "price_minor": self.rng.randrange(1, 900)})
            for sku in self.rng.sample(SKUS, 4)
        )
        return ProductsChanged(changes=changes, by="headoffice:ann")

    def _sale(self) -> SaleClosed:
        lines = tuple(self._line(sku) for sku in self.rng.choices(SKUS, k=self.rng.randrange(1, 7)))
        total = sum(line.total_minor for line in lines)
        self.revenue_minor += total
        return SaleClosed(
            cart_id=f"cart-{self.number}", receipt_number=f"{self.number:06}", shift_id="s", cashier="mary",
            currency="EUR", prices_include_tax=True, lines=lines, taxes=(),
            payments=(Payment(method="cash", amount_minor=total),), discount_minor=0,
            tax_minor=sum(line.tax_minor for line in lines), total_minor=total, closed_at_ms=self.now_ms,
        )  # fmt: skip

    def _line(self, sku: str) -> SaleLine:
        price, pieces = self.rng.randrange(50, 900), self.rng.randrange(1, 4)
        total = price * pieces
        return SaleLine(
            sku=sku, name=f"Tea {sku}", unit="piece", quantity_milli=1_000 * pieces, list_price_minor=price,
            unit_price_minor=price, gross_minor=total, discount_minor=0, cart_discount_minor=0, tax_code="A",
            rate_ppm=200_000, tax_minor=total // 6, total_minor=total,
        )  # fmt: skip

    def _taken_back(self) -> Record:
        sale_id, sale = self.sold.pop(self.rng.randrange(len(self.sold)))
        self.revenue_minor -= sale.total_minor
        payments = (Payment(method="cash", amount_minor=sale.total_minor),)
        if self.rng.random() < 0.5:
            moves = tuple(StockMove(sku=line.sku, quantity_milli=line.quantity_milli) for line in sale.lines)
            return SaleVoided(
                sale_id=sale_id, receipt_number=f"{self.number:06}", shift_id="s", by="ann", reason="mistake",
                payments=payments, total_minor=sale.total_minor, tax_minor=sale.tax_minor, moves=moves,
                voided_at_ms=self.now_ms,
            )  # fmt: skip
        lines = tuple(
            RefundLine(
                line=number, sku=line.sku, name=line.name, unit=line.unit, quantity_milli=line.quantity_milli,
                unit_price_minor=line.unit_price_minor, tax_code="A", rate_ppm=200_000, tax_minor=line.tax_minor,
                total_minor=line.total_minor,
            )
            for number, line in enumerate(sale.lines)
        )  # fmt: skip
        return SaleRefunded(
            sale_id=sale_id, refund_key=f"r{self.number}", receipt_number=f"{self.number:06}", shift_id="s", by="ann",
            reason="broken", currency="EUR", lines=lines, taxes=(), payments=payments, tax_minor=sale.tax_minor,
            total_minor=sale.total_minor, refunded_at_ms=self.now_ms,
        )  # fmt: skip
