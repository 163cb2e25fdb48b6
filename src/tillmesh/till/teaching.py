"""Showing a till a product, so that its camera knows it again."""

from __future__ import annotations

from tillmesh.kernel.errors import Invalid, NotFound, TooLarge
from tillmesh.kernel.ids import EventId
from tillmesh.kernel.limits import EXAMPLE_BYTES_MAX, EXAMPLES_PER_CALL_MAX
from tillmesh.shop.events import ProductLearnt
from tillmesh.shop.people import Action
from tillmesh.till.commands import TeachProduct
from tillmesh.till.desk import Desk, checked_key


def teach(desk: Desk, command: TeachProduct) -> EventId:
    """Keep examples of a product. A supervisor's right: whoever may teach could sell lobster as carrots."""
    approved_by = desk.require(Action.TEACH_PRODUCT)
    product = desk.books.product(command.sku)
    if product is None:
        raise NotFound(f"no product {command.sku[:40]!r}", hint="Add the product first.")
    if not 1 <= len(command.examples) <= EXAMPLES_PER_CALL_MAX:
        raise TooLarge(f"{len(command.examples)} photos; 1 to {EXAMPLES_PER_CALL_MAX} at once", hint="Send fewer.")
    for example in command.examples:
        if not 1 <= len(example) <= EXAMPLE_BYTES_MAX:
            raise Invalid(f"an example of {len(example)} bytes; 1 to {EXAMPLE_BYTES_MAX} are allowed")
    return desk.record(
        ProductLearnt(
            sku=product.sku,
            space=checked_key(command.space, "space"),
            examples=command.examples,
            by=desk.who.user_id,
            replaces=command.replaces,
            approved_by=approved_by,
        )
    )
