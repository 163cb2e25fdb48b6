"""Charging cards by a terminal: what may be asked of it, what it said, and the sale that takes what it approved.

Everything here is decided in the writer's transaction. Talking to the terminal is the card desk's, after the commit.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Protocol

from msgspec import structs

from tillmesh.kernel.errors import Conflict, Invalid, NotFound, TillmeshError
from tillmesh.kernel.money import check_amount
from tillmesh.shop.card_payment import (
    PAID,
    PAYMENT,
    REFUND,
    CardAnswer,
    CardPayment,
    after,
    after_restart,
    sent,
    settle,
    used,
)
from tillmesh.shop.cart import Cart
from tillmesh.shop.events import Payment
from tillmesh.shop.people import Action
from tillmesh.shop.tender import CARD, amount_text
from tillmesh.till.commands import AskCard, CardHeard, CardSent, CardSettled, CardStarted, ReverseCard
from tillmesh.till.desk import Desk, checked_key, checked_text
from tillmesh.till.effects import SaveCardPayment
from tillmesh.till.escrow import require as require_rights
from tillmesh.till.offers import priced


class TerminalSilent(TillmeshError):
    """The card terminal did not answer, or its answer was lost: whether the customer paid is not known."""

    status = 503
    kind = "card-terminal-silent"
    title = "The card terminal does not answer"


class CardTerminal(Protocol):
    """A card terminal. Every call may block; each raises :class:`TerminalSilent` when no answer comes."""

    def pay(self, payment: CardPayment) -> CardAnswer:
        """Ask the customer for a card, and wait for the end of it."""

    def status(self, payment: CardPayment) -> CardAnswer:
        """Say what became of a payment or refund that was sent before."""

    def cancel(self, payment: CardPayment) -> None:
        """Take a payment off the terminal's screen, if it is not too late; how it ended is asked for."""

    def refund(self, payment: CardPayment) -> CardAnswer:
        """Give money back by the token of the payment that took it."""

    def close(self) -> None:
        """End whatever waits."""


CardCommand = AskCard | CardSent | CardHeard | CardStarted | CardSettled | ReverseCard


def decide(desk: Desk, command: CardCommand) -> CardPayment:
    """Send a command about a card payment to its use case; the answer is the payment as it stands then."""
    match command:
        case AskCard():
            return ask(desk, command)
        case CardSent():
            return _save(desk, sent(find(desk, command.payment_id)))
        case CardHeard():
            return _save(desk, after(find(desk, command.payment_id), command.answer))
        case CardStarted():
            return _save(desk, after_restart(find(desk, command.payment_id)))
        case CardSettled():
            return settled(desk, command)
        case ReverseCard():
            return reverse(desk, command)


def find(desk: Desk, payment_id: str) -> CardPayment:
    """Find a payment, or raise :class:`NotFound`."""
    found = desk.books.card_payment(payment_id)
    if found is None:
        raise NotFound(f"no card payment {payment_id[:40]!r} on this till", hint="Reload the page.")
    return found


def ask(desk: Desk, command: AskCard) -> CardPayment:
    """Store what will be asked of the terminal; the same id again is the same payment, in whatever state it is.

    Nothing new is asked while the end of something older is not known: the customer may have paid.
    """
    payment_id = checked_key(command.payment_id, "payment_id")
    if (before := desk.books.card_payment(payment_id)) is not None:
        if (before.cart_id, before.amount_minor) != (command.cart_id, command.amount_minor):
            raise Conflict("this payment_id belongs to another payment", hint="Make up a new id for each payment.")
        return before
    desk.shift()
    cart = _open_cart(desk, command.cart_id)
    require_rights(desk, cart)
    if waiting := [one for one in desk.books.card_payments_open() if one.kind == PAYMENT]:
        raise Conflict(
            f"the card terminal has not said how {_amount(waiting[0])} ended",
            hint="Wait for its answer, or ask a supervisor to look at the terminal.",
        )
    taken = sum(one.amount_minor for one in _free_of(desk, cart.cart_id))
    most = priced(desk.books, cart).total_minor - taken
    check_amount(command.amount_minor, "the card amount", least=1)
    if command.amount_minor > most:
        shown = amount_text(max(0, most), desk.policy().currency)
        raise Conflict(f"only {shown} is left to pay by card", hint="Lower the amount.")
    payment = CardPayment(
        payment_id=payment_id,
        kind=PAYMENT,
        cart_id=cart.cart_id,
        amount_minor=command.amount_minor,
        currency=desk.policy().currency,
        by=desk.who.user_id,
        asked_at_ms=desk.now_ms,
    )
    return _save(desk, payment)


def settled(desk: Desk, command: CardSettled) -> CardPayment:
    """Take a supervisor's word for how a payment ended that the terminal says nothing about."""
    payment = find(desk, command.payment_id)
    if not payment.is_open:
        return payment
    approved_by = desk.require(Action.SETTLE_CARD)
    code = checked_text(command.approval_code, "the approval code", most=24)
    now = settle(payment, paid=command.paid, by=approved_by or desk.who.user_id, approval_code=code)
    detail = f"{_amount(payment)}: paid" if command.paid else f"{_amount(payment)}: not paid"
    desk.audit("card_settled", payment.payment_id, detail, approved_by)
    return _save(desk, now)


def reverse(desk: Desk, command: ReverseCard) -> CardPayment:
    """Ask the terminal to give back what it approved and no sale has taken; gives the refund."""
    payment = find(desk, command.payment_id)
    if payment.used_by and (before := desk.books.card_payment(payment.used_by)) is not None:
        return before
    if not payment.is_free:
        raise Conflict("this card payment has nothing to give back", hint="Reload the page.")
    if not payment.token:
        raise Conflict("the terminal gave no reference for this payment", hint="Give it back on the terminal itself.")
    back = _refund_of(desk, f"{payment.payment_id}-back", payment.payment_id, payment.amount_minor, payment.token)
    _save(desk, used(payment, back.payment_id))
    desk.audit("card_reversed", payment.payment_id, _amount(payment))
    return back


def known(desk: Desk, cart_id: str, payments: Sequence[Payment]) -> tuple[Payment, ...]:
    """Give the payments with what the terminal said about those that it took.

    Raises :class:`Conflict` for a sale that would charge the customer beside what the terminal has taken for it.
    """
    named = [one.card_payment for one in payments if one.card_payment]
    if len(set(named)) != len(named):
        raise Invalid("a card payment is named twice", hint="Reload the page.")
    for one in desk.books.card_payments_of(cart_id):
        if one.is_open:
            raise Conflict(f"the card terminal has not said how {_amount(one)} ended", hint="Wait for its answer.")
        if one.is_free and one.payment_id not in named:
            raise Conflict(f"the card terminal took {_amount(one)} already", hint="Count it in, or give it back first.")
    return tuple(_known(desk, cart_id, one) if one.card_payment else one for one in payments)


def take(desk: Desk, payments: Iterable[Payment], sale_id: str) -> None:
    """Note the sale that the terminal's payments are for."""
    for one in payments:
        if one.card_payment:
            _save(desk, used(find(desk, one.card_payment), sale_id))


def give_back(desk: Desk, payments: Iterable[Payment], event_id: str) -> None:
    """Ask the terminal of this till, if it has one, to send card money of a refund or void back."""
    for number, one in enumerate(payments):
        if one.method == CARD and one.token and desk.books.terminal().card_terminal != "none":
            _refund_of(desk, f"{event_id}-{number}", event_id, one.amount_minor, one.token)


def _refund_of(desk: Desk, payment_id: str, cause: str, amount_minor: int, token: str) -> CardPayment:
    refund = CardPayment(
        payment_id=payment_id,
        kind=REFUND,
        cart_id=cause,
        amount_minor=amount_minor,
        currency=desk.policy().currency,
        by=desk.who.user_id,
        asked_at_ms=desk.now_ms,
        original=token,
    )
    return _save(desk, refund)


def _known(desk: Desk, cart_id: str, payment: Payment) -> Payment:
    held = find(desk, payment.card_payment)
    if payment.method != CARD or held.cart_id != cart_id:
        raise Invalid("this card payment belongs to another sale", hint="Reload the page.")
    if held.used_by or held.state not in PAID:
        raise Conflict(f"the card terminal did not approve {_amount(held)} for this sale", hint="Take another payment.")
    if payment.amount_minor != held.amount_minor:
        raise Invalid(f"the card terminal took {_amount(held)}", hint="Send this amount.")
    return structs.replace(payment, reference=held.approval_code, last_four=held.last_four, token=held.token)


def _open_cart(desk: Desk, cart_id: str) -> Cart:
    found = desk.books.cart(cart_id)
    if found is None or not found[0].lines:
        raise NotFound(f"no cart {cart_id[:40]!r} to pay on this till", hint="Add a product first.")
    return found[0]


def _free_of(desk: Desk, cart_id: str) -> list[CardPayment]:
    return [one for one in desk.books.card_payments_of(cart_id) if one.is_free]


def _amount(payment: CardPayment) -> str:
    return amount_text(payment.amount_minor, payment.currency)


def _save(desk: Desk, payment: CardPayment) -> CardPayment:
    desk.effect(SaveCardPayment(payment=payment))
    return payment


__all__ = ["CardCommand", "CardTerminal", "TerminalSilent", "decide", "give_back", "known", "take"]
