"""Promotions, price lists and dated prices from outside, checked field by field before they become registers.

Times are told as the clock on the shop's wall shows them, or with an offset; percentages as decimal text.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from tillmesh.kernel.errors import Invalid
from tillmesh.kernel.limits import (
    AMOUNT_MINOR_MAX,
    COUPON_CHARS_MAX,
    KEY_CHARS_MAX,
    NAME_CHARS_MAX,
    PIECES_PER_SET_MAX,
    PRICE_LIST_ID_CHARS_MAX,
    PROMOTION_CODES_MAX,
    PROMOTION_SKUS_MAX,
    RATE_PPM_MAX,
)
from tillmesh.kernel.money import format_decimal, parse_decimal
from tillmesh.kernel.times import EPOCH, local, rfc3339, zone
from tillmesh.shop.cardnumbers import refuse_card_number
from tillmesh.shop.events import Value
from tillmesh.shop.offers.prices import PriceList
from tillmesh.shop.offers.promotion import KINDS, Promotion, from_fields

COUNT_MAX: Final = 1_000_000
_ID: Final = re.compile(r"[a-z0-9][a-z0-9._-]*")
_TIME: Final = re.compile(r"([01]?[0-9]|2[0-3]):([0-5][0-9])")
Reader = Callable[[str, Any, str], Value]  # name, what was entered, the shop's time zone


def promotion_fields(given: Mapping[str, Any], zone_name: str) -> dict[str, Value]:
    """Check what somebody entered about a promotion and give it as register fields; names the first wrong field."""
    return _read(given, _PROMOTION, zone_name)


def check_promotion(promotion_id: str, fields: Mapping[str, Value]) -> Promotion:
    """Give the promotion that these register fields make, or raise :class:`Invalid` saying what is missing."""
    made = from_fields(promotion_id, fields)
    if made is None:
        needed = _NEEDS.get(str(fields.get("kind") or ""), "kind")
        raise Invalid("this promotion takes nothing off", hint=f"It needs {needed}.")
    return made


def list_fields(given: Mapping[str, Any]) -> dict[str, Value]:
    """Check what somebody entered about a price list."""
    return _read(given, _LIST, "UTC")


def price_fields(given: Mapping[str, Any], zone_name: str) -> tuple[str, str, int, dict[str, Value]]:
    """Give list, sku, beginning (ms) and register fields of a dated price."""
    unknown = sorted(set(given) - {"sku", "price_list", "from", "until", "price_minor"})
    if unknown:
        raise Invalid(
            f"there is no field {unknown[0][:40]!r}", hint="Fields are sku, price_list, from, until, price_minor."
        )
    sku = str(_text(KEY_CHARS_MAX, least=1)("sku", given.get("sku", ""), zone_name))
    name = given.get("price_list", "")
    begin, end = (read_moment(which, given.get(which, ""), zone_name) for which in ("from", "until"))
    price = given.get("price_minor")
    fields: dict[str, Value] = {
        "price_minor": None if price is None else _number(0, AMOUNT_MINOR_MAX)("price_minor", price, zone_name),
        "until_ms": end,
    }
    if 0 < end <= begin:
        raise Invalid("this price ends before it begins", hint="Check from and until.")
    return check_id(name, "price_list") if name else "", sku, begin, fields


def check_id(text: object, what: str) -> str:
    """Give an id back if it is short, lower-case and plain, or raise :class:`Invalid`."""
    if not isinstance(text, str) or len(text) > PRICE_LIST_ID_CHARS_MAX or not _ID.fullmatch(text):
        raise Invalid(
            f"{what} {str(text)[:40]!r} is no id: 1 to {PRICE_LIST_ID_CHARS_MAX} small letters, digits and dashes",
            hint="Write it like summer-sale.",
        )
    return text


def show_promotion(one: Promotion, zone_name: str) -> dict[str, Any]:
    """Show a promotion in the words that :func:`promotion_fields` reads."""
    return {
        "promotion_id": one.promotion_id,
        "name": one.name,
        "kind": one.kind,
        "active": one.active,
        "percent": format_decimal(one.rate_ppm, 4).rstrip("0").rstrip("."),
        "amount_minor": one.amount_minor,
        "buy_count": one.buy_count,
        "get_count": one.get_count,
        **{name: list(getattr(one, name)) for name in ("skus", "departments", "codes", "groups", "weekdays")},
        **{name: getattr(one, name) for name in _COUNTS},
        "start": show_moment(one.start_ms, zone_name),
        "until": show_moment(one.until_ms, zone_name),
        "from_time": _clock(one.from_minute),
        "until_time": _clock(one.until_minute),
        "exclusive": one.exclusive,
        "priority": one.priority,
    }


def show_list(one: PriceList) -> dict[str, Any]:
    """Show a price list in the words that :func:`list_fields` reads."""
    return {
        "price_list": one.list_id,
        "name": one.name,
        "active": one.active,
        "everyone": one.everyone,
        "groups": list(one.groups),
        "customers": list(one.customers),
        "priority": one.priority,
    }


def show_moment(at_ms: int, zone_name: str) -> str:
    """Write a time as the clock on the wall shows it, to the minute; nothing for zero."""
    return local(at_ms, zone(zone_name)).strftime("%Y-%m-%dT%H:%M") if at_ms else ""


def _clock(minute: int) -> str:
    return f"{minute // 60:02d}:{minute % 60:02d}"


def _read(given: Mapping[str, Any], readers: Mapping[str, tuple[str, Reader]], zone_name: str) -> dict[str, Value]:
    unknown = sorted(set(given) - set(readers))
    if unknown:
        raise Invalid(f"there is no field {unknown[0][:40]!r}", hint=f"Fields are {', '.join(readers)}.")
    return {own: reader(name, given[name], zone_name) for name, (own, reader) in readers.items() if name in given}


def _text(most: int, *, least: int = 0) -> Reader:
    def read(name: str, value: Any, zone_name: str) -> Value:  # noqa: ARG001
        text = " ".join(value.split()) if isinstance(value, str) else None
        if text is None or not least <= len(text) <= most or not text.isprintable():
            raise Invalid(f"{name} must be a text of {least} to {most} printable characters", hint="Change the text.")
        return refuse_card_number(text, name)

    return read


def _number(least: int, most: int) -> Reader:
    def read(name: str, value: Any, zone_name: str) -> Value:  # noqa: ARG001
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
            raise Invalid(f"{name} must be a whole number from {least} to {most}", hint="Check the number.")
        return value

    return read


def _flag(name: str, value: Any, zone_name: str) -> Value:  # noqa: ARG001
    if not isinstance(value, bool):
        raise Invalid(f"{name} must be true or false", hint="Send a JSON boolean.")
    return value


def _kind(name: str, value: Any, zone_name: str) -> Value:  # noqa: ARG001
    if value not in KINDS:
        raise Invalid(f"{name} {str(value)[:40]!r} is not known", hint=f"Kinds are {', '.join(KINDS)}.")
    return str(value)


def _percent(name: str, value: Any, zone_name: str) -> Value:  # noqa: ARG001
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise Invalid(f"{name} must be a decimal text", hint='Write it like "12.5".')
    rate = parse_decimal(str(value) or "0", 4, name)
    if not 0 <= rate <= RATE_PPM_MAX:
        raise Invalid(f"{name} {str(value)[:20]} is outside 0 to 100", hint="Check the percentage.")
    return rate


def _texts(most: int, chars_max: int, *, capitals: bool = False) -> Reader:
    def read(name: str, value: Any, zone_name: str) -> Value:
        if not isinstance(value, list) or len(value) > most:
            raise Invalid(f"{name} must be a list of at most {most} texts", hint="Remove some.")
        found = [str(_text(chars_max, least=1)(name, one, zone_name)) for one in value]
        if capitals:
            found = ["".join(one.split()).upper() for one in found]
            if not all(one.isascii() for one in found):
                raise Invalid(f"{name} must be plain letters and digits", hint="Leave accents out.")
        return list(dict.fromkeys(found))

    return read


def _weekdays(name: str, value: Any, zone_name: str) -> Value:  # noqa: ARG001
    if not isinstance(value, list) or any(str(one) not in set("1234567") for one in value):
        raise Invalid(f"{name} must be a list of days", hint='Monday is "1", Sunday is "7".')
    return sorted({str(one) for one in value})


def read_moment(name: str, value: Any, zone_name: str) -> int:
    """Read a time; without an offset it is the shop's own. Nothing is zero."""
    if value in ("", None):
        return 0
    try:
        moment = datetime.fromisoformat(value)
        moment = moment if moment.tzinfo else moment.replace(tzinfo=zone(zone_name))
        at_ms = (moment - EPOCH) // timedelta(milliseconds=1)
    except (ValueError, TypeError, OverflowError):
        raise Invalid(f"{name} {str(value)[:40]!r} is not a time", hint="Write it like 2026-11-22T09:30.") from None
    if at_ms <= 0:
        raise Invalid(f"{name} {rfc3339(at_ms)} is too long ago", hint="Check the year.")
    return at_ms


def _minute(name: str, value: Any, zone_name: str) -> Value:  # noqa: ARG001
    found = _TIME.fullmatch(value) if isinstance(value, str) else None
    if value in ("", None):
        return 0
    if found is None:
        raise Invalid(f"{name} {str(value)[:20]!r} is not a time of day", hint="Write it like 17:30.")
    return int(found[1]) * 60 + int(found[2])


_COUNTS: Final = ("minimum_minor", "most_minor", "times_max", "uses_max", "customer_uses_max", "code_uses_max")
_NEEDS: Final = {
    "buy_get": "buy_count, get_count, percent",
    "mix": "buy_count, amount_minor | percent",
    **dict.fromkeys(("percent", "cart_percent"), "percent"),
    **dict.fromkeys(("amount", "cart_amount"), "amount_minor"),
}
_PROMOTION: Final[dict[str, tuple[str, Reader]]] = {
    "name": ("name", _text(NAME_CHARS_MAX, least=1)),
    "kind": ("kind", _kind),
    "active": ("active", _flag),
    "percent": ("rate_ppm", _percent),
    "amount_minor": ("amount_minor", _number(0, AMOUNT_MINOR_MAX)),
    "buy_count": ("buy_count", _number(0, PIECES_PER_SET_MAX)),
    "get_count": ("get_count", _number(0, PIECES_PER_SET_MAX)),
    "skus": ("skus", _texts(PROMOTION_SKUS_MAX, KEY_CHARS_MAX)),
    "departments": ("departments", _texts(100, NAME_CHARS_MAX)),
    "codes": ("codes", _texts(PROMOTION_CODES_MAX, COUPON_CHARS_MAX, capitals=True)),
    "groups": ("groups", _texts(100, NAME_CHARS_MAX)),
    "minimum_minor": ("minimum_minor", _number(0, AMOUNT_MINOR_MAX)),
    "most_minor": ("most_minor", _number(0, AMOUNT_MINOR_MAX)),
    **{name: (name, _number(0, COUNT_MAX)) for name in _COUNTS[2:]},
    "start": ("start_ms", read_moment),
    "until": ("until_ms", read_moment),
    "weekdays": ("weekdays", _weekdays),
    "from_time": ("from_minute", _minute),
    "until_time": ("until_minute", _minute),
    "exclusive": ("exclusive", _flag),
    "priority": ("priority", _number(-1_000, 1_000)),
}
_LIST: Final[dict[str, tuple[str, Reader]]] = {
    "name": ("name", _text(NAME_CHARS_MAX, least=1)),
    "active": ("active", _flag),
    "everyone": ("everyone", _flag),
    "groups": ("groups", _texts(100, NAME_CHARS_MAX)),
    "customers": ("customers", _texts(1_000, KEY_CHARS_MAX)),
    "priority": ("priority", _number(-1_000, 1_000)),
}
PROMOTION_FIELDS: Final = tuple(_PROMOTION)
