"""Money that two tills took or gave back without hearing of each other: noticed afterwards, never undone by itself.

Both are functions of the set of events, so every till finds the same ones. A sale that was paid stands, and so does a
refund that was handed out; what follows is between the shop and its customer.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from hashlib import sha256
from typing import Final

from tillmesh.kernel.codec import Record
from tillmesh.shop.events import MoneyConflictSettled, SaleClosed, SaleRefunded
from tillmesh.shop.refund import Answer

GIVEN_BACK_TWICE: Final = "given_back_twice"


class MoneyConflict(Record):
    """One finding. ``events`` are the sales of one cart, oldest first, or what answered one sale."""

    conflict_id: str
    kind: str  # paid_twice | given_back_twice
    events: tuple[str, ...]
    too_much_minor: int  # taken, or given back
    sale_id: str = ""  # that too much was given back of


def paid_twice(cart_id: str, sales: Sequence[tuple[str, SaleClosed]]) -> MoneyConflict | None:
    """Look at the sales of one cart, oldest first; the first of them is the one that was meant."""
    if len(sales) < 2:
        return None
    return MoneyConflict(
        conflict_id="paid-" + sha256(cart_id.encode()).hexdigest()[:16],
        kind="paid_twice",
        events=tuple(sale_id for sale_id, _ in sales),
        too_much_minor=sum(sale.total_minor for _, sale in sales[1:]),
    )


def given_back_twice(sale_id: str, sale: SaleClosed, answers: Sequence[tuple[str, Answer]]) -> MoneyConflict | None:
    """Look at a sale and what answered it: did more go back than was sold, in money or in goods?"""
    too_much_minor = sum(answer.total_minor for _, answer in answers) - sale.total_minor
    if too_much_minor <= 0 and not _too_many_goods(sale, [answer for _, answer in answers]):
        return None
    return MoneyConflict(
        conflict_id="back-" + sale_id,
        kind=GIVEN_BACK_TWICE,
        events=tuple(event_id for event_id, _ in answers),
        too_much_minor=max(0, too_much_minor),
        sale_id=sale_id,
    )


def _too_many_goods(sale: SaleClosed, answers: Sequence[Answer]) -> bool:
    """Say whether more of a line came back than was sold; a void brings back all of it."""
    came = [0] * len(sale.lines)
    for answer in answers:
        if isinstance(answer, SaleRefunded):
            for back in answer.lines:
                if 0 <= back.line < len(came):
                    came[back.line] += back.quantity_milli
        else:
            came = [had + line.quantity_milli for had, line in zip(came, sale.lines, strict=True)]
    return any(had > line.quantity_milli for had, line in zip(came, sale.lines, strict=True))


def is_open(found: MoneyConflict, settled: Iterable[MoneyConflictSettled]) -> bool:
    """Say whether something of a finding was in nobody's sight when it was settled."""
    seen = {event for one in settled if one.conflict_id == found.conflict_id for event in one.events}
    return not seen.issuperset(found.events)
