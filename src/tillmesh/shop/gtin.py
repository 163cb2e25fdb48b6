"""GTINs and their check digits: EAN-8, UPC-A and UPC-E, EAN-13, GTIN-14, and the ways one number is written.

Source: GS1 General Specifications, sections 7.9.1 (check digit) and 5.2.2.4 (UPC-E, zero suppression).
"""

from __future__ import annotations

from typing import Final

_LENGTHS: Final = frozenset({8, 12, 13, 14})
_WEIGHT_2_MINUS: Final = "0246891357"
_WEIGHT_3: Final = "0369258147"
_WEIGHT_5_PLUS: Final = "0516273849"
_WEIGHT_5_MINUS: Final = "0594837261"
_PRICE_WEIGHTS: Final = {
    4: (_WEIGHT_2_MINUS, _WEIGHT_2_MINUS, _WEIGHT_3, _WEIGHT_5_MINUS),
    5: (_WEIGHT_5_PLUS, _WEIGHT_2_MINUS, _WEIGHT_5_MINUS, _WEIGHT_5_PLUS, _WEIGHT_2_MINUS),
}


def is_digits(text: str) -> bool:
    """Say whether a text is made of the digits 0 to 9 only."""
    return text.isascii() and text.isdigit()


def check_digit(body: str) -> str:
    """Give the check digit for the digits before it: weights 3 and 1 from the right."""
    total = 3 * sum(map(int, body[-1::-2])) + sum(map(int, body[-2::-2]))
    return str(-total % 10)


def valid_gtin(code: str) -> bool:
    """Say whether a code is an EAN-8, UPC-A, EAN-13 or GTIN-14 with the right check digit."""
    return len(code) in _LENGTHS and is_digits(code) and check_digit(code[:-1]) == code[-1]


def price_check_digit(value: str) -> str:
    """Give the verifier of a price or weight of four or five digits inside an in-store code.

    Source: GS1 General Specifications, sections 7.9.2 to 7.9.4.
    """
    total = sum(int(weights[int(digit)]) for weights, digit in zip(_PRICE_WEIGHTS[len(value)], value, strict=True))
    if len(value) == 4:
        return str(3 * total % 10)
    return str(_WEIGHT_5_MINUS.index(str(-total % 10)))


def expand_upce(code: str) -> str | None:
    """Write a UPC-E of 6 digits, or of 8 with number system and check digit, as UPC-A; None if it is none."""
    if not is_digits(code):
        return None
    if len(code) == 6:
        code = f"0{code}?"
    if len(code) != 8 or code[0] not in "01":
        return None
    system, six, check = code[0], code[1:7], code[7]
    last = six[5]
    if last in "012":
        body = f"{six[:2]}{last}0000{six[2:5]}"
    elif last == "3":
        body = f"{six[:3]}00000{six[3:5]}"
    elif last == "4":
        body = f"{six[:4]}00000{six[4]}"
    else:
        body = f"{six[:5]}0000{last}"
    right = check_digit(system + body)
    return None if check not in {right, "?"} else system + body + right


def same_numbers(code: str) -> tuple[str, ...]:
    """List the ways to write one number, as scanned first: UPC-A with and without its zero, GTIN-14, UPC-E, EAN-8.

    Codes without a valid check digit are the shop's own and are never rewritten.
    """
    found = [code]
    if valid_gtin(code):
        significant = code.lstrip("0")
        found += [significant.zfill(length) for length in (13, 12, 14, 8) if len(significant) <= length]
    if (expanded := expand_upce(code)) is not None:
        found += [expanded, "0" + expanded]
    return tuple(dict.fromkeys(found))


def canonical(code: str) -> str:
    """Give the one way we write a number: EAN-13 for UPC-A and for a GTIN-14 of a single item, else as it is."""
    if not valid_gtin(code) or len(code) == 8:
        return code
    return code.zfill(14)[1:] if len(code) != 14 or code[0] == "0" else code
