"""What changed in the shop, told to every open page: by this till, or by another one of the store."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final

from tillmesh.adapters.sqlite.books import Books
from tillmesh.kernel.codec import Record, decode
from tillmesh.kernel.envelope import Envelope
from tillmesh.kernel.quantity import format_quantity
from tillmesh.shop import events as e
from tillmesh.shop.stock import movements
from tillmesh.terminal.web.api import Services
from tillmesh.till import views

PRODUCTS_TOLD_MAX: Final = 500  # Above that a page loads the catalogue anew, which is less work for both.


def tell_events(services: Services, events: Sequence[Envelope]) -> None:
    """Tell what other tills did."""
    tell(services, [(event, decode(event.body, e.KINDS[event.type])) for event in events if event.type in e.KINDS])


def tell(services: Services, happened: Iterable[tuple[Envelope, Record]]) -> None:
    """Tell the open pages what stored events changed; products and stock levels once for all of them."""
    live, products, moved = services.live, set[str](), set[str]()
    for event, body in happened:
        match body:
            case e.SaleClosed():
                live.send("sale", {"sale_id": event.id, "receipt_number": body.receipt_number,
                                   "total_minor": body.total_minor, "cart_id": body.cart_id})  # fmt: skip
            case e.ShiftOpened() | e.ShiftClosed() | e.CashMoved():
                live.send("shift", {"event": event.type})
            case e.CartParked() | e.CartResumed():
                live.send("parked", {"event": event.type})
            case e.ProductsChanged():
                products |= {change.key for change in body.changes}
            case e.SettingsChanged():
                live.send("settings", {})
            case _:
                pass
        moved |= {sku for sku, _ in movements(body)}
    if len(products) > PRODUCTS_TOLD_MAX:
        live.send("resync", {})
    elif products:
        _tell_products(services, sorted(products))
    if moved:
        _tell_stock(services, sorted(moved))


def _tell_products(services: Services, skus: list[str]) -> None:
    def query(db: Any, books: Books) -> list[dict[str, Any]]:  # noqa: ARG001
        currency = books.store().currency
        stocks = books.stocks_milli(skus)
        found = (books.product(sku) for sku in skus)
        return [views.product(one, currency, stocks[one.sku]) for one in found if one is not None]

    services.driver.later(query, lambda rows: services.live.send("products", {"skus": skus, "products": rows}))


def _tell_stock(services: Services, skus: list[str]) -> None:
    def query(db: Any, books: Books) -> dict[str, str]:  # noqa: ARG001
        counted = [sku for sku in skus if (found := books.product(sku)) is None or found.track_stock]
        return {sku: format_quantity(milli) for sku, milli in books.stocks_milli(counted).items()}

    def tell(levels: dict[str, str]) -> None:
        if levels:
            services.live.send("stock", {"levels": levels})

    services.driver.later(query, tell)
