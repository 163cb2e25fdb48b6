"""What is weighed at the till: from what lies on the scale to how much is sold, and what was typed instead.

The scale's own words are :mod:`tillmesh.till.scales`; which reading a cart was given is looked up where the scale is.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import msgspec

from tillmesh.kernel.errors import Conflict, Invalid
from tillmesh.kernel.limits import TARE_G_MAX
from tillmesh.kernel.quantity import ONE, parse_quantity
from tillmesh.shop.cart import CartLine
from tillmesh.shop.catalogue import Product
from tillmesh.till.commands import CartOperation
from tillmesh.till.desk import Desk
from tillmesh.till.ports import Books

SCALE: Final = "scale"
HAND: Final = "hand"
PART: Final = "part"  # of what the scale weighed as one: computed, when a bill was split
GONE: Final = "gone"  # the page named a reading that the till does not hold any more
_MILLI_PER_GRAM: Final = {"kg": 1, "g": ONE}


class Weighed(NamedTuple):
    """How much is sold, in thousandths of the unit, where that comes from, and what was taken off for the wrapping."""

    quantity_milli: int
    weighed: str = ""
    tare_milli: int = 0


def is_weighed(unit: str) -> bool:
    """Say whether a scale can tell how much of it there is."""
    return unit in _MILLI_PER_GRAM


def quantity_of(desk: Desk, product: Product, operation: CartOperation, *, labelled: bool) -> Weighed:
    """Read how much of a product is asked for: what the scale said, or what somebody typed.

    At a till with a scale a weight that somebody typed is marked, on the receipt too; a label has a weight of its own.
    """
    if not operation.weighed:
        asked = parse_quantity(operation.quantity)
        return Weighed(asked, typed(desk.books, product.unit, labelled=labelled))
    if operation.weighed == GONE:
        raise Conflict("the scale has moved on since this weight was shown", hint="Weigh it again.")
    if labelled or not is_weighed(product.unit):
        raise Invalid(f"{product.name[:60]!r} is not sold by weight", hint="Send a quantity.")
    if not 0 <= operation.tare_g <= TARE_G_MAX:
        raise Invalid(f"a tare of {operation.tare_g} g; it can be 0 to {TARE_G_MAX}", hint="Weigh the wrapping.")
    net_g = operation.gross_g - operation.tare_g
    if net_g <= 0:
        raise Invalid("nothing is on the scale but the wrapping", hint="Put the goods on it, or take off the tare.")
    per_gram = _MILLI_PER_GRAM[product.unit]
    return Weighed(net_g * per_gram, SCALE, operation.tare_g * per_gram)


def typed(books: Books, unit: str, *, labelled: bool) -> str:
    """Mark a weight that did not come from the scale of a till that has one; a label has a weight of its own."""
    return HAND if is_weighed(unit) and not labelled and books.terminal().scale_kind != "none" else ""


def typed_over(books: Books, line: CartLine) -> CartLine:
    """Mark a weight that somebody typed in the place of the one that was there."""
    if line.weighed not in {SCALE, PART} and not typed(books, line.unit, labelled=False):
        return line
    return msgspec.structs.replace(line, weighed=HAND, tare_milli=0)


def part_of(line: CartLine, quantity_milli: int) -> CartLine:
    """Take a part of a line; what the scale weighed as one has parts that no scale has seen."""
    part = msgspec.structs.replace(line, quantity_milli=quantity_milli)
    return msgspec.structs.replace(part, weighed=PART, tare_milli=0) if line.weighed == SCALE else part
