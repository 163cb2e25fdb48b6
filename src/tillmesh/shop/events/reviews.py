"""What a till brings before people and what they make of it: unusual acts, money taken twice, products shown to it."""

from __future__ import annotations

from tillmesh.kernel.codec import Record
from tillmesh.shop.ranges import Ppm, TimeMs, Total


class MoneyConflictSettled(Record):
    """A manager looked at money that was taken or given back twice, and says how it ended.

    ``events`` are the sales, or the refunds and voids, that were looked at; one that arrives later opens it again.
    """

    conflict_id: str
    events: tuple[str, ...]
    by: str
    reason: str
    approved_by: str = ""
    settled_at_ms: TimeMs = 0


class FlagReason(Record):
    """What raised a score: a feature, by how much (thousandths of log-odds), and its value (thousandths)."""

    code: str
    weight_milli: Total
    value_milli: Total


class ActFlagged(Record):
    """The fraud score found an act worth a manager's look. It accuses nobody and changes nothing.

    ``event`` is the sale, refund, void or drawer opening. The score and its reasons are kept as they were given.
    """

    event: str
    kind: str  # sale | refund | void | drawer
    person: str  # who stood at the till
    score_ppm: Ppm
    level: str  # medium | high
    reasons: tuple[FlagReason, ...]
    model: str  # name and version of what scored
    flagged_at_ms: TimeMs = 0


class FlagReviewed(Record):
    """A manager looked at a flagged act and says what it was. Several may; the latest counts."""

    flag: str  # the ActFlagged
    verdict: str  # fine | follow_up
    by: str
    reason: str = ""
    reviewed_at_ms: TimeMs = 0


class ProductLearnt(Record):
    """Somebody showed the till photos of a product; what is kept of each is what the network saw, a few hundred bytes.

    What is compared with it must come from the same ``space``: networks see different things.
    """

    sku: str
    space: str
    examples: tuple[bytes, ...]
    by: str
    replaces: bool = False  # whether what was learnt of the product before, by the clock, counts no more
    approved_by: str = ""
