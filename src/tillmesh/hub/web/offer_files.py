"""Planned prices and promotions as CSV: for programs with the names of fields, for readers in their language."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from starlette.responses import Response

from tillmesh.adapters.locales import decimal_sign, known_locale
from tillmesh.adapters.web.sheets import for_programs, for_readers, number
from tillmesh.adapters.web.speaking import known
from tillmesh.hub.web.exporting import words_of_pages
from tillmesh.kernel.money import format_decimal

Shown = Mapping[str, Any]
# The names of the columns, and which words of the pages are their headings.
_PRICES: Final = {
    "sku": "plan.sku", "name": "promo.name", "price": "product.price", "currency": "sales.currency",
    "from": "plan.from", "until": "plan.until", "stores": "nav.stores", "state": "export.state", "by": "export.by",
    "at": "export.at",
}  # fmt: skip
_PROMOTIONS: Final = {
    "id": "export.id", "name": "promo.name", "kind": "promo.kind", "percent": "promo.percent", "start": "promo.from",
    "until": "promo.until", "stores": "nav.stores", "state": "export.state", "by": "export.by", "at": "export.at",
}  # fmt: skip
_SAID: Final = {"kind": "promo.kind", "state": "plan.state"}  # codes that the pages have words for
_NUMBERS: Final = frozenset({"price", "percent"})


def prices_file(shown: Iterable[Shown], tag: str) -> Response:
    """Write planned prices."""
    rows = ({**one, "price": format_decimal(one["price_minor"], one["exponent"])} for one in shown)
    return _file(_PRICES, rows, "prices.csv", tag)


def promotions_file(shown: Iterable[Shown], tag: str) -> Response:
    """Write promotions."""
    return _file(_PROMOTIONS, ({**one, "id": one["promotion_id"]} for one in shown), "promotions.csv", tag)


def _file(columns: Mapping[str, str], shown: Iterable[Shown], name: str, tag: str) -> Response:
    rows = [{**one, "stores": one["chosen"]} for one in shown]
    if not tag:
        return for_programs([[*columns], *([str(row.get(key, "")) for key in columns] for row in rows)], name)
    language = known(tag)
    sign, words = decimal_sign(known_locale(tag[:20], language)), words_of_pages(language)

    def cell(key: str, value: str) -> str:
        if key in _SAID:
            return words.get(f"{_SAID[key]}.{value}", value)
        return number(value, sign) if key in _NUMBERS else value

    table = [[cell(key, str(row.get(key, ""))) for key in columns] for row in rows]
    return for_readers([words[heading] for heading in columns.values()], table, name, sign)
