"""From a shop's year to rows: events as a till stores them, acts, features. From the events on it is a till's code."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from tillmesh.edge.acts import DRAWER_OPENED, act_of
from tillmesh.edge.features import COUNT, HOUR_MS, Memory
from tillmesh.learn.fraud.traffic import GIFT, PPM, Did, Line, Shop, Sold
from tillmesh.shop.events import (
    Audited,
    Payment,
    RefundLine,
    SaleClosed,
    SaleLine,
    SaleRefunded,
    SaleVoided,
    StockMove,
)

TRAIN, VALIDATE, TEST = 0, 1, 2
HONEST: Final = ""
Floats = npt.NDArray[np.float32]


@dataclass(slots=True)
class Table:
    """Rows of all shops. ``part`` says train, validate or test: by time, the last months are the test."""

    x: Floats
    scenario: npt.NDArray[Any]
    part: npt.NDArray[np.int8]

    @property
    def y(self) -> Floats:
        """1 where somebody stole."""
        return np.asarray(self.scenario != HONEST, dtype=np.float32)


def table(shops: list[tuple[Shop, int, int]]) -> Table:
    """Walk the shops; each comes with the times at which validation and test begin."""
    xs, names, parts = [], [], []
    for shop, validate_ms, test_ms in shops:
        memory = Memory()
        for body, at_ms, sale, scenario in events(shop):
            act = act_of(body, at_ms, at_ms // HOUR_MS % 24, sale)
            assert act is not None
            xs.append(memory.features(act))
            memory.learn(act)
            names.append(scenario)
            parts.append(TEST if at_ms >= test_ms else VALIDATE if at_ms >= validate_ms else TRAIN)
    x = np.array(xs, dtype=np.float32).reshape(-1, COUNT)
    return Table(x, np.array(names), np.array(parts, dtype=np.int8))


def events(shop: Shop) -> Iterator[tuple[object, int, SaleClosed | None, str]]:
    """Iterate a shop's events in the order of time: body, time, the sale that is answered, and the scenario."""
    closed: dict[int, SaleClosed] = {id(sale): closed_sale(sale) for sale in shop.sales}
    order: list[tuple[int, int, Sold | Did]] = [(sale.basket.at_ms, 0, sale) for sale in shop.sales]
    order += [(one.at_ms, 1, one) for one in shop.did]
    order.sort(key=lambda entry: entry[:2])
    for at_ms, _, one in order:
        if isinstance(one, Sold):
            yield closed[id(one)], at_ms, None, one.scenario
        else:
            sale = closed[id(one.sale)] if one.sale is not None else None
            yield _body(one, sale), at_ms, sale, one.scenario


def closed_sale(sale: Sold) -> SaleClosed:
    """Make the event of a sale."""
    lines = tuple(
        _line(line, off, cheaper, sale.cart_ppm)
        for line, off, cheaper in zip(sale.basket.lines, sale.off_ppm, sale.cheaper_ppm, strict=True)
    )
    total = sum(line.total_minor for line in lines)
    return SaleClosed(
        cart_id="", receipt_number="", shift_id="", cashier=sale.cashier, currency="USD", prices_include_tax=True,
        lines=lines, taxes=(), payments=(Payment(method=sale.method, amount_minor=total, reference=sale.card),),
        discount_minor=sum(line.discount_minor + line.cart_discount_minor for line in lines), tax_minor=0,
        total_minor=total, customer_id=sale.customer, closed_at_ms=sale.basket.at_ms,
    )  # fmt: skip


def _line(line: Line, off_ppm: int, cheaper_ppm: int, cart_ppm: int) -> SaleLine:
    unit = line.price_minor * (PPM - cheaper_ppm) // PPM
    gross = unit * line.quantity
    discount = min(gross, line.coupon_minor + gross * off_ppm // PPM)
    cart = (gross - discount) * cart_ppm // PPM
    return SaleLine(
        sku=line.sku, name="", unit="piece", quantity_milli=line.quantity * 1000, list_price_minor=line.price_minor,
        unit_price_minor=unit, gross_minor=gross, discount_minor=discount, cart_discount_minor=cart, tax_code="",
        rate_ppm=0, tax_minor=0, total_minor=gross - discount - cart,
    )  # fmt: skip


def _body(one: Did, sale: SaleClosed | None) -> object:
    match one.kind:
        case "void":
            assert sale is not None
            moves = tuple(StockMove(sku=line.sku, quantity_milli=line.quantity_milli) for line in sale.lines)
            return SaleVoided(
                sale_id="s", receipt_number="", shift_id="", by=one.cashier, reason="", payments=sale.payments,
                total_minor=sale.total_minor, tax_minor=0, moves=moves, voided_at_ms=one.at_ms,
            )  # fmt: skip
        case "refund":
            lines = tuple(_refund_line(line, one) for line in one.lines)
            total = sum(line.total_minor for line in lines)
            card = one.card if one.method == GIFT else ""
            return SaleRefunded(
                sale_id="s" if one.has_receipt else "", refund_key="", receipt_number="", shift_id="", by=one.cashier,
                reason="", currency="USD", lines=lines, taxes=(),
                payments=(Payment(method=one.method, amount_minor=total, reference=card),),
                tax_minor=0, total_minor=total, customer_id=one.customer, refunded_at_ms=one.at_ms,
            )  # fmt: skip
        case _:
            return Audited(action=DRAWER_OPENED, subject="", detail="", by=one.cashier)


def _refund_line(line: Line, one: Did) -> RefundLine:
    return RefundLine(
        line=0, sku=line.sku, name="", unit="piece", quantity_milli=line.quantity * 1000,
        unit_price_minor=line.price_minor, tax_code="", rate_ppm=0, tax_minor=0,
        total_minor=line.price_minor * line.quantity, restock=one.restock,
    )  # fmt: skip


def seeded(seed: int, name: str) -> random.Random:
    """Give dice of one shop: another shop more changes nothing in this one."""
    return random.Random(f"{seed}/{name}")  # noqa: S311 - a draw that is to be repeated
