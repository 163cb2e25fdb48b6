"""What people asked for and what they were told: the judge's own record, kept beside the tills."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Literal

from tillmesh.kernel.codec import decode
from tillmesh.kernel.envelope import Envelope
from tillmesh.shop import events as e
from tillmesh.till.commands import Command

Answer = Literal["open", "ok", "no", "unknown"]  # unknown: no answer came, or one that leaves it open


@dataclass(slots=True)
class Attempt:
    """One thing that somebody asked of a till."""

    key: str  # what the event that follows from it can be recognised by
    till: int
    command: Command
    answer: Answer = "open"
    event_id: str = ""
    total_minor: int = 0
    receipt_number: str = ""


@dataclass(frozen=True, slots=True)
class Claim:
    """What a till said of an event: these terminals hold it."""

    till: int
    event_id: str
    terminals: tuple[str, ...]


@dataclass(slots=True)
class History:
    """Everything that was asked, in order, and what the tills claimed meanwhile."""

    attempts: list[Attempt] = field(default_factory=list)
    claims: list[Claim] = field(default_factory=list)
    spared: set[str] = field(default_factory=set)  # events whose only disk was taken away: they may be gone
    counts: Counter[str] = field(default_factory=Counter)

    def ask(self, key: str, till: int, command: Command) -> Attempt:
        """Note that somebody asks for something."""
        attempt = Attempt(key, till, command)
        self.attempts.append(attempt)
        return attempt

    def sales(self) -> list[Attempt]:
        """List the sales that were acknowledged."""
        return [one for one in self.attempts if one.answer == "ok" and one.receipt_number and _is_sale(one.key)]


def _is_sale(key: str) -> bool:
    return key.startswith("cart-")


def key_of(event: Envelope) -> str:  # noqa: PLR0911 - one for each kind
    """Give what an event says about who asked for it; nothing for what tills note by themselves."""
    body = decode(event.body, e.KINDS[event.type])
    match body:
        case e.SaleClosed():
            return body.cart_id
        case e.SaleRefunded():
            return body.refund_key
        case e.SaleVoided() | e.StockReceived() | e.StockAdjusted() | e.StockCounted() | e.CashMoved():
            return body.reason
        case e.ShiftOpened():
            return f"open-{body.float_minor}"
        case e.ShiftClosed():
            return f"close-{body.counted_minor}"
        case _ if isinstance(body, e.RegistersChanged):
            return _key_in(body.changes)
        case e.CartParked():
            return body.label
        case e.CartResumed():
            return "resume-" + body.dots[0]
        case _:
            return ""


def _key_in(changes: tuple[e.Change, ...]) -> str:
    fields = changes[0].fields
    return str(fields.get("name") or fields.get("receipt_footer") or "")
