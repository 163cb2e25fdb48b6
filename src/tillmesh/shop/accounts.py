"""Accounts of the books: what each is for, and the numbers that a shop's accountant gave them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Final

CLEARING: Final = "clearing"  # where all that a day took and was taken for meets; comes to nothing
ROUNDING: Final = "rounding"  # of cash
OVER_SHORT: Final = "over_short"
TRANSIT: Final = "transit"  # cash on its way between the drawer, the safe and the bank
CORRECTIONS: Final = "corrections"  # of gift cards and customers' accounts, by hand
REVENUE: Final = "revenue."  # and the tax code
TAX: Final = "tax."
KEY: Final = "key."  # DATEV's key for the tax of a revenue whose account is no automatic one
CONSULTANT, CLIENT, YEAR_START = "consultant", "client", "year_start"  # of DATEV
# Every role but those of tax codes. "gift_card" is what the shop owes on cards, "account" what customers owe.
ROLES: Final = (
    "cash", "card", "gift_card", "account", "points", CLEARING, ROUNDING, OVER_SHORT, TRANSIT, CORRECTIONS,
)  # fmt: skip
ENTRIES_MAX: Final = 100
Chart = Mapping[str, str]  # role -> number

_NUMBER: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,11}")
_CODE: Final = re.compile(r"[A-Za-z0-9_]{1,30}")
_OF_CODES: Final = {REVENUE: _NUMBER, TAX: _NUMBER, KEY: re.compile(r"[0-9]{4}")}
_OF_DATEV: Final = {
    CONSULTANT: re.compile(r"[0-9]{4,7}"),
    CLIENT: re.compile(r"[0-9]{1,5}"),
    YEAR_START: re.compile(r"(0[1-9]|1[0-2])(0[1-9]|1[0-9]|2[0-8])"),
}


def fits(role: str, number: str) -> bool:
    """Say whether there is such a role, and whether this can be its number."""
    if role in _OF_DATEV:
        return bool(_OF_DATEV[role].fullmatch(number))
    for start, pattern in _OF_CODES.items():
        if role.startswith(start):
            return bool(_CODE.fullmatch(role.removeprefix(start)) and pattern.fullmatch(number))
    return role in ROLES and bool(_NUMBER.fullmatch(number))


def chart_of(entries: Iterable[str]) -> dict[str, str]:
    """Read ``role=number`` as settings keep it; what does not fit is as if it were not there."""
    pairs = (entry.partition("=") for entry in entries)
    return {role: number for role, _, number in pairs if fits(role, number)}
