"""From invoices to what a shop would have done at its till, as commands for the use cases that the UI calls.

The rules, which docs/reference/benchmarks.md explains:

- rows of a plain invoice with a positive quantity are sold, at the row's price; unpriced rows among them are free goods
- rows with a negative quantity in a plain invoice are stock written off; an invoice without any price and customer is
  stock found or written off, not a sale
- rows of a cancellation (C...) are refunds: of the latest earlier sale of that customer with a line of the same code
  and price that has enough left, else without receipt
- other letters (A..., bad debt) are no sale: a note in the audit log
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Generator, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import groupby
from typing import Final, NamedTuple, TypeAlias

from tillmesh.bench.replay.invoices import Invoice, Line
from tillmesh.kernel.quantity import ONE
from tillmesh.shop.events import Change, Payment
from tillmesh.shop.settings import STORE
from tillmesh.till import commands as c
from tillmesh.till.effects import Outcome

MANAGER: Final = c.Who(user_id="replay", role="manager")
FLOAT_MINOR: Final = 100_000
CASH_MINOR_MAX: Final = 5_000  # up to 50.00 are paid in cash, with the next full ten pounds
SPLIT_EVERY: Final = 10  # every tenth invoice number above that pays 50.00 in cash and the rest by card
# 2011-01-04: the standard rate rose from 17.5 % to 20 %. Source: Finance (No. 2) Act 2010, section 3.
VAT_CHANGE_MS: Final = 1_294_099_200_000
VAT_BEFORE, VAT_AFTER = "standard=175000", "standard=200000"
SETTINGS: Final[dict[str, str | bool | list[str]]] = {
    "name": "Replayed gift shop",
    "currency": "GBP",
    "locale": "en_GB",
    "time_zone": "UTC",
    "prices_include_tax": True,
    "tax_rounding": "line",
}


class Step(NamedTuple):
    """One thing that was done, and when."""

    at_ms: int
    command: c.Command


Script: TypeAlias = Generator[Step, Outcome, None]


@dataclass(slots=True)
class _Sold:
    """A sold line that may still come back."""

    sale_id: str
    line: int
    left: int


@dataclass
class Plan:
    """Acts the file out, and counts what it did with its rows. ``records`` come before the first invoice."""

    done: Counter[str] = field(default_factory=Counter)
    days: list[str] = field(default_factory=list)
    _sold: defaultdict[tuple[str, str, int], list[_Sold]] = field(default_factory=lambda: defaultdict(list))

    def script(self, invoices: Iterable[Invoice]) -> Script:
        """Open a shift per day, do what its invoices say, close it with the cash that should be there."""
        rate = ""
        for day, group in groupby(invoices, key=lambda invoice: day_of(invoice.at_ms)):
            today = list(group)
            self.days.append(day)
            opening = today[0].at_ms
            yield Step(opening, c.OpenShift(float_minor=FLOAT_MINOR))
            wanted = VAT_BEFORE if opening < VAT_CHANGE_MS else VAT_AFTER
            if rate != wanted:
                rate = wanted
                yield Step(opening, settings({"tax_rates": [rate]}))
            for invoice in today:
                yield from self._invoice(invoice)

    def _invoice(self, invoice: Invoice) -> Script:
        if invoice.number.startswith("C"):
            yield from self._cancellation(invoice)
        elif not invoice.number.isdigit():
            detail = "; ".join(f"{line.name}: {line.quantity} x {line.price_minor}" for line in invoice.lines)
            self.done["rows noted, no sale"] += len(invoice.lines)
            yield Step(invoice.at_ms, c.Note(action="not_a_sale", subject=invoice.number, detail=detail))
        elif invoice.customer == "" and not any(line.price_minor for line in invoice.lines):
            yield from self._stock(invoice, invoice.lines)
        else:
            yield from self._stock(invoice, [line for line in invoice.lines if line.quantity < 0])
            yield from self._sale(invoice, [line for line in invoice.lines if line.quantity > 0])

    def _stock(self, invoice: Invoice, lines: Iterable[Line]) -> Script:
        """Book goods found or written off."""
        for line in lines:
            reason = line.name or "no reason given"
            milli = line.quantity * ONE
            self.done["rows booked as stock"] += 1
            if milli > 0:
                yield Step(invoice.at_ms, c.ReceiveStock(sku=line.code, quantity_milli=milli, reason=reason))
            else:
                yield Step(invoice.at_ms, c.AdjustStock(sku=line.code, quantity_milli=milli, reason=reason))

    def _sale(self, invoice: Invoice, lines: list[Line]) -> Script:
        if not lines:
            return
        total = sum(line.quantity * line.price_minor for line in lines)
        sale = c.CloseSale(
            cart_id=f"invoice-{invoice.number}",
            lines=tuple(
                c.WantedLine(sku=line.code, quantity_milli=line.quantity * ONE, unit_price_minor=line.price_minor)
                for line in lines
            ),
            payments=payments(int(invoice.number), total),
            customer_id=invoice.customer,
        )
        outcome = yield Step(invoice.at_ms, sale)
        self.done["rows sold"] += len(lines)
        self.done["sales"] += 1
        if invoice.customer:
            for index, line in enumerate(lines):
                known = self._sold[invoice.customer, line.code, line.price_minor]
                known.append(_Sold(str(outcome.reply), index, line.quantity))

    def _cancellation(self, invoice: Invoice) -> Script:
        matched: dict[str, list[c.WantedRefund]] = {}
        unknown: list[c.WantedRefund] = []
        for line in invoice.lines:
            back = -line.quantity
            sold = self._find(invoice.customer, line, back)
            if sold is None:
                milli, price = back * ONE, line.price_minor
                unknown.append(c.WantedRefund(sku=line.code, quantity_milli=milli, unit_price_minor=price))
                continue
            sold.left -= back
            matched.setdefault(sold.sale_id, []).append(c.WantedRefund(line=sold.line, quantity_milli=back * ONE))
        reason = f"Cancelled with {invoice.number}"
        for number, (sale_id, wanted) in enumerate(matched.items()):
            key = f"{invoice.number}-{number}"
            self.done["rows refunded to their sale"] += len(wanted)
            refund = c.RefundSale(sale_id=sale_id, lines=tuple(wanted), reason=reason, refund_key=key)
            yield Step(invoice.at_ms, refund)
        if unknown:
            total = sum((line.unit_price_minor or 0) * line.quantity_milli // ONE for line in unknown)
            self.done["rows refunded without receipt"] += len(unknown)
            yield Step(
                invoice.at_ms,
                c.RefundWithoutReceipt(
                    lines=tuple(unknown),
                    reason=reason,
                    payments=(Payment(method="card", amount_minor=total),) if total else (),
                    refund_key=invoice.number,
                    customer_id=invoice.customer,
                ),
            )

    def _find(self, customer: str, line: Line, back: int) -> _Sold | None:
        """Find the latest sale with enough left of this line."""
        if not customer:
            return None
        known = self._sold.get((customer, line.code, line.price_minor), [])
        return next((sold for sold in reversed(known) if sold.left >= back), None)


def payments(number: int, total_minor: int) -> tuple[Payment, ...]:
    """Invent how an invoice was paid, which the file does not say: cash with change, card, or both."""
    if total_minor == 0:
        return ()
    if total_minor <= CASH_MINOR_MAX:
        return (Payment(method="cash", amount_minor=-(-total_minor // 1_000) * 1_000),)
    if number % SPLIT_EVERY == 0:
        rest = total_minor - CASH_MINOR_MAX
        return (Payment(method="card", amount_minor=rest), Payment(method="cash", amount_minor=CASH_MINOR_MAX))
    return (Payment(method="card", amount_minor=total_minor),)


def settings(fields: dict[str, str | bool | list[str]]) -> c.ChangeRecords:
    """Change the store's settings."""
    return c.ChangeRecords(entity="setting", changes=(Change(key=STORE, fields=dict(fields)),))


def day_of(at_ms: int) -> str:
    """Give the day of a moment in the shop's time zone, which is UTC here."""
    return datetime.fromtimestamp(at_ms / 1_000, UTC).date().isoformat()


def records(invoices: Iterable[Invoice]) -> tuple[list[Change], list[Change]]:
    """Give the products and customers that the file names: each with its first name, and its first price above zero."""
    products: dict[str, dict[str, str | int]] = {}
    customers: dict[str, Change] = {}
    for invoice in invoices:
        if invoice.customer and invoice.customer not in customers:
            fields = {"name": f"Customer {invoice.customer}", "note": invoice.country}
            customers[invoice.customer] = Change(key=invoice.customer, fields=dict(fields))
        for line in invoice.lines:
            known = products.setdefault(line.code, {"name": "", "price_minor": 0})
            known["name"] = known["name"] or line.name
            known["price_minor"] = known["price_minor"] or max(0, line.price_minor)
    goods = [
        Change(key=code, fields={**fields, "name": fields["name"] or code, "unit": "piece", "tax_code": "standard"})
        for code, fields in products.items()
    ]
    return goods, list(customers.values())
