"""What is asked about records and the audit log, and what models have found."""

from __future__ import annotations

from tillmesh.kernel.codec import Record
from tillmesh.shop.events import Change, FlagReason


class ChangeRecords(Record):
    """Change products, customers, people, settings, promotions or prices, field by field. ``entity`` names which."""

    entity: str  # product | customer | person | setting | promotion | price_list | price | gift_card
    changes: tuple[Change, ...]
    source: str = ""
    authority: int = 0  # of settings: where the store's agreement put this change; a later decision wins by it


class EraseCustomer(Record):
    """Erase a customer's personal data for ever; what was sold stays."""

    customer_id: str
    reason: str = ""


class TeachProduct(Record):
    """Keep what the network saw of a product's photos, to recognise it by."""

    sku: str
    space: str
    examples: tuple[bytes, ...]
    replaces: bool = False


class FlagAct(Record):
    """Keep what the fraud score said about an act, for managers. The till itself asks for it, never people."""

    event: str
    kind: str
    person: str
    score_ppm: int
    level: str
    reasons: tuple[FlagReason, ...]
    model: str


class ReviewFlag(Record):
    """Say what a flagged act was: fine, or something to follow up."""

    flag: str
    verdict: str
    reason: str = ""


class Note(Record):
    """Put something into the audit log."""

    action: str
    subject: str = ""
    detail: str = ""
