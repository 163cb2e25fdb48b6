"""Events about oversold goods: what was answered, and how it ended."""

from __future__ import annotations

from tillmesh.kernel.codec import Record
from tillmesh.shop.ranges import Milli, Percent, TimeMs


class Proposed(Record):
    """One of the answers that were suggested when somebody decided."""

    action: str
    confidence_percent: Percent
    sale_id: str = ""


class OversellResolved(Record):
    """Somebody, or a written policy of the store, answered an oversell; what was proposed stands beside it.

    ``answer`` is the event that carried it out: the SaleVoided or the StockAdjusted; a back-order needs none.
    """

    conflict_id: str
    sku: str
    action: str  # back_order | void | adjust
    quantity_milli: Milli  # what was missing; for a void what came back of the sku
    by: str
    reason: str
    approved_by: str = ""
    sale_id: str = ""  # that was voided
    answer: str = ""
    sales: tuple[str, ...] = ()  # that were too many, newest first
    proposed: tuple[Proposed, ...] = ()
    stock_milli: Milli = 0  # before
    resolved_at_ms: TimeMs = 0


class OversellSettled(Record):
    """What a resolution left open came to an end.

    Invariant: ``quantity_milli`` is the total settled so far, so the largest one counts, however many tills say it.
    """

    resolution: str  # the OversellResolved
    sku: str
    outcome: str  # filled: the goods of a back-order came in | taken_back: a second adjustment was undone
    quantity_milli: Milli
    by: str
    reason: str = ""
