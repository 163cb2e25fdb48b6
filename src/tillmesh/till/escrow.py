"""Hard-limited goods at a till: no sale without a right, rights handed on, given out, and taken over from the lost."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import structs

from tillmesh.kernel.errors import Conflict
from tillmesh.kernel.ids import parse_event_id, terminal_of
from tillmesh.kernel.quantity import format_quantity
from tillmesh.shop import escrow
from tillmesh.shop.cart import Cart
from tillmesh.shop.catalogue import Product
from tillmesh.shop.events import OversellResolved, OversellSettled, SaleClosed, SaleRefunded, SaleVoided, StockAdjusted
from tillmesh.shop.settings import TerminalSettings
from tillmesh.till.desk import Desk, Identity
from tillmesh.till.ports import Books


class NoRights(Conflict):
    """This till may not sell so many of a hard-limited product; others may hold some."""

    kind = "no-rights"
    title = "No more to sell here"

    def __init__(self, detail: str, sku: str, here_milli: int, elsewhere: Mapping[str, int], *, hint: str) -> None:
        super().__init__(detail, hint=hint)
        self._members: dict[str, object] = {
            "sku": sku, "here": format_quantity(max(0, here_milli)),
            "elsewhere": [{"terminal_id": t, "quantity": format_quantity(q)} for t, q in elsewhere.items()],
        }  # fmt: skip

    def members(self) -> dict[str, object]:
        """Say how many this till may sell, and which others hold any."""
        return self._members


def bind(desk: Desk) -> None:
    """Let every event of a command that moves limited goods move rights of this till too, or refuse the command."""
    if not any(isinstance(body, escrow.Moving) for body in desk.bodies) or desk.books.terminal().training:
        return
    known, after = desk.books.ever_limited(), dict[str, int]()
    for place, body in enumerate(desk.bodies):
        moves = escrow.moved(body, lambda sku: sku in known or is_marked(desk.books, sku))
        if not moves or not _counts(desk, body):
            continue
        for sku, delta in moves:
            held = after.get(sku)
            own = desk.books.rights(sku).rights(desk.identity.actor) if held is None else held
            after[sku] = own + delta
            kept = charged(desk.books, sku, but=body.cart_id) if isinstance(body, SaleClosed) else 0
            if delta < 0 and after[sku] < kept:
                _refuse(desk, sku, own - kept)
        desk.bodies[place] = structs.replace(body, limited=tuple(sku for sku, _ in moves))


def is_marked(books: Books, sku: str) -> bool:
    """Say whether a product is hard-limited."""
    product = books.product(sku)
    return product is not None and product.hard_limited


def _counts(desk: Desk, body: object) -> bool:
    """Say whether an event moves rights: not if the same goods may have come back elsewhere as well.

    Only the till that sold them knows whether they came back before. Their rights are given out once all tills are
    heard (:func:`tillmesh.till.granting.unheld`). What the oversell resolver corrects was nobody's right to begin with.
    """
    match body:
        case SaleVoided() | SaleRefunded():
            return not body.sale_id or parse_event_id(body.sale_id)[0] == desk.identity.actor
        case StockAdjusted():
            return not any(isinstance(one, OversellResolved | OversellSettled) for one in desk.bodies)
        case _:
            return True


def _refuse(desk: Desk, sku: str, own_milli: int) -> None:
    product = desk.books.product(sku)
    if product is None or not product.hard_limited:
        return  # not marked any more: counted on, so that the sums are right if it is marked again
    others = elsewhere(desk.books, desk.identity, sku)
    name, here = product.name[:60], format_quantity(max(0, own_milli))
    if not others:
        raise NoRights(f"{name!r}: {here} left, and no other till holds any", sku, own_milli, others, hint="Sold out.")
    where = ", ".join(f"{till_name(desk.books, till)}: {format_quantity(held)}" for till, held in others.items())
    raise NoRights(
        f"{name!r}: this till may sell {here}; other tills hold {where}", sku, own_milli, others,
        hint="Ask the other till for some.",
    )  # fmt: skip


def require(desk: Desk, cart: Cart) -> None:
    """Refuse a cart of which this till may not sell all, before somebody is charged for it."""
    for product, _, here in lacking(desk.books, desk.identity, cart):
        _refuse(desk, product.sku, here)


def charged(books: Books, sku: str, *, but: str = "") -> int:
    """Give how much of a product lies in carts that a card is being charged for, or was: nobody else gets those."""
    carts = [books.cart(cart_id) for cart_id in books.carts_charged() if cart_id != but]
    lines = (line for found in carts if found is not None for line in found[0].lines)
    return sum(line.quantity_milli for line in lines if line.sku == sku and not line.loads)


def elsewhere(books: Books, identity: Identity, sku: str) -> dict[str, int]:
    """Give the other tills that hold rights, the richest first; a till's former incarnations count as others."""
    sums: dict[str, int] = {}
    for actor, held in books.rights(sku).holders().items():
        if actor != identity.actor and held > 0:
            sums[terminal_of(actor)] = sums.get(terminal_of(actor), 0) + held
    return dict(sorted(sums.items(), key=lambda one: (-one[1], one[0])))


def till_name(books: Books, terminal: str) -> str:
    """Name a till as its settings do; one that nobody named, by its id."""
    fields = books.fields("setting", terminal)
    return TerminalSettings.of(fields).name if fields else terminal


def lacking(books: Books, identity: Identity, cart: Cart) -> list[tuple[Product, int, int]]:
    """List the limited products of which a cart holds more than this till may sell: product, wanted, held here."""
    wanted: dict[str, int] = {}
    for line in cart.lines:
        if not line.loads:
            wanted[line.sku] = wanted.get(line.sku, 0) + line.quantity_milli
    found = []
    for sku, quantity in wanted.items():
        product = books.product(sku)
        if product is not None and product.hard_limited and not books.terminal().training:
            here = max(0, books.rights(sku).rights(identity.actor) - charged(books, sku, but=cart.cart_id))
            if here < quantity:
                found.append((product, quantity, here))
    return found
