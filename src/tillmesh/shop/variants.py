"""Variants: a product with options such as size and colour, and one product of its own for each combination."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import product as every
from math import prod
from typing import Final

from tillmesh.kernel.errors import Invalid
from tillmesh.kernel.limits import KEY_CHARS_MAX
from tillmesh.shop.catalogue import Product
from tillmesh.shop.events import Change, Value

VARIANTS_MAX: Final = 100  # of one product; guess
_PLAIN: Final = re.compile(r"[^a-z0-9]+")


def values_of(options: Sequence[str]) -> list[tuple[str, list[str]]]:
    """Read ``["Size=S,M"]`` as [("Size", ["S", "M"])]."""
    parts = (one.partition("=") for one in options)
    return [(name, values.split(",")) for name, _, values in parts]


def making(parent: Product, options: Sequence[str], known: set[str]) -> tuple[Change, ...]:
    """Give the changes that make a product come in variants; those of its skus that are known stay as they are."""
    listed = values_of(options)
    count = prod(len(values) for _, values in listed) if listed else 0
    if not 1 <= count <= VARIANTS_MAX:
        raise Invalid(
            f"{count} variants of one product; allowed are 1 to {VARIANTS_MAX}", hint="Leave some values out."
        )
    if parent.parent:
        raise Invalid(f"{parent.name[:40]!r} is a variant itself", hint="Change the product it is a variant of.")
    own: dict[str, Value] = {"options": list(options), "track_stock": False, "barcodes": []}
    found = dict(_variants(parent, listed))
    if len(found) != count:
        raise Invalid("two variants would get the same number", hint="Write values that differ in a letter or digit.")
    new = (Change(key=sku, fields=fields) for sku, fields in found.items() if sku not in known)
    return (Change(key=parent.sku, fields=own), *new)


def skus_of(parent: Product, options: Sequence[str]) -> list[str]:
    """Name the skus that the variants have."""
    return [sku for sku, _ in _variants(parent, values_of(options))]


def _variants(parent: Product, listed: Sequence[tuple[str, list[str]]]) -> Iterator[tuple[str, dict[str, Value]]]:
    names = [name for name, _ in listed]
    for values in every(*(values for _, values in listed)):
        # Dots, as a scanner types the code: a minus is a key of the sale.
        tail = ".".join(_PLAIN.sub("_", value.casefold()).strip("_") or "x" for value in values)
        sku = f"{parent.sku}.{tail}"[:KEY_CHARS_MAX]
        yield (
            sku,
            {
                "name": ", ".join((parent.name, *values)),
                "price_minor": parent.price_minor,
                "unit": parent.unit,
                "tax_code": parent.tax_code,
                "department": parent.department,
                "cost_minor": parent.cost_minor,
                "min_age": parent.min_age,
                "hard_limited": parent.hard_limited,
                "colour": parent.colour,
                "icon": parent.icon,
                "image": parent.image,
                "barcodes": [sku],
                "parent": parent.sku,
                "options": [f"{name}={value}" for name, value in zip(names, values, strict=True)],
            },
        )
