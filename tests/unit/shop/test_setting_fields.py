"""Settings from outside: each field is checked before the shop believes it."""

from typing import Any

import pytest

from tillmesh.kernel.errors import Invalid
from tillmesh.shop.setting_fields import store_fields, terminal_fields
from tillmesh.shop.settings import StoreSettings, TerminalSettings

GOOD: dict[str, Any] = {
    "name": "  Corner shop ",
    "address": ["1 High Street", "Leeds"],
    "tax_id": "GB123",
    "currency": "GBP",
    "locale": "en-GB",
    "time_zone": "Europe/London",
    "prices_include_tax": False,
    "tax_rounding": "line",
    "rounding": "half_even",
    "cash_step_minor": 5,
    "cash_rounding": "half_down",
    "tax_rates": {"zero": 0, "standard": 200_000},
    "receipt_footer": "Thank you",
    "discount_limit_ppm": 0,
    "refund_limit_minor": 5_000,
    "barcode_layouts": ["21IIIIIWWWWWC"],
    "scanner_prefix": "~",
    "pay_methods": ["card", "cash"],
}
BAD: list[tuple[str, Any]] = [
    ("name", ""),
    ("name", "x" * 201),
    ("name", 7),
    ("address", "1 High Street"),
    ("address", ["line"] * 7),
    ("address", ["x" * 201]),
    ("address", [1]),
    ("tax_id", "x" * 51),
    ("currency", "EURO"),
    ("currency", None),
    ("time_zone", "Mars/Base"),
    ("time_zone", "../../etc/passwd"),
    ("prices_include_tax", "yes"),
    ("tax_rounding", "never"),
    ("rounding", "sometimes"),
    ("cash_step_minor", -1),
    ("cash_step_minor", True),
    ("cash_step_minor", 1.5),
    ("tax_rates", {}),
    ("tax_rates", ["standard=1"]),
    ("tax_rates", {"a b": 1}),
    ("tax_rates", {"": 1}),
    ("tax_rates", {"standard": -1}),
    ("tax_rates", {"standard": 1_000_001}),
    ("tax_rates", {"standard": "20"}),
    ("tax_rates", {f"rate{number}": 1 for number in range(21)}),
    ("discount_limit_ppm", -1),
    ("refund_limit_minor", 10**12),
    ("barcode_layouts", ["99IIIIIWWWWWC"]),
    ("barcode_layouts", ["anything"]),
    ("scanner_prefix", "too long"),
    ("pay_methods", []),
    ("pay_methods", ["cash", "bitcoin"]),
    ("pay_methods", "cash"),
]


def test_good_settings_become_the_settings_of_the_store() -> None:
    settings = StoreSettings.of(store_fields(GOOD))
    assert settings.name == "Corner shop"
    assert settings.rates_ppm() == {"standard": 200_000, "zero": 0}
    assert settings.pay_methods == ("cash", "card")  # in the order of the buttons
    assert settings.policy().cash_step_minor == 5


@pytest.mark.parametrize(("name", "value"), BAD)
def test_a_bad_value_is_refused_by_name(name: str, value: Any) -> None:
    with pytest.raises(Invalid) as refused:
        store_fields({**GOOD, name: value})
    assert refused.value.detail


def test_an_unknown_setting_is_named() -> None:
    with pytest.raises(Invalid, match="'colour_of_the_door'"):
        store_fields({"colour_of_the_door": "red"})
    with pytest.raises(Invalid, match="'currency'"):
        terminal_fields({"currency": "EUR"})


def test_a_till_has_settings_of_its_own() -> None:
    given: dict[str, Any] = {
        "name": "Front",
        "number": 3,
        "printer_kind": "none",
        "printer_columns": 32,
        "print_receipts": False,
    }
    assert TerminalSettings.of(terminal_fields(given)) == TerminalSettings(**given)


@pytest.mark.parametrize(
    ("name", "value"), [("number", 0), ("number", 1_000), ("printer_kind", "fax"), ("printer_columns", 10)]
)
def test_a_bad_value_of_a_till_is_refused(name: str, value: Any) -> None:
    with pytest.raises(Invalid):
        terminal_fields({name: value})


def test_fields_of_a_newer_program_are_passed_over() -> None:
    assert StoreSettings.of({"name": "Shop", "robots": 3, "tax_id": None}) == StoreSettings(name="Shop")
