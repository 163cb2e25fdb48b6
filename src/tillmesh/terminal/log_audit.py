"""One pass through the log that keeps what is wrong: chains, gaps, numbers and money, event by event."""

from __future__ import annotations

from collections import defaultdict

from tillmesh.kernel.codec import decode
from tillmesh.kernel.envelope import Envelope, Head, check_link
from tillmesh.kernel.errors import TillmeshError
from tillmesh.shop import events as e

PROBLEMS_MAX = 100


class LogAudit:
    """Takes the log by actor and sequence; afterwards :meth:`finish` checks what only the whole log shows."""

    def __init__(self, store: str) -> None:
        self._store = store
        self.heads: dict[str, Head] = {}
        self.events = 0
        self.sales = 0
        self.balance: dict[str, int] = defaultdict(int)
        self.balanced = True
        self.problems: list[str] = []
        self.gaps: list[str] = []
        self._numbers: dict[str, list[int]] = defaultdict(list)
        self._carts: dict[str, str] = {}

    def add(self, event: Envelope) -> None:
        """Check one event."""
        self.events += 1
        try:
            self._link(event)
            kind = e.known(event.type, event.version)
            if kind is not None:
                self._money(event, decode(event.body, kind))
        except TillmeshError as error:
            self.wrong(error.detail)
        self.heads[event.actor] = Head(event.actor, event.seq, event.hash)

    def _link(self, event: Envelope) -> None:
        """Check that the event follows the one before; behind a gap there is nothing it could be checked against."""
        head = self.heads.get(event.actor, Head(event.actor))
        if event.seq == head.seq + 1:
            check_link(self._store, head, event)
        else:
            last = event.seq - 1
            self.gaps.append(f"{event.actor}: {head.seq + 1}" + (f" to {last}" if last > head.seq + 1 else ""))

    def wrong(self, text: str) -> None:
        """Note a problem, up to a limit."""
        if len(self.problems) < PROBLEMS_MAX:
            self.problems.append(text)

    def _unbalanced(self, text: str) -> None:
        self.balanced = False
        self.wrong(text)

    def _money(self, event: Envelope, body: object) -> None:
        match body:
            case e.SaleClosed():
                self.sales += 1
                self._number(body.receipt_number)
                if body.cart_id in self._carts:
                    self.wrong(f"cart {body.cart_id} was sold twice: {self._carts[body.cart_id]} and {event.id}")
                self._carts[body.cart_id] = event.id
                self._sale(event, body)
            case e.SaleVoided():
                self._number(body.receipt_number)
                self._back(event, body)
            case e.SaleRefunded():
                self._number(body.receipt_number)
                self._back(event, body)
                if sum(line.total_minor for line in body.lines) != body.total_minor:
                    self._unbalanced(f"{event.id}: the lines do not sum up to the refund")
            case _:
                pass

    def _sale(self, event: Envelope, sale: e.SaleClosed) -> None:
        paid = sum(payment.amount_minor for payment in sale.payments)
        if paid - sale.change_minor != sale.total_minor + sale.rounding_minor:
            self._unbalanced(f"{event.id}: payments less change are not total plus rounding")
        if sum(line.total_minor for line in sale.lines) != sale.total_minor:
            self._unbalanced(f"{event.id}: the lines do not sum up to the total")
        taxes = sum(tax.tax_minor for tax in sale.taxes)
        if not taxes == sum(line.tax_minor for line in sale.lines) == sale.tax_minor:
            self._unbalanced(f"{event.id}: the taxes do not sum up")
        if sum(tax.net_minor + tax.tax_minor for tax in sale.taxes) != sale.total_minor:
            self._unbalanced(f"{event.id}: net and tax are not the total")
        self.balance["sales_minor"] += sale.total_minor
        self.balance["rounding_minor"] += sale.rounding_minor
        self.balance["tendered_minor"] += paid
        self.balance["change_minor"] += sale.change_minor

    def _back(self, event: Envelope, body: e.SaleVoided | e.SaleRefunded) -> None:
        given = sum(payment.amount_minor for payment in body.payments)
        if given != body.total_minor + body.rounding_minor:
            self._unbalanced(f"{event.id}: what was given back is not total plus rounding")
        self.balance["returned_minor"] += body.total_minor
        self.balance["given_back_minor"] += given
        self.balance["rounding_minor"] -= body.rounding_minor

    def _number(self, receipt: str) -> None:
        series, _, number = receipt.rpartition("-")
        self._numbers[series].append(int(number) if number.isdigit() else -1)

    def finish(self) -> None:
        """Check what only the whole log shows."""
        for series, numbers in self._numbers.items():
            if sorted(numbers) != list(range(1, len(numbers) + 1)):
                self.wrong(f"receipt numbers of series {series} are not gapless and unique")
        b = self.balance
        kept = b["tendered_minor"] - b["change_minor"] - b["given_back_minor"]
        if kept != b["sales_minor"] - b["returned_minor"] + b["rounding_minor"]:
            self._unbalanced("the money kept is not what was sold less what was returned plus rounding")
