"""The whole terminal as one steppable object: a command in, sealed events and effects out.

The driver runs :meth:`Till.decide` inside the writer's transaction, stores the outcome, commits, and only then calls
:meth:`Till.committed`. If the commit fails nothing has moved: the same command can be tried again.
"""

from __future__ import annotations

from typing import assert_never

from tillmesh.kernel.codec import Record, decode, encode
from tillmesh.kernel.envelope import Envelope, Head, seal
from tillmesh.kernel.errors import Damaged, Invalid
from tillmesh.kernel.hlc import HybridLogicalClock
from tillmesh.shop.events import NAMES, VERSION
from tillmesh.till import (
    card_payments,
    carts,
    checkout,
    drawer,
    erasure,
    escrow,
    fiscal,
    flags,
    folding,
    granting,
    money_conflicts,
    oversells,
    purchasing,
    purses,
    records,
    refunds,
    shifts,
    splitting,
    stockroom,
    teaching,
    transfers,
)
from tillmesh.till import commands as c
from tillmesh.till.desk import Company, Desk, Identity
from tillmesh.till.effects import Outcome
from tillmesh.till.ports import Books


class Till:
    """One terminal's decisions.

    Invariant: ``head`` is the end of the own chain *on disk*, and ``receipts`` the numbers used *on disk*.
    """

    __slots__ = ("clock", "company", "head", "identity", "receipts")

    def __init__(self, identity: Identity, clock: HybridLogicalClock, head: Head, receipts: int) -> None:
        self.identity = identity
        self.clock = clock
        self.head = head
        self.receipts = receipts
        self.company = Company()  # told by whoever holds the links; until then this till is alone

    def decide(self, who: c.Who, command: c.Command, books: Books, now_ms: int) -> Outcome:
        """Decide a command against the books; raises a TillmeshError when the shop says no."""
        desk = Desk(
            identity=self.identity,
            books=books,
            who=who,
            now_ms=now_ms,
            seq=self.head.seq,
            receipts_used=self.receipts,
            company=self.company,
        )
        reply = dispatch(desk, command)
        escrow.bind(desk)
        oversells.fill_back_orders(desk)
        events, head = self._seal(desk.bodies, now_ms)
        return Outcome(
            reply=reply,
            events=events,
            bodies=tuple(desk.bodies),
            effects=tuple(desk.effects),
            head=head,
            receipts=self.receipts + desk.receipts,
        )

    def _seal(self, bodies: list[Record], now_ms: int) -> tuple[tuple[Envelope, ...], Head]:
        head, events = self.head, []
        for body in bodies:
            event = seal(
                self.identity.store,
                head,
                hlc=self.clock.tick(now_ms),
                kind=NAMES[type(body)],
                version=VERSION,
                body=_written(body),
            )
            events.append(event)
            head = Head(event.actor, event.seq, event.hash)
        return tuple(events), head

    def committed(self, outcome: Outcome) -> None:
        """Move on: the outcome is on disk."""
        self.head = outcome.head
        self.receipts = outcome.receipts


def _written(body: Record) -> bytes:
    """Encode a body that every till can read; raises :class:`Invalid` for a number that an event can't hold."""
    data = encode(body)
    try:
        decode(data, type(body))
    except Damaged as cause:
        raise Invalid(
            f"{NAMES[type(body)].replace('_', ' ')}: out of range ({cause.__cause__})",
            hint="Check the amounts and quantities.",
        ) from cause
    return data


def dispatch(desk: Desk, command: c.Command) -> object:  # noqa: PLR0911, PLR0912 - one case per command
    """Send a command to its use case."""
    match command:
        case c.CloseSale():
            return checkout.close_sale(desk, command)
        case c.PayCart():
            return checkout.pay_cart(desk, command)
        case c.EditCart() | c.ParkCart() | c.ResumeCart() | c.DiscardParked():
            return carts.decide(desk, command)
        case c.SplitCart():
            return splitting.split_cart(desk, command)
        case c.VoidSale() | c.RefundSale() | c.RefundWithoutReceipt():
            return refunds.decide(desk, command)
        case c.OpenShift() | c.CloseShift() | c.MoveCash():
            return shifts.decide(desk, command)
        case c.OpenDrawer() | c.Reprint():
            return drawer.decide(desk, command)
        case c.PlaceOrder() | c.ReceiveOrder() | c.CloseOrder():
            return purchasing.decide(desk, command)
        case c.SendTransfer() | c.ReceiveTransfer() | c.CloseTransfer() | c.TakeTransferBack():
            return transfers.decide(desk, command)
        case c.ReceiveStock() | c.AdjustStock() | c.CountStock():
            return stockroom.decide(desk, command)
        case c.HandRights() | c.IssueRights() | c.ReleaseRights():
            return granting.decide(desk, command)
        case c.FoldActors():
            return folding.fold(desk, command)
        case c.ResolveOversell():
            return oversells.resolve(desk, command)
        case c.SettleOversells():
            oversells.settle(desk, command)
            return None
        case c.SettleMoneyConflict():
            return money_conflicts.settle(desk, command)
        case c.FlagAct() | c.ReviewFlag():
            return flags.decide(desk, command)
        case c.AskCard() | c.CardSent() | c.CardHeard() | c.CardStarted() | c.CardSettled() | c.ReverseCard():
            return card_payments.decide(desk, command)
        case c.ClosePeriods() | c.NoteSigned() | c.NoteSigningStopped() | c.NoteSigningResumed():
            return fiscal.decide(desk, command)
        case c.TeachProduct():
            return teaching.teach(desk, command)
        case c.ChangeRecords():
            return records.change_records(desk, command)
        case c.EraseCustomer():
            return erasure.erase(desk, command)
        case c.AdjustPurse():
            return purses.adjust(desk, command)
        case c.Note():
            return records.note(desk, command)
    assert_never(command)
