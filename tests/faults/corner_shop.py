"""A small shop to break: set up in a data directory, sold in directly, and read back."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import apsw

from tests.faults.checker import History, Sold, check, stock_sold
from tillmesh.adapters.host.keys import database_key
from tillmesh.adapters.sqlite.books import Books
from tillmesh.adapters.sqlite.database import connect, one, storage_errors
from tillmesh.adapters.sqlite.store import FILE, log, read_origin
from tillmesh.kernel.codec import decode
from tillmesh.shop import events as e
from tillmesh.shop.events import Change, Payment
from tillmesh.sim.disk import PowerCut
from tillmesh.terminal.bootstrap import open_terminal
from tillmesh.terminal.driver import Driver
from tillmesh.terminal.offline import OfflineTill
from tillmesh.terminal.verifying import verify
from tillmesh.till.commands import ChangeRecords, CloseSale, OpenShift, ReceiveStock, WantedLine, Who

MANAGER = Who(user_id="ruth", role="manager")
CASHIER = Who(user_id="maya", role="cashier")
PINS = {"maya": "1111", "daniel": "5555", "ruth": "9999"}
ROLES = {"maya": "cashier", "daniel": "supervisor", "ruth": "manager"}
PRICES = {"BREAD": 380, "MILK": 149, "TEA": 295, "SOAP": 135, "GIN": 1999}
FLOAT_MINOR = 10_000
OPENING_MILLI = 1_000_000


def found_shop(data_dir: Path, *, printer: str = "", pins: bool = False, at_ms: int = 0) -> None:
    """Set up people, goods, stock and an open shift in a fresh data directory, now or at an earlier moment."""
    till = OfflineTill(data_dir, hurried=True)
    now_ms = at_ms or time.time_ns() // 1_000_000
    people = [
        Change(key=user, fields={"name": user, "role": ROLES[user], "pin_tag": till.pin_tag(pin) if pins else user,
                                 "active": True})
        for user, pin in PINS.items()
    ]  # fmt: skip
    goods = [
        Change(key=sku, fields={"name": sku.title(), "price_minor": price, "unit": "piece", "tax_code": "standard",
                                "barcodes": [], "track_stock": True, "active": True})
        for sku, price in PRICES.items()
    ]  # fmt: skip
    settings = [Change(key="store", fields={"currency": "GBP", "name": "Corner shop"})]
    if printer:
        target: dict[str, e.Value] = {"printer_kind": "file", "printer_target": printer, "open_drawer": False}
        settings.append(Change(key=till.terminal_id, fields={"name": "Till 1", "number": 1, **target}))
    for entity, changes in (("setting", settings), ("person", people), ("product", goods)):
        till.do(MANAGER, ChangeRecords(entity=entity, changes=tuple(changes)), now_ms)
    for sku in PRICES:
        till.do(MANAGER, ReceiveStock(sku=sku, quantity_milli=OPENING_MILLI), now_ms)
    till.do(MANAGER, OpenShift(float_minor=FLOAT_MINOR), now_ms)
    till.close()


@contextmanager
def driving(data_dir: Path, *, vfs: str | None = None) -> Iterator[Driver]:
    """Open a till as the program does, without its web page."""
    driver = Driver(open_terminal(data_dir, vfs=vfs))
    try:
        yield driver
    finally:
        with suppress(PowerCut, apsw.IOError):  # SQLite itself swallows what the last checkpoint says
            driver.close()


def basket(number: int) -> tuple[WantedLine, ...]:
    """Wares for the n-th customer."""
    skus = sorted(PRICES)
    return tuple(
        WantedLine(sku=skus[(number + line) % len(skus)], quantity_milli=1000 * (1 + (number + line) % 3))
        for line in range(1 + number % 3)
    )


def total_minor(number: int) -> int:
    """What the n-th basket costs, computed here and not by the till."""
    return sum(PRICES[line.sku] * line.quantity_milli // 1000 for line in basket(number))


def sale(cart_id: str, number: int) -> CloseSale:
    """Sell the n-th basket for cash, paid with a little too much."""
    cash = Payment("cash", -(-total_minor(number) // 500) * 500)
    return CloseSale(cart_id=cart_id, lines=basket(number), payments=(cash,))


def receipt_of(driver: Driver, sale_id: str) -> str:
    """The receipt number of a sale, as it is told and printed."""
    actor, _, seq = sale_id.rpartition("-")
    sql = "SELECT number FROM receipt r JOIN actor a ON a.id = r.actor WHERE a.name = ? AND r.seq = ?"
    return str(one(driver.opened.writer.db, sql, (actor, int(seq))))


def assert_all_holds(shop: Path, history: History, *, quick: bool = False) -> None:
    """Check every promise against the books, the stock, and the till's own verification, which may be a quick one."""
    books, others = read_books(shop)
    assert check(history, books, others) == []
    sold = stock_sold(books)
    assert read_stock(shop) == {sku: OPENING_MILLI - sold.get(sku, 0) for sku in PRICES}
    report = verify(shop, quick=quick)
    assert report["ok"], report


def read_books(data_dir: Path) -> tuple[list[Sold], list[str]]:
    """Read every sale from the log, and the receipt numbers of refunds and voids, beside whoever runs."""
    db = connect(data_dir / FILE, database_key(data_dir), read_only=True)
    try:
        with storage_errors():
            sales, others = [], []
            for event in log(db):
                match event.type:
                    case "sale_closed":
                        sales.append(_sold(event.id, decode(event.body, e.SaleClosed)))
                    case "sale_refunded":
                        others.append(decode(event.body, e.SaleRefunded).receipt_number)
                    case "sale_voided":
                        others.append(decode(event.body, e.SaleVoided).receipt_number)
                    case _:
                        pass
            return sales, others
    finally:
        db.close()


def read_stock(data_dir: Path) -> dict[str, int]:
    """Read the stock of every product, in thousandths."""
    db = connect(data_dir / FILE, database_key(data_dir), read_only=True)
    try:
        origin = read_origin(db)
        assert origin is not None
        books = Books(db, origin.terminal)
        return {sku: books.stock_milli(sku) for sku in PRICES}
    finally:
        db.close()


def read_audit(data_dir: Path, action: str) -> list[str]:
    """Read the details of every audit entry of one action."""
    db = connect(data_dir / FILE, database_key(data_dir), read_only=True)
    try:
        noted = [decode(event.body, e.Audited) for event in log(db) if event.type == "audited"]
        return [entry.detail for entry in noted if entry.action == action]
    finally:
        db.close()


def _sold(sale_id: str, body: e.SaleClosed) -> Sold:
    return Sold(
        sale_id=sale_id,
        cart_id=body.cart_id,
        receipt_number=body.receipt_number,
        total_minor=body.total_minor,
        tax_minor=body.tax_minor,
        rounding_minor=body.rounding_minor,
        change_minor=body.change_minor,
        payments_minor=tuple(payment.amount_minor for payment in body.payments),
        lines=tuple((line.sku, line.quantity_milli, line.total_minor) for line in body.lines),
    )
