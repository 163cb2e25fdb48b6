"""Notes and coins per currency: what a cashier is likely to be handed, and the smallest coin that is left.

``step_minor`` is the usual cash rounding of the currency; a store's policy decides. The euro has none of its own: the
countries below round to 5 cents, by law or by agreement. Sources stand beside each entry, read in November 2026 from
the issuing bank unless said otherwise; docs/reference/money.md repeats them for readers.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from tillmesh.kernel.money import exponent

QUICK_MAX: Final = 6  # Guess: what fits one row of buttons.


@dataclass(frozen=True, slots=True)
class Cash:
    """The cash of one currency in minor units: smallest step, coins worth a button, notes."""

    step_minor: int
    notes: tuple[int, ...]


def _notes(unit: int, *values: int) -> tuple[int, ...]:
    return tuple(unit * value for value in values)


# The first values of each row are coins that are handed over like notes.
_CASH: Final[dict[str, Cash]] = {
    "AUD": Cash(5, _notes(100, 1, 2, 5, 10, 20, 50, 100)),  # 1c, 2c withdrawn 1992. Reserve Bank of Australia.
    "BHD": Cash(5, _notes(500, 1, 2, 10, 20, 40)),  # Smallest coin 5 fils. Central Bank of Bahrain.
    "CAD": Cash(5, _notes(100, 1, 2, 5, 10, 20, 50, 100)),  # Cent withdrawn 2013. Royal Canadian Mint.
    "CHF": Cash(5, _notes(100, 1, 2, 5, 10, 20, 50, 100, 200, 1000)),  # Smallest coin 5 Rp. Swiss National Bank.
    "CZK": Cash(100, _notes(100, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000)),  # 50 h withdrawn 2008. CNB.
    "DKK": Cash(50, _notes(100, 1, 5, 10, 20, 50, 100, 200, 500)),  # Smallest coin 50 oere. Danmarks Nationalbank.
    "EUR": Cash(1, _notes(100, 1, 2, 5, 10, 20, 50, 100, 200)),  # 500 not issued since 2019. ECB.
    "GBP": Cash(1, _notes(100, 1, 2, 5, 10, 20, 50)),  # Bank of England, Royal Mint.
    "HUF": Cash(500, _notes(100, 100, 200, 500, 1000, 2000, 5000, 10000, 20000)),  # 1, 2 Ft withdrawn 2008. MNB.
    "JPY": Cash(1, (100, 500, 1000, 5000, 10000)),  # The 2000 yen note is rare. Bank of Japan.
    "KWD": Cash(5, _notes(250, 1, 2, 4, 20, 40, 80)),  # Smallest coin 5 fils. Central Bank of Kuwait.
    "NOK": Cash(100, _notes(100, 1, 5, 10, 20, 50, 100, 200, 500, 1000)),  # 50 oere withdrawn 2012. Norges Bank.
    "NZD": Cash(10, _notes(100, 1, 2, 5, 10, 20, 50, 100)),  # 5c withdrawn 2006. Reserve Bank of New Zealand.
    "PLN": Cash(1, _notes(100, 1, 2, 5, 10, 20, 50, 100, 200, 500)),  # Narodowy Bank Polski.
    "SEK": Cash(100, _notes(100, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1000)),  # 50 oere withdrawn 2010. Riksbank.
    "SGD": Cash(5, _notes(100, 1, 2, 5, 10, 50, 100)),  # 1c no longer issued since 2002. MAS.
    "USD": Cash(1, _notes(100, 1, 5, 10, 20, 50, 100)),  # Federal Reserve; the 2 dollar note is rare.
    "ZAR": Cash(10, _notes(100, 1, 2, 5, 10, 20, 50, 100, 200)),  # 5c not minted since 2012. SA Reserve Bank.
}
# Countries of the euro area that round cash totals to 5 cents (ISO 3166-1). Source: European Commission, report on
# 1 and 2 cent coins, and the national laws named in docs/reference/money.md.
_EURO_FIVE_CENTS: Final = frozenset({"BE", "EE", "FI", "IE", "IT", "LT", "NL", "SK"})


def cash_step_minor(currency: str, country: str = "") -> int:
    """Give the usual cash step of a currency in minor units, for a country where that matters; 1 if not known."""
    if currency == "EUR":
        return 5 if country in _EURO_FIVE_CENTS else 1
    known = _CASH.get(currency)
    return known.step_minor if known is not None else 1


def quick_cash(due_minor: int, currency: str) -> tuple[int, ...]:
    """Suggest what a customer is likely to hand over: the exact amount, then the next round amounts of notes.

    ``due_minor`` is already rounded to the cash step. At most QUICK_MAX suggestions, ascending, none without a due.
    """
    if due_minor <= 0:
        return ()
    known = _CASH.get(currency)
    notes = known.notes if known is not None else _notes(10 ** exponent(currency), 1, 2, 5, 10, 20, 50, 100)
    amounts = {due_minor} | {-(-due_minor // note) * note for note in notes}
    return tuple(sorted(amounts)[:QUICK_MAX])
