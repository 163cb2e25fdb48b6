"""What the log says about one terminal: its drawer, its card terminal, its periods and its signature device."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from tillmesh.adapters.sqlite import card_payments, fiscal, shifts
from tillmesh.adapters.sqlite.log_reader import EVENT, LogReader
from tillmesh.kernel.envelope import Envelope
from tillmesh.shop.card_payment import CardPayment
from tillmesh.shop.events import PeriodClosed, ReceiptSigned, SigningStopped
from tillmesh.till.ports import Shift

CLOSINGS_MAX: Final = 400  # more than a year of days


class TerminalBooks(LogReader):
    """This terminal's own affairs, over all its incarnations."""

    _shift: Shift | None = None  # the open one; None also while nobody has looked

    def _own(self) -> list[tuple[str, int]]:
        """Give the incarnations of this terminal with their row ids."""
        return [(name, row) for name, _ in self.incarnations() if (row := self.actors.find(name)) is not None]

    def last_period(self, kind: str) -> PeriodClosed | None:
        """Give the newest close of a kind (day, month, year) of this terminal."""
        return fiscal.last_close(self._db, self.terminal_id, kind)

    def periods_after(self, kind: str, number: int) -> list[PeriodClosed]:
        """List the closes of a kind of this terminal beyond a number, oldest first."""
        return fiscal.closes_after(self._db, self.terminal_id, kind, number)

    def receipts_after(self, seen: Mapping[str, int]) -> Iterator[Envelope]:
        """Iterate the sales, voids and refunds of this terminal beyond what was seen of its incarnations."""
        sql = (
            f"SELECT {EVENT} FROM receipt r JOIN event e ON e.actor = r.actor AND e.seq = r.seq "  # noqa: S608
            "WHERE r.actor = ? AND r.seq > ? ORDER BY r.seq"
        )
        for name, row in self._own():
            yield from self.events(sql, (row, seen.get(name, 0)))

    def newest_receipt_ms(self, seen: Mapping[str, int]) -> int | None:
        """Say when the newest of them was made."""
        own = self._own()
        rows_seen = {row: seen.get(name, 0) for name, row in own}
        return fiscal.newest_receipt_ms(self._db, [row for _, row in own], rows_seen)

    def signature(self, event_id: str) -> ReceiptSigned | None:
        """Give the signature of a receipt."""
        return fiscal.signature(self._db, self.actors, event_id)

    def signing_outage(self) -> SigningStopped | None:
        """Give the outage of this terminal's signature device that has not ended."""
        return fiscal.outage(self._db, [row for _, row in self._own()])

    def unsigned_receipts(self) -> Iterator[str]:
        """Iterate the receipts of this terminal that its device has yet to sign."""
        outage = self.signing_outage()
        for _, row in self._own():
            yield from fiscal.unsigned(self._db, self.actors, row, "" if outage is None else outage.first)

    def card_payment(self, payment_id: str) -> CardPayment | None:
        """Find a payment at the card terminal of this till."""
        return card_payments.find(self._db, payment_id)

    def card_payments_of(self, cart_id: str) -> list[CardPayment]:
        """List the payments that the card terminal was asked for a cart, oldest first."""
        return card_payments.of_cart(self._db, cart_id)

    def carts_charged(self) -> list[str]:
        """List the carts that a card is being charged for, or was and no sale has taken it yet."""
        return card_payments.charged(self._db)

    def card_payments_open(self) -> list[CardPayment]:
        """List the payments and refunds whose end nobody knows yet, oldest first."""
        return card_payments.still_open(self._db)

    def current_shift(self) -> Shift | None:
        """Give the newest shift of this terminal if it is open; a former incarnation's shift counts as well."""
        if self._shift is not None:
            return self._shift
        self._shift = shifts.still_open(self._db, self.terminal_id)
        return self._shift

    def shift_events(self, shift_id: str) -> Iterator[Envelope]:
        """Iterate the sales, refunds, voids and cash moves of a shift, in log order of each actor."""
        return shifts.events_of(self, self._db, shift_id)

    def net_minor_after(self, seen: Mapping[str, int]) -> int:
        """Sum up what this terminal sold, less what it gave back, beyond what was seen of its incarnations."""
        return shifts.net_minor_after(self, self._db, seen)

    def late_events(self, shift_id: str, closer: str, seen: Mapping[str, int]) -> list[Envelope]:
        """List what belongs to a shift and was not seen when it was closed, by another incarnation than its closer."""
        return list(shifts.late(self, shift_id, closer, seen))

    def last_close(self) -> Envelope | None:
        """Give the newest ShiftClosed of this terminal."""
        return next(self.closings(limit=1), None)

    def closings(self, *, number: int | None = None, limit: int = CLOSINGS_MAX) -> Iterator[Envelope]:
        """Iterate the Z reports of this terminal, newest first; or those of one number."""
        return self.events(shifts.CLOSINGS, (self.terminal_id, number, number, limit))
