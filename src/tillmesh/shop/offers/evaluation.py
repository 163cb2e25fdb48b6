"""What promotions take off a cart, in one written order; see docs/reference/promotions.md.

Pure: the same lines, promotions and uses give the same amounts on every till. Never more than a line has left.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

import msgspec

from tillmesh.kernel.money import PPM, allocate
from tillmesh.kernel.quantity import ONE
from tillmesh.shop.cart import Cart, CartLine
from tillmesh.shop.offers.promotion import IN_SETS, Promotion, holds_at
from tillmesh.shop.offers.sets import Run, in_sets
from tillmesh.shop.offers.shelf import Shelf
from tillmesh.shop.rounding import Divide


@dataclass(frozen=True, slots=True)
class Offers:
    """What may come off a cart: the store's promotions, and what this customer can have of them.

    ``used_up`` names promotions without a use left, and codes as ``(promotion, code)``.
    """

    shelf: Shelf = field(default_factory=Shelf)
    zone: str = "UTC"
    group: str = ""
    used_up: frozenset[str | tuple[str, str]] = frozenset()


NO_OFFERS: Final = Offers()


class Taken(msgspec.Struct, frozen=True):
    """What one promotion takes off each line (index and amount), and the coupon it was for."""

    promotion: Promotion
    code: str
    amounts: dict[int, int]


@dataclass(slots=True)
class _State:
    """A cart while promotions are looked at. Invariant: what is left of a line is never below zero."""

    lines: Sequence[CartLine]
    left: list[int]
    divide: Divide
    loose: dict[int, int] = field(default_factory=dict)  # pieces of a line that no set holds; absent: all
    locked: set[int] = field(default_factory=set)  # lines that an exclusive promotion holds


def take_off(cart: Cart, offers: Offers, left: list[int], divide: Divide) -> list[Taken]:
    """Take off ``left``, the amounts of the lines, what each promotion gives; say what that was, in order."""
    members = _members(cart, offers)
    if not members:
        return []
    before = list(left)
    state = _State(cart.lines, left, divide)
    found = []
    for place in sorted(members):
        promotion, lines = offers.shelf.promotions[place], members[place]
        code = _code_of(promotion, cart, offers)
        if code is None or sum([before[i] for i in lines]) < max(1, promotion.minimum_minor):
            continue
        amounts = _amounts(promotion, [i for i in lines if i not in state.locked], state)
        if not amounts:
            continue
        for i, amount in amounts.items():
            left[i] -= amount
        if promotion.exclusive:
            state.locked |= set(amounts)
        found.append(Taken(promotion, code, amounts))
    return found


def takes_part(line: CartLine) -> bool:
    """Say whether promotions look at a line: not when a person has decided its price."""
    return line.unit_price_minor is None and line.discount is None and not line.loads


def _members(cart: Cart, offers: Offers) -> dict[int, list[int]]:
    """Give the lines of each promotion, by its place: those it is for, that came in while it was in force."""
    shelf, members, lines = offers.shelf, dict[int, list[int]](), cart.lines
    # By sku, so that equals go to the same product whatever was scanned first.
    for i in sorted(range(len(lines)), key=lambda i: lines[i].sku):
        line = lines[i]
        if not takes_part(line):
            continue
        for place in shelf.places_for(line.sku, line.department):
            promotion = shelf.promotions[place]
            if promotion.groups and offers.group not in promotion.groups:
                continue
            if not holds_at(promotion, line.added_ms, offers.zone):
                continue
            held = members.setdefault(place, [])
            if not held or held[-1] != i:  # both its sku and its department may be named
                held.append(i)
    return members


def _code_of(promotion: Promotion, cart: Cart, offers: Offers) -> str | None:
    """Give the coupon that a promotion is used with ("" if it needs none), or None when it can't be used."""
    if promotion.is_limited:
        if promotion.promotion_id in offers.used_up:
            return None
        if promotion.customer_uses_max and not cart.customer_id:
            return None
    if not promotion.codes:
        return ""
    for code in cart.coupons:
        if code in promotion.codes and (promotion.promotion_id, code) not in offers.used_up:
            return code
    return None


def _amounts(promotion: Promotion, lines: list[int], state: _State) -> dict[int, int]:
    """Work out what comes off each line, at most ``most_minor`` in all; lines without a share are left out."""
    if not lines:
        return {}
    found = {i: off for i, off in _KINDS[promotion.kind](promotion, lines, state).items() if off > 0}
    if promotion.most_minor and sum(found.values()) > promotion.most_minor:
        shares = allocate(promotion.most_minor, list(found.values()))
        found = {i: off for i, off in zip(found, shares, strict=True) if off > 0}
    return found


def _in_sets(promotion: Promotion, lines: list[int], state: _State) -> dict[int, int]:
    runs = []
    for i in lines:
        line = state.lines[i]
        pieces = state.loose.get(i, line.quantity_milli // ONE)
        if line.unit == "piece" and line.fixed_price_minor is None and pieces > 0:
            runs.append(Run(line.list_price_minor, line.sku, i, pieces))
    found = in_sets(promotion, runs, state.divide)
    for run in runs:
        state.loose[run.line] = run.pieces - found.pieces.get(run.line, 0)
    return found.amounts


def _percent(promotion: Promotion, lines: list[int], state: _State) -> dict[int, int]:
    divide, left = state.divide, state.left
    if not promotion.times_max:
        return {i: min(left[i], divide(left[i] * promotion.rate_ppm, PPM)) for i in lines}
    return {
        i: min(left[i], divide(left[i] * part * promotion.rate_ppm, whole * PPM))
        for i, part, whole in _first_pieces(promotion.times_max, lines, state)
    }


def _amount(promotion: Promotion, lines: list[int], state: _State) -> dict[int, int]:
    """Take an amount off each piece, or off each kilogram."""
    divide, left = state.divide, state.left
    times = promotion.times_max or sum(_times(state.lines[i]) for i in lines)
    return {
        i: min(left[i], divide(promotion.amount_minor * state.lines[i].quantity_milli * part, ONE * whole))
        for i, part, whole in _first_pieces(times, lines, state)
    }


def _times(line: CartLine) -> int:
    """Count a line's pieces; what is weighed or has its price on a label counts as one."""
    if line.unit != "piece" or line.fixed_price_minor is not None:
        return 1
    return max(1, line.quantity_milli // ONE)


def _first_pieces(times_max: int, lines: list[int], state: _State) -> list[tuple[int, int, int]]:
    """Give so many pieces, the dearest first: line, how many of it, of how many."""
    found = []
    for i in sorted(lines, key=lambda i: (-state.lines[i].list_price_minor, state.lines[i].sku, i)):
        whole = _times(state.lines[i])
        part = min(times_max, whole)
        if part > 0:
            found.append((i, part, whole))
        times_max -= part
    return found


def _on_cart(promotion: Promotion, lines: list[int], state: _State) -> dict[int, int]:
    amounts = [state.left[i] for i in lines]
    whole = sum(amounts)
    off = promotion.amount_minor
    if promotion.kind == "cart_percent":
        off = state.divide(whole * promotion.rate_ppm, PPM)
    return dict(zip(lines, allocate(min(whole, off), amounts), strict=True)) if whole else {}


_KINDS: Final[dict[str, Callable[[Promotion, list[int], _State], dict[int, int]]]] = {
    **dict.fromkeys(IN_SETS, _in_sets),
    "percent": _percent,
    "amount": _amount,
    "cart_percent": _on_cart,
    "cart_amount": _on_cart,
}
