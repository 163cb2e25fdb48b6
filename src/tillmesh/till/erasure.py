"""Erasing a customer on request: the personal data goes, sales and what they add up to stay."""

from __future__ import annotations

from tillmesh.kernel.errors import Conflict, NotFound
from tillmesh.kernel.ids import EventId
from tillmesh.shop.events import CustomerErased
from tillmesh.shop.people import Action
from tillmesh.shop.personal import CUSTOMER, is_erased
from tillmesh.shop.purses import ACCOUNT
from tillmesh.till.commands import EraseCustomer
from tillmesh.till.desk import Desk, checked_text


def erase(desk: Desk, command: EraseCustomer) -> EventId | None:
    """Record that a customer is erased; once more changes nothing, so it can be asked for again."""
    desk.require(Action.ERASE_CUSTOMER)
    fields = desk.books.fields(CUSTOMER, command.customer_id)
    if fields is None:
        raise NotFound(f"no customer {command.customer_id[:40]!r}", hint="Search by name.")
    if is_erased(fields):
        return None
    if desk.books.purse(ACCOUNT, command.customer_id):
        raise Conflict("the account of this customer is not settled", hint="Settle or correct the account first.")
    return desk.record(
        CustomerErased(
            customer_id=command.customer_id,
            by=desk.who.user_id,
            reason=checked_text(command.reason, "reason"),
            erased_at_ms=desk.now_ms,
        )
    )
