"""Notes and coins per currency: what a cashier is likely to be handed, and the smallest coin that is left.

``step_minor`` is the usual cash rounding of a currency; a store's policy decides. The euro has none of its own: some
of its countries round to 5 cents. Sources of the steps, as read in November 2026:

- CAD, CHF, CZK, DKK, NOK, SEK: Unicode CLDR, cash digits and cash rounding (a test compares them).
- HUF: Magyar Nemzeti Bank, "One and two forint coins will be accepted until 1 March" (2008).
- AUD, NZD, SGD: Wikipedia, "Cash rounding".
- BHD: Online Coin Club, "Five fils": the smallest coin in circulation. KWD: a guess by the same reasoning.
- Euro area: Seimas of Lithuania, press release of 28 March 2024 (names BE, FI, IE, IT, NL, SK and decides LT from
  1 May 2025); Eesti Pank, FAQ about the rounding rule (EE from 1 January 2025, cash refunds included).

The note values only make buttons; they are common knowledge, not a source. Coins of two are left out: nobody pays 12.06
with 14.00, and each button that is not used hides one that is.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from tillmesh.kernel.money import exponent

QUICK_MAX: Final = 6  # Guess: what fits one row of buttons.


@dataclass(frozen=True, slots=True)
class Cash:
    """The cash of one currency in minor units: the smallest step, then notes and the coins that are used like notes."""

    step_minor: int
    notes: tuple[int, ...]


def _notes(unit: int, *values: int) -> tuple[int, ...]:
    return tuple(unit * value for value in values)


_CASH: Final[dict[str, Cash]] = {
    "AUD": Cash(5, _notes(100, 1, 5, 10, 20, 50, 100)),
    "BHD": Cash(5, _notes(500, 1, 2, 10, 20, 40)),
    "CAD": Cash(5, _notes(100, 1, 5, 10, 20, 50, 100)),
    "CHF": Cash(5, _notes(100, 1, 5, 10, 20, 50, 100, 200, 1000)),
    "CZK": Cash(100, _notes(100, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000)),
    "DKK": Cash(50, _notes(100, 1, 5, 10, 20, 50, 100, 200, 500)),
    "EUR": Cash(1, _notes(100, 1, 5, 10, 20, 50, 100, 200)),
    "GBP": Cash(1, _notes(100, 1, 5, 10, 20, 50)),
    "HUF": Cash(500, _notes(100, 100, 200, 500, 1000, 2000, 5000, 10000, 20000)),
    "JPY": Cash(1, (100, 500, 1000, 5000, 10000)),
    "KWD": Cash(5, _notes(250, 1, 2, 4, 20, 40, 80)),
    "NOK": Cash(100, _notes(100, 1, 5, 10, 20, 50, 100, 200, 500, 1000)),
    "NZD": Cash(10, _notes(100, 1, 5, 10, 20, 50, 100)),
    "PLN": Cash(1, _notes(100, 1, 5, 10, 20, 50, 100, 200, 500)),
    "SEK": Cash(100, _notes(100, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1000)),
    "SGD": Cash(5, _notes(100, 1, 5, 10, 50, 100)),
    "USD": Cash(1, _notes(100, 1, 5, 10, 20, 50, 100)),
}
# ISO 3166-1 codes.
EURO_FIVE_CENTS: Final = frozenset({"BE", "EE", "FI", "IE", "IT", "LT", "NL", "SK"})


def cash_step_minor(currency: str, country: str = "") -> int:
    """Give the usual cash step of a currency in minor units, for a country where that matters; 1 if not known."""
    if currency == "EUR":
        return 5 if country in EURO_FIVE_CENTS else 1
    known = _CASH.get(currency)
    return known.step_minor if known is not None else 1


def largest_note_minor(currency: str) -> int:
    """Give the largest note of a currency in minor units; of one that is not known, a hundred units."""
    return _notes_of(currency)[-1]


def _notes_of(currency: str) -> tuple[int, ...]:
    known = _CASH.get(currency)
    return known.notes if known is not None else _notes(10 ** exponent(currency), 1, 2, 5, 10, 20, 50, 100)


def quick_cash(due_minor: int, currency: str) -> tuple[int, ...]:
    """Suggest what a customer is likely to hand over: the exact amount, then the next round amounts of notes.

    ``due_minor`` is already rounded to the cash step. At most QUICK_MAX suggestions, ascending, none without a due.
    """
    if due_minor <= 0:
        return ()
    amounts = {due_minor} | {-(-due_minor // note) * note for note in _notes_of(currency)}
    return tuple(sorted(amounts)[:QUICK_MAX])
