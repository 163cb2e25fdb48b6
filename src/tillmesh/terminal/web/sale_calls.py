"""Sales, refunds and voids."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
from msgspec import structs

from tillmesh.adapters.sqlite import listings
from tillmesh.adapters.sqlite.books import Books
from tillmesh.kernel.errors import NotFound
from tillmesh.kernel.limits import PAGE_ROWS_MAX
from tillmesh.kernel.quantity import parse_quantity
from tillmesh.kernel.times import parse_rfc3339
from tillmesh.shop.cart import Cart
from tillmesh.shop.events import Payment, PurseMove
from tillmesh.shop.purses import PURSES
from tillmesh.shop.refund import RefundQuote
from tillmesh.terminal.web.api import Call, Context
from tillmesh.till import views
from tillmesh.till.checkout import wanted_cart
from tillmesh.till.commands import (
    CloseSale,
    RefundSale,
    RefundWithoutReceipt,
    Reprint,
    VoidSale,
    WantedLine,
    WantedRefund,
)
from tillmesh.till.purses import PIN_MARK, takings_of
from tillmesh.till.refunds import quote_refund, quote_tenders
from tillmesh.till.turns import Turn, limited, turns_of


class LineBody(msgspec.Struct):
    """A line of a new sale."""

    quantity: str | int
    sku: str = ""
    barcode: str = ""
    unit_price_minor: int | None = None
    discount_minor: int = 0
    note: str = ""


class PaymentBody(msgspec.Struct):
    """A tender."""

    method: str
    amount_minor: int
    reference: str = ""  # of a gift card: its code
    last_four: str = ""
    pin: str = ""  # of a gift card that has one
    card_payment: str = ""  # what the card terminal took, by its id


class SaleBody(msgspec.Struct):
    """A sale in one call."""

    cart_id: str
    lines: list[LineBody]
    payments: list[PaymentBody]
    customer_id: str | None = None
    note: str = ""
    approval: str = ""
    coupons: list[str] = []


class VoidBody(msgspec.Struct):
    """Why a sale is voided."""

    reason: str
    approval: str = ""


class RefundLineBody(msgspec.Struct):
    """What comes back: a line of the sale by number or by sku."""

    quantity: str | int
    line: int = -1
    sku: str = ""
    restock: bool = True
    unit_price_minor: int | None = None


class RefundBody(msgspec.Struct):
    """A refund of a known sale."""

    lines: list[RefundLineBody]
    reason: str
    payments: list[PaymentBody] = []
    refund_key: str = ""
    approval: str = ""


class RefundQuoteBody(msgspec.Struct):
    """Which lines a refund would be for."""

    lines: list[RefundLineBody]


class ReturnBody(msgspec.Struct):
    """A return without receipt."""

    lines: list[RefundLineBody]
    reason: str
    payments: list[PaymentBody] = []
    refund_key: str = ""
    customer_id: str = ""
    approval: str = ""


class PrintBody(msgspec.Struct):
    """A reprint."""

    copy: bool = True
    approval: str = ""


def payments_of(bodies: list[PaymentBody]) -> tuple[Payment, ...]:
    """Turn tenders as sent into tenders as stored."""
    return tuple(
        Payment(
            method=one.method,
            amount_minor=one.amount_minor,
            reference=f"{one.reference}{PIN_MARK}{one.pin}" if one.pin else one.reference,
            last_four=one.last_four,
            card_payment=one.card_payment,
        )
        for one in bodies
    )


def _refunds_of(bodies: list[RefundLineBody]) -> tuple[WantedRefund, ...]:
    return tuple(
        WantedRefund(
            quantity_milli=parse_quantity(one.quantity),
            line=one.line,
            sku=one.sku,
            restock=one.restock,
            unit_price_minor=one.unit_price_minor,
        )
        for one in bodies
    )


async def show_sale(context: Context, sale_id: str) -> dict[str, Any]:
    """Read a sale as it stands now."""

    def query(books: Books) -> dict[str, Any]:
        event = books.event(sale_id)
        if event is None or event.type != "sale_closed":
            raise NotFound(f"no sale {sale_id[:60]!r}", hint="Look it up in the list of sales.")
        return views.sale(books, event, context.replication(event))

    return await context.driver.look(query)


async def reserved(
    context: Context, cart_id: str, payments: tuple[Payment, ...], cart_of: Callable[[Books], Cart | None]
) -> bool:
    """Ask the tills that keep what a cart takes: the purses of its payments, the last use of a coupon, a new card.

    True if all that were asked about purses answered, or nobody is to be asked. ``cart_of`` gives None for a cart that
    takes nothing: it is gone, or was paid before.
    """
    holds = context.services.extra.get("purse_holds")
    alone = not context.driver.company().others  # who writes one sale after the other has no use twice
    if holds is None or (alone and not any(one.method in PURSES for one in payments)):
        return True

    def query(books: Books) -> tuple[list[PurseMove], list[Turn]]:
        if (cart := cart_of(books)) is None:
            return [], []
        taken = takings_of(books, context.driver.identity.store, cart.customer_id, payments)
        return taken, turns_of(books, cart)

    return bool(await holds.ask(cart_id, *await context.driver.look(query)))


async def close_sale(context: Context, body: SaleBody) -> tuple[int, Any]:
    """Close a sale in one call; the same cart id again shows the sale that is there."""
    payments, customer_id = payments_of(body.payments), body.customer_id or ""
    command = CloseSale(
        cart_id=body.cart_id,
        lines=tuple(
            WantedLine(
                quantity_milli=parse_quantity(line.quantity),
                sku=line.sku,
                barcode=line.barcode,
                unit_price_minor=line.unit_price_minor,
                discount_minor=line.discount_minor,
                note=line.note,
            )
            for line in body.lines
        ),
        payments=payments,
        customer_id=customer_id,
        note=body.note,
        coupons=tuple(body.coupons),
    )

    def cart(books: Books) -> Cart | None:
        if books.requested(body.cart_id) is not None:
            return None
        if not limited(books):  # then who it is for is all that matters
            return Cart(cart_id=body.cart_id, customer_id=customer_id)
        return wanted_cart(books, command, context.now_ms())

    apart = not await reserved(context, body.cart_id, payments, cart)
    outcome = await context.do(structs.replace(command, apart=apart), body.approval)
    return (201 if outcome.events else 200), await show_sale(context, str(outcome.reply))


async def get_sale(context: Context) -> Any:
    """Show a sale as it stands now."""
    return await show_sale(context, context.path("sale_id"))


async def list_sales(context: Context) -> Any:
    """List sales, newest first, or oldest first from a time on."""
    limit = context.limit(50, PAGE_ROWS_MAX)
    since = context.query("since")
    wanted = listings.SaleFilter(
        since_ms=parse_rfc3339(since, "since") if since else None,
        text=context.query("q")[:100],
        receipt=context.query("receipt")[:100],
        customer_id=context.query("customer_id")[:100],
        limit=limit,
    )

    def query(books: Books) -> dict[str, Any]:
        found = listings.sales(books, wanted)
        return {"sales": [views.sale(books, event, context.replication(event)) for event in found]}

    return await context.driver.look(query)


async def _show_answer(context: Context, event_id: str) -> dict[str, Any]:
    def query(books: Books) -> dict[str, Any]:
        event = books.event(event_id)
        if event is None or event.type not in {"sale_refunded", "sale_voided"}:
            raise NotFound(f"no refund {event_id[:60]!r}", hint="Look it up in its sale.")
        return views.answer(books, event) | context.replication(event)

    return await context.driver.look(query)


async def _keep(context: Context) -> str:
    """Keep a sale for this till while something of it goes back: of two tills in touch one does so at a time."""
    sale_id = context.path("sale_id")
    if (holds := context.services.extra.get("purse_holds")) is not None:
        await holds.keep_sale(sale_id)
    return sale_id


async def void_sale(context: Context, body: VoidBody) -> tuple[int, Any]:
    """Take a sale back whole."""
    sale_id = await _keep(context)
    outcome = await context.do(VoidSale(sale_id=sale_id, reason=body.reason), body.approval)
    return (201 if outcome.events else 200), await _show_answer(context, str(outcome.reply))


async def refund_sale(context: Context, body: RefundBody) -> tuple[int, Any]:
    """Give money back for part of a sale."""
    command = RefundSale(
        sale_id=await _keep(context),
        lines=_refunds_of(body.lines),
        reason=body.reason,
        payments=payments_of(body.payments),
        refund_key=body.refund_key,
    )
    outcome = await context.do(command, body.approval)
    return (201 if outcome.events else 200), await _show_answer(context, str(outcome.reply))


async def quote(context: Context, body: RefundQuoteBody) -> Any:
    """Say what a refund would come to; nothing is recorded."""
    sale_id, lines = context.path("sale_id"), _refunds_of(body.lines)

    def query(books: Books) -> tuple[RefundQuote, tuple[Payment, ...]]:
        found = quote_refund(books, sale_id, lines)
        return found, quote_tenders(books, sale_id, found.total_minor)

    worth, back = await context.driver.look(query)
    return {
        "payments": [views.payment(one) for one in back],
        "total_minor": worth.total_minor,
        "tax_minor": worth.tax_minor,
        "lines": [
            {"line": line.line, "sku": line.sku, "total_minor": line.total_minor, "tax_minor": line.tax_minor}
            for line in worth.lines
        ],
    }


async def refund_without_receipt(context: Context, body: ReturnBody) -> tuple[int, Any]:
    """Take goods back that no known sale explains."""
    command = RefundWithoutReceipt(
        lines=_refunds_of(body.lines),
        reason=body.reason,
        payments=payments_of(body.payments),
        refund_key=body.refund_key,
        customer_id=body.customer_id,
    )
    outcome = await context.do(command, body.approval)
    return (201 if outcome.events else 200), await _show_answer(context, str(outcome.reply))


async def get_refund(context: Context) -> Any:
    """Show a refund or a void."""
    return await _show_answer(context, context.path("refund_id"))


async def print_sale(context: Context, body: PrintBody) -> tuple[int, Any]:
    """Print a copy of a receipt or slip."""
    await context.do(Reprint(event=context.path("event_id")), body.approval)
    return 202, {"queued": True}


CALLS = [
    Call("POST", "/sales", close_sale, "Close a sale", SaleBody, status=201),
    Call("GET", "/sales", list_sales, "List sales", query=("since", "q", "receipt", "customer_id", "limit")),
    Call("GET", "/sales/{sale_id}", get_sale, "Show a sale"),
    Call("POST", "/sales/{sale_id}/void", void_sale, "Void a sale", VoidBody, status=201),
    Call("POST", "/sales/{sale_id}/refunds", refund_sale, "Refund part of a sale", RefundBody, status=201),
    Call("POST", "/sales/{sale_id}/refunds/quote", quote, "Quote a refund", RefundQuoteBody),
    Call("POST", "/sales/{event_id}/print", print_sale, "Print a copy of a receipt", PrintBody, status=202),
    Call("POST", "/refunds", refund_without_receipt, "Take goods back without a receipt", ReturnBody, status=201),
    Call("GET", "/refunds/{refund_id}", get_refund, "Show a refund or void"),
    Call("POST", "/refunds/{event_id}/print", print_sale, "Print a copy of a refund slip", PrintBody, status=202),
]
