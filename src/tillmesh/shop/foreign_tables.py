"""Product files as other tills and shops export them, turned into a table of our own columns.

Recognised by what only they have in the first line: Shopify's product export (old and new titles) and Loyverse's item
export. In both a product with sizes or colours is several lines that share a handle, and only the first of them
carries the name. Sources: help.shopify.com "Using CSV files to import and export products", help.loyverse.com
"Exporting and importing items".
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from tillmesh.shop.product_rows import BadRow, Row, Table

OURS: Final = ("sku", "barcode", "name", "department", "price", "cost", "unit", "low_stock", "active")
_ONE_VARIANT: Final = frozenset({"", "default title"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """How one program names its columns; ``known_by`` are titles that, together, no other file has."""

    known_by: frozenset[str]
    handle: tuple[str, ...]
    options: tuple[str, ...]
    columns: Mapping[str, tuple[str, ...]]  # ours -> theirs, the first that is there
    by_weight: str = ""  # a column that says whether it is sold by weight
    drafts: str = ""  # a column that says "active" of what is for sale


_SHOPIFY: Final = Origin(
    known_by=frozenset({"handle", "title", "variant sku", "variant price"}),
    handle=("handle",),
    options=("option1 value", "option2 value", "option3 value"),
    columns={
        "sku": ("variant sku",), "barcode": ("variant barcode",), "name": ("title",),
        "department": ("type", "product category"), "price": ("variant price",), "cost": ("cost per item",),
    },
    drafts="status",
)  # fmt: skip
_SHOPIFY_NEW: Final = Origin(
    known_by=frozenset({"url handle", "title", "sku", "price"}),
    handle=("url handle",),
    options=("option1 value", "option2 value", "option3 value"),
    columns={
        "sku": ("sku",), "barcode": ("barcode",), "name": ("title",), "department": ("type", "product category"),
        "price": ("price",), "cost": ("cost per item",),
    },
    drafts="status",
)  # fmt: skip
_LOYVERSE: Final = Origin(
    known_by=frozenset({"handle", "sku", "name", "sold by weight"}),
    handle=("handle",),
    options=("option 1 value", "option 2 value", "option 3 value"),
    columns={
        "sku": ("sku",), "barcode": ("barcode",), "name": ("name",), "department": ("category",),
        "price": ("price", "default price"), "cost": ("cost", "purchase cost"), "low_stock": ("low stock",),
    },
    by_weight="sold by weight",
)  # fmt: skip
ORIGINS: Final = (_SHOPIFY, _SHOPIFY_NEW, _LOYVERSE)


def origin_of(header: Sequence[str]) -> Origin | None:
    """Say which program wrote a file with these titles, or None."""
    titles = {_plain(title) for title in header}
    return next((origin for origin in ORIGINS if origin.known_by <= titles), None)


def in_our_columns(table: Table) -> Table:
    """Give a table of another program in our columns, row by row, and any other as it is."""
    origin = origin_of(table.header)
    if origin is None:
        return table
    return Table(list(OURS), table.separator, _rows(table, origin))


def _rows(table: Table, origin: Origin) -> Iterator[Row | BadRow]:
    read = _Reader(table.header, origin)
    for row in table.rows:
        if isinstance(row, BadRow):
            yield row
        elif (cells := read.cells(row.cells)) is not None:
            yield Row(row.line, cells)


class _Reader:
    """Reads lines of one origin; remembers what the first line of a product said for those that follow."""

    def __init__(self, header: Sequence[str], origin: Origin) -> None:
        self._origin = origin
        self._places: dict[str, int] = {}
        for place, title in enumerate(header):
            self._places.setdefault(_plain(title), place)
        self._handle = ""
        self._first: dict[str, str] = {}

    def cells(self, given: list[str]) -> list[str] | None:
        """Give the cells of one line in our order, or None for a line that is only another picture of a product."""
        origin = self._origin
        found = {ours: self._any(given, theirs) for ours, theirs in origin.columns.items()}
        handle = self._any(given, origin.handle)
        if handle != self._handle or not handle:
            self._handle, self._first = handle, {}
        if not (found["sku"] or found["barcode"] or found.get("price")):
            return None
        for shared in ("name", "department"):
            found[shared] = found[shared] or self._first.get(shared, "")
            self._first.setdefault(shared, found[shared])
        options = [text for title in origin.options if _plain(text := self._cell(given, title)) not in _ONE_VARIANT]
        name = ", ".join([found["name"], *options]) if found["name"] else ""
        weighed = origin.by_weight and self._cell(given, origin.by_weight).strip().lower() in {"y", "yes", "true", "1"}
        # A following line leaves the status out: it is the product's.
        status = self._cell(given, origin.drafts).strip().lower() if origin.drafts else ""
        status = status or self._first.get("status", "")
        self._first.setdefault("status", status)
        own = {**found, "name": name, "sku": found["sku"].replace(" ", "-"), "unit": "kg" if weighed else "",
               "active": "no" if status in {"draft", "archived"} else ""}  # fmt: skip
        return [own.get(title, "") for title in OURS]

    def _any(self, given: list[str], titles: Sequence[str]) -> str:
        """Give the first of these columns that is there; "Price [Main]", one of each shop, counts as "Price"."""
        for title in titles:
            if title in self._places:
                return self._cell(given, title)
            branch = next((name for name in self._places if name.startswith(f"{title} [")), None)
            if branch is not None:
                return self._cell(given, branch)
        return ""

    def _cell(self, given: list[str], title: str) -> str:
        place = self._places.get(title)
        return given[place].strip() if place is not None and place < len(given) else ""


def _plain(title: str) -> str:
    return " ".join(title.replace("_", " ").split()).casefold()
