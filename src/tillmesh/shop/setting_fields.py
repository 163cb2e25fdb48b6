"""Settings from outside, checked field by field before they become registers."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any, Final

from tillmesh.kernel.errors import Invalid, TillmeshError
from tillmesh.kernel.limits import (
    AMOUNT_MINOR_MAX,
    KEY_CHARS_MAX,
    NAME_CHARS_MAX,
    NOTE_CHARS_MAX,
    OVERSELL_POLICY_ADJUST_MILLI_MAX,
    QUICK_KEYS_MAX,
    RATE_PPM_MAX,
    TARE_G_MAX,
    TARES_MAX,
)
from tillmesh.kernel.money import Rounding, exponent
from tillmesh.kernel.times import zone
from tillmesh.shop.accounts import ENTRIES_MAX, fits
from tillmesh.shop.cardnumbers import refuse_card_number
from tillmesh.shop.events import Value
from tillmesh.shop.instore import LAYOUTS_MAX, parse_layout

Check = Callable[[str, Any], Value]
DEPARTMENTS_MAX: Final = 100
_WORD: Final = re.compile(r"[a-z0-9-]{0,40}")
_LOCALE: Final = re.compile(r"[A-Za-z]{2,3}(?:[-_][A-Za-z0-9]{2,8}){0,3}")


def store_fields(given: Mapping[str, Any]) -> dict[str, Value]:
    """Check settings of the store and give them as register fields."""
    return _checked(given, _STORE)


def terminal_fields(given: Mapping[str, Any]) -> dict[str, Value]:
    """Check settings of a till and give them as register fields."""
    return _checked(given, _TERMINAL)


def usable_store(fields: Mapping[str, Value]) -> dict[str, Value]:
    """Give those settings out of a store's register that a till can work with; the others are as if never written.

    They come from any till of the store, which may be broken or hostile: no value of them may stop a sale.
    """
    return _usable(fields, _STORE_KEPT)


def usable_terminal(fields: Mapping[str, Value]) -> dict[str, Value]:
    """Give those settings out of a till's register that it can work with."""
    return _usable(fields, _TERMINAL_KEPT)


def _usable(fields: Mapping[str, Value], checks: Mapping[str, Check]) -> dict[str, Value]:
    found: dict[str, Value] = {}
    for name, value in fields.items():
        if name in checks and value is not None:
            with suppress(TillmeshError):
                checks[name](name, value)
                found[name] = value
    return found


def _checked(given: Mapping[str, Any], checks: Mapping[str, Check]) -> dict[str, Value]:
    unknown = sorted(set(given) - set(checks))
    if unknown:
        raise Invalid(f"{unknown[0][:40]!r} is not a setting", hint=f"Known are {', '.join(checks)}.")
    return {name: checks[name](name, value) for name, value in given.items()}


def _text(most: int, *, least: int = 0, lines: bool = False) -> Check:
    def check(name: str, value: Any) -> Value:
        if not isinstance(value, str) or not least <= len(value.strip()) <= most:
            raise Invalid(f"{name} must be a text of {least} to {most} characters", hint="Change the text.")
        return _printable(name, value.strip(), lines=lines)

    return check


def _printable(name: str, text: str, *, lines: bool = False) -> str:
    """Refuse what a printer would take for a command, and what must not be stored."""
    if not (text.replace("\n", "") if lines else text).isprintable():
        raise Invalid(f"{name} contains control characters", hint="Type it again.")
    # French shops print their SIRET, which has the check digit of a card number.
    return text if name == "tax_id" else refuse_card_number(text, name)


def _locale(name: str, value: Any) -> Value:
    if not isinstance(value, str) or not _LOCALE.fullmatch(value):
        raise Invalid(f"{name} {str(value)[:20]!r} is not a language", hint="Use a tag such as en, de or fr-CH.")
    return value


def _flag(name: str, value: Any) -> Value:
    if not isinstance(value, bool):
        raise Invalid(f"{name} must be true or false")
    return value


def _number(least: int, most: int) -> Check:
    def check(name: str, value: Any) -> Value:
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
            raise Invalid(f"{name} must be a whole number from {least} to {most}", hint="Check the number.")
        return value

    return check


def _one_of(*allowed: str) -> Check:
    def check(name: str, value: Any) -> Value:
        if value not in allowed:
            raise Invalid(f"{name} {str(value)[:40]!r} is not one of {', '.join(allowed)}")
        return str(value)

    return check


def _texts(count_max: int, chars_max: int) -> Check:
    def check(name: str, value: Any) -> Value:
        if not isinstance(value, list) or len(value) > count_max or not all(isinstance(one, str) for one in value):
            raise Invalid(f"{name} must be a list of at most {count_max} texts")
        if any(len(one) > chars_max for one in value):
            raise Invalid(f"a text in {name} is over {chars_max} characters")
        return [_printable(name, one.strip()) for one in value]

    return check


def _currency(name: str, value: Any) -> Value:  # noqa: ARG001
    exponent(str(value))
    return str(value)


def _zone(name: str, value: Any) -> Value:  # noqa: ARG001
    zone(str(value))
    return str(value)


def _rates(name: str, value: Any) -> Value:
    """Read ``{code: rate in ppm}``; every rate that products use must stay, which the caller can't know here."""
    if not isinstance(value, dict) or not 1 <= len(value) <= 20:
        raise Invalid(f"{name} must name 1 to 20 rates", hint='Send {"standard": 200000}.')
    for code, rate in value.items():
        if not (code.isascii() and code.replace("_", "").isalnum() and len(code) <= 30):
            raise Invalid(f"{str(code)[:40]!r} is not a tax code", hint="Use letters, digits and underscores.")
        _number(0, RATE_PPM_MAX)(f"the rate of {code}", rate)
    return [f"{code}={rate}" for code, rate in sorted(value.items())]


def _layouts(name: str, value: Any) -> Value:
    """Read patterns of in-store codes; one that can't be used would stop every scan."""
    given = _texts(LAYOUTS_MAX, 40)(name, value)
    assert isinstance(given, list)
    for layout in given:
        parse_layout(layout)
    return given


def _departments(name: str, value: Any) -> Value:
    """Read ``[{name, icon, colour}]`` in the order in which the pages show them."""
    if not isinstance(value, list) or len(value) > DEPARTMENTS_MAX or not all(isinstance(one, dict) for one in value):
        raise Invalid(f"{name} must be a list of at most {DEPARTMENTS_MAX} departments", hint='Send [{"name": "Tea"}].')
    found: dict[str, str] = {}
    for one in value:
        unknown = sorted(set(one) - {"name", "icon", "colour"})
        if unknown:
            raise Invalid(f"a department has no field {str(unknown[0])[:40]!r}", hint="Send name, icon and colour.")
        title = _text(NAME_CHARS_MAX, least=1)("the name of a department", one.get("name"))
        icon, colour = (_word(what, one.get(what, "")) for what in ("icon", "colour"))
        if "=" in str(title) or title in found:
            raise Invalid(f"{str(title)[:40]!r} can't name another department", hint="Use each name once, without '='.")
        found[str(title)] = f"{title}={icon}={colour}"
    return list(found.values())


def _quick_keys(name: str, value: Any) -> Value:
    """Read ``[{sku, colour}]`` in the order of their numbers; kept as ``colour=sku``."""
    if not isinstance(value, list) or len(value) > QUICK_KEYS_MAX or not all(isinstance(one, dict) for one in value):
        raise Invalid(f"{name} must be a list of at most {QUICK_KEYS_MAX} keys", hint='Send [{"sku": "tea"}].')
    found: dict[str, str] = {}
    for one in value:
        sku = str(_text(KEY_CHARS_MAX, least=1)("the sku of a quick key", one.get("sku")))
        if set(one) - {"sku", "colour"} or sku in found:
            raise Invalid(f"the quick key of {sku[:40]!r} can't be used", hint="Send sku and colour, each sku once.")
        found[sku] = f"{_word('colour', one.get('colour', ''))}={sku}"
    return list(found.values())


def _shelf(name: str, value: Any) -> Value:
    """Read ``[{name, shown}]`` in the order of the page of the sale; kept as ``+name`` or ``-name``."""
    if not isinstance(value, list) or len(value) > DEPARTMENTS_MAX or not all(isinstance(one, dict) for one in value):
        raise Invalid(f"{name} must be a list of at most {DEPARTMENTS_MAX} departments", hint='Send [{"name": "Tea"}].')
    found: dict[str, str] = {}
    for one in value:
        title = str(_text(NAME_CHARS_MAX, least=1)("the name of a department", one.get("name")))
        shown = _flag("shown", one.get("shown", True))
        if set(one) - {"name", "shown"} or title in found:
            raise Invalid(f"{title[:40]!r} can't be arranged so", hint="Send name and shown, each name once.")
        found[title] = f"{'+' if shown else '-'}{title}"
    return list(found.values())


def _tares(name: str, value: Any) -> Value:
    """Read the grams of wrappings, such as ``5, 12, 30``."""
    given = [one for one in re.split(r"[ ,;]+", value.strip()) if one] if isinstance(value, str) else ["none"]
    if len(given) > TARES_MAX or not all(
        re.fullmatch("[1-9][0-9]{0,3}", one) and int(one) <= TARE_G_MAX for one in given
    ):
        raise Invalid(
            f"{name} must be at most {TARES_MAX} weights of 1 to {TARE_G_MAX} g", hint="Write it like 5, 12, 30."
        )
    return ", ".join(given)


def _word(what: str, value: Any) -> str:
    if not isinstance(value, str) or not _WORD.fullmatch(value):
        raise Invalid(f"the {what} is a word like cup-soda", hint="Leave it out to have one guessed.")
    return value


def _methods(name: str, value: Any) -> Value:
    known = ("cash", "card", "gift_card", "account", "points")
    if not isinstance(value, list) or not value or any(one not in known for one in value):
        raise Invalid(f"{name} must be some of {', '.join(known)}")
    return [one for one in known if one in value]


def _accounts(name: str, value: Any) -> Value:
    """Read ``{role: number}`` of the books; kept as ``role=number``. No number: nobody has said yet."""
    if not isinstance(value, dict) or len(value) > ENTRIES_MAX:
        raise Invalid(f"{name} must name at most {ENTRIES_MAX} accounts", hint='Send {"cash": "1000"}.')
    for role, number in value.items():
        if number != "" and not (isinstance(number, str) and fits(str(role), number)):
            raise Invalid(
                f"{str(number)[:20]!r} can't be the account of {str(role)[:40]!r}",
                hint="Numbers have letters, digits, dots, dashes, at most 12; a key of DATEV has four digits.",
            )
    return [f"{role}={number}" for role, number in sorted(value.items()) if number]


_ROUNDINGS: Final = tuple(one.value for one in Rounding)
_STORE: Final[dict[str, Check]] = {
    "name": _text(NAME_CHARS_MAX, least=1),
    "address": _texts(6, NAME_CHARS_MAX),
    "tax_id": _text(50),
    "currency": _currency,
    "locale": _locale,
    "time_zone": _zone,
    "prices_include_tax": _flag,
    "tax_rounding": _one_of("line", "total"),
    "rounding": _one_of(*_ROUNDINGS),
    "cash_step_minor": _number(0, 1_000),
    "cash_rounding": _one_of(*_ROUNDINGS),
    "tax_rates": _rates,
    "receipt_footer": _text(NOTE_CHARS_MAX, lines=True),
    "discount_limit_ppm": _number(0, RATE_PPM_MAX),
    "refund_limit_minor": _number(0, AMOUNT_MINOR_MAX),
    "barcode_layouts": _layouts,
    "scanner_prefix": _text(5),
    "pay_methods": _methods,
    "loyalty_earn_minor": _number(0, AMOUNT_MINOR_MAX),
    "loyalty_point_minor": _number(0, AMOUNT_MINOR_MAX),
    "offline_redeem_max_minor": _number(0, AMOUNT_MINOR_MAX),
    "departments": _departments,
    "oversell_policy": _one_of("ask", "back_order", "adjust"),
    "oversell_adjust_max_milli": _number(0, OVERSELL_POLICY_ADJUST_MILLI_MAX),
    "oversell_policy_name": _text(NAME_CHARS_MAX),
    "fiscal_closes": _flag,
    "quick_keys": _quick_keys,
    "shelf": _shelf,
    "accounts": _accounts,
}
_TERMINAL: Final[dict[str, Check]] = {
    "name": _text(40, least=1),
    "number": _number(1, 999),
    "printer_kind": _one_of("none", "network", "usb", "file"),
    "printer_target": _text(200),
    "printer_columns": _number(24, 64),
    "print_receipts": _flag,
    "open_drawer": _flag,
    "signature_device": _one_of("none", "simulated"),
    "signature_late": _flag,
    "card_terminal": _one_of("none", "simulated", "adyen"),
    "scale_kind": _one_of("none", "mettler8217", "dialog06", "lines"),
    "scale_target": _text(200),
    "scale_least_g": _number(1, 5_000),
    "scale_tares": _tares,
    "scale_auto": _flag,
    "pole_kind": _one_of("none", "epson", "cd5220"),
    "pole_target": _text(200),
    "pole_page": _one_of("pc437", "pc850", "wpc1252", "pc866", "pc852", "pc858"),
    "pole_greeting": _text(40),
    "card_simulation": _one_of("ask", "accept", "decline", "lost", "late", "silent"),
    "quick_keys": _quick_keys,
    "shelf": _shelf,
}


def _any_text(name: str, value: Any) -> Value:
    if not isinstance(value, str):
        raise Invalid(f"{name} must be a text")
    return value


def _any_texts(name: str, value: Any) -> Value:
    if not isinstance(value, list):
        raise Invalid(f"{name} must be a list of texts")
    return value


def _kept_rates(name: str, value: Any) -> Value:
    """Look at rates as a register keeps them: ``code=rate`` each."""
    if not isinstance(value, list) or not value:
        raise Invalid(f"{name} must be a list of rates")
    for entry in value:
        _, _, rate = entry.partition("=")
        if not (rate.isascii() and rate.isdigit() and len(rate) <= 7 and int(rate) <= RATE_PPM_MAX):
            raise Invalid(f"{entry[:40]!r} is not a tax code and its rate")
    return value


# What is only shown or printed may be any text: how it is entered can become stricter than what was stored.
_SHOWN: Final[dict[str, Check]] = dict.fromkeys(
    (
        "name",
        "tax_id",
        "receipt_footer",
        "scanner_prefix",
        "oversell_policy_name",
        "printer_target",
        "scale_target",
        "pole_target",
        "pole_greeting",
    ),
    _any_text,
) | dict.fromkeys(("address", "departments", "quick_keys", "shelf", "accounts"), _any_texts)
_STORE_KEPT: Final = {name: _SHOWN.get(name, check) for name, check in _STORE.items()} | {"tax_rates": _kept_rates}
_TERMINAL_KEPT: Final = {name: _SHOWN.get(name, check) for name, check in _TERMINAL.items()}
