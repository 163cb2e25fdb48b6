"""What is asked about money beside the sale: the drawer, the card terminal, purses, and what the tax office wants."""

from __future__ import annotations

from tillmesh.kernel.codec import Record
from tillmesh.shop.card_payment import CardAnswer


class OpenShift(Record):
    """Count the drawer in."""

    float_minor: int


class CloseShift(Record):
    """Count the drawer out and make the Z report."""

    counted_minor: int


class MoveCash(Record):
    """Put cash in (positive) or take it out (negative)."""

    amount_minor: int
    reason: str


class OpenDrawer(Record):
    """Open the drawer without a sale."""

    reason: str


class Reprint(Record):
    """Print a receipt again, marked as a copy."""

    event: str


class AskCard(Record):
    """Ask the card terminal for an amount; the same ``payment_id`` again is the same payment."""

    payment_id: str
    cart_id: str
    amount_minor: int


class CardSent(Record):
    """Note that a payment is about to go to the terminal. The card desk asks for it, never people."""

    payment_id: str


class CardHeard(Record):
    """Note what the terminal said, or that it said nothing."""

    payment_id: str
    answer: CardAnswer


class CardStarted(Record):
    """Note that the program has started anew while a payment was open."""

    payment_id: str


class CardSettled(Record):
    """Say how a payment ended that the terminal says nothing about."""

    payment_id: str
    paid: bool
    approval_code: str = ""


class ReverseCard(Record):
    """Give back by the terminal what it approved and no sale has taken."""

    payment_id: str


class AdjustPurse(Record):
    """Correct a purse by hand."""

    purse: str  # points | gift_card | account
    account: str
    amount: int
    reason: str


class SettleMoneyConflict(Record):
    """Say how it ended that a cart was paid twice, or that too much of a sale was given back."""

    conflict_id: str
    reason: str


class ClosePeriods(Record):
    """Close the days, months and years that have passed and have receipts."""


class NoteSigned(Record):
    """Keep what the signature device gave for a receipt. The till itself asks for it, never people."""

    receipt: str
    device: str
    counter: int
    signature: str
    algorithm: str
    public_key: str
    data: str
    signed_at_ms: int
    late: bool = False


class NoteSigningStopped(Record):
    """Note that the signature device does not answer, from this receipt on."""

    device: str
    reason: str
    first: str


class NoteSigningResumed(Record):
    """Note that it answers again, and what was made meanwhile."""

    unsigned: int
    signed_late: bool
