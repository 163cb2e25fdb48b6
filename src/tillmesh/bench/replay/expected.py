"""What the invoices come to, summed from the file with `csv` and `decimal` alone: nothing of tillmesh is imported here.

It knows the rules of docs/reference/benchmarks.md by its own words, so that a mistake in our prices, taxes, tenders or
reports can't repeat itself here. Amounts are pounds as Decimal until the end, where they become pence to compare.
"""

from __future__ import annotations

import csv
import gzip
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import Any

PENNY = Decimal("0.01")
FLOAT = Decimal("1000.00")
CASH_MOST = Decimal("50.00")
VAT_RISE = "2011-01-04"
Report = dict[str, Any]


@dataclass
class _Day:
    sales: int = 0
    sold: Decimal = Decimal(0)
    refunds: int = 0
    returned: Decimal = Decimal(0)
    tax: Decimal = Decimal(0)
    pieces: int = 0
    cash: list[Decimal] = field(default_factory=lambda: [Decimal(0), Decimal(0)])  # taken, returned
    card: list[Decimal] = field(default_factory=lambda: [Decimal(0), Decimal(0)])
    counts: Counter[str] = field(default_factory=Counter)
    taxes: defaultdict[str, list[Decimal]] = field(default_factory=lambda: defaultdict(lambda: [Decimal(0)] * 2))
    hours: list[list[Any]] = field(default_factory=lambda: [[0, Decimal(0)] for _ in range(24)])
    products: defaultdict[str, list[Any]] = field(default_factory=lambda: defaultdict(lambda: [0, Decimal(0)]))


@dataclass
class _Left:
    """A sold line as the file has it, and what of it has come back."""

    invoice: str
    quantity: int
    total: Decimal
    tax: Decimal
    rate: str
    back: int = 0
    tax_back: Decimal = Decimal(0)


class _Sums:
    def __init__(self) -> None:
        self.days: dict[str, _Day] = {}
        self.stock: Counter[str] = Counter()
        self.products: defaultdict[str, list[Any]] = defaultdict(lambda: [0, Decimal(0)])
        self.customers: defaultdict[str, list[Any]] = defaultdict(lambda: [0, Decimal(0), Decimal(0)])
        self.known: defaultdict[tuple[str, str, Decimal], list[_Left]] = defaultdict(list)
        self.card_left: dict[str, Decimal] = {}
        self.rounded = Decimal(0)

    def invoice(self, number: str, rows: list[dict[str, str]]) -> None:
        day = self.days.setdefault(rows[0]["InvoiceDate"][:10], _Day())
        customer = rows[0]["CustomerID"]
        for row in rows:
            exact = Decimal(row["UnitPrice"])
            row["pence"] = str(exact.quantize(PENNY, ROUND_HALF_UP))
            row["StockCode"] = row["StockCode"].replace(" ", "_")
            self.rounded += (Decimal(row["pence"]) - exact) * int(row["Quantity"])
        if number[0] == "C":
            self.cancellation(day, customer, rows)
        elif number[0].isdigit():
            priced = customer or any(Decimal(row["pence"]) for row in rows)
            for row in rows:
                if not priced or int(row["Quantity"]) < 0:
                    self.stock[row["StockCode"]] += int(row["Quantity"])
            sold = [row for row in rows if priced and int(row["Quantity"]) > 0]
            if sold:
                self.sale(day, number, customer, sold)

    def sale(self, day: _Day, number: str, customer: str, rows: list[dict[str, str]]) -> None:
        rate = "17.5" if rows[0]["InvoiceDate"] < VAT_RISE else "20"
        total = Decimal(0)
        for row in rows:
            quantity, price = int(row["Quantity"]), Decimal(row["pence"])
            worth = quantity * price
            tax = vat(worth, rate)
            total += worth
            self.move(day, row["StockCode"], quantity, worth)
            self.stock[row["StockCode"]] -= quantity
            day.pieces += quantity
            self.taxed(day, rate, worth, tax, 1)
            if customer:
                left = _Left(number, quantity, worth, tax, rate)
                self.known[customer, row["StockCode"], price].append(left)
        day.sales += 1
        day.sold += total
        hour = day.hours[int(rows[0]["InvoiceDate"][11:13])]
        hour[0] += 1
        hour[1] += total
        self.customers[customer][0] += 1
        self.customers[customer][1] += total
        self.paid(day, number, total)

    def paid(self, day: _Day, number: str, total: Decimal) -> None:
        """Up to 50.00 is cash, with change; above, every tenth number pays 50.00 in cash; the rest is card."""
        cash = total if total <= CASH_MOST else CASH_MOST if int(number) % 10 == 0 else Decimal(0)
        self.card_left[number] = total - cash
        if total:
            day.counts["cash"] += cash > 0
            day.counts["card"] += total > cash
            day.cash[0] += cash
            day.card[0] += total - cash

    def cancellation(self, day: _Day, customer: str, rows: list[dict[str, str]]) -> None:
        rate = "17.5" if rows[0]["InvoiceDate"] < VAT_RISE else "20"
        per_sale: defaultdict[str, Decimal] = defaultdict(Decimal)
        unknown, unknown_total = 0, Decimal(0)
        for row in rows:
            quantity, price = -int(row["Quantity"]), Decimal(row["pence"])
            worth = quantity * price
            self.move(day, row["StockCode"], -quantity, -worth)
            self.stock[row["StockCode"]] += quantity
            self.customers[customer][2] += worth
            found = self.latest(customer, row["StockCode"], price, quantity)
            if found is None:
                unknown, unknown_total = unknown + 1, unknown_total + worth
                self.taxed(day, rate, worth, vat(worth, rate), -1)
                continue
            per_sale[found.invoice] += worth
            self.taxed(day, found.rate, worth, came_back(found, quantity), -1)
        for invoice, worth in per_sale.items():
            to_card = min(worth, self.card_left[invoice])
            self.card_left[invoice] -= to_card
            self.gave(day, worth, to_card)
        if unknown:
            self.gave(day, unknown_total, unknown_total)

    def gave(self, day: _Day, worth: Decimal, to_card: Decimal) -> None:
        day.refunds += 1
        day.returned += worth
        day.card[1] += to_card
        day.cash[1] += worth - to_card
        day.counts["card"] += to_card > 0
        day.counts["cash"] += worth > to_card

    def latest(self, customer: str, code: str, price: Decimal, quantity: int) -> _Left | None:
        if customer:
            for left in reversed(self.known.get((customer, code, price), [])):
                if left.quantity - left.back >= quantity:
                    return left
        return None

    def taxed(self, day: _Day, rate: str, worth: Decimal, tax: Decimal, sign: int) -> None:
        net, before = day.taxes[rate]
        day.taxes[rate] = [net + sign * (worth - tax), before + sign * tax]
        day.tax += sign * tax

    def move(self, day: _Day, code: str, quantity: int, worth: Decimal) -> None:
        for sums in (day.products, self.products):
            sums[code][0] += quantity
            sums[code][1] += worth


def vat(worth: Decimal, rate: str) -> Decimal:
    """Give the tax inside an amount, rounded half up to the penny."""
    return (worth * Decimal(rate) / (100 + Decimal(rate))).quantize(PENNY, ROUND_HALF_UP)


def came_back(left: _Left, quantity: int) -> Decimal:
    """Take goods back; of the line's tax, as much as brings it in proportion to all that came back so far."""
    left.back += quantity
    if not left.total:
        return Decimal(0)
    upto = (left.tax * left.back / left.quantity).quantize(PENNY, ROUND_HALF_UP)
    tax, left.tax_back = upto - left.tax_back, upto
    return tax


def expected(path: Path, limit: int | None = None) -> Report:
    """Sum the file up: every report that the till gives, in the same shape as :mod:`.reported`, in pence."""
    sums = _Sums()
    for number, rows in _invoices(path, limit):
        sums.invoice(number, rows)
    days: Report = {}
    perpetual = Decimal(0)
    for z_number, (name, day) in enumerate(sums.days.items(), 1):
        perpetual += day.sold - day.returned
        days[name] = {"z": _z(day, z_number, perpetual), "x": _z(day, None, None), "day": _report(day)}
    sold = sum((day.sold for day in sums.days.values()), Decimal(0))
    returned = sum((day.returned for day in sums.days.values()), Decimal(0))
    return {
        "days": days,
        "stock": {code: count for code, count in sorted(sums.stock.items()) if count},
        "products": {code: [row[0], pence(row[1])] for code, row in sorted(sums.products.items()) if any(row)},
        "customers": {name: [row[0], pence(row[1]), pence(row[2])] for name, row in sorted(sums.customers.items())},
        "all": {
            "sales": sum(day.sales for day in sums.days.values()),
            "sales_minor": pence(sold),
            "refunds": sum(day.refunds for day in sums.days.values()),
            "refunds_minor": pence(returned),
            "tax_minor": pence(sum((day.tax for day in sums.days.values()), Decimal(0))),
        },
        "rounded": str(sums.rounded.normalize()),
    }


def _invoices(path: Path, limit: int | None) -> Iterator[tuple[str, list[dict[str, str]]]]:
    opener = gzip.open if path.suffix == ".gz" else open
    with opener(path, "rt", encoding="utf-8", newline="") as file:
        today, held = "", dict[str, list[dict[str, str]]]()
        count = 0
        for row in csv.DictReader(file):
            if row["InvoiceDate"][:10] != today:
                yield from held.items()
                today, held = row["InvoiceDate"][:10], {}
            if row["InvoiceNo"] not in held:
                if count == limit:
                    continue
                count += 1
                held[row["InvoiceNo"]] = []
            held[row["InvoiceNo"]].append(row)
        yield from held.items()


def _z(day: _Day, number: int | None, perpetual: Decimal | None) -> Report:
    shown: Report = {
        "sales": day.sales,
        "sales_minor": pence(day.sold),
        "refunds": day.refunds,
        "refunds_minor": pence(day.returned),
        "tax_minor": pence(day.tax),
        "expected_cash_minor": pence(FLOAT + day.cash[0] - day.cash[1]),
        "tenders": _tenders(day),
        "counts": {name: count for name, count in sorted(day.counts.items()) if count},
        "taxes": _taxes(day),
    }
    if number is not None and perpetual is not None:
        shown |= {
            "z_number": number,
            "counted_minor": shown["expected_cash_minor"],
            "perpetual_minor": pence(perpetual),
        }
    return shown


def _report(day: _Day) -> Report:
    best = sorted(day.products.items(), key=lambda item: (-item[1][1], item[0]))[:20]
    return {
        "sales": day.sales,
        "total_minor": pence(day.sold - day.returned),
        "refunds_minor": pence(day.returned),
        "tax_minor": pence(day.tax),
        "items": str(day.pieces),
        "hours": {str(hour): [row[0], pence(row[1])] for hour, row in enumerate(day.hours) if row[0]},
        "products": {code: [str(row[0]), pence(row[1])] for code, row in best},
        "tenders": _tenders(day),
        "taxes": _taxes(day),
    }


def _tenders(day: _Day) -> Report:
    both = {"card": day.card, "cash": day.cash}
    return {name: [pence(row[0]), pence(row[1])] for name, row in both.items() if day.counts[name]}


def _taxes(day: _Day) -> Report:
    return {rate: [pence(net), pence(tax)] for rate, (net, tax) in sorted(day.taxes.items())}


def pence(amount: Decimal) -> int:
    """Give an amount of pounds as pence; it must be a whole number of them."""
    whole = amount * 100
    assert whole == whole.to_integral_value(), f"{amount} is no whole number of pence"
    return int(whole)
