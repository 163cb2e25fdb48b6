"""From what was scanned or typed to a product, with the quantity or price that an in-store code carries."""

from __future__ import annotations

from tillmesh.kernel.errors import Conflict, Invalid, NotFound
from tillmesh.kernel.limits import KEY_CHARS_MAX, QUANTITY_MILLI_MAX
from tillmesh.kernel.quantity import ONE
from tillmesh.shop.barcodes import Scan, readings
from tillmesh.shop.catalogue import Product
from tillmesh.shop.instore import implied_quantity_milli
from tillmesh.till.ports import Books


def find_scanned(books: Books, *, sku: str = "", barcode: str = "") -> tuple[Product, int | None, int | None]:
    """Give the product, and the quantity in thousandths or the line total that the code itself carries."""
    if not sku and not barcode:
        raise Invalid("a line needs a sku or a barcode", hint="Send one of them.")
    if max(len(sku), len(barcode)) > KEY_CHARS_MAX:
        raise Invalid(f"a product code is over {KEY_CHARS_MAX} characters", hint="Scan it again.")
    if sku:
        return _sellable(books.product(sku), sku), None, None
    store = books.store()
    for found in readings(barcode, store.barcode_layouts, store.currency):
        for code in found.codes:
            product = books.product_by_barcode(code) or books.product(code)
            if product is not None:
                return _sellable(product, barcode), _quantity(found, product), found.line_total_minor
    raise NotFound(f"no product has the barcode {barcode[:40]!r}", hint="Search by name, or add the product.")


def times(asked_milli: int, carried_milli: int | None, fixed_price_minor: int | None) -> int:
    """Give the quantity of a line: what was asked for, so many times what a label carries.

    A label with a price is one thing with one price: two of them are two scans.
    """
    if fixed_price_minor is not None and asked_milli != ONE:
        raise Invalid("the price on a label is for one piece", hint="Scan each label by itself.")
    if carried_milli is None:
        return asked_milli
    if asked_milli % ONE:
        raise Invalid("a label can't be sold in parts", hint="Use a whole number of labels, or type the weight.")
    quantity = carried_milli * (asked_milli // ONE)
    if not 0 < quantity <= QUANTITY_MILLI_MAX:
        raise Invalid(f"a quantity of {quantity} thousandths is over {QUANTITY_MILLI_MAX}", hint="Check the quantity.")
    return quantity


def _quantity(found: Scan, product: Product) -> int | None:
    """Take the quantity from the code; a label with only a price tells how much of a weighed product it is for."""
    if found.quantity_milli is None and found.line_total_minor is not None and product.unit != "piece":
        return implied_quantity_milli(found.line_total_minor, product.price_minor)
    return found.quantity_milli


def _sellable(product: Product | None, asked: str) -> Product:
    if product is None:
        raise NotFound(f"no product {asked[:40]!r}", hint="Search by name, or add the product.")
    if not product.active:
        raise Conflict(f"{product.name[:60]!r} is not sold any more", hint="A manager can make it active again.")
    if product.comes_in_variants:
        raise Conflict(f"{product.name[:60]!r} comes in several variants", hint="Choose one of them.")
    return product
