"""Money as integer minor units, ISO 4217 exponents and named rounding algorithms.

No float ever touches an amount. Percentages are parts per million, so 20 % is 200_000 and 8.875 % is 88_750.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from enum import StrEnum
from typing import Final, assert_never

from tillmesh.kernel.errors import Invalid
from tillmesh.kernel.limits import AMOUNT_MINOR_MAX

PPM: Final = 1_000_000

# Currencies whose minor unit is not two decimals. Source: ISO 4217 list one.
_EXPONENT: Final = {
    **dict.fromkeys("BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX VND VUV XAF XOF XPF".split(), 0),
    **dict.fromkeys("BHD IQD JOD KWD LYD OMR TND".split(), 3),
}
_TWO: Final = frozenset(
    "AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF CHF CNY COP "
    "CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL HTG HUF IDR ILS INR IRR "
    "JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN "
    "NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP "
    "SZL THB TJS TMT TOP TRY TTD TWD TZS UAH USD UYU UZS VES WST XCD YER ZAR ZMW ZWG".split()
)


class Rounding(StrEnum):
    """How a fraction of a minor unit (or of a cash step) becomes a whole one."""

    HALF_UP = "half_up"  # Halves away from zero: what most tax offices mean by "commercial rounding".
    HALF_EVEN = "half_even"  # Halves to the even neighbour: banker's rounding.
    HALF_DOWN = "half_down"  # Halves towards zero.
    DOWN = "down"  # Towards zero.
    UP = "up"  # Away from zero.


def exponent(currency: str) -> int:
    """Give the number of decimals of a currency: 0, 2 or 3. Source: ISO 4217."""
    if currency in _TWO:
        return 2
    try:
        return _EXPONENT[currency]
    except KeyError:
        raise Invalid(f"{currency[:10]!r} is not a currency code", hint="Use an ISO 4217 code such as EUR.") from None


def divide(numerator: int, denominator: int, rounding: Rounding = Rounding.HALF_UP) -> int:
    """Divide two integers and round the quotient by a named algorithm; ``denominator`` is positive."""
    quotient, rest = divmod(abs(numerator), denominator)
    if rest and _away(quotient, 2 * rest, denominator, rounding):
        quotient += 1
    return quotient if numerator >= 0 else -quotient


def _away(quotient: int, twice_rest: int, denominator: int, rounding: Rounding) -> bool:
    """Say whether a non-zero rest pushes the quotient away from zero."""
    match rounding:
        case Rounding.HALF_UP:
            return twice_rest >= denominator
        case Rounding.HALF_DOWN:
            return twice_rest > denominator
        case Rounding.HALF_EVEN:
            return twice_rest > denominator or (twice_rest == denominator and quotient % 2 == 1)
        case Rounding.DOWN:
            return False
        case Rounding.UP:
            return True
    assert_never(rounding)


def share(amount_minor: int, rate_ppm: int, rounding: Rounding = Rounding.HALF_UP) -> int:
    """Take a share of an amount, rounded to whole minor units."""
    return divide(amount_minor * rate_ppm, PPM, rounding)


def allocate(amount: int, weights: Sequence[int]) -> tuple[int, ...]:
    """Split an amount by weights so that the parts sum to it exactly (largest remainder, ties to the first).

    Weights are not negative. With all weights zero the first part takes everything; without weights the amount
    must be zero. Source: Hamilton's method of apportionment.
    """
    total = sum(weights)
    if total == 0:
        assert weights or amount == 0, f"{amount} can't be split over nothing"
        return tuple(amount if i == 0 else 0 for i in range(len(weights)))
    rest = abs(amount)
    parts, fractions = [], []
    for weight in weights:
        part, fraction = divmod(rest * weight, total)
        parts.append(part)
        fractions.append(fraction)
    left = rest - sum(parts)
    if left:
        # A stable sort in reverse keeps the first of equals first.
        for i in sorted(range(len(parts)), key=fractions.__getitem__, reverse=True)[:left]:
            parts[i] += 1
    return tuple(parts) if amount >= 0 else tuple([-part for part in parts])


_DECIMAL: Final = re.compile(r"(-?)([0-9]{1,15})(?:\.([0-9]{0,9}))?")


def parse_decimal(text: str, decimals: int, what: str) -> int:
    """Read plain decimal text as an integer of ``10**-decimals``; more decimals than that must be zeros."""
    match = _DECIMAL.fullmatch(text.strip())
    if match is None:
        raise Invalid(f"{what} {text[:40]!r} is not a plain decimal number", hint="Write it like 12.50.")
    sign, whole, fraction = match[1], match[2], (match[3] or "")
    if fraction[decimals:].strip("0"):
        raise Invalid(f"{what} {text[:40]!r} has more than {decimals} decimals", hint="Round it first.")
    value: int = int(whole) * 10**decimals + int((fraction[:decimals]).ljust(decimals, "0") or "0")
    return -value if sign else value


def format_decimal(value: int, decimals: int) -> str:
    """Write an integer of ``10**-decimals`` as plain decimal text with all its decimals."""
    if decimals == 0:
        return str(value)
    digits = f"{abs(value):0{decimals + 1}d}"
    return f"{'-' if value < 0 else ''}{digits[:-decimals]}.{digits[-decimals:]}"


def check_amount(amount_minor: int, what: str, *, least: int = 0) -> int:
    """Give the amount back if it is within [least, AMOUNT_MINOR_MAX], or raise :class:`Invalid`."""
    if not least <= amount_minor <= AMOUNT_MINOR_MAX:
        raise Invalid(
            f"{what} is {amount_minor} minor units; allowed are {least} to {AMOUNT_MINOR_MAX}",
            hint="Check the amount and try again.",
        )
    return amount_minor
