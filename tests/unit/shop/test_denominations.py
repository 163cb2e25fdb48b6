"""Cash steps against the Unicode locale data, and the buttons of the payment screen."""

import pytest
from babel.core import get_global

from tillmesh.shop.denominations import cash_step_minor, quick_cash
from tillmesh.shop.settings import StoreSettings


@pytest.mark.parametrize("currency", ["CAD", "CHF", "CZK", "DKK", "NOK", "SEK"])
def test_cash_steps_are_those_of_the_unicode_locale_data(currency: str) -> None:
    digits, _, cash_digits, cash_rounding = get_global("currency_fractions")[currency]
    assert cash_step_minor(currency) == max(1, cash_rounding) * 10 ** (digits - cash_digits)


def test_euro_cash_is_rounded_only_where_the_country_does() -> None:
    assert cash_step_minor("EUR") == cash_step_minor("EUR", "DE") == 1
    assert cash_step_minor("EUR", "FI") == cash_step_minor("EUR", "EE") == 5


def test_a_currency_without_an_entry_is_paid_to_the_minor_unit() -> None:
    assert cash_step_minor("THB") == 1
    assert quick_cash(1_340, "THB") == (1_340, 1_400, 1_500, 2_000, 5_000, 10_000)


@pytest.mark.parametrize("currency", "AUD BHD CAD CHF CZK DKK EUR GBP HUF JPY KWD NOK NZD PLN SEK SGD USD".split())
def test_every_button_covers_what_is_due_and_the_first_is_exact(currency: str) -> None:
    step = cash_step_minor(currency)
    for due in (step, 3 * step, 77 * step, 1_340 * step, 99_995 * step):
        buttons = quick_cash(due, currency)
        assert buttons[0] == due
        assert list(buttons) == sorted(set(buttons))
        assert len(buttons) <= 6
        assert all(button % step == 0 for button in buttons)


def test_nothing_due_needs_no_button() -> None:
    assert quick_cash(0, "EUR") == ()


@pytest.mark.parametrize(
    ("currency", "locale", "step"),
    [("EUR", "fi-FI", 5), ("EUR", "de-DE", 1), ("CHF", "de_CH", 5), ("JPY", "en-JP", 1), ("KWD", "ar-Arab-KW", 5),
     ("EUR", "en", 1), ("SEK", "sv-SE", 100)],
)  # fmt: skip
def test_a_store_rounds_cash_as_its_country_does_unless_it_says_otherwise(
    currency: str, locale: str, step: int
) -> None:
    usual = StoreSettings.of({"currency": currency, "locale": locale, "cash_step_minor": 0})
    assert usual.policy().cash_step_minor == step
    own = StoreSettings.of({"currency": currency, "locale": locale, "cash_step_minor": 10})
    assert own.policy().cash_step_minor == 10
