"""What could be done about an oversell, ranked by a transparent rule: points for what is known, and why in words.

The rule is written down in docs/reference/oversells.md. It advises, and decides nothing. It learns one thing, in the
open: which answers the managers of this store chose. Numbers without a source are guesses of ours.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final, TypeAlias

import msgspec

from tillmesh.kernel.limits import OVERSELL_VOIDS_SUGGESTED_MAX
from tillmesh.kernel.quantity import ONE
from tillmesh.shop.events import OversellResolved
from tillmesh.shop.oversell import ADJUST, BACK_ORDER, POLICY, VOID, Involved, Noted, Sold

MINUTE_MS: Final = 60_000
DAY_MS: Final = 86_400_000
STILL_HERE_MS: Final = 15 * MINUTE_MS  # the customer may still be in the shop
FRESH_COUNT_MS: Final = 2 * DAY_MS
OLD_COUNT_MS: Final = 30 * DAY_MS
USUAL_WITHIN_MS: Final = 60 * DAY_MS
USUAL_DELIVERIES: Final = 2
SMALL_MILLI: Final = 2 * ONE
LARGE_MILLI: Final = 5 * ONE
OTHER_LINE_POINTS: Final = 5
OTHER_LINES_POINTS_MAX: Final = 20
START: Final = {ADJUST: 35, BACK_ORDER: 25, VOID: 10}
LEARNED_SPREAD: Final = 45  # points between an answer that is always chosen and one that never is
LEARNED_HALF: Final = 6  # after so many choices half of that counts


class Chosen(msgspec.Struct, frozen=True, kw_only=True):
    """How often people chose each answer when they were asked last; a store's written policy is nobody's choice."""

    adjust: int = 0
    back_order: int = 0
    void: int = 0

    def times(self, action: str) -> int:
        """Say how often an answer was chosen."""
        return {ADJUST: self.adjust, BACK_ORDER: self.back_order, VOID: self.void}[action]

    @property
    def total(self) -> int:
        """How often somebody chose at all."""
        return self.adjust + self.back_order + self.void


def count_chosen(notes: Iterable[Noted]) -> Chosen:
    """Count what people chose among the newest resolutions; the same on every till that holds the same log."""
    people = [
        one.body.action
        for one in notes
        if isinstance(one.body, OversellResolved) and not one.body.by.startswith(POLICY)
    ]
    return Chosen(adjust=people.count(ADJUST), back_order=people.count(BACK_ORDER), void=people.count(VOID))


class Case(msgspec.Struct, frozen=True, kw_only=True):
    """What is known about one oversell when somebody asks. Times are ms UTC; 0 means never."""

    sku: str
    missing_milli: int
    involved: Involved
    now_ms: int
    counted_at_ms: int = 0  # the last count of this product
    deliveries: tuple[int, ...] = ()  # when goods came in within USUAL_WITHIN_MS
    ever_booked: bool = True  # goods of this product were booked in at least once
    chosen: Chosen = Chosen()  # what the managers of this store chose lately


class Reason(msgspec.Struct, frozen=True, kw_only=True):
    """Why a suggestion stands where it stands: a code, the points it gave, and a count for the words."""

    code: str
    points: int
    n: int = 0


class Suggestion(msgspec.Struct, frozen=True, kw_only=True):
    """One answer with its confidence in per cent and the reasons that moved it, the weightiest first."""

    action: str
    percent: int
    reasons: tuple[Reason, ...]
    sale_id: str = ""


Ranker: TypeAlias = Callable[[Case], tuple[Suggestion, ...]]


def rank(case: Case) -> tuple[Suggestion, ...]:
    """Rank what could be done, the likeliest first. This is the seam: another rule is another ``Ranker``."""
    voidable = [sale for sale in case.involved.over if not sale.touched][:OVERSELL_VOIDS_SUGGESTED_MAX]
    found = [
        _suggest(ADJUST, _for_adjusting(case) + learned(case.chosen, ADJUST)),
        _suggest(BACK_ORDER, _for_back_order(case) + learned(case.chosen, BACK_ORDER)),
        *(_suggest(VOID, _for_voiding(case, sale) + learned(case.chosen, VOID), sale.sale_id) for sale in voidable),
    ]
    return tuple(sorted(found, key=lambda one: -one.percent))  # stable: equal ones stay in this order


def learned(chosen: Chosen, action: str) -> list[Reason]:
    """Give what the managers' own choices add: their share above or below a third, in full only after many choices.

    Source: the posterior mean of a share under a symmetric prior worth LEARNED_HALF choices, as points.
    """
    total, times = chosen.total, chosen.times(action)
    above = LEARNED_SPREAD * (3 * times - total)
    below = 3 * (total + LEARNED_HALF)
    points = (2 * above + below) // (2 * below)  # to the nearest point, in integers: equal on every till
    if not points:
        return []
    return [Reason(code="chosen_often" if points > 0 else "chosen_seldom", points=points, n=times)]


def _suggest(action: str, reasons: list[Reason], sale_id: str = "") -> Suggestion:
    percent = START[action] + sum(one.points for one in reasons)
    weighty = sorted(reasons, key=lambda one: -abs(one.points))
    return Suggestion(action=action, percent=max(2, min(98, percent)), reasons=tuple(weighty), sale_id=sale_id)


def _for_adjusting(case: Case) -> list[Reason]:
    """The goods went over the counter, so they were there: then the number is wrong, not the sale."""
    over = case.involved.over
    reasons: list[Reason] = []
    if not case.ever_booked:
        reasons.append(Reason(code="never_booked", points=40))
    if over and not any(sale.customer_known for sale in over):
        reasons.append(Reason(code="taken_along", points=20))
    if len({sale.actor for sale in (*over, *case.involved.before)}) == 1:
        reasons.append(Reason(code="one_till", points=10))
    reasons += _by_size(case, small=10, large=-15)
    age_ms = case.now_ms - case.counted_at_ms
    if case.ever_booked and (not case.counted_at_ms or age_ms > OLD_COUNT_MS):
        reasons.append(Reason(code="count_old", points=10, n=age_ms // DAY_MS if case.counted_at_ms else 0))
    elif case.counted_at_ms and age_ms <= FRESH_COUNT_MS:
        reasons.append(Reason(code="count_fresh", points=-20, n=age_ms // DAY_MS))
    return reasons


def _for_back_order(case: Case) -> list[Reason]:
    """Somebody waits for the goods, and more will come."""
    reasons: list[Reason] = []
    known = sum(sale.customer_known for sale in case.involved.over)
    if known:
        reasons.append(Reason(code="customer_known", points=30, n=known))
    else:
        reasons.append(Reason(code="nobody_to_call", points=-10))
    if len(case.deliveries) >= USUAL_DELIVERIES:
        reasons.append(Reason(code="delivery_usual", points=15, n=len(case.deliveries)))
    elif not case.deliveries:
        reasons.append(Reason(code="delivery_unusual", points=-10))
    if case.counted_at_ms and case.now_ms - case.counted_at_ms <= FRESH_COUNT_MS:
        reasons.append(Reason(code="count_fresh", points=15, n=(case.now_ms - case.counted_at_ms) // DAY_MS))
    return reasons


def _for_voiding(case: Case, sale: Sold) -> list[Reason]:
    """Money goes back, so the customer must be here or known, and the whole sale must be worth undoing."""
    reasons: list[Reason] = []
    age_ms = case.now_ms - sale.sold_at_ms
    if age_ms <= STILL_HERE_MS:
        reasons.append(Reason(code="just_sold", points=25, n=max(0, age_ms) // MINUTE_MS))
    elif age_ms > DAY_MS:
        reasons.append(Reason(code="sold_long_ago", points=-5, n=age_ms // DAY_MS))
    if sale.customer_known:
        reasons.append(Reason(code="customer_known", points=10, n=1))
    if not sale.paid_cash:
        reasons.append(Reason(code="no_cash", points=5))
    if sale.other_lines:
        points = -min(OTHER_LINES_POINTS_MAX, OTHER_LINE_POINTS * sale.other_lines)
        reasons.append(Reason(code="other_goods", points=points, n=sale.other_lines))
    return reasons


def _by_size(case: Case, *, small: int, large: int) -> list[Reason]:
    if case.missing_milli <= SMALL_MILLI:
        return [Reason(code="few", points=small)]
    if case.missing_milli > LARGE_MILLI:
        return [Reason(code="many", points=large)]
    return []
