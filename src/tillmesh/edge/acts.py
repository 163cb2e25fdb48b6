"""What a person did at a till, as the fraud score sees it: a sale, a refund, a void, or the drawer opened by hand.

Made from the stored events and from nothing else, so training and serving can't differ. What leaves no event (a line
taken out of a cart before it was paid, goods that were never scanned) is not seen here.
"""

from __future__ import annotations

from typing import Final

import msgspec

from tillmesh.kernel.money import PPM
from tillmesh.shop.events import Audited, Payment, SaleClosed, SaleLine, SaleRefunded, SaleVoided

SALE: Final = "sale"
REFUND: Final = "refund"
VOID: Final = "void"
DRAWER: Final = "drawer"
DRAWER_OPENED: Final = "drawer_opened"  # the audit entry's action
_CASH: Final = "cash"
GIFT_CARD: Final = "gift_card"
_ONE: Final = 1000


class Act(msgspec.Struct, frozen=True, kw_only=True):
    """One act. Amounts are minor units and never negative; ``since_sale_ms`` is -1 where no sale is known."""

    kind: str
    cashier: str
    at_ms: int
    hour: int  # on the shop's wall clock, 0 to 23
    total_minor: int = 0
    list_minor: int = 0  # what the lines cost by the catalogue
    given_minor: int = 0  # discounts and lower prices together
    cheaper_minor: int = 0  # lower prices alone
    deepest_ppm: int = 0  # of what one line's list price was let off
    lines: int = 0
    cash_minor: int = 0
    gift_minor: int = 0
    since_sale_ms: int = -1  # of a refund or void
    has_receipt: bool = True
    own_sale: bool = False  # the cashier answers a sale that he or she made
    kept_minor: int = 0  # of a refund: paid back for goods that were not put on the shelf again
    ties: tuple[str, ...] = ()  # customer and gift cards: who got something


def act_of(body: object, at_ms: int, hour: int, sale: SaleClosed | None = None) -> Act | None:
    """Read an event as an act, or give None; ``sale`` is what a refund or void answers, if it is known."""
    match body:
        case SaleClosed():
            return _sale(body, at_ms, hour)
        case SaleRefunded():
            return _refund(body, at_ms, hour, sale)
        case SaleVoided():
            return _void(body, at_ms, hour, sale)
        case Audited(action=action) if action == DRAWER_OPENED:
            return Act(kind=DRAWER, cashier=body.by, at_ms=at_ms, hour=hour)
        case _:
            return None


def _sale(body: SaleClosed, at_ms: int, hour: int) -> Act:
    lists = [abs(line.list_price_minor * line.quantity_milli) // _ONE for line in body.lines]
    cheaper = [_cheaper(line) for line in body.lines]
    off = [line.discount_minor + line.cart_discount_minor for line in body.lines]
    shares = [
        min(PPM, (low + less) * PPM // listed)
        for low, less, listed in zip(cheaper, off, lists, strict=True)
        if listed > 0 and low + less > 0
    ]
    cash, gift = _paid(body.payments)
    return Act(
        kind=SALE,
        cashier=body.cashier,
        at_ms=at_ms,
        hour=hour,
        total_minor=max(0, body.total_minor),
        list_minor=sum(lists),
        given_minor=max(0, sum(cheaper) + sum(off)),
        cheaper_minor=sum(cheaper),
        deepest_ppm=max(shares, default=0),
        lines=len(body.lines),
        cash_minor=max(0, cash - body.change_minor),
        gift_minor=gift,
        ties=_ties(body.customer_id, body.payments),
    )


def _cheaper(line: SaleLine) -> int:
    return max(0, (line.list_price_minor - line.unit_price_minor) * line.quantity_milli) // _ONE


def _refund(body: SaleRefunded, at_ms: int, hour: int, sale: SaleClosed | None) -> Act:
    cash, gift = _paid(body.payments)
    return Act(
        kind=REFUND,
        cashier=body.by,
        at_ms=at_ms,
        hour=hour,
        total_minor=max(0, body.total_minor),
        lines=len(body.lines),
        cash_minor=cash,
        gift_minor=gift,
        since_sale_ms=_since(sale, at_ms),
        has_receipt=bool(body.sale_id),
        own_sale=sale is not None and sale.cashier == body.by,
        kept_minor=sum(max(0, line.total_minor) for line in body.lines if not line.restock),
        ties=_ties(body.customer_id, body.payments),
    )


def _void(body: SaleVoided, at_ms: int, hour: int, sale: SaleClosed | None) -> Act:
    cash, gift = _paid(body.payments)
    return Act(
        kind=VOID,
        cashier=body.by,
        at_ms=at_ms,
        hour=hour,
        total_minor=max(0, body.total_minor),
        lines=len(body.moves),
        cash_minor=cash,
        gift_minor=gift,
        since_sale_ms=_since(sale, at_ms),
        own_sale=sale is not None and sale.cashier == body.by,
        ties=_ties("" if sale is None else sale.customer_id, body.payments),
    )


def _since(sale: SaleClosed | None, at_ms: int) -> int:
    return -1 if sale is None else max(0, at_ms - sale.closed_at_ms)


def _paid(payments: tuple[Payment, ...]) -> tuple[int, int]:
    cash = sum(abs(one.amount_minor) for one in payments if one.method == _CASH)
    gift = sum(abs(one.amount_minor) for one in payments if one.method == GIFT_CARD)
    return cash, gift


def _ties(customer_id: str, payments: tuple[Payment, ...]) -> tuple[str, ...]:
    cards = [f"card:{one.reference}" for one in payments if one.method == GIFT_CARD and one.reference]
    return tuple(([f"customer:{customer_id}"] if customer_id else []) + cards)
