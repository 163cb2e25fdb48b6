"""What a merged register says: fields as events carry them, and the product row that lists are read from."""

from __future__ import annotations

from typing import NamedTuple

from tillmesh.crdt import LWWMap
from tillmesh.kernel.limits import AMOUNT_MINOR_MAX
from tillmesh.shop.events import Value


class MergedProduct(NamedTuple):
    """A product as one store has it. A store can write what it likes; here stands only what has the right type."""

    sku: str
    name: str
    price_minor: int
    department: str
    active: bool


def fields_of(state: LWWMap) -> dict[str, Value]:
    """Give fields as events carry them: what a register keeps as a tuple was written as a list."""
    return {name: _written(value) for name, value in state.items()}


def product_of(sku: str, state: LWWMap) -> MergedProduct:
    """Read a register as a product."""
    fields = fields_of(state)
    name, department, price = fields.get("name"), fields.get("department"), fields.get("price_minor")
    return MergedProduct(
        sku,
        name if isinstance(name, str) and "\0" not in name else sku,
        price if isinstance(price, int) and abs(price) <= AMOUNT_MINOR_MAX else 0,
        department if isinstance(department, str) and "\0" not in department else "",
        fields.get("active", True) is not False,
    )


def _written(value: object) -> Value:
    if isinstance(value, tuple):
        return [str(part) for part in value]
    return value if value is None or isinstance(value, str | int) else str(value)
