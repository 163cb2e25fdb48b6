"""What the books of a shop say about its tills: days as bookings from one account to another. Pure.

Each till has one document for a day. All that it took and all that it was taken for meet in the account ``clearing``,
which comes to nothing in every document: tenders on one side; revenue, tax, vouchers and rounding on the other.
``cash`` follows the drawer: what shifts were opened with, what was carried in and out, what was counted at the end.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import NamedTuple

from tillmesh.kernel.errors import Invalid
from tillmesh.kernel.limits import BOOKING_DAYS_MAX
from tillmesh.kernel.times import parse_day
from tillmesh.shop.accounts import CLEARING, CORRECTIONS, OVER_SHORT, REVENUE, ROUNDING, TAX, TRANSIT
from tillmesh.shop.events import (
    CashMoved,
    Payment,
    PurseMove,
    PursesAdjusted,
    SaleClosed,
    SaleRefunded,
    SaleVoided,
    ShiftClosed,
    ShiftOpened,
    TaxTotal,
)
from tillmesh.shop.purses import ACCOUNT, GIFT_CARD
from tillmesh.shop.settings import VOUCHER
from tillmesh.shop.tender import CASH

UNHEARD_MS = 30 * 86_400_000  # tills that were not heard of for longer are gone for good; guess

# What each booking is about; the text of a file says it in the shop's language.
SALES, TENDER, LOADED, PAID_OFF = "sales", "tender", "gift_cards_sold", "accounts_paid"
MOVED, FLOAT, COUNTED, CORRECTED, ROUNDED = "cash_moved", "float", "counted", "corrected", "rounded"


class Happening(NamedTuple):
    """Something that a till wrote down, and on which day by the clock on the shop's wall."""

    till: str
    day: date
    body: object


class Booking(NamedTuple):
    """An amount that goes from ``credit`` to ``debit``; below zero it goes the other way.

    Accounts are roles: a chart gives them numbers. ``tax_minor`` is the part of a revenue that is tax.
    """

    day: date
    till: str
    debit: str
    credit: str
    amount_minor: int
    about: str
    text: str = ""  # what a person wrote
    tax_code: str = ""
    rate_ppm: int = 0
    tax_minor: int = 0

    @property
    def document(self) -> str:
        """The number of the document: the same till and day have the same one for ever."""
        return f"{self.day:%Y%m%d}-{self.till}"


@dataclass(slots=True)
class _Sums:
    """A till's day being added up; nobody else holds it."""

    tenders: dict[str, int] = field(default_factory=dict)
    rates: dict[tuple[str, int], list[int]] = field(default_factory=dict)  # code and rate -> net, tax
    loads: dict[str, int] = field(default_factory=dict)  # purse -> money that went into it
    rounding_minor: int = 0
    corrections: dict[str, int] = field(default_factory=dict)  # purse -> change of what is on it
    single: list[Booking] = field(default_factory=list)


def days_of(first: str, last: str, today: date) -> tuple[date, date]:
    """Read which days are to be booked, both included; unless told otherwise, those of this month before today.

    Only days that are over: a document that an accountant has shall not change under its number.
    """
    end = parse_day(last, "to") if last else today - timedelta(days=1)
    begin = parse_day(first, "from") if first else end.replace(day=1)
    if not (begin.year >= 1980 and end.year <= 9990 and 0 <= (end - begin).days < BOOKING_DAYS_MAX):
        raise Invalid(
            f"from {begin} to {end} is not a stretch of 1 to {BOOKING_DAYS_MAX} days", hint="Ask for fewer days."
        )
    if end >= today:
        raise Invalid(f"{end} is not over yet", hint="Books are for days that are over: end with yesterday.")
    return begin, end


def book(happenings: Iterable[Happening], counted_before: Mapping[str, int]) -> list[Booking]:
    """Book days, in the order in which a till wrote them down.

    ``counted_before`` is what lay in a till's drawer when its last shift before the first day ended.
    """
    days: dict[tuple[date, str], _Sums] = {}
    drawers = dict(counted_before)
    for one in happenings:
        _add(days.setdefault((one.day, one.till), _Sums()), one, drawers)
    found = (
        one
        for (day, till), sums in sorted(days.items(), key=lambda item: item[0])
        for one in _bookings(day, till, sums)
    )
    return [one for one in found if one.amount_minor or one.tax_minor]


def balances(bookings: Iterable[Booking]) -> dict[str, int]:
    """Say what bookings change each account by: debits less credits. All of them together come to nothing."""
    found: dict[str, int] = {}
    for one in bookings:
        found[one.debit] = found.get(one.debit, 0) + one.amount_minor
        found[one.credit] = found.get(one.credit, 0) - one.amount_minor + one.tax_minor
        if one.tax_minor:
            tax = TAX + one.tax_code
            found[tax] = found.get(tax, 0) - one.tax_minor
    return {account: amount for account, amount in sorted(found.items()) if amount}


def roles_of(bookings: Iterable[Booking]) -> list[str]:
    """List the accounts that bookings need."""
    found: set[str] = set()
    for one in bookings:
        found |= {one.debit, one.credit} | ({TAX + one.tax_code} if one.tax_minor else set())
    return sorted(found)


def _add(sums: _Sums, one: Happening, drawers: dict[str, int]) -> None:
    match one.body:
        case SaleClosed() as sale:
            _pay(sums, sale.payments, 1)
            sums.tenders[CASH] = sums.tenders.get(CASH, 0) - sale.change_minor
            _earn(sums, sale.taxes, sale.purses, 1)
            sums.rounding_minor += sale.rounding_minor
        case SaleVoided() as void:
            _pay(sums, void.payments, -1)
            _earn(sums, void.taxes, void.purses, -1)
            sums.rounding_minor -= void.rounding_minor
        case SaleRefunded() as refund:
            _pay(sums, refund.payments, -1)
            _earn(sums, refund.taxes, (), -1)
            sums.rounding_minor -= refund.rounding_minor
        case PursesAdjusted() as adjusted:
            for move in adjusted.purses:
                if move.purse in {GIFT_CARD, ACCOUNT}:
                    sums.corrections[move.purse] = sums.corrections.get(move.purse, 0) + move.amount
        case _:
            sums.single += _drawer(one, drawers)


def _drawer(one: Happening, drawers: dict[str, int]) -> Iterator[Booking]:
    """Book what happens to a drawer beside sales."""
    match one.body:
        case CashMoved() as moved:
            yield Booking(one.day, one.till, CASH, TRANSIT, moved.amount_minor, MOVED, moved.reason)
        case ShiftOpened() as opened:
            # What lay in it in the evening and does not in the morning was carried to the safe without a word.
            carried = opened.float_minor - drawers.get(one.till, 0)
            if carried:
                yield Booking(one.day, one.till, CASH, TRANSIT, carried, FLOAT)
        case ShiftClosed() as closed:
            drawers[one.till] = closed.counted_minor
            variance = closed.counted_minor - closed.totals.expected_cash_minor
            if variance:
                yield Booking(one.day, one.till, CASH, OVER_SHORT, variance, COUNTED, f"Z {closed.z_number}")
        case _:
            pass


def _pay(sums: _Sums, payments: Iterable[Payment], sign: int) -> None:
    for payment in payments:
        sums.tenders[payment.method] = sums.tenders.get(payment.method, 0) + sign * payment.amount_minor


def _earn(sums: _Sums, taxes: Iterable[TaxTotal], purses: Iterable[PurseMove], sign: int) -> None:
    """Add revenue by rate; what only moves money into purses is none."""
    vouchers = 0
    for tax in taxes:
        if tax.code == VOUCHER:
            vouchers += tax.net_minor + tax.tax_minor
            continue
        row = sums.rates.setdefault((tax.code, tax.rate_ppm), [0, 0])
        row[0] += sign * tax.net_minor
        row[1] += sign * tax.tax_minor
    # A card that is sold gets more, an account that is paid off owes less; what pays moves the other way.
    paid_off = sum(-sign * one.amount for one in purses if one.purse == ACCOUNT and sign * one.amount < 0)
    for purse, amount in ((ACCOUNT, paid_off), (GIFT_CARD, vouchers - paid_off)):
        sums.loads[purse] = sums.loads.get(purse, 0) + sign * amount


def _bookings(day: date, till: str, sums: _Sums) -> Iterator[Booking]:
    """Write down what a till's day comes to, always in the same order."""
    for method, amount in sorted(sums.tenders.items()):
        yield Booking(day, till, method, CLEARING, amount, TENDER, method)
    for (code, rate), (net, tax) in sorted(sums.rates.items()):
        yield Booking(
            day, till, CLEARING, REVENUE + code, net + tax, SALES, tax_code=code, rate_ppm=rate, tax_minor=tax
        )
    for purse, about in ((GIFT_CARD, LOADED), (ACCOUNT, PAID_OFF)):
        yield Booking(day, till, CLEARING, purse, sums.loads.get(purse, 0), about)
    yield Booking(day, till, CLEARING, ROUNDING, sums.rounding_minor, ROUNDED)
    # A card that is worth more is a debt of the shop's, an account that owes more a claim.
    yield Booking(day, till, CORRECTIONS, GIFT_CARD, sums.corrections.get(GIFT_CARD, 0), CORRECTED)
    yield Booking(day, till, ACCOUNT, CORRECTIONS, sums.corrections.get(ACCOUNT, 0), CORRECTED)
    yield from sums.single
