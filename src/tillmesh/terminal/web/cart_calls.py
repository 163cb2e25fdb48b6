"""Working carts and parked ones."""

from __future__ import annotations

from typing import Any

import msgspec

from tillmesh.adapters.sqlite import listings
from tillmesh.adapters.sqlite.books import Books
from tillmesh.adapters.web.problems import problem
from tillmesh.kernel.codec import decode
from tillmesh.kernel.errors import Invalid, NotFound, TooLarge
from tillmesh.kernel.limits import SALE_LINES_MAX
from tillmesh.kernel.quantity import parse_quantity
from tillmesh.kernel.times import rfc3339
from tillmesh.shop.cart import Cart, PricedCart
from tillmesh.shop.events import CartParked, Payment, SaleClosed
from tillmesh.shop.tender import quote
from tillmesh.terminal.web.api import Call, Context
from tillmesh.terminal.web.rights_calls import lacking_of
from tillmesh.terminal.web.sale_calls import PaymentBody, payments_of, reserved, show_sale
from tillmesh.till import views
from tillmesh.till.carts import Edited
from tillmesh.till.commands import CartOperation, DiscardParked, EditCart, ParkCart, PayCart, ResumeCart, SplitCart
from tillmesh.till.offers import priced
from tillmesh.till.part_payments import paid_minor
from tillmesh.till.weighing import GONE, SCALE

OPS_MAX = 200


class OperationBody(msgspec.Struct):
    """One change of a cart; which fields count depends on ``op``."""

    op_id: str
    op: str
    line_id: str = ""
    sku: str = ""
    barcode: str = ""
    quantity: str | int = "1"
    line_total_minor: int | None = None
    unit_price_minor: int | None = None
    percent: str | int | None = None
    amount_minor: int | None = None
    reason: str = ""
    text: str = ""
    customer_id: str | None = None
    approval: str = ""
    age_checked: int = 0
    reading: int | None = None  # of the scale: its weight counts instead of the quantity, less tare_g
    tare_g: int = 0
    payment: PaymentBody | None = None  # a part that is paid before the rest


class OperationsBody(msgspec.Struct):
    """Changes of a cart, in order."""

    ops: list[OperationBody]


class PayBody(msgspec.Struct):
    """Tenders for a cart, and the total that the customer was shown: another one is not charged."""

    payments: list[PaymentBody]
    approval: str = ""
    total_minor: int | None = None


class ParkBody(msgspec.Struct):
    """How to call the parked cart."""

    label: str = ""


class SplitBody(msgspec.Struct):
    """What goes on a bill of its own: line id and how much of it, all of it when left out."""

    into: str
    lines: dict[str, str | int]


class NewCartBody(msgspec.Struct):
    """A new cart, with an id of the caller's choice or none."""

    cart_id: str = ""


def _operation(context: Context, body: OperationBody) -> CartOperation:
    """Read an operation; an approval that came along is redeemed and counts for it alone."""
    approval = context.services.sessions.redeem(body.approval, context.now_ms()) if body.approval else None
    weighed, gross_g = _weighed(context, body.reading)
    return CartOperation(
        op_id=body.op_id,
        op=body.op,
        line_id=body.line_id,
        sku=body.sku,
        barcode=body.barcode,
        quantity=body.quantity,
        line_total_minor=body.line_total_minor,
        unit_price_minor=body.unit_price_minor,
        percent="" if body.percent is None else str(body.percent),
        amount_minor=body.amount_minor or 0,
        reason=body.reason,
        text=body.text,
        customer_id=body.customer_id or "",
        approved_by="" if approval is None else approval.approved_by,
        approved_action="" if approval is None else approval.action,
        age_checked=body.age_checked,
        weighed=weighed,
        gross_g=gross_g,
        tare_g=body.tare_g,
        payment=None if body.payment is None else payments_of([body.payment])[0],
    )


def _weighed(context: Context, reading: int | None) -> tuple[str, int]:
    """Look a reading up where the scale is: what was on it is the till's word, not the page's."""
    if reading is None:
        return "", 0
    grams = context.services.extra["scale"].grams_of(reading)
    return (GONE, 0) if grams is None else (SCALE, grams)


async def _view(context: Context, edited: Edited) -> dict[str, Any]:
    rejected = [{"op_id": op_id, "problem": problem(error)} for op_id, error in edited.rejected]
    return await context.driver.look(
        lambda books: _shown(context, books, edited.cart, edited.revision, rejected, edited.sums)
    )


def _shown(
    context: Context,
    books: Books,
    cart: Cart,
    revision: int,
    rejected: list[dict[str, Any]] | None = None,
    sums: PricedCart | None = None,
) -> dict[str, Any]:
    """Show a cart, and of which limited goods it holds more than this till may sell."""
    driver = context.driver
    lacking = lacking_of(books, driver.identity, driver.company(), cart)
    return {**views.cart(books, cart, revision, rejected, sums), "lacking": lacking}


async def edit(context: Context, body: OperationsBody) -> Any:
    """Apply operations in order; a bad one is listed in ``rejected`` and stops none of the others."""
    if len(body.ops) > OPS_MAX:
        raise TooLarge(f"{len(body.ops)} operations; the limit is {OPS_MAX}", hint="Send them in parts.")
    operations = tuple(_operation(context, op) for op in body.ops)
    outcome = await context.do(EditCart(cart_id=context.path("cart_id"), operations=operations))
    assert isinstance(outcome.reply, Edited)
    cart_id, revision = context.path("cart_id"), outcome.reply.revision
    context.services.live.send("cart", {"cart_id": cart_id, "revision": revision})  # to other windows of this till
    return await _view(context, outcome.reply)


async def create(context: Context, body: NewCartBody) -> Any:
    """Start a working cart, under an id of the caller's choice or a new one."""
    cart_id = body.cart_id or listings.new_id()
    outcome = await context.do(EditCart(cart_id=cart_id, operations=()))
    assert isinstance(outcome.reply, Edited)
    return await _view(context, outcome.reply)


def _cart(books: Books, cart_id: str) -> tuple[Cart, int]:
    found = books.cart(cart_id)
    if found is None:
        raise NotFound(f"no cart {cart_id[:40]!r} on this till", hint="Add a product first.")
    return found


async def show(context: Context) -> Any:
    """Show a working cart with every amount as it would be charged now, and which of its products have a picture."""
    cart_id = context.path("cart_id")

    def query(books: Books) -> dict[str, Any]:
        cart, revision = _cart(books, cart_id)
        found = (books.product(line.sku) for line in cart.lines)
        images = {one.sku: one.image for one in found if one is not None and one.image}
        return {**_shown(context, books, cart, revision), "images": images}

    return await context.driver.look(query)


async def list_carts(context: Context) -> Any:
    """List the working carts of this till."""
    return {
        "carts": await context.driver.read(
            lambda db, books: [_shown(context, books, cart, revision) for cart, revision in listings.carts(db)]
        )
    }


def _named(payments: tuple[Payment, ...]) -> tuple[Payment, ...]:
    """Leave out what names a gift card: a quote asks only about amounts, and a code may look like anything."""
    return tuple(msgspec.structs.replace(one, reference="") if one.method == "gift_card" else one for one in payments)


async def quote_payment(context: Context, body: PayBody) -> Any:
    """Say what given tenders would leave to pay or to give back; nothing is recorded."""
    cart_id = context.path("cart_id")

    def query(books: Books) -> dict[str, Any]:
        cart, _ = _cart(books, cart_id)
        policy, total = books.store().policy(), priced(books, cart).total_minor
        return msgspec.to_builtins(quote(total, _named(payments_of(body.payments)), policy))  # type: ignore[no-any-return]

    return await context.driver.look(query)


async def pay(context: Context, body: PayBody) -> tuple[int, Any]:
    """Turn a working cart into a sale; paying it again shows the sale that is there."""
    payments = payments_of(body.payments)
    cart_id = context.path("cart_id")

    def open_cart(books: Books) -> Cart | None:
        found = books.cart(cart_id)
        return None if found is None else found[0]

    apart = not await reserved(context, cart_id, payments, open_cart)
    command = PayCart(cart_id=cart_id, payments=payments, total_minor=body.total_minor, apart=apart)
    outcome = await context.do(command, body.approval)
    return (201 if outcome.events else 200), await show_sale(context, str(outcome.reply))


async def split(context: Context, body: SplitBody) -> Any:
    """Put some lines, or parts of them, into a new cart and show that one; what is left stays in the cart."""
    if len(body.lines) > SALE_LINES_MAX:
        raise TooLarge(f"{len(body.lines)} lines; the limit is {SALE_LINES_MAX}", hint="Send fewer.")
    parts = tuple((line, parse_quantity(much)) for line, much in body.lines.items())
    outcome = await context.do(SplitCart(cart_id=context.path("cart_id"), into=body.into, parts=parts))
    assert isinstance(outcome.reply, Edited)
    return await _view(context, outcome.reply)


async def park(context: Context, body: ParkBody) -> Any:
    """Put a working cart aside for any till of the store."""
    outcome = await context.do(ParkCart(cart_id=context.path("cart_id"), label=body.label))
    return {"park_id": outcome.reply, "label": body.label}


def _paid(books: Books, cart_id: str) -> dict[str, Any] | None:
    """Name the sale of a cart that lies parked although it was paid: another till had it meanwhile."""
    sale = books.requested(cart_id)
    if sale is None:
        return None
    return {"sale_id": sale.id, "receipt_number": decode(sale.body, SaleClosed).receipt_number}


async def list_parked(context: Context) -> Any:
    """List the parked carts that nobody took up yet, oldest first."""

    def query(books: Books) -> dict[str, Any]:
        rows = []
        for dot, body, cart in listings.parked(books):
            rows.append(
                {
                    "park_id": dot,
                    "cart_id": body.cart_id,
                    "label": body.label,
                    "total_minor": priced(books, cart).total_minor,
                    "item_count": len(cart.lines),
                    "by": views.person(books, body.by),
                    "customer": views.customer(books, cart.customer_id),
                    "parked_at": rfc3339(body.parked_at_ms),
                    "paid": _paid(books, body.cart_id),
                    "parts_minor": paid_minor(cart),
                }
            )
        return {"parked": rows}

    return await context.driver.look(query)


async def resume(context: Context) -> Any:
    """Take a parked cart up on this till."""
    park_id = context.path("park_id")
    outcome = await context.do(ResumeCart(park_id=park_id))
    if isinstance(outcome.reply, Edited):
        return await _view(context, outcome.reply)
    # Asked again under its name, as the answer was lost: the cart as it is now.
    return await context.driver.look(lambda books: _shown(context, books, *_cart(books, _parked_cart(books, park_id))))


def _parked_cart(books: Books, park_id: str) -> str:
    found = books.parked(park_id)
    assert found is not None, "what was taken up was parked"
    assert found.event is not None, "what was taken up has its event"
    return decode(found.event.body, CartParked).cart_id


async def discard(context: Context) -> None:
    """Throw a parked cart away."""
    approval = context.query("approval")
    if len(approval) > 100:
        raise Invalid("the approval is too long")
    given_back = context.query("given_back") in {"1", "true"}
    await context.do(DiscardParked(park_id=context.path("park_id"), given_back=given_back), approval)


CALLS = [
    Call("POST", "/carts", create, "Start a cart", NewCartBody, status=201),
    Call("GET", "/carts", list_carts, "List working carts"),
    Call("GET", "/carts/{cart_id}", show, "Show a cart"),
    Call("POST", "/carts/{cart_id}/ops", edit, "Change a cart", OperationsBody),
    Call("POST", "/carts/{cart_id}/quote", quote_payment, "Quote a payment", PayBody),
    Call("POST", "/carts/{cart_id}/pay", pay, "Pay a cart", PayBody, status=201),
    Call("POST", "/carts/{cart_id}/split", split, "Split a bill", SplitBody),
    Call("POST", "/carts/{cart_id}/park", park, "Park a cart", ParkBody),
    Call("GET", "/parked", list_parked, "List parked carts"),
    Call("POST", "/parked/{park_id}/resume", resume, "Take up a parked cart"),
    Call(
        "DELETE", "/parked/{park_id}", discard, "Throw a parked cart away", status=204, query=("approval", "given_back")
    ),
]
