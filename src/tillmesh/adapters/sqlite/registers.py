"""Last-writer-wins registers as stored CRDT maps, and the product tables that are read from them."""

from __future__ import annotations

from typing import Any, Final

import apsw

from tillmesh.crdt import LWWMap, Stamp
from tillmesh.kernel.codec import decode
from tillmesh.kernel.envelope import Envelope
from tillmesh.shop.catalogue import Product, from_fields
from tillmesh.shop.events import CustomersChanged, RegistersChanged, Value, counted
from tillmesh.shop.offers.prices import dated_from_fields, price_key_of
from tillmesh.shop.personal import CUSTOMER, ERASED, PERSONAL
from tillmesh.shop.registers import join

_LOAD: Final = "SELECT state FROM register WHERE entity = ? AND key = ?"
_SAVE: Final = (
    "INSERT INTO register (entity, key, state) VALUES (?, ?, ?) "
    "ON CONFLICT (entity, key) DO UPDATE SET state = excluded.state"
)
PRODUCT_COLUMNS: Final = (
    "sku, name, price_minor, unit, tax_code, department, barcodes, active, favourite, track_stock, low_stock_milli, "
    "cost_minor, colour, icon, parent, options, min_age, image, hard_limited"
)
_COLUMNS: Final = PRODUCT_COLUMNS.split(", ")
_SAVE_PRODUCT: Final = (
    f"INSERT INTO product ({PRODUCT_COLUMNS}) VALUES ({', '.join('?' * len(_COLUMNS))}) "  # noqa: S608
    f"ON CONFLICT (sku) DO UPDATE SET {', '.join(f'{name} = excluded.{name}' for name in _COLUMNS[1:])} RETURNING id"
)
_INDEX: Final = "INSERT INTO product_search (rowid, name, sku, barcodes) VALUES (?, ?, ?, ?)"


def merge(db: apsw.Connection, entity: str, event: Envelope, body: RegistersChanged) -> None:
    """Merge the fields of an event into the registers it names, or raise with none of them touched.

    Raises :class:`Invalid` or :class:`TooLarge` for fields that no register can hold.
    """
    stamp = Stamp(counted(body.authority), event.hlc, event.actor)
    writes = [(change, LWWMap.of(change.fields, stamp)) for change in body.changes]
    for change, written in writes:
        held = db.execute(_LOAD, (entity, change.key)).fetchone()
        merged = join(entity, LWWMap.from_bytes(held[0]) if held else None, written)
        db.execute(_SAVE, (entity, change.key, merged.to_bytes()))
        if entity == "product":
            _write_product(db, change.key, _shown(merged), is_new=held is None)
        elif entity == "price":
            _write_price(db, change.key, _shown(merged))


def erase(db: apsw.Connection, customer_id: str) -> None:
    """Leave of a customer that there was one."""
    db.execute(_SAVE, (CUSTOMER, customer_id, ERASED.to_bytes()))


def erased(db: apsw.Connection) -> set[str]:
    """Give the customers that were erased."""
    sql = "SELECT key FROM register WHERE entity = ? AND state = ?"
    return {key for (key,) in db.execute(sql, (CUSTOMER, ERASED.to_bytes()))}


def written_in_clear(db: apsw.Connection, customer_id: str) -> int:
    """Count the events that hold a customer's data in clear: they were written before such data was sealed."""
    sql = "SELECT body FROM event WHERE type = 'customers_changed' AND instr(body, ?) > 0"
    changes = (
        change
        for (body,) in db.execute(sql, (customer_id.encode(),))
        for change in decode(body, CustomersChanged).changes
        if change.key == customer_id
    )
    return sum(any(change.fields.get(name) for name in PERSONAL) for change in changes)


def _write_price(db: apsw.Connection, key: str, merged: dict[str, Value]) -> None:
    """Bring the row of a dated price in line with its register; one that was taken back has none."""
    place = price_key_of(key)
    if place is None:
        return
    price_list, from_ms, sku = place
    db.execute("DELETE FROM price WHERE sku = ? AND price_list = ? AND from_ms = ?", (sku, price_list, from_ms))
    if (found := dated_from_fields(key, merged)) is not None:
        row = (sku, price_list, from_ms, found[1].until_ms, found[1].price_minor)
        db.execute("INSERT INTO price (sku, price_list, from_ms, until_ms, price_minor) VALUES (?, ?, ?, ?, ?)", row)


def fields(db: apsw.Connection, entity: str, key: str) -> dict[str, Value] | None:
    """Give the merged fields of one register, or None if it was never written."""
    row = db.execute(_LOAD, (entity, key)).fetchone()
    return None if row is None else _shown(LWWMap.from_bytes(row[0]))


def newest_write(db: apsw.Connection, entity: str, key: str) -> tuple[int, int]:
    """Give the highest authority and the latest timestamp that any field of a register was written with, or zeros."""
    row = db.execute(_LOAD, (entity, key)).fetchone()
    if row is None:
        return 0, 0
    merged = LWWMap.from_bytes(row[0])
    stamps = [merged.stamp(field) for field, _ in merged.items()]
    return max((s.authority for s in stamps), default=0), max((s.hlc for s in stamps), default=0)


def written_at(db: apsw.Connection, entity: str, key: str, field: str) -> int:
    """Give the timestamp (HLC) that a field was written with, or zero."""
    row = db.execute(_LOAD, (entity, key)).fetchone()
    return 0 if row is None else LWWMap.from_bytes(row[0]).stamp(field).hlc


def _shown(merged: LWWMap) -> dict[str, Value]:
    """Give fields as events carry them: what a register keeps as a tuple was written, and is compared, as a list."""
    return {field: _written(value) for field, value in merged.items()}


def _written(value: object) -> Value:
    if isinstance(value, tuple):
        return [str(part) for part in value]
    assert value is None or isinstance(value, str | int), "no event writes bytes into a register"
    return value


def _write_product(db: apsw.Connection, sku: str, merged: dict[str, Value], *, is_new: bool) -> None:
    """Bring the product row, its barcodes and its search entry in line with the merged register."""
    product = from_fields(sku, merged)
    barcodes = " ".join(product.barcodes)
    row: Any = db.execute(
        _SAVE_PRODUCT,
        (sku, product.name, product.price_minor, product.unit, product.tax_code, product.department, barcodes,
         product.active, product.favourite, product.track_stock, product.low_stock_milli, product.cost_minor,
         product.colour, product.icon, product.parent, "\n".join(product.options), product.min_age,
         product.image, product.hard_limited),
    ).fetchone()  # fmt: skip
    if not is_new:
        db.execute("DELETE FROM barcode WHERE sku = ?", (sku,))
        db.execute("DELETE FROM product_search WHERE rowid = ?", (row[0],))
    for barcode in set(product.barcodes):
        db.execute("INSERT INTO barcode (barcode, sku) VALUES (?, ?)", (barcode, sku))
    db.execute(_INDEX, (row[0], product.name, sku, barcodes))


def product_of(row: tuple[object, ...]) -> Product:
    """Build a product from a row of PRODUCT_COLUMNS."""
    sku, name, price, unit, tax, department, barcodes, active, favourite, track, low, cost, colour, icon, *more = row
    parent, options, min_age, image, hard_limited = more
    return Product(
        sku=str(sku), name=str(name), price_minor=_int(price), unit=str(unit), tax_code=str(tax),
        department=str(department), barcodes=tuple(str(barcodes).split()), active=bool(active),
        favourite=bool(favourite), track_stock=bool(track), low_stock_milli=_int(low), cost_minor=_int(cost),
        colour=str(colour), icon=str(icon), parent=str(parent), options=tuple(filter(None, str(options).split("\n"))),
        min_age=_int(min_age), image=str(image), hard_limited=bool(hard_limited),
    )  # fmt: skip


def _int(value: object) -> int:
    assert isinstance(value, int)
    return value
