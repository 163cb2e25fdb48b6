"""What is asked of a card terminal and what becomes of it, as values.

A payment is stored before it is sent, and every answer is one step of :func:`after`. As long as nobody knows how it
ended it is ``unknown``, and the only way on is to ask the terminal for it: it is never sent a second time.
"""

from __future__ import annotations

from enum import StrEnum
from hashlib import sha256
from typing import Final

import msgspec

from tillmesh.kernel.codec import Record

SERVICE_CHARS: Final = 10  # nexo: a ServiceID has one to ten letters and digits
MISSING_MIN: Final = 2  # how often a terminal must say that it never heard of a payment before that is believed
_ALPHABET: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


class State(StrEnum):
    """Where a payment stands. The names are stored: never rename one."""

    CREATED = "created"  # stored, not sent
    SENT = "sent"
    WAITING_CARD = "waiting_card"  # the terminal has it, the customer has not done with it
    APPROVED = "approved"
    APPROVED_OFFLINE = "approved_offline"  # the terminal took it on its own risk rules and forwards it later
    DECLINED = "declined"
    UNKNOWN = "unknown"  # no answer came: ask, never charge again
    SETTLED = "settled"  # approved offline, and taken by the bank since
    DECLINED_LATE = "declined_late"  # approved offline, and refused by the bank since: a manager's matter


OPEN: Final = frozenset({State.CREATED, State.SENT, State.WAITING_CARD, State.UNKNOWN})
PAID: Final = frozenset({State.APPROVED, State.APPROVED_OFFLINE, State.SETTLED})
PAYMENT, REFUND = "payment", "refund"


class Said(StrEnum):
    """What a terminal says about a payment, or that it says nothing."""

    WAITING = "waiting"
    APPROVED = "approved"
    APPROVED_OFFLINE = "approved_offline"
    DECLINED = "declined"
    NOT_FOUND = "not_found"  # it never heard of this payment
    SILENT = "silent"  # no answer, or one that nobody can read


class CardAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """An answer of the terminal. Never a card number: a token, the approval code and the last four digits."""

    said: Said
    token: str = ""  # what the terminal calls the transaction, to give money back by
    approval_code: str = ""
    last_four: str = ""
    brand: str = ""
    reason: str = ""  # why not: refused | cancelled | ... and what the terminal adds
    amount_minor: int | None = None  # what was approved, if that was said


class CardPayment(Record):
    """A payment or refund at the card terminal of this till. Local to the till, no part of the log.

    Invariant: only :func:`after` and the functions below it make the next value.
    """

    payment_id: str  # the caller's: the same id again is the same payment
    kind: str  # payment | refund
    cart_id: str  # of a refund: the event that gives the money back, or the payment that it takes back
    amount_minor: int
    currency: str
    by: str
    asked_at_ms: int
    state: State = State.CREATED
    original: str = ""  # the token of the payment that a refund is for
    token: str = ""
    approval_code: str = ""
    last_four: str = ""
    brand: str = ""
    reason: str = ""
    used_by: str = ""  # the sale that it pays, or the refund that took it back
    missing: int = 0  # how often the terminal said in a row that it never heard of it
    late: bool = False  # it was approved after all, when it counted as declined already
    settled_by: str = ""  # the person who said how it ended, when the terminal could not

    @property
    def is_open(self) -> bool:
        """Say whether nobody knows yet how it ends."""
        return self.state in OPEN

    @property
    def is_free(self) -> bool:
        """Say whether it holds a customer's money that no sale has taken."""
        return self.kind == PAYMENT and self.state in PAID and not self.used_by

    @property
    def service_id(self) -> str:
        """Name it for the terminal: the same for the same payment, however often it is asked."""
        number = int.from_bytes(sha256(self.payment_id.encode()).digest()[:8], "big")
        return "".join(_ALPHABET[(number >> 5 * place) & 31] for place in range(SERVICE_CHARS))


def sent(payment: CardPayment) -> CardPayment:
    """Note that it is about to be sent: from now on it may have reached the terminal. Nothing is sent twice."""
    return msgspec.structs.replace(payment, state=State.SENT) if payment.state is State.CREATED else payment


def after(payment: CardPayment, answer: CardAnswer) -> CardPayment:
    """Give the payment after an answer. What was approved stays approved, whatever is said later."""
    match answer.said:
        case Said.SILENT:
            return _step(payment, State.UNKNOWN)
        case Said.WAITING:
            return _step(payment, State.WAITING_CARD, missing=0)
        case Said.NOT_FOUND:
            return _not_found(payment)
        case Said.DECLINED:
            return _declined(payment, answer)
        case Said.APPROVED | Said.APPROVED_OFFLINE:
            return _approved(payment, answer)


def after_restart(payment: CardPayment) -> CardPayment:
    """Give an open payment as it stands when the program starts: what was not sent is not sent any more.

    A refund is sent all the same: it is owed, and it was stored with the event that owes it.
    """
    if payment.state is State.CREATED and payment.kind == PAYMENT:
        return msgspec.structs.replace(payment, state=State.DECLINED, reason="not_sent")
    return payment if payment.state is State.CREATED else _step(payment, State.UNKNOWN)


def settle(payment: CardPayment, *, paid: bool, by: str, approval_code: str = "") -> CardPayment:
    """Take a person's word for how it ended, who has looked at the terminal's own list."""
    assert payment.is_open, f"{payment.payment_id} has ended"
    state = State.APPROVED if paid else State.DECLINED
    return msgspec.structs.replace(
        payment, state=state, settled_by=by, reason="" if paid else "settled", approval_code=approval_code
    )


def used(payment: CardPayment, by: str) -> CardPayment:
    """Note which sale it pays, or which refund took it back; nothing else can use it then."""
    assert payment.is_free, f"{payment.payment_id} can't be used"
    return msgspec.structs.replace(payment, used_by=by)


def _step(payment: CardPayment, state: State, *, missing: int | None = None) -> CardPayment:
    """Move an open payment; what has ended is not opened again."""
    if not payment.is_open:
        return payment
    return msgspec.structs.replace(payment, state=state, missing=payment.missing if missing is None else missing)


def _not_found(payment: CardPayment) -> CardPayment:
    """Believe it the second time: a request that was cut off may still be on its way in the terminal."""
    if not payment.is_open:
        return payment
    missing = payment.missing + 1
    if missing < MISSING_MIN:
        return msgspec.structs.replace(payment, state=State.UNKNOWN, missing=missing)
    if payment.kind == REFUND:  # it is owed: it is sent after all
        return msgspec.structs.replace(payment, state=State.CREATED, missing=0)
    return msgspec.structs.replace(payment, state=State.DECLINED, missing=missing, reason="not_received")


def _declined(payment: CardPayment, answer: CardAnswer) -> CardPayment:
    if payment.state is State.APPROVED_OFFLINE:
        return msgspec.structs.replace(payment, state=State.DECLINED_LATE, reason=answer.reason)
    if not payment.is_open:
        return payment
    return msgspec.structs.replace(payment, state=State.DECLINED, reason=answer.reason or "refused", missing=0)


def _approved(payment: CardPayment, answer: CardAnswer) -> CardPayment:
    if payment.state is State.APPROVED_OFFLINE:
        state = State.SETTLED if answer.said is Said.APPROVED else payment.state
        return msgspec.structs.replace(payment, state=state)
    if not (payment.is_open or payment.state is State.DECLINED):
        return payment
    amount = payment.amount_minor if answer.amount_minor is None else answer.amount_minor
    return msgspec.structs.replace(
        payment,
        state=State.APPROVED if answer.said is Said.APPROVED else State.APPROVED_OFFLINE,
        late=payment.state is State.DECLINED,
        amount_minor=amount,
        token=answer.token,
        approval_code=answer.approval_code,
        last_four=answer.last_four,
        brand=answer.brand,
        reason="",
        missing=0,
    )
