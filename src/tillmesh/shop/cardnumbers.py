"""Card numbers must never enter: find them in text from outside (security requirement S14).

A card number is 13 to 19 digits with a valid check digit (ISO/IEC 7812-1, Luhn), written whole or in groups. Every
tenth number passes Luhn, so the length must also go with the first digits that card schemes use: a till must not refuse
phone numbers, tax numbers, GTINs and times in milliseconds at random.
"""

from __future__ import annotations

import re
from typing import Final

from tillmesh.kernel.errors import Invalid

DIGITS_MAX: Final = 19
# First digits of the schemes by length. 13 Visa; 14 Diners; 15 American Express, JCB, UATP; 16 all that is not a time
# or a GTIN; longer ones Visa, Maestro, UnionPay, Discover. Source: ISO/IEC 7812 ranges as the schemes publish them.
_STARTS: Final = {
    13: ("4",),
    14: ("30", "36", "38", "39"),
    15: ("1", "2", "34", "37"),
    16: ("2", "3", "4", "5", "6", "8", "9"),
    **dict.fromkeys((17, 18, 19), ("4", "5", "6")),
}
# Groups of digits that a person or a terminal joins with single spaces, dashes or dots.
_GROUPS: Final = re.compile(r"[0-9]+(?:[ .\-\u00a0\u2010-\u2013][0-9]+)*")
_GROUP: Final = re.compile(r"[0-9]+")


def luhn_valid(digits: str) -> bool:
    """Say whether the last digit is the Luhn check digit of the others."""
    odd = sum(int(digit) for digit in digits[-1::-2])
    even = sum(sum(divmod(2 * int(digit), 10)) for digit in digits[-2::-2])
    return (odd + even) % 10 == 0


def holds_card_number(text: str) -> bool:
    """Say whether a card number stands in the text, whole or in neighbouring groups of digits."""
    return bool(text) and any(_joined(_GROUP.findall(run.group())) for run in _GROUPS.finditer(text))


def _joined(groups: list[str]) -> bool:
    """Try every sequence of neighbouring groups: an expiry date after the number must not hide it."""
    for first in range(len(groups)):
        digits = ""
        for group in groups[first:]:
            digits += group
            if len(digits) > DIGITS_MAX:
                break
            if digits.startswith(_STARTS.get(len(digits), ())) and luhn_valid(digits):
                return True
    return False


def refuse_card_number(text: str, what: str) -> str:
    """Give the text back, or raise :class:`Invalid` without repeating it if a card number stands in it."""
    if holds_card_number(text):
        raise Invalid(
            f"{what} holds what looks like a card number; it was not stored",
            hint="Enter the approval code or the last four digits instead.",
        )
    return text


def hide_card_numbers(text: str) -> str:
    """Give the text with every run of digits that holds a card number taken out, for logs."""
    return _GROUPS.sub(lambda run: "[card number]" if _joined(_GROUP.findall(run.group())) else run.group(), text)
