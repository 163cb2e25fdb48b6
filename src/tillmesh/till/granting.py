"""Rights handed on, given out where nobody holds them, and taken over from a till that is gone."""

from __future__ import annotations

from tillmesh.kernel.errors import Conflict, NotFound
from tillmesh.kernel.ids import EventId, terminal_of
from tillmesh.shop import escrow
from tillmesh.shop.catalogue import Product
from tillmesh.shop.events import RightsIssued, RightsMoved, RightsReleased
from tillmesh.shop.people import Action
from tillmesh.till.commands import HandRights, IssueRights, ReleaseRights
from tillmesh.till.desk import Company, Desk, checked_text
from tillmesh.till.escrow import charged, is_marked, till_name
from tillmesh.till.money_conflicts import came_twice
from tillmesh.till.ports import Books


def decide(desk: Desk, command: HandRights | IssueRights | ReleaseRights) -> EventId | None:
    """Send a command about rights to its use case."""
    match command:
        case HandRights():
            return hand_on(desk, command)
        case IssueRights():
            return issue(desk, command)
        case ReleaseRights():
            return release(desk, command)


def hand_on(desk: Desk, command: HandRights) -> EventId | None:
    """Hand rights to a till that asks for them: what it asks for, or what there is; nothing is an answer too."""
    product = desk.books.product(command.sku)
    if product is None or command.to == desk.identity.actor:
        return None
    rights, step = desk.books.rights(command.sku), escrow.step_of(product.unit)
    free = rights.rights(desk.identity.actor) - charged(desk.books, product.sku)
    quantity = escrow.grant(free, command.quantity_milli, step, by_hand=bool(command.by))
    if quantity <= 0:
        return None
    return desk.record(RightsMoved(sku=product.sku, to=command.to, quantity_milli=quantity, by=command.by))


def issue(desk: Desk, command: IssueRights) -> EventId | None:
    """Give this till the rights for stock that nobody holds any for; take out what there are too many of.

    Only where the store is led, with every till heard, and once it has agreed: two tills that did it apart would give
    the same goods out twice.
    """
    if command.grant:
        return _carry_out(desk, command)
    product = _limited(desk, command.sku)
    missing = unheld(desk.books, product.sku)
    if missing < 0:
        missing = -min(-missing, max(0, desk.books.rights(product.sku).rights(desk.identity.actor)))
    elif missing > 0:
        desk.require(Action.CHANGE_PRODUCT)
        require_whole(desk.company)
        if desk.company.others:
            raise Conflict("the store has not agreed to it", hint="Try again in a moment.")
    if not missing:
        return None
    return _issued(desk, command, missing)


def _carry_out(desk: Desk, command: IssueRights) -> EventId | None:
    """Do what the store has agreed on, once; no more than nobody holds by now, and be it nothing."""
    if desk.books.is_carried_out(desk.identity.actor, command.granted_after, command.grant):
        return None
    limited = is_marked(desk.books, command.sku)
    most = max(0, unheld(desk.books, command.sku)) if limited else 0
    return _issued(desk, command, min(command.granted_milli, most))


def _issued(desk: Desk, command: IssueRights, quantity_milli: int) -> EventId:
    return desk.record(
        RightsIssued(
            sku=command.sku,
            quantity_milli=quantity_milli,
            stock_milli=desk.books.stock_milli(command.sku),
            by=command.by or desk.who.user_id,
            reason=checked_text(command.reason, "reason"),
            grant=command.grant,
        )
    )


def unheld(books: Books, sku: str) -> int:
    """Give for how much of a product nobody holds a right; below zero, there are rights for more than there is.

    Without what was taken back more often than it was sold, until somebody has looked at it: it is in stock twice.
    """
    missing = escrow.unheld(books.rights(sku), books.stock_milli(sku))
    return missing if missing <= 0 else max(0, missing - came_twice(books, sku))


def release(desk: Desk, command: ReleaseRights) -> EventId:
    """Take over the rights of a till that left the store; what it sold unheard of may have been sold twice then."""
    desk.require(Action.CHANGE_PRODUCT)
    product = _limited(desk, command.sku)
    if command.holder in desk.company.members or command.holder == desk.identity.actor:
        raise Conflict(
            f"{till_name(desk.books, terminal_of(command.holder))} belongs to the store",
            hint="Ask it for its rights, or remove the till from the store first.",
        )
    held = desk.books.rights(product.sku).rights(command.holder)
    if held <= 0:
        raise NotFound("this till holds no rights", hint="Look at the list anew.")
    require_whole(desk.company)
    if not command.accept_risk:
        raise Conflict(
            "this till may have sold some that nobody has heard of", hint="Confirm that a few may be sold twice."
        )
    return desk.record(
        RightsReleased(
            sku=product.sku,
            holder=command.holder,
            quantity_milli=held,
            seen=dict(desk.books.vector()).get(command.holder, 0),
            by=desk.who.user_id,
            reason=checked_text(command.reason, "reason", least=1),
        )
    )


def _limited(desk: Desk, sku: str) -> Product:
    return require_limited(desk.books.product(sku), sku)


def require_limited(product: Product | None, sku: str) -> Product:
    """Give a product if it is hard-limited, or raise."""
    if product is None:
        raise NotFound(f"no product {sku[:40]!r}", hint="Add the product first.")
    if not product.hard_limited:
        raise Conflict(f"{product.name[:60]!r} is not hard-limited", hint="Mark the product first.")
    return product


def require_whole(company: Company) -> None:
    """Raise unless this till leads the store, hears all others, and lacks nothing that they hold."""
    if not company.is_whole:
        raise Conflict("not all tills are heard", hint="Try again when every till of the store is in reach.")
    if company.behind:
        raise Conflict("another till holds events that are not here yet", hint="Try again in a moment.")
    if not company.leads:
        raise Conflict("another till leads the store", hint="Do this at the till that leads.")
