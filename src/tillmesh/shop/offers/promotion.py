"""One promotion: what it takes off, of what, for whom and when. Read from a register, whatever somebody wrote there."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Final

from tillmesh.kernel.codec import Record
from tillmesh.kernel.limits import AMOUNT_MINOR_MAX, PIECES_PER_SET_MAX, RATE_PPM_MAX
from tillmesh.kernel.times import local, zone
from tillmesh.shop.events import Value

# In the order in which stackable ones are looked at: sets need whole pieces at their own price, the cart comes last.
KINDS: Final = ("buy_get", "mix", "percent", "amount", "cart_percent", "cart_amount")
ON_CART: Final = frozenset({"cart_percent", "cart_amount"})
IN_SETS: Final = frozenset({"buy_get", "mix"})
MINUTES_PER_DAY: Final = 1_440


class Promotion(Record):
    """One promotion. A limit of zero is none; without skus and departments it is for everything."""

    promotion_id: str
    name: str
    kind: str = "percent"
    active: bool = True
    rate_ppm: int = 0  # percent kinds, buy_get (of what is got), mix
    amount_minor: int = 0  # amount kinds; mix: what a whole set costs
    buy_count: int = 0  # pieces to buy in a set; of a mix all pieces of the set
    get_count: int = 0  # pieces that come with them
    skus: tuple[str, ...] = ()
    departments: tuple[str, ...] = ()
    codes: tuple[str, ...] = ()  # a coupon with one of these is needed
    groups: tuple[str, ...] = ()  # only for customers of these groups
    minimum_minor: int = 0  # what its lines must come to before any promotion
    most_minor: int = 0  # it takes off a sale
    times_max: int = 0  # sets, or pieces, in one sale
    uses_max: int = 0  # sales in all
    customer_uses_max: int = 0  # sales per customer
    code_uses_max: int = 0  # sales per code
    start_ms: int = 0
    until_ms: int = 0
    weekdays: tuple[str, ...] = ()  # 1 is Monday, in the store's time zone
    from_minute: int = 0  # of the day; the same as until_minute: all day
    until_minute: int = 0
    exclusive: bool = False
    priority: int = 0  # higher first

    @property
    def on_cart(self) -> bool:
        """Say whether it is spread over the cart, after what comes off single lines."""
        return self.kind in ON_CART

    @property
    def is_limited(self) -> bool:
        """Say whether it matters how often it was used before."""
        return bool(self.uses_max or self.customer_uses_max or self.code_uses_max)


def from_fields(promotion_id: str, fields: Mapping[str, Value]) -> Promotion | None:
    """Build a promotion from its register, or give None for one that could not be used.

    Registers come from any till of the store and from head office, which may be broken or newer: a field of another
    type is as if it was never written, and a promotion of an unknown kind, or that takes off nothing, is none.
    """
    known: dict[str, Any] = {}
    for name, value in fields.items():
        wanted = _TYPES.get(name)
        if wanted is tuple and isinstance(value, list):
            known[name] = tuple(value)
        elif wanted is not None and type(value) is wanted:
            known[name] = value
    made = Promotion(**{"name": promotion_id, **known, "promotion_id": promotion_id})
    return made if made.kind in KINDS and _makes_sense(made) else None


def _makes_sense(one: Promotion) -> bool:
    if not (0 <= one.rate_ppm <= RATE_PPM_MAX and 0 <= one.amount_minor <= AMOUNT_MINOR_MAX):
        return False
    if min(one.minimum_minor, one.most_minor, one.times_max, one.uses_max, one.customer_uses_max) < 0:
        return False
    if one.code_uses_max < 0 or not (
        0 <= one.from_minute < MINUTES_PER_DAY and 0 <= one.until_minute < MINUTES_PER_DAY
    ):
        return False
    match one.kind:
        case "buy_get":
            return one.buy_count > 0 < one.get_count and one.rate_ppm > 0 and _small(one.buy_count + one.get_count)
        case "mix":
            return one.buy_count > 0 and _small(one.buy_count) and (one.rate_ppm > 0) != (one.amount_minor > 0)
        case "percent" | "cart_percent":
            return one.rate_ppm > 0
        case _:
            return one.amount_minor > 0


def _small(pieces: int) -> bool:
    return pieces <= PIECES_PER_SET_MAX


def holds_at(one: Promotion, at_ms: int, zone_name: str) -> bool:
    """Say whether a promotion is in force at a moment: between its dates, on its weekdays, within its hours.

    Hours that end before they begin go over midnight; what is after midnight belongs to the day before.
    """
    if at_ms < one.start_ms or 0 < one.until_ms <= at_ms:
        return False
    begin, end = one.from_minute, one.until_minute
    if begin == end and not one.weekdays:
        return True
    weekday, minute = _clock(zone_name, at_ms // 60_000)
    if begin < end and not begin <= minute < end:
        return False
    if begin > end:
        if end <= minute < begin:
            return False
        if minute < end:
            weekday = weekday - 1 or 7
    return not one.weekdays or str(weekday) in one.weekdays


def state_of(one: Promotion, at_ms: int) -> str:
    """Say where a promotion is in its life: ``off``, ``planned``, ``now`` (at its days and hours) or ``over``."""
    if not one.active:
        return "off"
    if 0 < one.until_ms <= at_ms:
        return "over"
    return "planned" if at_ms < one.start_ms else "now"


@lru_cache(maxsize=64)
def _clock(zone_name: str, minute: int) -> tuple[int, int]:
    """Give weekday and minute of the day as the clock on the shop's wall shows them."""
    shown = local(minute * 60_000, zone(zone_name))
    return shown.isoweekday(), shown.hour * 60 + shown.minute


_TYPES: Final[dict[str, type]] = {
    **dict.fromkeys(("name", "kind"), str),
    **dict.fromkeys(("active", "exclusive"), bool),
    **dict.fromkeys(("skus", "departments", "codes", "groups", "weekdays"), tuple),
    **dict.fromkeys(
        (
            "rate_ppm", "amount_minor", "buy_count", "get_count", "minimum_minor", "most_minor", "times_max",
            "uses_max", "customer_uses_max", "code_uses_max", "start_ms", "until_ms", "from_minute", "until_minute",
            "priority",
        ),
        int,
    ),
}  # fmt: skip
