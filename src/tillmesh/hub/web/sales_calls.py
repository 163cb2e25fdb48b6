"""The sales report of the pages: every store by its own clock, one currency at a time, also as CSV."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any, Final, NamedTuple

from starlette.responses import Response

from tillmesh.adapters.locales import decimal_sign, known_locale, words_of
from tillmesh.adapters.web.bodies import JSON
from tillmesh.adapters.web.sheets import Number, for_programs, for_readers, number
from tillmesh.adapters.web.speaking import known
from tillmesh.fleet.ports import ProductRow
from tillmesh.fleet.reporting import Report, add_up, bounds, step_of
from tillmesh.fleet.standing import ShopRow, Takings, decimals, zone_or_utc
from tillmesh.hub.web.api import Call, Context
from tillmesh.hub.web.exporting import words_of_pages
from tillmesh.kernel.errors import Invalid, NotFound
from tillmesh.kernel.money import format_decimal
from tillmesh.kernel.times import local, parse_day, zone

DAYS_MAX: Final = 400
PRODUCTS_MAX: Final = 50


class Asked(NamedTuple):
    """What a report is about."""

    shops: list[ShopRow]
    first: date
    last: date
    currency: str
    currencies: list[str]


async def sales(context: Context) -> dict[str, Any] | Response:
    """Add up sales by day, hour, store and product."""
    asked = await _asked(context)
    span = asked.last - asked.first + timedelta(days=1)
    report = await _report(context, asked, asked.first, asked.last)
    before = await _report(context, asked, asked.first - span, asked.last - span)
    best = await _best(context, asked)
    names = {shop.store: shop.name for shop in asked.shops}
    if context.query("format") == "csv":
        return _csv(asked, report, names, context.query("language"))
    return {
        "currency": asked.currency,
        "currencies": asked.currencies,
        "exponent": decimals(asked.currency),
        "from": asked.first.isoformat(),
        "to": asked.last.isoformat(),
        "total": report.total._asdict(),
        "before": before.total._asdict(),
        "days": [{"date": day, **sums._asdict()} for day, sums in report.days.items()],
        "days_before": [sums.net_minor for sums in before.days.values()],
        "hours": [{"hour": hour, **sums._asdict()} for hour, sums in enumerate(report.hours)],
        "stores": [
            {"store": store, "name": name, **report.stores.get(store, Takings())._asdict()}
            for store, name in sorted(names.items(), key=lambda one: -report.stores.get(one[0], Takings()).net_minor)
        ],
        "products": [row._asdict() for row in best],
    }


async def _report(context: Context, asked: Asked, first: date, last: date) -> Report:
    zones = {shop.store: zone_or_utc(shop.time_zone) for shop in asked.shops}
    first_ms, last_ms = bounds(first, last, zones.values())
    step = step_of(zones.values(), first_ms, last_ms)
    rows = await context.hub.report(lambda analytics: analytics.quarters(list(zones), first_ms, last_ms, step))
    return add_up(rows if zones else [], zones, first, last)


async def _best(context: Context, asked: Asked) -> Sequence[ProductRow]:
    """List the best products; days are those of the zone that most of the stores are in."""
    if not asked.shops:
        return []
    usual = Counter(shop.time_zone for shop in asked.shops).most_common(1)[0][0]
    first_ms, last_ms = bounds(asked.first, asked.last, [zone_or_utc(usual)])
    stores = [shop.store for shop in asked.shops]
    return await context.hub.report(lambda analytics: analytics.products(stores, first_ms, last_ms, PRODUCTS_MAX))


async def _asked(context: Context) -> Asked:
    """Read ``from`` and ``to`` (days, both included), ``stores`` (comma) and ``currency``."""
    today = local(context.services.clock(), zone("UTC")).date()
    last = parse_day(context.query("to"), "to") if context.query("to") else today
    first = parse_day(context.query("from"), "from") if context.query("from") else last - timedelta(days=13)
    if not 0 <= (last - first).days < DAYS_MAX or first.year < 1971 or last.year > 9_000:
        raise Invalid(f"{first} to {last} is no span of 1 to {DAYS_MAX} days", hint="Choose other days.")
    shops = await context.hub.read(lambda reading: reading.shops())
    named = [store for store in context.query("stores").split(",") if store]
    for store in named:
        if all(shop.store != store for shop in shops):
            raise NotFound(f"no store {store[:64]!r} has uploaded anything", hint="Look at the list of stores.")
    chosen = [shop for shop in shops if not named or shop.store in named]
    currencies = [currency for currency, _ in Counter(shop.currency for shop in chosen).most_common()]
    currency = context.query("currency") or next(iter(currencies), "EUR")
    return Asked([shop for shop in chosen if shop.currency == currency], first, last, currency, currencies)


def _csv(asked: Asked, report: Report, names: dict[str, str], tag: str) -> Response:
    """Write days and stores as one table, amounts as decimals: for a program, or in the language of a reader."""
    file, stores = (
        f"sales-{asked.first}-{asked.last}.csv",
        {names[store]: sums for store, sums in report.stores.items()},
    )
    if not tag:
        head = ["kind", "what", "sales", "net", "tax", "currency"]
        rows = _rows({"day": report.days, "store": stores}, asked.currency)
        return for_programs([head, *rows], file)
    language = known(tag)
    sign, words = decimal_sign(known_locale(tag[:20], language)), words_of_pages(language)
    report_words = words_of(language, "UTC")
    head = [report_words("report_part"), report_words("report_name")]
    head += [words[f"sales.{key}"] for key in ("count", "net", "tax", "currency")]
    parts = {words["sales.bydays"]: report.days, words["sales.bystores"]: stores}
    return for_readers(head, _rows(parts, asked.currency, sign), file, sign)


def _rows(parts: Mapping[str, Mapping[str, Takings]], currency: str, sign: str = ".") -> list[list[Any]]:
    def amount(minor: int) -> Number:
        return number(format_decimal(minor, decimals(currency)), sign)

    return [
        [part, what, sums.sales, amount(sums.net_minor), amount(sums.tax_minor), currency]
        for part, shown in parts.items()
        for what, sums in shown.items()
    ]


CALLS: Final = [
    Call(
        "GET",
        "/reports/sales",
        sales,
        "Sales by day, hour, store and product",
        query=("from", "to", "stores", "currency", "format", "language"),
        gives=(JSON, "text/csv"),
    )
]
