"""Sets of pieces: buy some and get some, or several for one price. Dearest pieces first, whatever order they came in.

Pieces are kept as runs (how many at which price), never one by one: a line may hold a million of them.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from itertools import accumulate

import msgspec

from tillmesh.kernel.money import PPM, allocate
from tillmesh.shop.offers.promotion import Promotion
from tillmesh.shop.rounding import Divide


class Run(msgspec.Struct, frozen=True):
    """So many pieces of one line at one price that no other set holds."""

    price_minor: int
    sku: str
    line: int
    pieces: int


class InSets(msgspec.Struct, frozen=True):
    """What a promotion takes off each line, and how many pieces of each are in its sets."""

    amounts: dict[int, int]
    pieces: dict[int, int]


def in_sets(promotion: Promotion, runs: Sequence[Run], divide: Divide) -> InSets:
    """Make as many sets as are worth it and say what comes off.

    The reduction is rounded once and handed to all pieces of the sets in proportion to their prices (largest
    remainder): whatever of a set comes back later, what was really paid for it is given back.
    """
    ordered = sorted(runs, key=lambda run: (-run.price_minor, run.sku, run.line))
    ends = list(accumulate(run.pieces for run in ordered))
    size = promotion.buy_count + (promotion.get_count if promotion.kind == "buy_get" else 0)
    sets = (ends[-1] if ends else 0) // size
    if promotion.times_max:
        sets = min(sets, promotion.times_max)
    if promotion.kind == "mix" and promotion.amount_minor:
        sets = _worth_it(promotion, ordered, ends, size, sets)
        off = _value(ordered, ends, sets * size) - sets * promotion.amount_minor
    elif promotion.kind == "mix":
        off = divide(_value(ordered, ends, sets * size) * promotion.rate_ppm, PPM)
    else:
        off = divide(_got(promotion, ordered, sets * size) * promotion.rate_ppm, PPM)
    if off <= 0:
        return InSets({}, {})
    return _handed_out(ordered, sets * size, off)


def _value(runs: Sequence[Run], ends: Sequence[int], pieces: int) -> int:
    """Sum the prices of the first pieces."""
    value, begin = 0, 0
    for run, end in zip(runs, ends, strict=True):
        if pieces <= begin:
            break
        value += run.price_minor * (min(pieces, end) - begin)
        begin = end
    return value


def _worth_it(promotion: Promotion, runs: Sequence[Run], ends: Sequence[int], size: int, sets: int) -> int:
    """Count the sets that cost more piece by piece; as the dearest come first, these are the first ones."""

    def is_not_worth(number: int) -> bool:
        value = _value(runs, ends, (number + 1) * size) - _value(runs, ends, number * size)
        return value <= promotion.amount_minor

    return bisect_left(range(sets), x=True, key=is_not_worth)


def _got(promotion: Promotion, runs: Sequence[Run], pieces: int) -> int:
    """Sum the prices of the pieces that come with the others: the last ones of each set, so the cheapest."""
    size = promotion.buy_count + promotion.get_count

    def got_up_to(position: int) -> int:
        whole, rest = divmod(min(position, pieces), size)
        return whole * promotion.get_count + max(0, rest - promotion.buy_count)

    value, begin = 0, 0
    for run in runs:
        end = begin + run.pieces
        value += run.price_minor * (got_up_to(end) - got_up_to(begin))
        begin = end
    return value


def _handed_out(runs: Sequence[Run], pieces: int, off: int) -> InSets:
    involved: dict[int, int] = {}
    worth: dict[int, int] = {}
    begin = 0
    for run in runs:
        count = min(run.pieces, pieces - begin)
        if count <= 0:
            break
        involved[run.line] = involved.get(run.line, 0) + count
        worth[run.line] = worth.get(run.line, 0) + count * run.price_minor
        begin += run.pieces
    shares = allocate(off, list(worth.values()))
    return InSets(dict(zip(worth, shares, strict=True)), involved)
