"""Events of the drawer: counted in, moved, counted out, and what was written down about it."""

from __future__ import annotations

from tillmesh.kernel.codec import Record
from tillmesh.shop.events.sales import TaxTotal
from tillmesh.shop.ranges import Count, EventName, Minor, TimeMs, Total


class ShiftOpened(Record):
    """A drawer was counted in. The shift is named by this event's id."""

    by: str
    float_minor: Minor
    opened_at_ms: TimeMs = 0


class CashMoved(Record):
    """Cash put into the drawer (positive) or taken out of it (negative) that is no sale."""

    shift_id: str
    amount_minor: Minor
    reason: str
    by: str
    approved_by: str = ""


class TenderTotal(Record):
    """All movements of one tender: taken in sales, given back, and the difference."""

    method: str
    taken_minor: Total
    returned_minor: Total
    count: Count = 0


class ShiftTotals(Record):
    """What an X or Z report says about one shift. Sums of events, nothing else.

    ``expected cash = float + cash taken - cash returned + moved``.
    """

    currency: str
    float_minor: Total
    sales: Count
    sales_minor: Total
    voids: Count
    voids_minor: Total
    refunds: Count
    refunds_minor: Total
    discount_minor: Total
    rounding_minor: Total
    tax_minor: Total
    moved_minor: Total
    expected_cash_minor: Total
    tenders: tuple[TenderTotal, ...]
    taxes: tuple[TaxTotal, ...]
    first_receipt: str = ""
    last_receipt: str = ""


class ShiftClosed(Record):
    """The drawer was counted out; the Z report is this event and never changes.

    ``seen`` says how far the logs of this terminal's incarnations were known: what comes later is an amendment.
    """

    shift_id: EventName
    z_number: Count
    by: str
    counted_minor: Total
    totals: ShiftTotals
    perpetual_minor: Total  # all sales minus voids and refunds of this till since its first day
    opened_at_ms: TimeMs = 0
    closed_at_ms: TimeMs = 0
    seen: tuple[tuple[str, Count], ...] = ()  # actor and seq; empty before it was kept, then nothing counts as late


class Audited(Record):
    """Something a manager may want to know later: drawer opened, receipt reprinted, wrong PINs, import."""

    action: str
    subject: str
    detail: str
    by: str
    approved_by: str = ""
