"""The 20 numbers that the fraud score looks at, and the memory they need: what each cashier usually does.

The list with its meanings is in docs/reference/fraud-features.md. Training and serving walk the same acts through the
same :class:`Memory`: first :meth:`Memory.features` of an act, then :meth:`Memory.learn` it. So an act is judged by what
came before it and never by itself or by what came later.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Sequence
from typing import Final, NamedTuple

from tillmesh.edge.acts import DRAWER, REFUND, SALE, VOID, Act
from tillmesh.kernel.limits import FRAUD_CASHIERS_MAX, FRAUD_TIES_MAX
from tillmesh.kernel.money import PPM

MINUTE_MS: Final = 60_000
HOUR_MS: Final = 60 * MINUTE_MS
DAY_MS: Final = 24 * HOUR_MS
RECENT_MS: Final = 8 * HOUR_MS  # half-life of what counts as lately: a shift
LONG_MS: Final = 14 * DAY_MS  # half-life of what counts as usual
NEVER_MINUTES: Final = 30 * 24 * 60  # stands for "no sale is known"
RATIO_MAX: Final = 5.0  # of logarithms: e^5 is 148 times the usual
EXCESS_MAX: Final = 20.0  # in standard deviations
PRIOR_ACTS: Final = 50.0  # the shop's rate counts like so many acts of the cashier's own; guess
OTHERS_MIN: Final = 20.0  # acts of others, fading, below which nobody is compared with them; guess
DOES_IT: Final = 0.2  # of an act that fades: who did it once in the last month does it; guess
PEOPLE_DIFFER: Final = 0.5  # of a rate: so much honest people differ from each other; guess
HOURS: Final = 24

NAMES: Final = (
    "is_refund", "is_void", "is_drawer", "amount_ratio", "given_share", "cheaper_share", "deepest_share", "kind_excess",
    "cash_share", "gift_share", "minutes_since", "without_receipt", "own_sale", "kept_share", "tie",
    "refund_excess", "void_excess", "drawer_excess", "given_excess", "odd_hour",
)  # fmt: skip
COUNT: Final = len(NAMES)
_PACKED: Final = struct.Struct(f"<{COUNT}f")


def packed(features: Sequence[float]) -> bytes:
    """Write features for a model: 32-bit floats, the smallest byte first."""
    return _PACKED.pack(*features)


def unpacked(given: bytes) -> tuple[float, ...]:
    """Read what :func:`packed` wrote; raises ``ValueError`` for other bytes."""
    if len(given) != _PACKED.size:
        raise ValueError(f"{len(given)} bytes; {COUNT} features are {_PACKED.size}")
    return _PACKED.unpack(given)


class Fading:
    """Sums that forget: each is worth half after a half-life. One row of numbers, one time."""

    __slots__ = ("_at_ms", "_half_ms", "values")

    def __init__(self, half_ms: int, size: int) -> None:
        self._half_ms = half_ms
        self._at_ms = 0
        self.values = [0.0] * size

    def at(self, at_ms: int) -> list[float]:
        """Give the sums as they are worth at a time; going back in time changes nothing."""
        passed = at_ms - self._at_ms
        if passed <= 0 or not self._at_ms:
            return list(self.values)
        worth = 0.5 ** (passed / self._half_ms)
        return [value * worth for value in self.values]

    def add(self, at_ms: int, amounts: Sequence[float]) -> None:
        """Add to the sums at a time; something that is heard late counts as if it came now."""
        self.values = [value + amount for value, amount in zip(self.at(at_ms), amounts, strict=True)]
        self._at_ms = max(self._at_ms, at_ms)


# What the sums count.
_ACTS, _SALES, _TAKEN, _REFUNDS, _VOIDS, _DRAWERS, _LISTED, _GIVEN = range(8)
_SUMS: Final = 8
_KINDS: Final = {REFUND: _REFUNDS, VOID: _VOIDS, DRAWER: _DRAWERS}


def _counted(act: Act) -> list[float]:
    sums = [0.0] * _SUMS
    sums[_ACTS] = 1.0
    match act.kind:
        case "sale":
            sums[_SALES], sums[_TAKEN] = 1.0, float(max(0, act.total_minor))
            sums[_LISTED], sums[_GIVEN] = float(max(0, act.list_minor)), float(max(0, act.given_minor))
        case "refund":
            sums[_REFUNDS] = 1.0
        case "void":
            sums[_VOIDS] = 1.0
        case _:
            sums[_DRAWERS] = 1.0
    return sums


class _Person:
    """What is remembered of one cashier."""

    __slots__ = ("last_sale_ms", "long", "recent", "ties")

    def __init__(self) -> None:
        self.recent = Fading(RECENT_MS, _SUMS)
        self.long = Fading(LONG_MS, _SUMS)
        self.ties: dict[str, Fading] = {}
        self.last_sale_ms = -1

    def tied(self, act: Act) -> float:
        """Give how often the people and cards of an act got something from this cashier before."""
        return max((self.ties[tie].at(act.at_ms)[0] for tie in act.ties if tie in self.ties), default=0.0)

    def tie(self, act: Act) -> None:
        """Remember who got something: a refund, a void, or a good part of the price."""
        gave = act.kind in {REFUND, VOID} or act.given_minor * 10 >= act.list_minor > 0
        if act.kind == DRAWER or not gave:
            return
        for tie in act.ties:
            if tie not in self.ties and len(self.ties) >= FRAUD_TIES_MAX:
                weakest = min(self.ties, key=lambda key: self.ties[key].at(act.at_ms)[0])
                del self.ties[weakest]
            self.ties.setdefault(tie, Fading(LONG_MS, 1)).add(act.at_ms, [1.0])


class _Known(NamedTuple):
    """Sums as they are worth now: of a cashier lately and over weeks, of the shop, and of each other cashier."""

    recent: list[float]
    long: list[float]
    shop: list[float]
    others: list[list[float]]


class Memory:
    """What is usual in one shop and for each of its cashiers. Bounded; made anew from the log after a restart."""

    __slots__ = ("_hours", "_people", "_shop")

    def __init__(self) -> None:
        self._shop = Fading(LONG_MS, _SUMS)
        self._hours = Fading(LONG_MS, HOURS)
        self._people: dict[str, _Person] = {}

    def features(self, act: Act) -> tuple[float, ...]:
        """Give the numbers of an act, in the order of NAMES; each is finite whatever the act says."""
        person = self._people.get(act.cashier) or _Person()
        shop = self._shop.at(act.at_ms)
        others = [one.long.at(act.at_ms) for name, one in self._people.items() if name != act.cashier]
        known = _Known(person.recent.at(act.at_ms), person.long.at(act.at_ms), shop, others)
        return tuple(
            _finite(value)
            for value in (
                float(act.kind == REFUND),
                float(act.kind == VOID),
                float(act.kind == DRAWER),
                _amount_ratio(act, shop),
                _share(act.given_minor, act.list_minor),
                _share(act.cheaper_minor, act.list_minor),
                max(0.0, min(1.0, act.deepest_ppm / PPM)),
                _excess(_KINDS.get(act.kind, _SALES), known, now=True) if act.kind != SALE else 0.0,
                _share(act.cash_minor, act.total_minor),
                _share(act.gift_minor, act.total_minor),
                math.log1p(_minutes_since(act, person)),
                float(act.kind == REFUND and not act.has_receipt),
                float(act.own_sale),
                _share(act.kept_minor, act.total_minor),
                math.log1p(person.tied(act)),
                _excess(_REFUNDS, known, now=act.kind == REFUND),
                _excess(_VOIDS, known, now=act.kind == VOID),
                _excess(_DRAWERS, known, now=act.kind == DRAWER),
                _given_excess(act, known),
                self._odd_hour(act),
            )
        )

    def acts(self, at_ms: int) -> float:
        """Say how many acts the shop is known by, each worth half after 14 days."""
        return self._shop.at(at_ms)[_ACTS]

    def learn(self, act: Act) -> None:
        """Remember an act."""
        if act.cashier not in self._people and len(self._people) >= FRAUD_CASHIERS_MAX:
            del self._people[next(iter(self._people))]
        person = self._people.setdefault(act.cashier, _Person())
        counted = _counted(act)
        self._shop.add(act.at_ms, counted)
        self._hours.add(act.at_ms, [float(hour == act.hour) for hour in range(HOURS)])
        person.recent.add(act.at_ms, counted)
        person.long.add(act.at_ms, counted)
        person.tie(act)
        if act.kind == SALE:
            person.last_sale_ms = max(person.last_sale_ms, act.at_ms)

    def _odd_hour(self, act: Act) -> float:
        """Say how rare acts are at this hour, beside the busiest: 0 is usual, about 7 never."""
        hours = self._hours.at(act.at_ms)
        busiest = max(hours)
        here = hours[act.hour % HOURS]
        return math.log((busiest + 1.0) / (here + 1.0)) if busiest > 0 else 0.0


def _amount_ratio(act: Act, shop: list[float]) -> float:
    """Compare the amount with the shop's usual sale, as a logarithm; 0 for the drawer, which has none."""
    if act.kind == DRAWER or shop[_SALES] <= 0:
        return 0.0
    usual = shop[_TAKEN] / shop[_SALES]
    return max(-RATIO_MAX, min(RATIO_MAX, math.log((max(0, act.total_minor) + 1.0) / (usual + 1.0))))


def _share(part: int, whole: int) -> float:
    return max(0.0, min(1.0, part / whole)) if whole > 0 else 0.0


def _minutes_since(act: Act, person: _Person) -> float:
    """Give the minutes since the sale that is answered; for a sale or the drawer since the cashier's last sale."""
    if act.kind in {REFUND, VOID}:
        since_ms = act.since_sale_ms
    else:
        since_ms = act.at_ms - person.last_sale_ms if person.last_sale_ms >= 0 else -1
    return float(NEVER_MINUTES) if since_ms < 0 else min(since_ms / MINUTE_MS, float(NEVER_MINUTES))


def _excess(what: int, known: _Known, *, now: bool) -> float:
    """Say by how many deviations a cashier does something more often than usual, this time included.

    Once lately, beside the cashier's own long rate, drawn to the shop's, with the deviation of a count (Poisson); once
    over weeks, beside the others: who steals for weeks becomes usual for himself. The larger of both counts.
    """
    recent, long, shop, others = known
    rate_shop = shop[what] / shop[_ACTS] if shop[_ACTS] > 0 else 0.0
    usual = (long[what] + PRIOR_ACTS * rate_shop) / (long[_ACTS] + PRIOR_ACTS)
    expected = usual * (recent[_ACTS] + 1.0)
    lately = (recent[what] + now - expected) / math.sqrt(expected + 0.25)
    return max(-EXCESS_MAX, min(EXCESS_MAX, max(lately, _beside_others(what, long, others, now=now))))


def _beside_others(what: int, long: list[float], others: Sequence[list[float]], *, now: bool) -> float:
    """Say by how many deviations a cashier did something more often in the last weeks than others who do it at all.

    Where only supervisors void, they are compared with each other, and one alone with nobody.
    """
    peers = [one for one in others if one[what] >= DOES_IT]
    acts = math.fsum(one[_ACTS] for one in peers)
    if acts < OTHERS_MIN:
        return -EXCESS_MAX
    expected = math.fsum(one[what] for one in peers) / acts * (long[_ACTS] + 1.0)
    return (long[what] + now - expected) / math.sqrt(expected + (PEOPLE_DIFFER * expected) ** 2 + 1.0)


def _given_excess(act: Act, known: _Known) -> float:
    """Say how much more of the price a cashier gives away, this time included, than usual, or than the others do.

    Lately beside the cashier's own weeks; and these weeks beside those of the others. The larger of both counts.
    """
    if act.kind != SALE:
        return 0.0
    recent, long, shop, others = known
    listed = recent[_LISTED] + max(0, act.list_minor)
    lately = (recent[_GIVEN] + max(0, act.given_minor)) / listed if listed > 0 else 0.0
    prior = PRIOR_ACTS * (shop[_LISTED] / shop[_SALES]) if shop[_SALES] > 0 else 0.0
    rate_shop = shop[_GIVEN] / shop[_LISTED] if shop[_LISTED] > 0 else 0.0
    usual = (long[_GIVEN] + prior * rate_shop) / (long[_LISTED] + prior) if long[_LISTED] + prior > 0 else 0.0
    return max(-1.0, min(1.0, max(lately - usual, _given_beside_others(act, long, others, prior))))


def _given_beside_others(act: Act, long: list[float], others: Sequence[list[float]], prior: float) -> float:
    """Say how much more of the price a cashier gave away in the last weeks than others who give any away."""
    peers = [one for one in others if one[_GIVEN] > 0]
    listed = math.fsum(one[_LISTED] for one in peers)
    if math.fsum(one[_ACTS] for one in peers) < OTHERS_MIN or listed <= 0:
        return -1.0
    rate = math.fsum(one[_GIVEN] for one in peers) / listed
    mine = long[_GIVEN] + max(0, act.given_minor) + prior * rate
    return mine / (long[_LISTED] + max(0, act.list_minor) + prior) - rate


def _finite(value: float) -> float:
    return value if math.isfinite(value) else 0.0
