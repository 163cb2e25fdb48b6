"""More about products: variants, and many changed at once, with a way back."""

from __future__ import annotations

from typing import Any

import msgspec
from starlette.responses import Response

from tillmesh.adapters.devices.pdf import Label, labels
from tillmesh.adapters.locales import words_of
from tillmesh.adapters.sqlite.books import Books
from tillmesh.kernel.errors import Invalid, NotFound
from tillmesh.kernel.limits import PRODUCTS_PER_EVENT_MAX
from tillmesh.shop import catalogue, variants
from tillmesh.shop.events import Change, Value
from tillmesh.shop.people import Role
from tillmesh.terminal.web.api import Call, Context
from tillmesh.till import views
from tillmesh.till.commands import ChangeRecords

PDF = "application/pdf"


class VariantsBody(msgspec.Struct):
    """Options with their values, such as ``["Size=S,M,L"]``."""

    options: list[str]


class BulkBody(msgspec.Struct):
    """The same new values of some fields for many products, or each its own (``changes``)."""

    skus: list[str] = []
    fields: dict[str, Any] = {}
    changes: dict[str, dict[str, Any]] = {}


async def make_variants(context: Context, body: VariantsBody) -> tuple[int, Any]:
    """Let a product come in variants: one product for each combination, with stock and barcodes of its own."""
    sku = context.path("sku")
    options = catalogue.check_fields({"options": body.options}, ())["options"]
    assert isinstance(options, list)

    def plan(books: Books) -> tuple[Change, ...]:
        parent = books.product(sku)
        if parent is None:
            raise NotFound(f"no product {sku[:40]!r}", hint="Search by name, or add the product.")
        known = {one for one in variants.skus_of(parent, options) if books.product(one) is not None}
        return variants.making(parent, options, known)

    changes = await context.driver.look(plan)
    await context.do(ChangeRecords(entity="product", changes=changes))
    made = [change.key for change in changes[1:]]

    def shown(books: Books) -> list[dict[str, Any]]:
        currency, stocks = books.store().currency, books.stocks_milli(made)
        found = (books.product(one) for one in made)
        return [views.product(one, currency, stocks[one.sku]) for one in found if one is not None]

    return 201, {"made": await context.driver.look(shown)}


async def change_many(context: Context, body: BulkBody) -> Any:
    """Change many products at once, in one event; the answer holds what they were, to send back as ``changes``."""
    wanted = body.changes or dict.fromkeys(body.skus, body.fields)
    if not 1 <= len(wanted) <= PRODUCTS_PER_EVENT_MAX:
        raise Invalid(f"{len(wanted)} products; allowed are 1 to {PRODUCTS_PER_EVENT_MAX}", hint="Choose fewer.")

    def plan(books: Books) -> tuple[tuple[Change, ...], dict[str, dict[str, Value]]]:
        tax_codes = tuple(books.store().rates_ppm())
        changes, before = [], {}
        for sku, values in wanted.items():
            product = books.product(sku)
            if product is None:
                raise NotFound(f"no product {sku[:40]!r}", hint="Reload the list.")
            fields = catalogue.check_fields(values, tax_codes)
            if "barcodes" in fields:
                raise Invalid("barcodes are changed one product at a time", hint="Leave them out.")
            held = catalogue.to_fields(product)
            before[sku] = {name: held[name] for name in fields}
            changes.append(Change(key=sku, fields=fields))
        return tuple(changes), before

    changes, before = await context.driver.look(plan)
    await context.do(ChangeRecords(entity="product", changes=changes))
    return {"changed": len(changes), "before": before}


async def print_labels(context: Context) -> Response:
    """Lay out labels with name, price and barcode as a PDF."""
    skus = context.query("skus").split()[:PRODUCTS_PER_EVENT_MAX]
    copies, skip = _whole(context, "copies", 1, 1, 99), _whole(context, "skip", 0, 0, 99)

    def query(books: Books) -> list[Label]:
        store = books.store()
        formats = words_of(store.locale, store.time_zone).formats
        found = []
        for sku in skus:
            product = books.product(sku)
            if product is None:
                raise NotFound(f"no product {sku[:40]!r}", hint="Reload the list.")
            price = formats.money(product.price_minor, store.currency)
            note = "" if product.unit == "piece" else f"/ {product.unit}"
            code = product.barcodes[0] if product.barcodes else product.sku
            found += [Label(product.name, price, code, note)] * copies
        return found

    wanted = await context.driver.look(query)
    body = labels(wanted, context.query("sheet", "a4-24"), skip=skip)
    headers = {"Content-Disposition": 'attachment; filename="labels.pdf"', "Cache-Control": "no-store"}
    return Response(body, media_type=PDF, headers=headers)


def _whole(context: Context, name: str, otherwise: int, least: int, most: int) -> int:
    text = context.query(name, str(otherwise))
    if not (text.isascii() and text.isdigit() and least <= int(text[:9]) <= most):
        raise Invalid(f"{name} must be a whole number from {least} to {most}", hint="Check the number.")
    return int(text)


CALLS = [
    Call("GET", "/labels", print_labels, "Labels as a PDF", query=("skus", "sheet", "copies", "skip"), gives=(PDF,)),
    Call("POST", "/products/bulk", change_many, "Change many products at once", BulkBody, role=Role.MANAGER,
         takes_room=True),
    Call("POST", "/products/{sku}/variants", make_variants, "Let a product come in variants", VariantsBody,
         role=Role.MANAGER, status=201),
]  # fmt: skip
