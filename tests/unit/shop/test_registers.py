"""A register holds only so many fields, and never loses one that means something."""

from tillmesh.crdt import LWWMap, Stamp
from tillmesh.kernel.limits import CRDT_FIELDS_MAX
from tillmesh.shop.catalogue import Product
from tillmesh.shop.offers.fields import _LIST, _PROMOTION
from tillmesh.shop.offers.prices import DatedPrice
from tillmesh.shop.registers import KNOWN, join
from tillmesh.shop.settings import StoreSettings, TerminalSettings
from tillmesh.shop.suppliers import Supplier

KEYS = {"sku", "supplier_id", "price_list", "from_ms"}  # of records, not fields of theirs


def test_every_field_that_this_program_writes_is_known() -> None:
    kinds = (Product, StoreSettings, TerminalSettings, Supplier, DatedPrice)
    named = {name for kind in kinds for name in kind.__struct_fields__} - KEYS
    named |= {own for own, _ in (*_PROMOTION.values(), *_LIST.values())}
    assert named - KNOWN == set()


def test_of_too_many_fields_the_same_ones_stay_in_any_order_and_grouping() -> None:
    parts = [LWWMap.of({f"{mark}{n}": n for n in range(100)}, Stamp(0, at, "a")) for at, mark in enumerate("zax", 1)]
    parts.append(LWWMap.of({"name": "Fernhill", "role": "manager"}, Stamp(0, 9, "b")))
    one, two, three, four = parts
    whole = join("x", join("x", join("x", one, two), three), four)
    assert (
        whole
        == join("x", join("x", four, three), join("x", two, one))
        == join("x", join("x", three, one), join("x", four, two))
    )
    assert len(whole) == CRDT_FIELDS_MAX
    assert {"name", "role", "a0", "a99", "x0"} < set(whole)
