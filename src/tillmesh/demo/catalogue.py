"""The demo shop's products: the extract that comes with us, or a file of the user's, and always our own goods."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from typing import Final

import msgspec

from tillmesh.demo.shop_data import EVERYDAY, own_products, reading
from tillmesh.kernel.errors import Invalid
from tillmesh.shop.catalogue import Product, from_fields
from tillmesh.shop.events import Change
from tillmesh.shop.product_file import Plan, plan_import
from tillmesh.shop.product_matching import Shelf
from tillmesh.shop.product_rows import text_lines

_CHUNK_BYTES: Final = 1 << 16
_ALIKE: Final = {
    "Fruit & veg": ("Fruit & vegetables", "Produce"),
    "Dairy & eggs": ("Dairy", "Drinks & dairy"),
    "Tea & coffee": ("Drinks", "Drinks & dairy"),
    "Food cupboard": ("Pantry", "Grocery"),
}


def load(path: Path | None = None) -> list[Change]:
    """Give the records of every product; raises :class:`Invalid` naming the first bad line of a user's file."""
    own = own_products()
    if path is not None:
        records = _checked(read_file(path), path)
        taken = {change.key for change in own}
        theirs = {str(change.fields.get("department")) for change in records}
        return [_at_home(change, theirs) for change in own] + [one for one in records if one.key not in taken]
    names = {change.fields["name"] for change in own}
    return own + [_favoured(change) for change in _extract().changes if change.fields["name"] not in names]


def read_file(path: Path) -> Plan:
    """Read a CSV file, packed or not, as the records of an empty shop."""
    try:
        return _plan(_unpacked(path))
    except (OSError, EOFError) as cause:
        raise Invalid(f"{path} can't be read: {cause}", hint="Name a CSV file, packed with gzip or not.") from cause


def products(changes: list[Change]) -> list[Product]:
    """Give records of an empty shop as the products they make."""
    return [from_fields(change.key, change.fields) for change in changes]


def _extract() -> Plan:
    packed = files("tillmesh.demo").joinpath("data", "catalogue.csv.gz").read_bytes()
    return _plan(iter([gzip.decompress(packed)]))


def _plan(chunks: Iterator[bytes]) -> Plan:
    return plan_import(text_lines(chunks), reading(), Shelf(lambda _: None, lambda _: None))


def _unpacked(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        packed = file.read(2) == b"\x1f\x8b"
    with gzip.open(path) if packed else path.open("rb") as file:
        while chunk := file.read(_CHUNK_BYTES):
            yield chunk


def _checked(plan: Plan, path: Path) -> list[Change]:
    if plan.report.errors:
        first, count = plan.report.errors[0], plan.report.error_count
        raise Invalid(
            f"{path}: line {first.line}, {first.column or 'whole line'}: {first.message} ({count} errors in all)",
            hint="Run `tillmesh import products FILE --dry-run` for all of them.",
        )
    return plan.changes


def _at_home(change: Change, departments: set[str]) -> Change:
    """Put one of our own goods into a department of the user's file that means the same, if ours is not there."""
    ours = str(change.fields["department"])
    alike = (name for name in _ALIKE.get(ours, ()) if name in departments and ours not in departments)
    return msgspec.structs.replace(change, fields={**change.fields, "department": next(alike, ours)})


def _favoured(change: Change) -> Change:
    return msgspec.structs.replace(change, fields={**change.fields, "favourite": change.fields["name"] in EVERYDAY})
