"""How a total is paid: split over tenders, change only from cash, cash rounded to the coins that exist.

The rule, once: what cards leave is the cash part; it is rounded to ``cash_step_minor``, the difference is an amount
of its own (``rounding_minor``), and only cash beyond it comes back as change. So always
``sum(payments) - change = total + rounding``.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import msgspec

from tillmesh.kernel.errors import Conflict, Invalid
from tillmesh.kernel.limits import CHANGE_NOTES_MAX, KEY_CHARS_MAX, SALE_PAYMENTS_MAX
from tillmesh.kernel.money import check_amount, exponent, format_decimal
from tillmesh.shop.cardnumbers import refuse_card_number
from tillmesh.shop.cart import Policy
from tillmesh.shop.denominations import largest_note_minor, quick_cash
from tillmesh.shop.events import Payment
from tillmesh.shop.rounding import divider

CASH: Final = "cash"
CARD: Final = "card"
METHODS: Final = (CASH, CARD, "gift_card", "account", "points")


class Settlement(msgspec.Struct, frozen=True, kw_only=True):
    """A total that is paid: the payments as handed over, what rounding added or took, the change to give."""

    payments: tuple[Payment, ...]
    rounding_minor: int
    change_minor: int


class Quote(msgspec.Struct, frozen=True, kw_only=True):
    """Where a payment in progress stands. ``remaining`` is left for a card, ``cash_remaining`` for cash."""

    total_minor: int
    rounding_minor: int
    paid_minor: int
    remaining_minor: int
    cash_remaining_minor: int
    change_minor: int
    complete: bool
    quick_cash: tuple[int, ...]


def settle(total_minor: int, payments: Sequence[Payment], policy: Policy) -> Settlement:
    """Accept payments that cover the total, or raise :class:`Invalid` or :class:`Conflict` saying what is wrong."""
    now = quote(total_minor, payments, policy)
    if not now.complete:
        raise Conflict(
            f"{amount_text(now.remaining_minor, policy.currency)} of "
            f"{amount_text(total_minor, policy.currency)} is missing{_in_cash(now, policy)}",
            hint="Take another payment for what is missing.",
        )
    return Settlement(payments=tuple(payments), rounding_minor=now.rounding_minor, change_minor=now.change_minor)


def quote(total_minor: int, payments: Sequence[Payment], policy: Policy) -> Quote:
    """Say what is left to pay after some payments, and the change once they are enough."""
    check_payments(payments)
    in_cash = [payment.amount_minor for payment in payments if payment.method == CASH]
    cash, paid = sum(in_cash), sum(payment.amount_minor for payment in payments)
    due = total_minor - (paid - cash)
    if due < 0:
        raise Conflict(
            f"cards pay {amount_text(paid - cash, policy.currency)}, "
            f"but only {amount_text(total_minor, policy.currency)} is to pay",
            hint="Only cash can be more than what is left; lower the card amount.",
        )
    cash_due = cash_amount(due, policy)
    # Nothing is rounded unless cash is really used: a last cent is owed by card, but forgiven in cash.
    complete = cash >= cash_due if in_cash else due == 0
    if complete:
        refuse_empty(payments, total_minor, due, cash_due)
        _refuse_absurd(cash, cash_due, policy)
    cash_remaining = 0 if complete else max(0, cash_due - cash)
    return Quote(
        total_minor=total_minor,
        rounding_minor=cash_due - due if in_cash else 0,
        paid_minor=paid,
        remaining_minor=0 if complete else max(0, due - cash),
        cash_remaining_minor=cash_remaining,
        change_minor=cash - cash_due if complete else 0,
        complete=complete,
        quick_cash=() if complete else quick_cash(cash_remaining, policy.currency),
    )


def cash_amount(amount_minor: int, policy: Policy) -> int:
    """Round an amount that is not negative to what can be paid in coins."""
    step = policy.cash_step_minor
    return amount_minor if step <= 1 else divider(policy.cash_rounding)(amount_minor, step) * step


def check_payments(payments: Sequence[Payment]) -> None:
    """Raise :class:`Invalid` for payments that no total could make right: methods, amounts, card numbers."""
    if len(payments) > SALE_PAYMENTS_MAX:
        raise Invalid(f"{len(payments)} payments; the limit is {SALE_PAYMENTS_MAX}", hint="Use fewer payments.")
    for payment in payments:
        if payment.method not in METHODS:
            raise Invalid(
                f"{payment.method[:40]!r} is not a way to pay",
                hint=f"Allowed are {', '.join(METHODS)}.",
            )
        check_amount(payment.amount_minor, f"the {payment.method} payment")
        _check_texts(payment)


def amount_text(amount_minor: int, currency: str) -> str:
    """Write an amount for a message: "12.50 EUR"."""
    return f"{format_decimal(amount_minor, exponent(currency))} {currency}"


def _check_texts(payment: Payment) -> None:
    """Keep card numbers out, wherever they were typed."""
    refuse_card_number(payment.reference, "the payment's reference")
    refuse_card_number(payment.last_four, "the payment's last four digits")
    if len(payment.reference) > KEY_CHARS_MAX:
        raise Invalid(f"a payment reference of {len(payment.reference)} characters", hint=f"At most {KEY_CHARS_MAX}.")
    four = payment.last_four
    if four and not (len(four) == 4 and four.isascii() and four.isdigit()):
        raise Invalid("the last four digits of a card are exactly four digits", hint="Leave them out if unknown.")


def refuse_empty(payments: Sequence[Payment], total_minor: int, due_minor: int, cash_due_minor: int) -> None:
    """Refuse payments of zero, unless the sale is free or cash rounds what is left of it down to nothing."""
    if total_minor == 0:
        return
    forgiven = due_minor > 0 and cash_due_minor == 0
    for payment in payments:
        if payment.amount_minor == 0 and not (forgiven and payment.method == CASH):
            raise Invalid(f"a {payment.method} payment of zero", hint="Leave it out.")


def _refuse_absurd(cash_minor: int, due_minor: int, policy: Policy) -> None:
    """Refuse cash so far above what is due that it was mistyped: nobody is given back that many large notes."""
    change, most = cash_minor - due_minor, CHANGE_NOTES_MAX * largest_note_minor(policy.currency)
    if change > most:
        raise Invalid(
            f"{amount_text(cash_minor, policy.currency)} in cash for {amount_text(due_minor, policy.currency)} would "
            f"give {amount_text(change, policy.currency)} back; the limit for change is "
            f"{amount_text(most, policy.currency)}",
            hint="Type the amount that was handed over again.",
        )


def _in_cash(now: Quote, policy: Policy) -> str:
    """Mention the cash amount where it differs from the card amount."""
    if now.cash_remaining_minor == now.remaining_minor:
        return ""
    return f" ({amount_text(now.cash_remaining_minor, policy.currency)} in cash)"
