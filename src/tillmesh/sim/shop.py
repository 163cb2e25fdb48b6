"""The shop that every simulated store starts as: people, goods, stock; a prepared database, copied for each till."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from tillmesh.adapters.sqlite.identity import till_of
from tillmesh.adapters.sqlite.store import FILE, Origin, Writer, open_database
from tillmesh.shop.events import Change, Value
from tillmesh.shop.settings import STORE as STORE_SETTINGS
from tillmesh.sim.clock import START_MS
from tillmesh.sim.machine import KEY
from tillmesh.till.commands import ChangeRecords, Command, ReceiveStock, Who

STORE: Final = "simu1ated000"
FOUNDER: Final = Origin(store=STORE, terminal="f0under0", actor="f0under0.00000000")
CASHIER: Final = Who(user_id="maya", role="cashier")
SUPERVISOR: Final = Who(user_id="daniel", role="supervisor")
MANAGER: Final = Who(user_id="ruth", role="manager")
PRICES: Final = {"bread": 380, "gin": 1999, "milk": 149, "soap": 135, "tea": 295}
OPENING_MILLI: Final = 20_000


def template(folder: Path) -> bytes:
    """Make the database that every till begins with: the founder's few events, and no identity yet."""
    path = folder / f"template-{FILE}"
    db = open_database(path, KEY)
    try:
        writer = Writer(db, FOUNDER)
        till = till_of(writer, FOUNDER, START_MS - 3_600_000)
        writer.execute_all(till, [(MANAGER, command) for command in _founding()], START_MS - 3_600_000)
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    finally:
        db.close()
    return path.read_bytes()


def _founding() -> list[Command]:
    people = tuple(
        Change(key=who.user_id, fields={"name": who.user_id, "role": who.role, "pin_tag": who.user_id, "active": True})
        for who in (CASHIER, SUPERVISOR, MANAGER)
    )
    settings: dict[str, Value] = {"currency": "GBP", "name": "Corner shop"}
    goods = tuple(Change(key=sku, fields=_product(sku, price)) for sku, price in PRICES.items())
    return [
        ChangeRecords(entity="setting", changes=(Change(key=STORE_SETTINGS, fields=settings),)),
        ChangeRecords(entity="person", changes=people),
        ChangeRecords(entity="product", changes=goods),
        *(ReceiveStock(sku=sku, quantity_milli=OPENING_MILLI) for sku in PRICES),
    ]


def _product(sku: str, price_minor: int) -> dict[str, Value]:
    return {
        "name": sku.title(),
        "price_minor": price_minor,
        "unit": "piece",
        "tax_code": "standard",
        "barcodes": [],
        "track_stock": True,
        "active": True,
    }
