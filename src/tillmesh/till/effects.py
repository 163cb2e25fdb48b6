"""What a decision asks the driver to do, all in one transaction, before the answer leaves."""

from __future__ import annotations

from tillmesh.kernel.codec import Record
from tillmesh.kernel.envelope import Envelope, Head
from tillmesh.shop.card_payment import CardPayment
from tillmesh.shop.cart import Cart


class SaveCart(Record):
    """Store a working cart and the operations it has taken in."""

    cart: Cart
    revision: int
    op_ids: tuple[str, ...] = ()


class DropCart(Record):
    """Forget a working cart: it was sold, parked or cleared."""

    cart_id: str


class Print(Record):
    """Queue a print job; ``ref`` is an event id or a free text by kind."""

    kind: str  # sale | refund | void | x | z | drawer | slip
    ref: str
    copy: bool = False


class SaveCardPayment(Record):
    """Store a payment at the card terminal as it stands now; what is new or open is the card desk's to send or ask."""

    payment: CardPayment


Effect = SaveCart | DropCart | Print | SaveCardPayment


class Outcome(Record):
    """A decided command: the sealed events, what else to store, and what to answer once it is on disk.

    ``head`` is where the terminal's own chain ends when this outcome is committed.
    """

    reply: object
    events: tuple[Envelope, ...]
    bodies: tuple[Record, ...]  # of the events, decoded
    effects: tuple[Effect, ...]
    head: Head
    receipts: int = 0  # receipt numbers used, to be advanced on commit
