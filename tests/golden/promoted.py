"""What promotions, points and cards must come to, worked out a second time from docs/reference with exact fractions.

Nothing here imports tillmesh. Pieces are laid on the table one by one, where the shop counts them in runs.
"""

from fractions import Fraction
from math import ceil, floor

from tests.golden.reference import Json, largest_remainder, round_fraction, taxes

STAGES = {"buy_get": 0, "mix": 0, "percent": 1, "amount": 1, "cart_percent": 2, "cart_amount": 2}


def percent(promotion: Json) -> Fraction:
    return Fraction(promotion.get("rate_ppm", 0), 1_000_000)


def in_order(promotions: list[Json]) -> list[Json]:
    """Exclusive ones by priority, stage, id; then the others by stage, priority, id."""
    first = [one for one in promotions if one.get("exclusive")]
    rest = [one for one in promotions if not one.get("exclusive")]
    first.sort(key=lambda one: (-one.get("priority", 0), STAGES[one["kind"]], one["id"]))
    rest.sort(key=lambda one: (STAGES[one["kind"]], -one.get("priority", 0), one["id"]))
    return first + rest


def wants(promotion: Json, line: Json, group: str) -> bool:
    named = promotion.get("skus", []) + promotion.get("departments", [])
    is_meant = not named or line["sku"] in named or line["department"] in named
    return bool(promotion["in_force"] and is_meant and (not promotion.get("groups") or group in promotion["groups"]))


def promote(lines: list[Json], promotions: list[Json], coupons: list[str], group: str, uses: dict[str, int]) -> Json:
    """Take off every promotion in order; give what each took off each line, and what is left."""
    before = [line["gross"] for line in lines]
    left, closed, in_a_set = list(before), set[int](), set[tuple[int, int]]()
    took: list[Json] = []
    for promotion in in_order(promotions):
        code = ""
        if promotion.get("codes"):
            fitting = [one for one in coupons if one in promotion["codes"]]
            most = promotion.get("code_uses_max", 0)
            fitting = [one for one in fitting if not most or uses.get(one, 0) < most]
            if not fitting:
                continue
            code = fitting[0]
        mine = [place for place, line in enumerate(lines) if wants(promotion, line, group)]
        if sum(before[place] for place in mine) < max(1, promotion.get("minimum_minor", 0)):
            continue
        open_ones = sorted((place for place in mine if place not in closed), key=lambda place: lines[place]["sku"])
        off = off_lines(promotion, lines, open_ones, left, in_a_set)
        if not off:
            continue
        for place, amount in off.items():
            left[place] -= amount
        if promotion.get("exclusive"):
            closed |= off.keys()
        took.append({"id": promotion["id"], "code": code, "off": off})
    return {"took": took, "left": left}


def off_lines(
    promotion: Json, lines: list[Json], places: list[int], left: list[int], in_a_set: set[tuple[int, int]]
) -> dict[int, int]:
    kind = promotion["kind"]
    if kind in {"buy_get", "mix"}:
        off = off_sets(promotion, lines, places, in_a_set)
    elif kind in {"cart_percent", "cart_amount"}:
        whole = sum(left[place] for place in places)
        amount = promotion.get("amount_minor", 0)
        if kind == "cart_percent":
            amount = round_fraction(whole * percent(promotion), "half_up")
        off = dict(zip(places, largest_remainder(min(amount, whole), [left[p] for p in places]), strict=True))
        off = off if whole else {}
    else:
        off = off_pieces(promotion, lines, places, left)
    off = {place: amount for place, amount in off.items() if amount > 0}
    most = promotion.get("most_minor", 0)
    if most and sum(off.values()) > most:
        off = dict(zip(off, largest_remainder(most, list(off.values())), strict=True))
    return {place: amount for place, amount in off.items() if amount > 0}


def off_pieces(promotion: Json, lines: list[Json], places: list[int], left: list[int]) -> dict[int, int]:
    """Percent of, or an amount off, each piece; the dearest pieces first where only some are meant."""
    limit = promotion.get("times_max", 0)
    if limit or promotion["kind"] == "amount":
        places = sorted(places, key=lambda place: (-lines[place]["price"], lines[place]["sku"]))
    off, room = {}, limit or 10**9
    for place in places:
        line = lines[place]
        count = int(line["quantity"]) if line["unit"] == "piece" else 1
        part = Fraction(min(room, count), count)
        room -= min(room, count)
        if promotion["kind"] == "percent":
            exact = left[place] * part * percent(promotion)
        else:
            exact = promotion["amount_minor"] * line["quantity"] * part
        off[place] = min(left[place], round_fraction(exact, "half_up"))
    return off


def off_sets(promotion: Json, lines: list[Json], places: list[int], in_a_set: set[tuple[int, int]]) -> dict[int, int]:
    pieces = [
        (place, number)
        for place in places
        if lines[place]["unit"] == "piece"
        for number in range(int(lines[place]["quantity"]))
        if (place, number) not in in_a_set
    ]
    pieces.sort(key=lambda piece: (-lines[piece[0]]["price"], lines[piece[0]]["sku"]))
    size = promotion["buy_count"] + (promotion["get_count"] if promotion["kind"] == "buy_get" else 0)
    sets = [pieces[at : at + size] for at in range(0, len(pieces) - size + 1, size)]
    if promotion.get("times_max"):
        sets = sets[: promotion["times_max"]]

    def worth(some: list[tuple[int, int]]) -> int:
        return sum(int(lines[place]["price"]) for place, _ in some)

    if promotion["kind"] == "buy_get":
        free = sum(worth(one[promotion["buy_count"] :]) for one in sets)
        amount = round_fraction(free * percent(promotion), "half_up")
    elif promotion.get("amount_minor"):
        sets = [one for one in sets if worth(one) > promotion["amount_minor"]]
        amount = sum(worth(one) - promotion["amount_minor"] for one in sets)
    else:
        amount = round_fraction(sum(map(worth, sets)) * percent(promotion), "half_up")
    if amount <= 0:
        return {}
    used = [piece for one in sets for piece in one]
    in_a_set |= set(used)
    weights: dict[int, int] = {}
    for place, _ in used:
        weights[place] = weights.get(place, 0) + lines[place]["price"]
    return dict(zip(weights, largest_remainder(amount, list(weights.values())), strict=True))


def charge(lines: list[Json], promoted: Json, store: Json) -> Json:
    """Add taxes to what is left."""
    left = promoted["left"]
    tax = taxes(left, [line["tax_code"] for line in lines], store)
    added = [0 if store["prices_include_tax"] else part for part in tax]
    total = [amount + more for amount, more in zip(left, added, strict=True)]
    return {"lines": total, "tax": tax, "total": sum(total)}


class Wallets:
    """Points and cards as one till knows them."""

    def __init__(self) -> None:
        self.points: dict[str, int] = {}
        self.cards: dict[str, int] = {}

    def pay(self, customer: str, card: str, spent: dict[str, int], earned: int, point_minor: int) -> None:
        if customer:
            used = spent.get("points", 0) // point_minor
            self.points[customer] = self.points.get(customer, 0) - used + earned
        if card:
            self.cards[card] -= spent.get("gift_card", 0)


def given_back(sold: list[int], quantities: list[Fraction], came: list[Fraction], back: list[Fraction]) -> int:
    """Value what comes back: each line's running value up to it, less its value before."""
    total = 0
    for amount, whole, before, now in zip(sold, quantities, came, back, strict=True):
        upto = round_fraction(amount * (before + now) / whole, "half_up")
        total += upto - round_fraction(amount * before / whole, "half_up")
    return total


def along_the_tape(payments: list[tuple[str, int]], before: int, amount: int) -> dict[str, int]:
    """Send money back along the payments as they stand on a tape, cards and points first; what is left is cash."""
    found: dict[str, int] = {}
    start, gone = before, 0
    for method, paid in payments:
        if method == "cash":
            continue
        free = max(0, gone + paid - max(start, gone))
        part = min(free, amount)
        if part:
            found[method] = part
        gone, amount = gone + paid, amount - part
    if amount:
        found["cash"] = amount
    return found


def points_back(spent: int, by_points: int, before: int, now: int) -> int:
    """Give spent points back as steps of a running value."""
    if not by_points:
        return 0
    return floor(Fraction(spent * (before + now), by_points)) - floor(Fraction(spent * before, by_points))


def points_taken(earned: int, base: int, before: int, now: int) -> int:
    """Take earned points back as steps of a running value, the larger half first."""

    def upto(amount: int) -> int:
        return ceil(Fraction(earned * min(base, amount), max(1, base)))

    return upto(before + now) - upto(before)
