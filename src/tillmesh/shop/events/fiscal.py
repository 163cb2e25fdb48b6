"""Events of bookkeeping by law: periods are closed, a device signs receipts, a device is out of order."""

from __future__ import annotations

from tillmesh.kernel.codec import Record
from tillmesh.shop.ranges import Count, EventName, Ppm, TimeMs, Total


class RateTotal(Record):
    """What was taxed at one rate, less what came back."""

    code: str
    rate_ppm: Ppm
    net_minor: Total
    tax_minor: Total


class TenderSum(Record):
    """What one tender took in and gave back."""

    method: str
    taken_minor: Total
    returned_minor: Total


class PeriodTotals(Record):
    """Sums of a period. Sums of receipts, or of the periods in it; nothing else."""

    sales: Count = 0
    sales_minor: Total = 0
    voids: Count = 0
    voids_minor: Total = 0
    refunds: Count = 0
    refunds_minor: Total = 0
    discount_minor: Total = 0
    rounding_minor: Total = 0
    tax_minor: Total = 0
    rates: tuple[RateTotal, ...] = ()
    tenders: tuple[TenderSum, ...] = ()
    first_receipt: str = ""
    last_receipt: str = ""


class PeriodClosed(Record):
    """A day, month or year of one till was closed. Never edited: what comes late stands in the next period.

    A day holds the receipts of the till's log beyond the ``seen`` of the day before it, so each is in exactly one. A
    month is the sum of its days, a year of its months: ``parts`` are the numbers of the first and the last of them.
    """

    kind: str  # day | month | year
    period: str  # 2026-11-26, 2026-11 or 2026 on the shop's wall
    number: Count  # dense, per till and kind
    currency: str
    totals: PeriodTotals
    perpetual_minor: Total  # all that the till ever sold, less what it gave back
    gross_minor: Total  # all that it ever sold: never sinks
    seen: tuple[tuple[str, Count], ...] = ()  # actor and seq
    parts: tuple[Count, Count] = (0, 0)
    by: str = ""
    closed_at_ms: TimeMs = 0


class ReceiptSigned(Record):
    """A signature device signed a receipt: a sale, a void or a refund."""

    receipt: EventName
    device: str  # its serial number
    counter: Count  # of the device, dense
    signature: str  # base64
    algorithm: str
    public_key: str  # base64
    data: str  # what was signed
    signed_at_ms: TimeMs
    late: bool = False  # after an outage


class SigningStopped(Record):
    """The signature device of a till does not answer: the till sells on, and its receipts say so."""

    device: str
    reason: str
    first: str  # the first receipt without a signature
    stopped_at_ms: TimeMs


class SigningResumed(Record):
    """The signature device answers again; ``unsigned`` receipts were made meanwhile."""

    device: str
    stopped_at_ms: TimeMs
    resumed_at_ms: TimeMs
    unsigned: Count
    signed_late: bool
