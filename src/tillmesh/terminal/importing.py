"""Product files against this till's catalogue, for the web page and the command line."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec

from tillmesh.adapters.sqlite.books import Books
from tillmesh.kernel.errors import Invalid
from tillmesh.kernel.limits import IMPORT_BODY_BYTES_MAX
from tillmesh.kernel.money import exponent
from tillmesh.shop.product_columns import Reading
from tillmesh.shop.product_file import Report
from tillmesh.shop.product_matching import Shelf
from tillmesh.shop.settings import StoreSettings

CHUNK_BYTES = 1 << 16


def reading_of(store: StoreSettings, mapping: Mapping[str, str]) -> Reading:
    """Say how a file is read in this store."""
    return Reading(tax_rates_ppm=store.rates_ppm(), mapping=dict(mapping), decimals=exponent(store.currency))


def shelf_of(books: Books) -> Shelf:
    """Look products up in this till's catalogue."""

    def owner(barcode: str) -> str | None:
        found = books.product_by_barcode(barcode)
        return None if found is None else found.sku

    return Shelf(product=lambda sku: books.fields("product", sku), owner=owner)


def report_view(report: Report) -> dict[str, Any]:
    """Show what an import did or would do."""
    return msgspec.to_builtins(report)  # type: ignore[no-any-return]


def chunks(path: Path) -> Iterator[bytes]:
    """Read a file, unpacking gzip, in pieces and never more than IMPORT_BODY_BYTES_MAX in all."""
    opener = gzip.open if path.suffix == ".gz" else open
    size = 0
    try:
        with opener(path, "rb") as file:
            while piece := file.read(CHUNK_BYTES):
                size += len(piece)
                if size > IMPORT_BODY_BYTES_MAX:
                    raise Invalid(f"{path.name} is over {IMPORT_BODY_BYTES_MAX} bytes", hint="Split it.")
                yield bytes(piece)
    except (OSError, EOFError, zlib.error) as cause:
        raise Invalid(f"{path.name} can't be read ({cause})", hint="Name a CSV file or its gzip.") from cause
