"""Amounts and times as shops write them, in every currency and around every midnight."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tillmesh.adapters.locales import BabelFormats
from tillmesh.kernel.errors import Invalid


def plain(text: str) -> str:
    return text.replace("\u00a0", " ").replace("\u202f", " ")


@pytest.mark.parametrize(
    ("locale", "minor", "currency", "text"),
    [
        ("en_GB", 123_456, "GBP", "£1,234.56"),
        ("en_GB", -5, "GBP", "-£0.05"),
        ("en-GB", 0, "GBP", "£0.00"),
        ("en_US", 1_234, "JPY", "¥1,234"),
        ("en_US", 1_234_567, "KWD", "KWD 1,234.567"),
        ("de_DE", 123_456, "EUR", "1.234,56 €"),
        ("de_AT", 123_456, "EUR", "€ 1.234,56"),
        ("fr_FR", 123_456, "EUR", "1 234,56 €"),
        ("es_ES", 123_456_789, "EUR", "1.234.567,89 €"),
    ],
)
def test_money_is_written_as_the_locale_writes_it(locale: str, minor: int, currency: str, text: str) -> None:
    assert plain(BabelFormats(locale).money(minor, currency)) == text


@given(st.integers(-(10**14), 10**14), st.sampled_from([("EUR", 2), ("JPY", 0), ("BHD", 3)]))
def test_no_amount_is_rounded_on_its_way_to_the_paper(minor: int, currency: tuple[str, int]) -> None:
    code, decimals = currency
    written = BabelFormats("en").money(minor, code)
    digits = "".join(char for char in written if char in "-.0123456789")
    assert Decimal(digits).scaleb(decimals) == minor


@pytest.mark.parametrize(
    ("locale", "ppm", "text"),
    [("en", 200_000, "20%"), ("en", 88_750, "8.875%"), ("de", 55_000, "5,5 %"), ("en", 1, "0.0001%"), ("hi", 0, "0%")],
)
def test_rates_keep_every_decimal(locale: str, ppm: int, text: str) -> None:
    assert plain(BabelFormats(locale).percent(ppm)) == text


@pytest.mark.parametrize(("milli", "text"), [(1_000, "1"), (250, "0,25"), (1_234_567, "1.234,567")])
def test_quantities_have_no_trailing_zeros(milli: int, text: str) -> None:
    assert BabelFormats("de").quantity(milli) == text


@pytest.mark.parametrize(
    ("zone", "at_ms", "text"),
    [
        ("UTC", 1_795_356_300_000, "22 Nov 2026, 14:05"),
        ("Europe/Vienna", 1_795_356_300_000, "22 Nov 2026, 15:05"),
        ("Pacific/Auckland", 1_795_356_300_000, "23 Nov 2026, 03:05"),
        ("Europe/London", 1_774_745_999_000, "29 Mar 2026, 00:59"),
        ("Europe/London", 1_774_746_000_000, "29 Mar 2026, 02:00"),
    ],
)
def test_receipt_shows_the_time_on_the_wall_of_the_shop(zone: str, at_ms: int, text: str) -> None:
    assert plain(BabelFormats("en_GB", zone).moment(at_ms)) == text


@pytest.mark.parametrize(("locale", "zone"), [("xx_YY", "UTC"), ("", "UTC"), ("en", "Mars/Olympus"), ("en", "../etc")])
def test_locale_and_zone_that_nobody_knows_are_refused(locale: str, zone: str) -> None:
    with pytest.raises(Invalid):
        BabelFormats(locale, zone)
