"""Products as the shop knows them, and how what people enter becomes fields of the product register."""

from __future__ import annotations

from collections.abc import Callable, Container, Mapping
from typing import Any, Final, cast

from tillmesh.kernel.codec import Record
from tillmesh.kernel.errors import Invalid
from tillmesh.kernel.limits import (
    AGE_YEARS_MAX,
    AMOUNT_MINOR_MAX,
    BARCODES_PER_PRODUCT_MAX,
    KEY_CHARS_MAX,
    NAME_CHARS_MAX,
    QUANTITY_MILLI_MAX,
)
from tillmesh.kernel.money import check_amount
from tillmesh.kernel.quantity import ONE, format_quantity, parse_quantity
from tillmesh.shop.cardnumbers import refuse_card_number
from tillmesh.shop.events import Value
from tillmesh.shop.pictures import read_reference

# Decimals that a quantity may have. Three are what a shop scale shows and what thousandths can hold.
UNITS: Final = {"piece": 0, "kg": 3, "g": 0, "l": 3, "ml": 0, "m": 3, "hour": 3}
COLOUR_CHARS_MAX: Final = 32
OPTIONS_MAX: Final = 4  # size, colour and two more; guess


class Product(Record, frozen=True):
    """One product, as its register fields merge to. Amounts in the store's currency, taxes as the store prices."""

    sku: str
    name: str
    price_minor: int  # per unit
    unit: str = "piece"
    tax_code: str = "standard"
    barcodes: tuple[str, ...] = ()
    department: str = ""
    active: bool = True
    favourite: bool = False
    track_stock: bool = True
    low_stock_milli: int = 0
    cost_minor: int = 0
    colour: str = ""  # of its tile
    icon: str = ""
    parent: str = ""  # the product that this one is a variant of
    options: tuple[str, ...] = ()  # "Size=M" of a variant; "Size=S,M,L" of a product that comes in variants
    min_age: int = 0  # years; whoever buys it must be as old
    image: str = ""  # names its picture: hash, media and size
    hard_limited: bool = False  # not one more is sold than there are: a till needs rights to sell it

    @property
    def comes_in_variants(self) -> bool:
        """Whether it is sold only as one of its variants."""
        return bool(self.options) and not self.parent


def from_fields(sku: str, fields: Mapping[str, Value]) -> Product:
    """Build a product from its register; missing fields get their defaults, fields of a newer program are ignored.

    So are values of another kind or out of range: another till may be broken or hostile, and what it wrote is in the
    register of every till, for as long as nobody writes over it.
    """
    known = {
        name: tuple(value) if isinstance(value, list) else value
        for name, value in fields.items()
        if name in _DEFAULTS and _makes_sense(name, value)
    }
    if not isinstance(named := known.get("image", ""), str) or read_reference(named) is None:
        known.pop("image", None)  # other tills may be broken or hostile: a page is never told to fetch just anything
    return Product(**cast("dict[str, Any]", {"name": sku, "price_minor": 0, **known, "sku": sku}))


def _makes_sense(name: str, value: Value) -> bool:
    """Say whether a register holds in a field what the field can be."""
    if name in _NUMBERS_MAX:
        return type(value) is int and 0 <= value <= _NUMBERS_MAX[name]
    return type(value) is _KINDS[name]


def to_fields(product: Product) -> dict[str, Value]:
    """Give the register fields of a product: all but its sku, which is the register's key."""
    values = {name: getattr(product, name) for name in _DEFAULTS}
    return {name: list(value) if isinstance(value, tuple) else value for name, value in values.items()}


def check_fields(incoming: Mapping[str, object], tax_codes: Container[str]) -> dict[str, Value]:
    """Turn what somebody entered into register fields, or raise :class:`Invalid` naming the field.

    ``low_stock`` is accepted as decimal text for ``low_stock_milli``; one ``barcode`` for ``barcodes``.
    """
    fields: dict[str, Value] = {}
    for name, value in incoming.items():
        own, check = _CHECKS.get(name, ("", None))
        if check is None:
            raise Invalid(f"a product has no field {name[:40]!r}", hint=f"Fields are {', '.join(_CHECKS)}.")
        fields[own] = check(value, name)
    code = fields.get("tax_code")
    if isinstance(code, str) and code not in tax_codes:
        raise Invalid(f"tax_code {code[:40]!r} has no rate in this store", hint="Add its rate in the settings first.")
    return fields


def check_new(incoming: Mapping[str, object], tax_codes: Container[str]) -> tuple[str, dict[str, Value]]:
    """Give sku and fields of a new product: name and price are needed, the sku defaults to the first barcode."""
    rest = dict(incoming)
    sku = rest.pop("sku", None)
    fields = check_fields(rest, tax_codes)
    missing = [name for name in ("name", "price_minor") if name not in fields]
    if missing:
        raise Invalid(f"a new product needs {' and '.join(missing)}", hint="Fill them in.")
    barcodes = fields.get("barcodes")
    if sku in (None, "") and isinstance(barcodes, list) and barcodes:
        sku = barcodes[0]
    if sku in (None, ""):
        raise Invalid("a new product needs a sku or a barcode", hint="Scan it, or give it a number of your own.")
    return check_key(sku, "sku"), fields


def check_quantity(unit: str, quantity_milli: int, name: str) -> int:
    """Give the quantity back if the unit can be divided so finely, or raise :class:`Invalid`."""
    step = 10 ** (3 - UNITS.get(unit, 3))
    if quantity_milli % step:
        raise Invalid(
            f"{name[:60]} is sold by the {unit} in whole numbers, not {format_quantity(quantity_milli)}",
            hint="Use a whole number.",
        )
    return quantity_milli


def check_key(value: object, what: str) -> str:
    """Give a sku or barcode back if it is short, printable and without spaces, or raise :class:`Invalid`."""
    if not isinstance(value, str) or not 1 <= len(value) <= KEY_CHARS_MAX or not value.isprintable() or " " in value:
        raise Invalid(
            f"{what} must be a text of 1 to {KEY_CHARS_MAX} printable characters without spaces",
            hint="Check what was scanned or typed.",
        )
    return value


def _name(value: object, what: str) -> Value:
    text = _text(value, what)
    if not text:
        raise Invalid("a product needs a name", hint="Write what it says on the shelf.")
    return text


def _text(value: object, what: str, chars_max: int = NAME_CHARS_MAX) -> str:
    text = " ".join(value.split()) if isinstance(value, str) else None
    if text is None or len(text) > chars_max or not text.isprintable():
        raise Invalid(f"{what} must be a text of at most {chars_max} printable characters", hint="Shorten it.")
    return refuse_card_number(text, what)


def _short(value: object, what: str) -> Value:
    return _text(value, what, COLOUR_CHARS_MAX)


def _amount(value: object, what: str) -> Value:
    if isinstance(value, bool) or not isinstance(value, int):
        raise Invalid(f"{what} must be a whole number of minor units", hint="12.50 is 1250.")
    return check_amount(value, what)


def _flag(value: object, what: str) -> Value:
    if not isinstance(value, bool):
        raise Invalid(f"{what} must be true or false", hint="Send a JSON boolean.")
    return value


def _unit(value: object, what: str) -> Value:
    if not isinstance(value, str) or value not in UNITS:
        raise Invalid(f"{what} {str(value)[:20]!r} is not known", hint=f"Units are {', '.join(UNITS)}.")
    return value


def _key(value: object, what: str) -> Value:
    return check_key(value, what)


def _barcode(value: object, what: str) -> Value:
    return [check_key(value, what)] if value != "" else []


def _barcodes(value: object, what: str) -> Value:
    if not isinstance(value, list) or len(value) > BARCODES_PER_PRODUCT_MAX:
        raise Invalid(f"{what} must be a list of at most {BARCODES_PER_PRODUCT_MAX} codes", hint="Remove some.")
    return list(dict.fromkeys(check_key(code, "a barcode") for code in value))


def _low_stock(value: object, what: str) -> Value:
    return parse_quantity(cast("str | int", value), what, least=0)


def _low_stock_milli(value: object, what: str) -> Value:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= ONE * ONE * ONE:
        raise Invalid(f"{what} must be a whole number of thousandths", hint='Or send low_stock as "2.5".')
    return value


def _parent(value: object, what: str) -> Value:
    return "" if value == "" else check_key(value, what)


def _options(value: object, what: str) -> Value:
    if not isinstance(value, list) or len(value) > OPTIONS_MAX or not all(isinstance(one, str) for one in value):
        raise Invalid(f"{what} must be a list of at most {OPTIONS_MAX} options", hint='Write "Size=S,M,L".')
    return [_option(str(one)) for one in value]


def _option(text: str) -> str:
    name, _, values = (part.strip() for part in text.partition("="))
    listed = [one.strip() for one in values.split(",") if one.strip()]
    if not name or not listed or len(listed) != len(set(listed)) or not text.isprintable():
        raise Invalid(f"{text[:40]!r} is not an option with its values", hint='Write "Size=S,M,L".')
    return f"{name[:NAME_CHARS_MAX]}={','.join(listed)}"


def _age(value: object, what: str) -> Value:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= AGE_YEARS_MAX:
        raise Invalid(f"{what} must be a whole number from 0 to {AGE_YEARS_MAX}", hint="0 asks nobody.")
    return value


def _image(value: object, what: str) -> Value:
    if value != "" and (not isinstance(value, str) or read_reference(value) is None):
        raise Invalid(f"{what} must name a picture, or be empty", hint="Leave it out.")
    return str(value)


_CHECKS: Final[dict[str, tuple[str, Callable[[object, str], Value]]]] = {
    "name": ("name", _name),
    "price_minor": ("price_minor", _amount),
    "unit": ("unit", _unit),
    "tax_code": ("tax_code", _key),
    "barcodes": ("barcodes", _barcodes),
    "barcode": ("barcodes", _barcode),
    "department": ("department", _text),
    "active": ("active", _flag),
    "favourite": ("favourite", _flag),
    "track_stock": ("track_stock", _flag),
    "low_stock": ("low_stock_milli", _low_stock),
    "low_stock_milli": ("low_stock_milli", _low_stock_milli),
    "cost_minor": ("cost_minor", _amount),
    "parent": ("parent", _parent),
    "options": ("options", _options),
    "min_age": ("min_age", _age),
    "hard_limited": ("hard_limited", _flag),
    "colour": ("colour", _short),
    "icon": ("icon", _short),
    "image": ("image", _image),
}
_DEFAULTS: Final = frozenset(own for own, _ in _CHECKS.values())
_NUMBERS_MAX: Final = {
    "price_minor": AMOUNT_MINOR_MAX, "cost_minor": AMOUNT_MINOR_MAX, "low_stock_milli": QUANTITY_MILLI_MAX,
    "min_age": AGE_YEARS_MAX,
}  # fmt: skip
_KINDS: Final[dict[str, type]] = {
    **dict.fromkeys(_DEFAULTS, str),
    **dict.fromkeys(("active", "favourite", "track_stock", "hard_limited"), bool),
    **dict.fromkeys(("barcodes", "options"), list),
}
