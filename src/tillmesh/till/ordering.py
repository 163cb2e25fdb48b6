"""Forecasts and what to order, as pages and programs are shown them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any, Final

from tillmesh.edge.demand import HIGH, LOW, Forecast, order, total_quantile
from tillmesh.kernel.quantity import ONE, format_quantity
from tillmesh.shop.catalogue import Product

LEAD_DAYS: Final = 2  # from ordering to the shelf; guess
REVIEW_DAYS: Final = 7  # between orders; guess
_KG_STEPS: Final = 10  # suggestions are in steps of 100 g

View = dict[str, Any]


def shown(
    product: Product, found: Forecast, *, stock_milli: int, today: date, lead_days: int, review_days: int
) -> View:
    """Show the forecast of one product, day by day, with what to order now."""
    return {
        "sku": product.sku,
        "name": product.name,
        "unit": product.unit,
        "forecast": [
            {
                "date": (today + timedelta(days=at)).isoformat(),
                "quantity": round(day.quantity, 2),
                "low": _counted(day.low, product.unit),
                "high": _counted(day.high, product.unit),
            }
            for at, day in enumerate(found.days)
        ],
        **suggested(product, found, stock_milli=stock_milli, lead_days=lead_days, review_days=review_days),
    }


def suggested(product: Product, found: Forecast, *, stock_milli: int, lead_days: int, review_days: int) -> View:
    """Show what to order of one product, and why."""
    days = lead_days + review_days
    stock = stock_milli / ONE * scale(product.unit)
    wanted = order(found, stock=stock, lead_days=lead_days, review_days=review_days)
    kilo = scale(product.unit)
    return {
        "suggested_order": _up(wanted.quantity, product.unit),
        "order_soon": wanted.soon,
        "stock": format_quantity(stock_milli),
        "per_day": round(found.level / kilo, 2),
        "lasts_days": None if wanted.lasts_days is None else round(wanted.lasts_days, 1),
        "until_days": days,
        "lead_days": lead_days,
        "expected": round(wanted.needed / kilo, 1),
        "low": _counted(total_quantile(LOW, found, days), product.unit),
        "high": _counted(total_quantile(HIGH, found, days), product.unit),
        "known_days": found.known_days,
    }


def scale(unit: str) -> int:
    """Say in how many steps one unit is counted: goods by weight in steps of 100 g, as their sales are no counts."""
    return 1 if unit == "piece" else _KG_STEPS


def series(days: Sequence[dict[str, int]], sku: str, unit: str) -> list[float]:
    """Give what was sold each day, oldest first, from the first day on which any was."""
    sold = [day.get(sku, 0) / ONE * scale(unit) for day in days]
    first = next((at for at, quantity in enumerate(sold) if quantity > 0), len(sold))
    return sold[first:]


def _counted(quantity: float, unit: str) -> float | int:
    kilo = scale(unit)
    return round(quantity) if kilo == 1 else round(quantity / kilo, 1)


def _up(quantity: float, unit: str) -> float | int:
    kilo = scale(unit)
    return math.ceil(quantity - 1e-9) if kilo == 1 else math.ceil(quantity - 1e-9) / kilo
