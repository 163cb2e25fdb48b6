"""To which tender the money of a refund or a void goes.

First back to the cards that paid, each up to what it paid and in their order; the rest in cash, rounded to the coins
that exist. So always ``sum(payments) = total + rounding``.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from tillmesh.kernel.errors import Conflict
from tillmesh.shop.cart import Policy
from tillmesh.shop.events import Payment, PurseMove, SaleClosed, SaleRefunded, StockMove, TaxTotal
from tillmesh.shop.refund import Answer, refuse_voided
from tillmesh.shop.tender import CARD, CASH, amount_text, cash_amount, check_payments, refuse_empty


class GiveBack(msgspec.Struct, frozen=True, kw_only=True):
    """What is handed or sent back, and what cash rounding added or took."""

    payments: tuple[Payment, ...]
    rounding_minor: int
    purses: tuple[PurseMove, ...] = ()


class Undone(msgspec.Struct, frozen=True, kw_only=True):
    """Everything of a sale taken back; the fields mean the same as in SaleVoided."""

    payments: tuple[Payment, ...]
    total_minor: int
    tax_minor: int
    rounding_minor: int
    taxes: tuple[TaxTotal, ...]
    moves: tuple[StockMove, ...]


def tenders(
    sale: SaleClosed, answers: Sequence[Answer], total_minor: int, policy: Policy, chosen: Sequence[Payment] = ()
) -> GiveBack:
    """Split a refund over the tenders: as chosen, if the amounts are right, else back to the original ones.

    Raises :class:`Conflict` when more is sent to cards than they paid, or when the chosen amounts do not fit.
    """
    paid_by_card = _left_on_cards(sale, answers)
    if chosen:
        return _as_chosen(total_minor, chosen, policy, sum(payment.amount_minor for payment in paid_by_card))
    payments, rest = [], total_minor
    for payment in paid_by_card:
        part = min(payment.amount_minor, rest)
        if part:
            payments.append(msgspec.structs.replace(payment, amount_minor=part))
            rest -= part
    return _with_cash(payments, rest, policy)


def tenders_without_receipt(total_minor: int, policy: Policy, chosen: Sequence[Payment] = ()) -> GiveBack:
    """Split a return that no known sale explains: as chosen, else all in cash."""
    if chosen:
        return _as_chosen(total_minor, chosen, policy, total_minor)
    return _with_cash([], total_minor, policy)


def undo(sale: SaleClosed, answers: Sequence[Answer]) -> Undone:
    """Take a whole sale back, or raise :class:`Conflict` if something of it came back before."""
    refuse_voided(sale, answers)
    if answers:
        raise Conflict(
            f"part of receipt {sale.receipt_number} was refunded already", hint="Refund the rest instead of voiding."
        )
    cash = sum(payment.amount_minor for payment in sale.payments if payment.method == CASH) - sale.change_minor
    payments = [payment for payment in sale.payments if payment.method != CASH]
    if cash:
        payments.append(Payment(method=CASH, amount_minor=cash))
    return Undone(
        payments=tuple(payments),
        total_minor=sale.total_minor,
        tax_minor=sale.tax_minor,
        rounding_minor=sale.rounding_minor,
        taxes=sale.taxes,
        moves=tuple(
            StockMove(sku=line.sku, quantity_milli=line.quantity_milli) for line in sale.lines if not line.loads
        ),
    )


def _left_on_cards(sale: SaleClosed, answers: Sequence[Answer]) -> list[Payment]:
    """Give the card payments less what refunds sent back already, oldest first."""
    returned = sum(
        payment.amount_minor
        for answer in answers
        if isinstance(answer, SaleRefunded)
        for payment in answer.payments
        if payment.method != CASH
    )
    left = []
    for payment in sale.payments:
        if payment.method == CASH:
            continue
        used = min(returned, payment.amount_minor)
        returned -= used
        if used < payment.amount_minor:
            left.append(msgspec.structs.replace(payment, amount_minor=payment.amount_minor - used))
    return left


def _as_chosen(total_minor: int, chosen: Sequence[Payment], policy: Policy, by_card_max: int) -> GiveBack:
    check_payments(chosen)
    if any(payment.method not in {CASH, CARD} for payment in chosen):
        raise Conflict(
            "gift cards, accounts and points get their own money back", hint="Leave the payments out of the request."
        )
    by_card = sum(payment.amount_minor for payment in chosen if payment.method != CASH)
    in_cash = sum(payment.amount_minor for payment in chosen if payment.method == CASH)
    if by_card > by_card_max:
        raise Conflict(
            f"{amount_text(by_card, policy.currency)} would go to cards; "
            f"at most {amount_text(by_card_max, policy.currency)} can",
            hint="Give the rest back in cash.",
        )
    rest = max(0, total_minor - by_card)
    due = cash_amount(rest, policy)
    if by_card > total_minor or in_cash != due:
        raise Conflict(
            f"of {amount_text(total_minor, policy.currency)}, {amount_text(by_card, policy.currency)} by card "
            f"leaves {amount_text(due, policy.currency)} in cash, not {amount_text(in_cash, policy.currency)}",
            hint="Correct the amounts, or leave the payments out to use the original ones.",
        )
    refuse_empty(chosen, total_minor, rest, due)
    return GiveBack(payments=tuple(chosen), rounding_minor=by_card + in_cash - total_minor)


def _with_cash(payments: list[Payment], rest_minor: int, policy: Policy) -> GiveBack:
    cash = cash_amount(rest_minor, policy)
    if cash:
        payments.append(Payment(method=CASH, amount_minor=cash))
    return GiveBack(payments=tuple(payments), rounding_minor=cash - rest_minor)
