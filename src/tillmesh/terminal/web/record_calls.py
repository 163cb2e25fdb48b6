"""Products, customers, people and settings."""

from __future__ import annotations

import re
from typing import Any

import msgspec

from tillmesh.adapters.devices import open_printer
from tillmesh.adapters.sqlite import listings, searching
from tillmesh.adapters.sqlite.books import Books
from tillmesh.kernel.errors import Conflict, Invalid, NotFound
from tillmesh.kernel.limits import NAME_CHARS_MAX, NOTE_CHARS_MAX, PAGE_ROWS_MAX, SEARCH_CHARS_MAX
from tillmesh.kernel.money import check_amount, exponent
from tillmesh.kernel.quantity import format_quantity
from tillmesh.shop import catalogue
from tillmesh.shop.catalogue import Product
from tillmesh.shop.events import Change, Value
from tillmesh.shop.people import Role, role
from tillmesh.shop.personal import is_erased
from tillmesh.shop.setting_fields import store_fields, terminal_fields
from tillmesh.shop.settings import STORE, StoreSettings
from tillmesh.terminal.driver import now_ms
from tillmesh.terminal.web.api import Call, Context, token_of
from tillmesh.terminal.web.languages import checked_language
from tillmesh.till import views
from tillmesh.till.commands import ChangeRecords
from tillmesh.till.desk import checked_key, checked_text
from tillmesh.till.offers import price_of
from tillmesh.till.scanning import find_scanned

Fields = dict[str, Any]


def product_view(books: Books, sku: str) -> dict[str, Any]:
    """Show a product as it is now."""
    found = books.product(sku)
    if found is None:
        raise NotFound(f"no product {sku[:40]!r}", hint="Search by name, or add the product.")
    return views.product(found, books.store().currency, books.stock_milli(sku), _now(books, found))


def _now(books: Books, product: Product) -> int:
    """Say what everybody pays for a product now."""
    return price_of(books, product, "", now_ms()).price_minor


async def list_products(context: Context) -> Any:
    """Search active products by the beginnings of words."""
    limit, text = context.limit(50, PAGE_ROWS_MAX), context.query("q")[:SEARCH_CHARS_MAX]
    department = context.query("department")[:100]

    def query(db: Any, books: Books) -> dict[str, Any]:
        skus = searching.search(db, text, department=department, limit=limit)
        stocks, currency = books.stocks_milli(skus), books.store().currency
        found = (books.product(sku) for sku in skus)
        return {
            "products": [
                views.product(one, currency, stocks[one.sku], _now(books, one)) for one in found if one is not None
            ]
        }

    return await context.driver.read(query)


async def get_product(context: Context) -> Any:
    """Find a product by sku, by barcode, or by an in-store code that carries weight or price."""
    code = context.path("code")

    def query(books: Books) -> dict[str, Any]:
        if books.product(code) is not None:
            return product_view(books, code)
        product, quantity, total = find_scanned(books, barcode=code)
        view = product_view(books, product.sku)
        if quantity is not None:
            view["scanned"] = {"quantity": format_quantity(quantity)}
        elif total is not None:
            view["scanned"] = {"line_total_minor": total}
        return view

    return await context.driver.look(query)


async def upsert_product(context: Context, body: Fields) -> tuple[int, Any]:
    """Add a product, or change the one with this sku."""
    settings = await _same_currency(context, body)
    codes = body.get("barcodes")
    named = body.get("sku") or (codes[0] if isinstance(codes, list) and codes else "")
    by_code = not body.get("sku")
    before = await context.driver.look(lambda books: _known(books, str(named), by_code=by_code))
    tax_codes = tuple(settings.rates_ppm())
    if before is None:
        sku, fields = catalogue.check_new(body, tax_codes)
    else:
        sku = before.sku
        fields = catalogue.check_fields({k: v for k, v in body.items() if k != "sku"}, tax_codes)
    await context.driver.look(lambda books: _check_codes(books, sku, fields))
    await context.do(ChangeRecords(entity="product", changes=(Change(key=sku, fields=fields),)))
    return (201 if before is None else 200), await context.driver.look(lambda books: product_view(books, sku))


async def patch_product(context: Context, body: Fields) -> Any:
    """Change some fields of a product."""
    code = context.path("code")

    found = await context.driver.look(lambda books: _known(books, code, by_code=True))
    if found is None:
        raise NotFound(f"no product {code[:40]!r}", hint="Search by name, or add the product.")
    sku = found.sku
    settings = await _same_currency(context, body)
    if body.pop("sku", sku) != sku:
        raise Invalid("the sku of a product never changes", hint="Add another product.")
    fields = catalogue.check_fields(body, tuple(settings.rates_ppm()))
    await context.driver.look(lambda books: _check_codes(books, sku, fields))
    await context.do(ChangeRecords(entity="product", changes=(Change(key=sku, fields=fields),)))
    return await context.driver.look(lambda books: product_view(books, sku))


def _known(books: Books, code: str, *, by_code: bool) -> Product | None:
    return books.product(code) or (books.product_by_barcode(code) if by_code else None)


def _check_codes(books: Books, sku: str, fields: Fields) -> None:
    """Refuse a new code that already scans as another product: a till would sell one for the other."""
    held = books.product(sku)
    codes = set(fields.get("barcodes", ())) - set(() if held is None else held.barcodes)
    for code in sorted(codes | ({sku} if held is None else set())):
        other = books.product_by_barcode(code) or books.product(code)
        if other is not None and other.sku != sku:
            raise Conflict(f"{code[:40]!r} is {other.name[:60]!r} already", hint="Take the code from that one first.")


async def _same_currency(context: Context, body: Fields) -> StoreSettings:
    """Give the settings of the store, with what a product view carries beyond its fields taken out of the body."""
    settings = await context.driver.look(lambda books: books.store())
    currency = body.pop("currency", settings.currency)
    if currency != settings.currency:
        raise Invalid(f"the store's currency is {settings.currency}, not {str(currency)[:10]}", hint="Leave it out.")
    body.pop("stock", None)
    body.pop("price_now_minor", None)
    return settings


async def departments(context: Context) -> Any:
    """List the departments with products: those the store has set first, in its order, with icon and colour."""

    def query(db: Any, books: Books) -> list[dict[str, Any]]:
        styles = books.store().department_styles()
        order = {name: place for place, name in enumerate(styles)}
        found = sorted(searching.departments(db), key=lambda one: order.get(one["name"], len(order)))
        return [one | dict(zip(("icon", "colour"), styles.get(one["name"], ("", "")), strict=True)) for one in found]

    return {"departments": await context.driver.read(query)}


# Customers.

_CUSTOMER = {
    "name": NAME_CHARS_MAX, "email": 200, "phone": 50, "note": NOTE_CHARS_MAX, "address": NOTE_CHARS_MAX,
    "group": NAME_CHARS_MAX,
}  # fmt: skip
_PHONE = re.compile(r"\+[0-9 ()./-]{3,30}")
PHONE_DIGITS_MAX = 15  # ITU-T E.164


def _phone(text: str, what: str, *, least: int, most: int) -> str:
    """Check a phone number; with its country it may look like a card number, and a plus sign says that it is none."""
    clean = text.strip()
    if _PHONE.fullmatch(clean) and sum(c.isdigit() for c in clean) <= PHONE_DIGITS_MAX:
        return clean
    return checked_text(clean, what, least=least, most=most)


def _customer_fields(body: Fields, *, new: bool) -> dict[str, Value]:
    unknown = sorted(set(body) - set(_CUSTOMER) - {"customer_id", "credit_limit_minor", "erased"})
    if unknown:
        raise Invalid(f"unknown field {unknown[0][:40]!r}", hint=f"Customers have {', '.join(_CUSTOMER)}.")
    fields: dict[str, Value] = {}
    for name, most in _CUSTOMER.items():
        if name in body:
            if not isinstance(body[name], str):
                raise Invalid(f"{name} must be a text")
            check = _phone if name == "phone" else checked_text
            fields[name] = check(body[name], name, least=1 if name == "name" else 0, most=most)
    if "credit_limit_minor" in body:
        fields["credit_limit_minor"] = _credit(body["credit_limit_minor"])
    if new and "name" not in fields:
        raise Invalid("a customer needs a name", hint="Send a name.")
    if not fields:
        raise Invalid("nothing to change", hint=f"Send some of {', '.join(_CUSTOMER)}.")
    return fields


def _credit(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise Invalid("credit_limit_minor must be a whole number of minor units", hint="12.50 is 1250.")
    return check_amount(value, "credit_limit_minor")


def _customer(key: str, fields: Fields) -> dict[str, Any]:
    shown = {"customer_id": key, **{name: fields.get(name) or "" for name in _CUSTOMER}}
    return shown | {"credit_limit_minor": fields.get("credit_limit_minor") or 0, "erased": is_erased(fields)}


async def list_customers(context: Context) -> Any:
    """Search customers by any part of their fields, sorted by name."""
    text, limit = context.query("q")[:SEARCH_CHARS_MAX].casefold(), context.limit(50, PAGE_ROWS_MAX)

    def query(books: Books) -> dict[str, Any]:
        rows = [_customer(key, fields) for key, fields in books.records("customer") if not is_erased(fields)]
        found = [row for row in rows if text in " ".join(str(value) for value in row.values()).casefold()]
        return {"customers": sorted(found, key=lambda row: row["name"].casefold())[:limit]}

    return await context.driver.look(query)


async def get_customer(context: Context) -> Any:
    """Show a customer with the last sales."""
    key = context.path("customer_id")

    def query(books: Books) -> dict[str, Any]:
        fields = books.fields("customer", key)
        if fields is None:
            raise NotFound(f"no customer {key[:40]!r}", hint="Search by name.")
        sales = listings.sales(books, listings.SaleFilter(customer_id=key, limit=20))
        return _customer(key, fields) | {
            "sales": [views.sale(books, event, context.replication(event)) for event in sales]
        }

    return await context.driver.look(query)


async def create_customer(context: Context, body: Fields) -> tuple[int, Any]:
    """Add a customer."""
    fields = _customer_fields(body, new=True)
    given = body.get("customer_id") or context.new_id()
    if not isinstance(given, str):
        raise Invalid("customer_id must be a text", hint="Leave it out to have one made.")
    key = checked_key(given, "customer_id")
    taken = await context.driver.look(lambda books: books.fields("customer", key))
    if taken is not None and body.get("customer_id"):  # one that we made up is there when the answer was lost
        raise Conflict(f"customer {key[:40]!r} is there already", hint="Use PATCH to change it.")
    await context.do(ChangeRecords(entity="customer", changes=(Change(key=key, fields=fields),)))
    return 201, _customer(key, fields)


async def patch_customer(context: Context, body: Fields) -> Any:
    """Change some fields of a customer."""
    key = context.path("customer_id")
    if await context.driver.look(lambda books: books.fields("customer", key)) is None:
        raise NotFound(f"no customer {key[:40]!r}", hint="Search by name.")
    if body.get("customer_id", key) != key:
        raise Invalid("the customer_id of a customer never changes", hint="Leave it out.")
    fields = _customer_fields(body, new=False)
    await context.do(ChangeRecords(entity="customer", changes=(Change(key=key, fields=fields),)))
    now: Any = await context.driver.look(lambda books: books.fields("customer", key))
    return _customer(key, now or {})


# People.


class PersonBody(msgspec.Struct):
    """Somebody who works here; fields left out stay as they are."""

    name: str | None = None
    role: str | None = None
    pin: str | None = None
    active: bool | None = None
    language: str | None = None


async def list_people(context: Context) -> Any:
    """List everybody who works here, with role; never a PIN."""

    def query(books: Books) -> dict[str, Any]:
        return {"people": [_person(key, fields) for key, fields in books.records("person")]}

    return await context.driver.look(query)


def _person(key: str, fields: Fields) -> dict[str, Any]:
    return {
        "user_id": key,
        "name": fields.get("name"),
        "role": fields.get("role"),
        "active": fields.get("active", True),
        "language": fields.get("language") or "",
    }


async def _person_fields(context: Context, body: PersonBody) -> dict[str, Value]:
    fields: dict[str, Value] = {}
    if body.name is not None:
        fields["name"] = checked_text(body.name, "name", least=1, most=NAME_CHARS_MAX)
    if body.role is not None:
        fields["role"] = str(role(body.role))
    if body.pin is not None:
        fields["pin_tag"] = await context.services.pins.tag(body.pin)
    if body.active is not None:
        fields["active"] = body.active
    if body.language is not None:
        fields["language"] = checked_language(body.language)
    if not fields:
        raise Invalid("nothing to change", hint="Send name, role, pin, language or active.")
    return fields


async def create_person(context: Context, body: PersonBody) -> tuple[int, Any]:
    """Add a person with name, role and PIN."""
    if body.name is None or body.role is None or body.pin is None:
        raise Invalid("a person needs name, role and pin", hint="Send all three.")
    key = context.new_id()
    fields = await _person_fields(context, body)
    await context.do(ChangeRecords(entity="person", changes=(Change(key=key, fields=fields),)))
    return 201, _person(key, fields)


async def patch_person(context: Context, body: PersonBody) -> Any:
    """Change a person; whose role, PIN or access changed is signed out."""
    key = context.path("user_id")
    held = await context.driver.look(lambda books: books.fields("person", key))
    if held is None:
        raise NotFound(f"no person {key[:40]!r}", hint="Reload the list.")
    fields = await _person_fields(context, body)
    await context.do(ChangeRecords(entity="person", changes=(Change(key=key, fields=fields),)))
    _sign_out(context, key, {name for name, value in fields.items() if held.get(name, name == "active") != value})
    return _person(key, {**held, **fields})


def _sign_out(context: Context, user_id: str, changed: set[str]) -> None:
    """End the sessions of somebody whose PIN, role or access changed; who changed the own PIN stays in here."""
    if changed & {"role", "active"}:
        context.services.sessions.sign_out(user_id)
    elif "pin_tag" in changed:
        context.services.sessions.sign_out(user_id, but=token_of(context.request))


# Settings.


class SettingsBody(msgspec.Struct):
    """Settings of the store and of this till; fields left out stay as they are."""

    store: dict[str, Any] = {}
    terminal: dict[str, Any] = {}


async def get_settings(context: Context) -> Any:
    """Show the settings of the store and of this till."""

    def query(books: Books) -> dict[str, Any]:
        settings = books.store()
        return {
            "store": views.store(settings, exponent(settings.currency)),
            "terminal": msgspec.structs.asdict(books.terminal()),
        }

    return await context.driver.look(query)


async def patch_settings(context: Context, body: SettingsBody) -> Any:
    """Change settings of the store or of this till."""
    changes = []
    shared = (Change(key=STORE, fields=store_fields(body.store)),) if body.store else ()
    if body.terminal:
        fields = terminal_fields(body.terminal)
        held = await context.driver.look(lambda books: books.terminal())
        # Made only to be refused: a printer that nobody can name would just never print.
        kind, target = fields.get("printer_kind", held.printer_kind), fields.get("printer_target", held.printer_target)
        open_printer(str(kind), str(target), context.driver.opened.data_dir)
        changes.append(Change(key=context.driver.identity.terminal, fields=fields))
    if not changes and not shared:
        raise Invalid("nothing to change", hint="Send store or terminal settings.")
    if shared and context.services.decide is not None:
        await context.driver.check(context.who(), ChangeRecords(entity="setting", changes=shared))
        await context.services.decide(shared, context.who())
        shared = ()
    if changes or shared:
        await context.do(ChangeRecords(entity="setting", changes=(*shared, *changes)))
    return await get_settings(context)


CALLS = [
    Call("GET", "/products", list_products, "Search products", query=("q", "limit", "department")),
    Call("POST", "/products", upsert_product, "Add or change a product", Fields, role=Role.MANAGER, status=201),
    Call("GET", "/products/{code}", get_product, "Find a product by sku or barcode"),
    Call("PATCH", "/products/{code}", patch_product, "Change a product", Fields, role=Role.MANAGER),
    Call("GET", "/departments", departments, "List departments"),
    Call("GET", "/customers", list_customers, "Search customers", query=("q", "limit")),
    Call("POST", "/customers", create_customer, "Add a customer", Fields, status=201),
    Call("GET", "/customers/{customer_id}", get_customer, "Show a customer"),
    Call("PATCH", "/customers/{customer_id}", patch_customer, "Change a customer", Fields),
    Call("GET", "/people", list_people, "List people", role=Role.SUPERVISOR),
    Call("POST", "/people", create_person, "Add a person", PersonBody, role=Role.MANAGER, status=201),
    Call("PATCH", "/people/{user_id}", patch_person, "Change a person", PersonBody, role=Role.MANAGER),
    Call("GET", "/settings", get_settings, "Show settings"),
    Call("PATCH", "/settings", patch_settings, "Change settings", SettingsBody, role=Role.MANAGER),
]
