"""Rights to sell hard-limited goods: who holds them, asking for some, giving them out, taking over from the lost."""

from __future__ import annotations

from typing import Any

import msgspec

from tillmesh.adapters.sqlite.books import Books
from tillmesh.kernel.errors import NotFound
from tillmesh.kernel.ids import terminal_of
from tillmesh.kernel.quantity import format_quantity, parse_quantity
from tillmesh.shop import escrow
from tillmesh.shop.cart import Cart
from tillmesh.shop.people import Role
from tillmesh.terminal.web.api import Call, Context
from tillmesh.till.commands import ReleaseRights
from tillmesh.till.desk import Company, Identity
from tillmesh.till.escrow import elsewhere, lacking, till_name


class AskBody(msgspec.Struct):
    """How many more somebody wants to sell here."""

    sku: str
    quantity: str | int


class IssueBody(msgspec.Struct):
    """Why rights are given out that nobody holds."""

    sku: str
    reason: str = ""


class ReleaseBody(msgspec.Struct):
    """Whose rights are taken over; ``accept_risk``: some may have been sold that nobody has heard of."""

    sku: str
    holder: str
    reason: str
    accept_risk: bool = False


def rights_of(books: Books, identity: Identity, company: Company, sku: str) -> dict[str, Any] | None:
    """Show who may sell how many of a hard-limited product; None for any other."""
    product = books.product(sku)
    if product is None or not product.hard_limited:
        return None
    rights, stock = books.rights(sku), books.stock_milli(sku)
    known = {identity.actor, *company.members}
    heard = {identity.terminal, *company.heard}
    return {
        "here": format_quantity(max(0, rights.rights(identity.actor))),
        "total": format_quantity(rights.value),
        "unheld": format_quantity(escrow.unheld(rights, stock)),
        "all_heard": company.is_whole,
        "leads": company.leads,
        "holders": [
            {
                "holder": actor,
                "terminal_id": terminal_of(actor),
                "name": till_name(books, terminal_of(actor)),
                "quantity": format_quantity(rights.rights(actor)),
                "here": actor == identity.actor,
                "gone": actor not in known,
                "heard": terminal_of(actor) in heard,
            }
            for actor in sorted(known | {actor for actor, held in rights.holders().items() if held})
        ],
    }


def lacking_of(books: Books, identity: Identity, company: Company, cart: Cart) -> list[dict[str, Any]]:
    """List the limited goods of which a cart has more than this till may sell, with the tills that hold some."""
    found = []
    for product, wanted, here in lacking(books, identity, cart):
        others = elsewhere(books, identity, product.sku)
        holders = [
            {"terminal_id": till, "name": till_name(books, till), "quantity": format_quantity(held),
             "heard": till in company.heard}
            for till, held in others.items()
        ]  # fmt: skip
        found.append(
            {"sku": product.sku, "name": product.name, "here": format_quantity(here),
             "missing": format_quantity(wanted - here), "elsewhere": holders}
        )  # fmt: skip
    return found


async def show(context: Context, sku: str) -> Any:
    """Show a limited product's rights as they stand now."""
    identity, company = context.driver.identity, context.driver.company()
    found = await context.driver.look(lambda books: rights_of(books, identity, company, sku))
    if found is None:
        raise NotFound(f"{sku[:40]!r} is not hard-limited", hint="Mark the product first.")
    return found


async def get_rights(context: Context) -> Any:
    """Show who may sell how many of a hard-limited product."""
    return await show(context, context.path("sku"))


async def ask(context: Context, body: AskBody) -> Any:
    """Ask another till for rights that somebody waits for here."""
    quantity = parse_quantity(body.quantity)
    given = await context.services.extra["rights"].ask(body.sku, quantity, context.signed_in().user_id)
    return {"given": format_quantity(given), **await show(context, body.sku)}


async def issue(context: Context, body: IssueBody) -> tuple[int, Any]:
    """Give out the rights that nobody holds."""
    await context.services.extra["rights"].issue(context.who(), body.sku, body.reason)
    return 201, await show(context, body.sku)


async def release(context: Context, body: ReleaseBody) -> tuple[int, Any]:
    """Take over the rights of a till that is gone."""
    command = ReleaseRights(sku=body.sku, holder=body.holder, reason=body.reason, accept_risk=body.accept_risk)
    await context.do(command)
    return 201, await show(context, body.sku)


MANAGER = Role.MANAGER
CALLS = [
    Call("GET", "/rights/{sku}", get_rights, "Show who may sell a hard-limited product"),
    Call("POST", "/rights/ask", ask, "Ask another till for rights", AskBody),
    Call("POST", "/rights/issue", issue, "Give out rights that nobody holds", IssueBody, role=MANAGER, status=201),
    Call("POST", "/rights/release", release, "Take over the rights of a lost till", ReleaseBody, role=MANAGER,
         status=201),
]  # fmt: skip
