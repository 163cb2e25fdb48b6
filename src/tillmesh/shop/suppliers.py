"""Suppliers: who delivers, how soon, and what they call our goods."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from tillmesh.kernel.errors import Invalid
from tillmesh.kernel.limits import NAME_CHARS_MAX, NOTE_CHARS_MAX, SUPPLIER_ARTICLES_MAX, SUPPLIER_LEAD_DAYS_MAX
from tillmesh.shop.cardnumbers import refuse_card_number
from tillmesh.shop.events import Value

_TEXTS: Final = {"name": NAME_CHARS_MAX, "contact": NAME_CHARS_MAX, "email": 200, "phone": 50, "note": NOTE_CHARS_MAX}
_NUMBER_CHARS_MAX: Final = 40
_HINT: Final = "Send name, contact, email, phone, note, lead_days, articles or active."


class Supplier(msgspec.Struct, frozen=True, kw_only=True):
    """A supplier as its register says; ``articles`` has the supplier's own number of each sku."""

    supplier_id: str
    name: str = ""
    contact: str = ""
    email: str = ""
    phone: str = ""
    note: str = ""
    lead_days: int = 0  # from order to delivery; 0: not known
    articles: dict[str, str] = {}
    active: bool = True


def of(supplier_id: str, fields: Mapping[str, Value]) -> Supplier:
    """Read a supplier from its register; a value that is of no use is as if it was never written."""
    texts = {name: value for name in _TEXTS if isinstance(value := fields.get(name), str)}
    days, articles = fields.get("lead_days"), fields.get("articles")
    pairs = (one.partition("=") for one in (articles if isinstance(articles, list) else ()))
    return Supplier(
        supplier_id=supplier_id,
        lead_days=days if isinstance(days, int) and 0 <= days <= SUPPLIER_LEAD_DAYS_MAX else 0,
        articles={sku: number for sku, mark, number in pairs if mark},
        active=fields.get("active") is not False,
        **texts,
    )


def check(given: Mapping[str, Any], *, new: bool) -> dict[str, Value]:
    """Check fields from outside and give them as register fields."""
    unknown = sorted(set(given) - {*_TEXTS, "lead_days", "articles", "active"})
    if unknown:
        raise Invalid(f"a supplier has no field {unknown[0][:40]!r}", hint=_HINT)
    fields: dict[str, Value] = {name: _text(name, given[name]) for name in _TEXTS if name in given}
    if (new or "name" in fields) and not fields.get("name"):
        raise Invalid("a supplier needs a name", hint="Send a name.")
    if "lead_days" in given:
        days = given["lead_days"]
        if isinstance(days, bool) or not isinstance(days, int) or not 0 <= days <= SUPPLIER_LEAD_DAYS_MAX:
            raise Invalid(f"lead_days must be a whole number from 0 to {SUPPLIER_LEAD_DAYS_MAX}", hint=_HINT)
        fields["lead_days"] = days
    if "articles" in given:
        fields["articles"] = _articles(given["articles"])
    if "active" in given:
        if not isinstance(given["active"], bool):
            raise Invalid("active must be true or false", hint=_HINT)
        fields["active"] = given["active"]
    if not fields:
        raise Invalid("nothing to change", hint=_HINT)
    return fields


def _text(name: str, value: Any) -> str:
    if not isinstance(value, str) or len(value.strip()) > _TEXTS[name] or not value.strip().isprintable():
        raise Invalid(f"{name} must be a text", hint=_HINT)
    return value.strip() if name == "phone" else refuse_card_number(value.strip(), name)


def _articles(value: Any) -> list[str]:
    """Read ``{sku: their number}``."""
    is_fine = isinstance(value, dict) and len(value) <= SUPPLIER_ARTICLES_MAX and all(
        isinstance(sku, str) and isinstance(number, str) and "=" not in sku and sku.strip()
        and number.strip().isprintable() and 1 <= len(number.strip()) <= _NUMBER_CHARS_MAX
        for sku, number in value.items()
    )  # fmt: skip
    if not is_fine:
        raise Invalid(f"articles must be numbers by sku, at most {SUPPLIER_ARTICLES_MAX}", hint=_HINT)
    return [f"{sku.strip()}={number.strip()}" for sku, number in sorted(value.items())]
