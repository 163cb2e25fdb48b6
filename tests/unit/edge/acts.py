"""Acts and events of a small shop, for tests of the score."""

from typing import Any

from tillmesh.edge.acts import Act
from tillmesh.shop import events as e

NOON = 1_795_348_800_000  # 22 November 2026, 12:00 UTC
MINUTE = 60_000
HOUR = 60 * MINUTE
DAY = 24 * HOUR


def act(kind: str = "sale", *, at: int = NOON, cashier: str = "cara", **more: Any) -> Act:
    fields: dict[str, Any] = {"hour": at // HOUR % 24, "total_minor": 2_000, "list_minor": 2_000, "lines": 4, **more}
    return Act(kind=kind, cashier=cashier, at_ms=at, **fields)


def line(*, price: int = 1_000, charged: int | None = None, off: int = 0, cart_off: int = 0) -> e.SaleLine:
    unit = price if charged is None else charged
    return e.SaleLine(
        sku="mug", name="Mug", unit="piece", quantity_milli=1_000, list_price_minor=price, unit_price_minor=unit,
        gross_minor=unit, discount_minor=off, cart_discount_minor=cart_off, tax_code="standard", rate_ppm=0,
        tax_minor=0, total_minor=unit - off - cart_off,
    )  # fmt: skip


def closed(*lines: e.SaleLine, **more: Any) -> e.SaleClosed:
    total = sum(one.total_minor for one in lines)
    fields: dict[str, Any] = {
        "payments": (e.Payment(method="cash", amount_minor=total),), "cashier": "cara", "closed_at_ms": NOON, **more,
    }  # fmt: skip
    return e.SaleClosed(
        cart_id="c", receipt_number="R-1", shift_id="s", currency="EUR", prices_include_tax=True, lines=lines, taxes=(),
        discount_minor=0, tax_minor=0, total_minor=total, **fields,
    )  # fmt: skip


def refunded(**more: Any) -> e.SaleRefunded:
    fields: dict[str, Any] = {
        "sale_id": "s", "by": "cara", "payments": (e.Payment(method="cash", amount_minor=1_000),), "total_minor": 1_000,
        "restock": True, **more,
    }  # fmt: skip
    one = e.RefundLine(
        line=0, sku="mug", name="Mug", unit="piece", quantity_milli=1_000, unit_price_minor=1_000, tax_code="standard",
        rate_ppm=0, tax_minor=0, total_minor=fields["total_minor"], restock=fields.pop("restock"),
    )  # fmt: skip
    return e.SaleRefunded(
        refund_key="k", receipt_number="R-2", shift_id="s", reason="", currency="EUR", lines=(one,), taxes=(),
        tax_minor=0, **fields,
    )  # fmt: skip
