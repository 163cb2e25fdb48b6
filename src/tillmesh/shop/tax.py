"""Tax on amounts: inside the price or on top of it, rounded per line or once per rate.

The two roundings differ: three lines of 0.99 with 20 % inside owe 0.51 by line and 0.50 by total. Both are lawful in
most places (GB: HMRC VAT Notice 700, section 17.5); the store picks one and prints it.
"""

from __future__ import annotations

from collections.abc import Sequence

from tillmesh.kernel.errors import Invalid
from tillmesh.kernel.money import PPM, allocate
from tillmesh.shop.cart import Policy
from tillmesh.shop.events import TaxTotal
from tillmesh.shop.rounding import Divide


def rate_of(policy: Policy, code: str) -> int:
    """Give the rate of a tax code in ppm, or raise :class:`Invalid` naming the codes of the store."""
    rate_ppm = policy.tax_rates_ppm.get(code)
    if rate_ppm is None:
        known = ", ".join(sorted(policy.tax_rates_ppm)[:20]) or "none"
        raise Invalid(f"tax code {code[:40]!r} has no rate in this store", hint=f"Known codes: {known}.")
    return rate_ppm


def tax_in(amount_minor: int, rate_ppm: int, policy: Policy, divide: Divide) -> int:
    """Give the rounded tax of an amount that contains it or, when taxes are added, that it comes on top of."""
    return divide(amount_minor * rate_ppm, PPM + rate_ppm if policy.prices_include_tax else PPM)


def taxes_by_line(amounts: Sequence[int], rates: Sequence[int], policy: Policy, divide: Divide) -> list[int]:
    """Round the tax of each line by itself."""
    if policy.prices_include_tax:
        return [divide(amount * rate, PPM + rate) for amount, rate in zip(amounts, rates, strict=True)]
    return [divide(amount * rate, PPM) for amount, rate in zip(amounts, rates, strict=True)]


def taxes_by_total(amounts: Sequence[int], codes: Sequence[str], policy: Policy, divide: Divide) -> list[int]:
    """Round once per tax code, then hand the rounded tax back to the lines by largest remainder, so that they sum."""
    groups: dict[str, list[int]] = {}
    for index, code in enumerate(codes):
        if (members := groups.get(code)) is None:
            groups[code] = [index]
        else:
            members.append(index)
    taxes = [0] * len(amounts)
    for code, members in groups.items():
        rate = policy.tax_rates_ppm[code]
        if not rate:
            continue
        weights = [amounts[i] for i in members]
        tax = tax_in(sum(weights), rate, policy, divide)
        if len(members) == 1:
            taxes[members[0]] = tax
            continue
        for i, part in zip(members, allocate(tax, weights), strict=True):
            taxes[i] = part
    return taxes


def sum_taxes(rows: Sequence[tuple[str, int, int, int]]) -> tuple[TaxTotal, ...]:
    """Sum rows of (code, rate_ppm, tax, total with tax) per code and rate, in the order they first appear."""
    sums: dict[tuple[str, int], list[int]] = {}
    for code, rate_ppm, tax, total in rows:
        both = sums.get((code, rate_ppm))
        if both is None:
            sums[code, rate_ppm] = [total - tax, tax]
        else:
            both[0] += total - tax
            both[1] += tax
    return tuple(
        TaxTotal(code=code, rate_ppm=rate_ppm, net_minor=net, tax_minor=tax)
        for (code, rate_ppm), (net, tax) in sums.items()
    )
