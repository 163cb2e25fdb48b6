"""What a basket must come to, worked out a second time from docs/reference/money.md with exact fractions.

Nothing here imports tillmesh, and nothing is tuned for speed: two programs that were written from the same words and
agree on every basket to the last minor unit are unlikely to share a mistake.
"""

from fractions import Fraction
from math import ceil, floor
from typing import Any

Json = dict[str, Any]


def round_fraction(value: Fraction, mode: str) -> int:
    """Round a number that is not negative."""
    below = floor(value)
    rest = value - below
    if mode == "down" or rest == 0:
        return below
    if mode == "up":
        return below + 1
    if rest != Fraction(1, 2):
        return below + 1 if rest > Fraction(1, 2) else below
    return {"half_up": below + 1, "half_down": below, "half_even": round(value)}[mode]


def largest_remainder(amount: int, weights: list[int]) -> list[int]:
    """Give everybody the whole part of an exact share, then one more to the largest fractions in turn."""
    if sum(weights) == 0:
        return [amount if place == 0 else 0 for place in range(len(weights))]
    shares = [Fraction(amount * weight, sum(weights)) for weight in weights]
    parts = [floor(share) for share in shares]
    while sum(parts) < amount:
        fractions = [share - part for share, part in zip(shares, parts, strict=True)]
        parts[fractions.index(max(fractions))] += 1
    return parts


def taken_off(discount: Json | None, amount: int, mode: str) -> int:
    """Work out a discount of a percentage or an amount; never more than there is."""
    if discount is None:
        return 0
    if "percent" in discount:
        return min(amount, round_fraction(Fraction(discount["percent"]) / 100 * amount, mode))
    return min(amount, int(discount["amount_minor"]))


def tax_of(amount: int, rate_ppm: int, store: Json) -> int:
    """Work out the tax inside an amount, or on top of it."""
    rate = Fraction(rate_ppm, 1_000_000)
    exact = amount * rate / (1 + rate) if store["prices_include_tax"] else amount * rate
    return round_fraction(exact, store["rounding"])


def gross_of(line: Json, products: dict[str, Json], store: Json) -> int:
    """Work out a line before discounts: its fixed total, or price times quantity rounded once."""
    if "line_total_minor" in line:
        return int(line["line_total_minor"])
    unit = int(line["unit_price_minor"] if "unit_price_minor" in line else products[line["sku"]]["price_minor"])
    return round_fraction(unit * Fraction(line["quantity"]), store["rounding"])


def price(basket: Json, store: Json) -> Json:
    """Work out lines, taxes and totals of a basket."""
    products = {product["sku"]: product for product in basket["products"]}
    lines, mode = basket["lines"], store["rounding"]
    gross = [gross_of(line, products, store) for line in lines]
    off_line = [taken_off(line.get("discount"), amount, mode) for line, amount in zip(lines, gross, strict=True)]
    after_line = [amount - off for amount, off in zip(gross, off_line, strict=True)]
    off_cart = largest_remainder(taken_off(basket["discount"], sum(after_line), mode), after_line)
    left = [amount - off for amount, off in zip(after_line, off_cart, strict=True)]
    codes = [products[line["sku"]]["tax_code"] for line in lines]
    tax = taxes(left, codes, store)
    total = [amount + (0 if store["prices_include_tax"] else part) for amount, part in zip(left, tax, strict=True)]
    return {
        "lines": [
            {"gross_minor": a, "discount_minor": b, "cart_discount_minor": c, "tax_minor": d, "total_minor": e}
            for a, b, c, d, e in zip(gross, off_line, off_cart, tax, total, strict=True)
        ],
        "taxes": per_code(codes, tax, total, store),
        "gross_minor": sum(gross),
        "discount_minor": sum(off_line) + sum(off_cart),
        "tax_minor": sum(tax),
        "total_minor": sum(total),
    }


def taxes(left: list[int], codes: list[str], store: Json) -> list[int]:
    """Work out the tax of each line, by line or by the total of its code."""
    rates = store["tax_rates_ppm"]
    if store["tax_rounding"] == "line":
        return [tax_of(amount, rates[code], store) for amount, code in zip(left, codes, strict=True)]
    tax = [0] * len(left)
    for code in set(codes):
        mine = [place for place, other in enumerate(codes) if other == code]
        whole = tax_of(sum(left[place] for place in mine), rates[code], store)
        for place, part in zip(mine, largest_remainder(whole, [left[place] for place in mine]), strict=True):
            tax[place] = part
    return tax


def per_code(codes: list[str], tax: list[int], total: list[int], store: Json) -> list[Json]:
    """Sum tax and net per code, in the order the codes first appear."""
    found = []
    for code in dict.fromkeys(codes):
        mine = [place for place, other in enumerate(codes) if other == code]
        owed = sum(tax[place] for place in mine)
        net = sum(total[place] for place in mine) - owed
        rate = store["tax_rates_ppm"][code]
        found.append({"code": code, "rate_ppm": rate, "net_minor": net, "tax_minor": owed})
    return found


def coins(amount: int, store: Json) -> int:
    """Round an amount to what can be paid in cash."""
    step = int(store["cash_step_minor"])
    return round_fraction(Fraction(amount, step), store["cash_rounding"]) * step


def pay(total: int, payments: list[Json], store: Json) -> Json:
    """Work out change and cash rounding of payments that are enough."""
    cash = [payment["amount_minor"] for payment in payments if payment["method"] == "cash"]
    cards = sum(payment["amount_minor"] for payment in payments if payment["method"] != "cash")
    owed = total - cards
    due = coins(owed, store) if cash else owed
    assert owed >= 0 <= sum(cash) - due, "the generator pays enough and never too much by card"
    return {"rounding_minor": due - owed, "change_minor": sum(cash) - due}


def refund(basket: Json, sold: Json, earlier: list[Json], wanted: list[Json], store: Json) -> Json:
    """Work out what comes back: each part is the step of the line's running value, tax follows the money."""
    lines: list[Json] = []
    so_far = [line for before in earlier for line in before["lines"]]
    for want in wanted:
        place, quantity = want["line"], Fraction(want["quantity"])
        line, whole = sold["lines"][place], Fraction(basket["lines"][place]["quantity"])
        mine = [other for other in so_far + lines if other["line"] == place]
        returned = sum((Fraction(other["quantity"]) for other in mine), Fraction(0))
        given = sum(other["total_minor"] for other in mine)
        assert returned + quantity <= whole, "the generator never returns more than was sold"
        upto = round_fraction(line["total_minor"] * (returned + quantity) / whole, "half_up")
        share = Fraction(upto, line["total_minor"]) if line["total_minor"] else Fraction(0)
        tax_upto = round_fraction(line["tax_minor"] * share, "half_up")
        lines.append(
            {
                "line": place,
                "quantity": want["quantity"],
                "total_minor": upto - given,
                "tax_minor": tax_upto - sum(other["tax_minor"] for other in mine),
            }
        )
    total = sum(line["total_minor"] for line in lines)
    return {
        "lines": lines,
        "total_minor": total,
        "tax_minor": sum(line["tax_minor"] for line in lines),
        **give_back(basket, earlier, total, store),
    }


def give_back(basket: Json, earlier: list[Json], total: int, store: Json) -> Json:
    """Send money back to the cards in their order, each up to what it paid, and the rest in cash."""
    returned = sum(p["amount_minor"] for before in earlier for p in before["payments"] if p["method"] == "card")
    back, rest, gone = [], total, 0
    for payment in basket["payments"]:
        if payment["method"] == "card":
            # Money stands on the cards like on a measuring tape: [gone, gone + amount) belongs to this card.
            start = max(returned, gone)
            gone += payment["amount_minor"]
            part = max(0, min(rest, gone - start))
            if part:
                back.append({"method": "card", "amount_minor": part})
                rest -= part
    cash = coins(rest, store)
    if cash:
        back.append({"method": "cash", "amount_minor": cash})
    return {"payments": back, "rounding_minor": cash - rest}


def void(basket: Json, sold: Json) -> Json:
    """Give every tender back as it came, the change already deducted."""
    back = [
        {"method": "card", "amount_minor": payment["amount_minor"]}
        for payment in basket["payments"]
        if payment["method"] == "card"
    ]
    cash = sum(p["amount_minor"] for p in basket["payments"] if p["method"] == "cash") - sold["change_minor"]
    if cash:
        back.append({"method": "cash", "amount_minor": cash})
    return {
        "payments": back,
        "total_minor": sold["total_minor"],
        "tax_minor": sold["tax_minor"],
        "rounding_minor": sold["rounding_minor"],
    }


def expect(basket: Json, store: Json) -> Json:
    """Work out everything that is expected of one basket."""
    priced = price(basket, store)
    sold = {**priced, **pay(priced["total_minor"], basket["payments"], store)}
    refunds: list[Json] = []
    for wanted in basket["refunds"]:
        refunds.append(refund(basket, sold, refunds, wanted, store))
    return {"sale": sold, "refunds": refunds, "void": void(basket, sold) if basket["void"] else None}


def next_coin(amount: int, note: int) -> int:
    """Round an amount up to whole notes, as somebody pays who has no small change."""
    return ceil(Fraction(amount, note)) * note
