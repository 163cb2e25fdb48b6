"""Read the amounts back from the text of a receipt, as a customer with a pencil would."""

import re
from dataclasses import dataclass, field

# Label, amount with its sign before the currency, and the letter of the tax rate.
_ROW = re.compile(r"(?P<label>.*?)\s+(?P<sign>-?)(?:[A-Z]{3}\s?|[^\d\s-]+)?(?P<digits>\d[\d,]*(?:\.\d+)?)(?: [A-Z])?")
_RULE = re.compile(r"-{20,}")


@dataclass
class Slip:
    """A receipt in sections between its rules; every row is a label and an amount in minor units."""

    sections: list[list[str]]
    decimals: int
    rows: list[tuple[str, int]] = field(default_factory=list)

    def amounts(self, label: str) -> list[int]:
        return [amount for found, amount in self.rows if found.startswith(label)]

    def amount(self, label: str, default: int | None = None) -> int:
        found = self.amounts(label)
        if not found and default is not None:
            return default
        assert len(set(found)) == 1, f"{label!r} stands on the slip as {found}"
        return found[0]


def minor(sign: str, digits: str, decimals: int) -> int:
    whole, _, fraction = digits.replace(",", "").partition(".")
    assert len(fraction) == decimals, f"{digits} has not {decimals} decimals"
    return int(f"{sign}{whole}{fraction}")


def read(text: str, decimals: int) -> Slip:
    """Read a slip; rows that end in no amount are left out."""
    sections: list[list[str]] = [[]]
    for line in text.replace("\u00a0", " ").replace("\u202f", " ").replace("\u2212", "-").splitlines():
        if _RULE.fullmatch(line.strip()):
            sections.append([])
        else:
            sections[-1].append(line)
    slip = Slip(sections, decimals)
    for line in (line for section in sections for line in section):
        found = _ROW.fullmatch(line)
        if found and ("." in found["digits"]) == bool(decimals):
            slip.rows.append((found["label"].strip(), minor(found["sign"], found["digits"], decimals)))
    return slip


def tax_rows(slip: Slip) -> list[tuple[int, int, int]]:
    """Give net, tax and gross of each row of the tax table."""
    number = r"(-?)(?:[A-Z]{3}\s?|[^\d\s-]+)?(\d[\d,]*(?:\.\d+)?)"
    row = re.compile(rf"(?:[A-Z] )?[\d.]+%\s+{number}\s+{number}\s+{number}")
    found = (row.fullmatch(line) for section in slip.sections for line in section)
    return [
        tuple(
            minor(sign, digits, slip.decimals) for sign, digits in zip(m.groups()[::2], m.groups()[1::2], strict=True)
        )  # type: ignore[misc]
        for m in found
        if m
    ]
