"""The independent checker: what people were told, against what a till holds in the end.

It knows nothing of how the till works. A history lists every attempt with what was answered; the books list every sale
that is there. Every broken promise is one line, headed by its invariant: I1 no acknowledged sale lost, I2 none counted
twice, I4 money balances, I7 receipt numbers unique and gapless.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Literal

Answer = Literal["ok", "fail", "unknown"]  # unknown: no answer came, or one that leaves it open


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try to sell a cart, and what the cashier was told."""

    cart_id: str
    answer: Answer
    sale_id: str = ""
    receipt_number: str = ""
    total_minor: int = 0


@dataclass(frozen=True, slots=True)
class Sold:
    """One sale as the till holds it."""

    sale_id: str
    cart_id: str
    receipt_number: str
    total_minor: int
    tax_minor: int
    rounding_minor: int
    change_minor: int
    payments_minor: tuple[int, ...]
    lines: tuple[tuple[str, int, int], ...]  # sku, quantity in thousandths, total


@dataclass(slots=True)
class History:
    """Everything that was tried, in order."""

    attempts: list[Attempt] = field(default_factory=list)

    def note(self, attempt: Attempt) -> Attempt:
        self.attempts.append(attempt)
        return attempt

    def ok(self) -> dict[str, Attempt]:
        """The last acknowledgement of each cart."""
        return {one.cart_id: one for one in self.attempts if one.answer == "ok"}


def check(history: History, books: Sequence[Sold], other_numbers: Iterable[str] = ()) -> list[str]:
    """List every broken promise; ``other_numbers`` are the receipt numbers of refunds and voids."""
    return [*_none_lost(history, books), *_none_twice(history, books), *_money(books), *_numbers(books, other_numbers)]


def _none_lost(history: History, books: Sequence[Sold]) -> Iterable[str]:
    held = {sold.sale_id: sold for sold in books}
    for told in history.attempts:
        if told.answer != "ok":
            continue
        sold = held.get(told.sale_id)
        if sold is None:
            yield f"I1 {told.cart_id}: acknowledged as {told.sale_id} with receipt {told.receipt_number}, and gone"
        elif (sold.cart_id, sold.receipt_number, sold.total_minor) != (
            told.cart_id, told.receipt_number, told.total_minor,
        ):  # fmt: skip
            yield f"I1 {told.cart_id}: acknowledged as {told}, held as {sold}"


def _none_twice(history: History, books: Sequence[Sold]) -> Iterable[str]:
    for what, values in (
        ("cart", [sold.cart_id for sold in books]),
        ("sale", [sold.sale_id for sold in books]),
    ):
        for value, times in Counter(values).items():
            if times > 1:
                yield f"I2 {what} {value} is there {times} times"
    answers = defaultdict(set)
    tried: dict[str, set[Answer]] = defaultdict(set)
    for told in history.attempts:
        tried[told.cart_id].add(told.answer)
        if told.answer == "ok":
            answers[told.cart_id].add((told.sale_id, told.receipt_number, told.total_minor))
    for cart_id, given in answers.items():
        if len(given) > 1:
            yield f"I2 {cart_id}: one cart, different answers {sorted(given)}"
    for sold in books:
        if not tried[sold.cart_id]:
            yield f"I2 {sold.cart_id} is sold, and nobody asked for it"
        elif tried[sold.cart_id] == {"fail"}:
            yield f"I2 {sold.cart_id} is sold, and everybody was told that it is not"


def _money(books: Sequence[Sold]) -> Iterable[str]:
    for sold in books:
        if sum(sold.payments_minor) - sold.change_minor != sold.total_minor + sold.rounding_minor:
            yield f"I4 {sold.sale_id}: tender less change is not the total"
        if sum(total for _, _, total in sold.lines) != sold.total_minor:
            yield f"I4 {sold.sale_id}: the lines do not sum up to the total"


def _numbers(books: Sequence[Sold], others: Iterable[str]) -> Iterable[str]:
    series = defaultdict(list)
    for number in [*(sold.receipt_number for sold in books), *others]:
        name, _, digits = number.rpartition("-")
        series[name].append(int(digits))
    for name, numbers in series.items():
        if sorted(numbers) != list(range(1, len(numbers) + 1)):
            yield f"I7 series {name}: {sorted(numbers)} is not 1 to {len(numbers)} without gaps"


def stock_sold(books: Sequence[Sold]) -> dict[str, int]:
    """Sum the quantities sold per product, in thousandths."""
    sums: dict[str, int] = defaultdict(int)
    for sold in books:
        for sku, quantity, _ in sold.lines:
            sums[sku] += quantity
    return dict(sums)
