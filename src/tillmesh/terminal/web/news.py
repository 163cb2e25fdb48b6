"""What changed in the shop, told to every open page: by this till, or by another one of the store."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final

from tillmesh.adapters.sqlite.books import Books
from tillmesh.kernel.codec import Record
from tillmesh.kernel.envelope import Envelope
from tillmesh.kernel.quantity import format_quantity
from tillmesh.shop import events as e
from tillmesh.shop.offers.prices import price_key_of
from tillmesh.shop.reading import read_event
from tillmesh.shop.stock import movements
from tillmesh.terminal.web.api import Services
from tillmesh.till import views
from tillmesh.till.offers import price_of
from tillmesh.till.oversells import Open, open_among

PRODUCTS_TOLD_MAX: Final = 500  # Above that a page loads the catalogue anew, which is less work for both.


def tell_events(services: Services, events: Sequence[Envelope]) -> None:
    """Tell what other tills did."""
    known = [(event, body) for event in events if (body := read_event(event)) is not None]
    tell(services, known)
    services.oversold.heard(body for _, body in known)
    if (rights := services.extra.get("rights")) is not None:
        rights.heard(body for _, body in known)
    if (watch := services.extra.get("fraud")) is not None:
        watch.heard(known)
    _sign_out(services, known)


def _sign_out(services: Services, happened: Iterable[tuple[Envelope, Record]]) -> None:
    """End the sessions here of people whose role, PIN or access was changed at another till.

    What counts is what holds after the merge: the other till's change may have lost against a newer one of this till.
    """
    changed: dict[str, set[str]] = {}
    for _, body in happened:
        if isinstance(body, e.PeopleChanged):
            for change in body.changes:
                changed.setdefault(change.key, set()).update(change.fields)
    signed_in = {key: fields for key, fields in changed.items() if services.sessions.roles(key)}
    if not signed_in:
        return

    def query(db: Any, books: Books) -> dict[str, dict[str, Any]]:  # noqa: ARG001
        return {key: dict(books.fields("person", key) or {"active": False}) for key in signed_in}

    def end(people: dict[str, dict[str, Any]]) -> None:
        for key, person in people.items():
            other_role = services.sessions.roles(key) - {str(person.get("role") or "cashier")}
            if person.get("active") is False or other_role or "pin_tag" in signed_in[key]:
                services.sessions.sign_out(key)

    services.driver.later(query, end)


def _rights(body: Record) -> set[str]:
    return {body.sku} if isinstance(body, e.RightsMoved | e.RightsIssued | e.RightsReleased) else set()


def _tell_alone(services: Services, event: Envelope, body: Record) -> None:
    """Tell what one event changed by itself."""
    match body:
        case e.SaleRefunded() | e.SaleVoided():
            services.live.send("taken_back", {"event_id": event.id, "total_minor": body.total_minor})
        case e.ShiftOpened() | e.ShiftClosed() | e.CashMoved():
            services.live.send("shift", {"event": event.type})
        case e.CartParked() | e.CartResumed():
            services.live.send("parked", {"event": event.type})
        case e.PromotionsChanged() | e.PriceListsChanged():
            services.live.send("offers", {})
        case e.SettingsChanged():
            services.live.send("settings", {})
        case _:
            pass


def tell(services: Services, happened: Iterable[tuple[Envelope, Record]]) -> None:
    """Tell the open pages what stored events changed; products and stock levels once for all of them."""
    live, products, moved, decided = services.live, set[str](), set[str](), set[str]()
    learnt = False
    for event, body in happened:
        match body:
            case e.SaleClosed():
                live.send("sale", {"sale_id": event.id, "receipt_number": body.receipt_number,
                                   "total_minor": body.total_minor, "cart_id": body.cart_id})  # fmt: skip
            case e.ProductsChanged():
                products |= {change.key for change in body.changes}
            case e.PricesChanged():
                products |= {place[2] for change in body.changes if (place := price_key_of(change.key)) is not None}
            case e.OversellResolved() | e.OversellSettled():
                decided.add(body.sku)
            case _:
                _tell_alone(services, event, body)
        moved |= {sku for sku, _ in movements(body)} or _rights(body)
        learnt |= isinstance(body, e.ProductLearnt | e.ProductsChanged)
    if learnt and "ai" in services.extra:
        services.extra["ai"].learnt()
    tell_products(services, sorted(products))
    if len(products) > PRODUCTS_TOLD_MAX:
        services.oversold.look_at_all()
    also = decided | products if len(products) <= PRODUCTS_TOLD_MAX else decided
    if moved or also:
        _tell_stock(services, moved, also)


def tell_products(services: Services, skus: list[str]) -> None:
    """Tell the open pages how these products are sold now; of very many they ask themselves."""
    if not skus:
        return
    if len(skus) > PRODUCTS_TOLD_MAX:
        services.live.send("resync", {})
        return

    def query(db: Any, books: Books) -> list[dict[str, Any]]:  # noqa: ARG001
        currency = books.store().currency
        stocks = books.stocks_milli(skus)
        found = (books.product(sku) for sku in skus)
        now = services.clock()
        return [
            views.product(one, currency, stocks[one.sku], price_of(books, one, "", now).price_minor)
            for one in found
            if one is not None
        ]

    services.driver.later(query, lambda rows: services.live.send("products", {"skus": skus, "products": rows}))


def _tell_stock(services: Services, moved: set[str], also: set[str]) -> None:
    """Tell the levels that moved, and look whether they, or what was said about other products, make an oversell."""
    skus, number = moved | also, services.oversold.asked()

    def query(db: Any, books: Books) -> tuple[dict[str, str], dict[str, Open]]:  # noqa: ARG001
        counted = [sku for sku in sorted(skus) if (found := books.product(sku)) is None or found.track_stock]
        stocks = books.stocks_milli(counted)
        levels = {sku: format_quantity(milli) for sku, milli in stocks.items() if sku in moved}
        return levels, open_among(books, stocks)

    def tell(answer: tuple[dict[str, str], dict[str, Open]]) -> None:
        levels, found = answer
        if levels:
            services.live.send("stock", {"levels": levels})
        services.oversold.looked(number, skus, found, tell=bool(also))

    services.driver.later(query, tell)
