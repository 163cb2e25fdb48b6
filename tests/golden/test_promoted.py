"""1,000 more baskets with promotions, coupons, points, gift cards, refunds: on two tills apart, and after they met."""

from fractions import Fraction

import pytest

from tests.golden import promoted as ref
from tests.golden.generate import Draws, Json, text
from tests.golden.reference import round_fraction
from tests.unit.till.shop_till import MANAGER, ORIGIN, Shop, op
from tillmesh.adapters.sqlite.reporting import state_parts
from tillmesh.adapters.sqlite.store import Origin
from tillmesh.kernel.quantity import parse_quantity
from tillmesh.shop import events as e
from tillmesh.shop.purses import GIFT_CARD, POINTS, card_account
from tillmesh.till import commands as c
from tillmesh.till.desk import Company

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

BASKETS = 1_000
SEED = 20_261_125
EARN, POINT = 100, 5
DEPARTMENTS = ("Tea", "Mugs", "Snacks", "Home")
STORE: Json = {
    "prices_include_tax": True, "tax_rounding": "total", "rounding": "half_up",
    "tax_rates_ppm": {"standard": 200_000, "reduced": 50_000, "zero": 0},
}  # fmt: skip
PROMOTIONS: list[Json] = [
    {"id": "a-third", "kind": "buy_get", "buy_count": 2, "get_count": 1, "rate_ppm": 1_000_000, "departments": ["Tea"]},
    {"id": "b-half", "kind": "buy_get", "buy_count": 1, "get_count": 1, "rate_ppm": 500_000, "departments": ["Mugs"],
     "times_max": 2, "priority": 3},
    {"id": "c-mix", "kind": "mix", "buy_count": 3, "amount_minor": 900, "departments": ["Tea", "Snacks"],
     "priority": -1},
    {"id": "d-four", "kind": "mix", "buy_count": 4, "rate_ppm": 150_000, "departments": ["Home"]},
    {"id": "e-tenth", "kind": "percent", "rate_ppm": 100_000, "departments": ["Snacks", "Mugs"]},
    {"id": "f-odd", "kind": "percent", "rate_ppm": 33_333, "skus": ["g3", "g7", "g11", "g15"], "times_max": 2},
    {"id": "g-each", "kind": "amount", "amount_minor": 35, "skus": ["g1", "g2", "g3", "g16", "g17"]},
    {"id": "h-sale", "kind": "percent", "rate_ppm": 300_000, "skus": ["g5", "g9"], "exclusive": True},
    {"id": "i-only", "kind": "percent", "rate_ppm": 400_000, "skus": ["g9", "g10"], "exclusive": True, "priority": 5},
    {"id": "j-staff", "kind": "cart_percent", "rate_ppm": 75_000, "groups": ["staff"]},
    {"id": "k-spend", "kind": "cart_amount", "amount_minor": 500, "minimum_minor": 6_000},
    {"id": "l-coupon", "kind": "cart_percent", "rate_ppm": 125_000, "codes": ["SPRING", "MAY"], "most_minor": 777},
    {"id": "m-once", "kind": "cart_amount", "amount_minor": 250, "codes": ["FEW"], "code_uses_max": 7},
    {"id": "n-happy", "kind": "percent", "rate_ppm": 50_000, "departments": ["Tea"], "weekdays": ["7"],
     "from_minute": 780, "until_minute": 1_140},
    {"id": "o-monday", "kind": "percent", "rate_ppm": 500_000, "weekdays": ["1"], "in_force": False},
    {"id": "p-over", "kind": "cart_percent", "rate_ppm": 500_000, "until_ms": 1_000, "in_force": False},
]  # fmt: skip
for _promotion in PROMOTIONS:
    _promotion.setdefault("in_force", True)


def goods(draw: Draws) -> list[Json]:
    """Draw twenty products; a few are weighed."""
    return [
        {"sku": f"g{n}", "price": draw.number(45, 2_499), "department": DEPARTMENTS[n % 4],
         "unit": "kg" if n in {16, 17} else "piece", "tax_code": draw.one_of(("standard", "reduced", "zero"))}
        for n in range(20)
    ]  # fmt: skip


def furnish(shop: Shop, products: list[Json]) -> None:
    def write(entity: str, changes: list[e.Change]) -> None:
        shop.do(c.ChangeRecords(entity=entity, changes=tuple(changes)), MANAGER)

    shop.set_store(pay_methods=["cash", "card", "gift_card", "account", "points"], loyalty_earn_minor=EARN,
                   loyalty_point_minor=POINT, offline_redeem_max_minor=10**9)  # fmt: skip
    keys = {"price": "price_minor"}
    write("product", [
        e.Change(key=one["sku"], fields={"name": "x", **{keys.get(k, k): v for k, v in one.items() if k != "sku"}})
        for one in products
    ])  # fmt: skip
    write("customer", [
        e.Change(key=f"c{n}", fields={"name": f"c{n}", "group": "staff" if n < 3 else ""}) for n in range(10)
    ])  # fmt: skip
    write("promotion", [
        e.Change(key=one["id"], fields={"name": "x", **{k: v for k, v in one.items() if k not in {"id", "in_force"}}})
        for one in PROMOTIONS
    ])  # fmt: skip


class Till:
    """One till beside what the reference knows of it."""

    def __init__(self, shop: Shop, peer: str) -> None:
        self.shop = shop
        shop.till.company = Company(others=(peer,), heard=())
        self.wallets = ref.Wallets()
        self.uses: dict[str, int] = {}
        self.took: set[str] = set()

    def serve(self, draw: Draws, name: str, products: list[Json]) -> None:
        basket = draw_basket(draw, products)
        group = "staff" if basket["customer"] in {"c0", "c1", "c2"} else ""
        promoted = ref.promote(basket["lines"], PROMOTIONS, basket["coupons"], group, self.uses)
        charged = ref.charge(basket["lines"], promoted, STORE)
        for one in promoted["took"]:
            self.took.add(one["id"])
            if one["code"]:
                self.uses[one["code"]] = self.uses.get(one["code"], 0) + 1
        spent = self.payments(draw, name, basket, charged["total"])
        sale_id, sale = self.sell(name, basket, spent)
        assert [line.total_minor for line in sale.lines] == charged["lines"], name
        assert [line.tax_minor for line in sale.lines] == charged["tax"], name
        assert [(one.promotion_id, one.code, one.amount_minor) for one in sale.promotions] == [
            (one["id"], one["code"], sum(one["off"].values())) for one in promoted["took"]
        ], name
        base = charged["total"] - dict(spent).get("points", 0)
        earned = base // EARN if basket["customer"] else 0
        self.wallets.pay(basket["customer"], name if "gift_card" in dict(spent) else "", dict(spent), earned, POINT)
        if draw.chance(30):
            self.bring_back(draw, basket, sale_id, charged["lines"], spent, earned, base, name)

    def payments(self, draw: Draws, name: str, basket: Json, total: int) -> list[tuple[str, int]]:
        """Pay with a card of its own, with points that this till knows of, and the rest in cash."""
        found, rest = [], total
        if rest and draw.chance(35):
            amount = draw.number(1, rest)
            card = op("gift_card", f"{name}-g", line_id="g", text=f"CARD-{name}", amount_minor=amount)
            self.shop.ops(card, cart_id=f"{name}-load")
            cash = (e.Payment(method="cash", amount_minor=amount),)
            self.shop.do(c.PayCart(cart_id=f"{name}-load", payments=cash))
            self.wallets.cards[name] = amount
            found.append(("gift_card", amount))
            rest -= amount
        points = min(self.wallets.points.get(basket["customer"], 0), rest // POINT) if basket["customer"] else 0
        if points > 0 and draw.chance(50):
            points = draw.number(1, points)
            found.append(("points", points * POINT))
            rest -= points * POINT
        return [*found, ("cash", rest)] if rest else found

    def sell(self, name: str, basket: Json, spent: list[tuple[str, int]]) -> tuple[str, e.SaleClosed]:
        codes = {"gift_card": f"CARD-{name}"}
        lines = tuple(
            c.WantedLine(sku=line["sku"], quantity_milli=parse_quantity(text(int(line["quantity"] * 1000))))
            for line in basket["lines"]
        )
        payments = tuple(
            e.Payment(method=method, amount_minor=amount, reference=codes.get(method, "")) for method, amount in spent
        )
        command = c.CloseSale(cart_id=name, lines=lines, payments=payments, customer_id=basket["customer"],
                              coupons=tuple(basket["coupons"]))  # fmt: skip
        sale_id = str(self.shop.do(command).reply)
        return sale_id, self.shop.read(sale_id, e.SaleClosed)

    def bring_back(
        self, draw: Draws, basket: Json, sale_id: str, sold: list[int], spent: list[tuple[str, int]], earned: int,
        base: int, name: str,
    ) -> None:  # fmt: skip
        """Bring some pieces back, and then perhaps all the rest."""
        quantities = [line["quantity"] for line in basket["lines"]]
        came = [Fraction(0) for _ in quantities]
        gone = by_points = others = 0
        for visit in range(draw.number(1, 2)):
            back = [Fraction(draw.number(0, int(whole - before))) if visit == 0 else whole - before
                    for whole, before in zip(quantities, came, strict=True)]  # fmt: skip
            if not any(back):
                continue
            worth = ref.given_back(sold, quantities, came, back)
            shares = ref.along_the_tape(spent, gone, worth)
            wanted = tuple(c.WantedRefund(line=place, quantity_milli=int(amount * 1000))
                           for place, amount in enumerate(back) if amount)  # fmt: skip
            asked = c.RefundSale(sale_id=sale_id, lines=wanted, reason="no", refund_key=f"{name}-{visit}")
            refund = self.shop.read(self.shop.do(asked, MANAGER).reply, e.SaleRefunded)
            assert refund.total_minor == worth, name
            assert {one.method: one.amount_minor for one in refund.payments} == shares, name
            now = shares.get("points", 0)
            used = dict(spent).get("points", 0)
            points = ref.points_back(used // POINT, used, by_points, now)
            points -= ref.points_taken(earned, base, others, worth - now)
            if basket["customer"]:
                self.wallets.points[basket["customer"]] += points
            if "gift_card" in shares:
                self.wallets.cards[name] += shares["gift_card"]
            by_points, others = by_points + now, others + worth - now
            gone += worth - shares.get("cash", 0)
            came = [before + amount for before, amount in zip(came, back, strict=True)]


def draw_basket(draw: Draws, products: list[Json]) -> Json:
    """Draw a basket with one line for each product, perhaps a customer, perhaps coupons."""
    chosen: dict[str, Json] = {}
    for _ in range(draw.number(1, 7)):
        product = draw.one_of(products)
        chosen[product["sku"]] = product
    lines = []
    for product in chosen.values():
        quantity = Fraction(draw.number(1, 5))
        if product["unit"] == "kg":
            quantity = Fraction(draw.number(1, 3_000), 1_000)
        gross = round_fraction(product["price"] * quantity, "half_up")
        lines.append({**product, "quantity": quantity, "gross": gross})
    coupons = [code for code in ("FEW", "MAY", "SPRING", "NONSENSE") if draw.chance(15)]
    return {"lines": lines, "coupons": coupons, "customer": f"c{draw.number(0, 9)}" if draw.chance(60) else ""}


def test_a_thousand_promoted_baskets_on_two_tills_apart_agree_to_the_cent_and_after_they_met() -> None:
    draw = Draws(SEED)
    products = goods(draw)
    first = Shop().furnish()
    furnish(first, products)
    second = Shop(Origin(store=ORIGIN.store, terminal="b2b2b2b2", actor="b2b2b2b2.11111111"))
    hear(second, first)
    tills = [Till(first.open(), "b2b2b2b2"), Till(second.open(), ORIGIN.terminal)]
    for number in range(BASKETS):
        tills[number % 2].serve(draw, f"b{number:04d}", products)
    assert tills[0].took == tills[1].took == {one["id"] for one in PROMOTIONS if one["in_force"]}
    assert sum(len(till.wallets.cards) for till in tills) > 200
    assert all(sum(1 for amount in till.wallets.points.values() if amount) > 5 for till in tills)
    for _ in range(2):  # the second time nothing may count again
        hear(first, second)
        hear(second, first)
    assert state_parts(first.writer.db) == state_parts(second.writer.db)
    for till in tills:
        for name, amount in till.wallets.cards.items():
            account = card_account(ORIGIN.store, f"CARD-{name}")
            assert first.books.purse(GIFT_CARD, account) == amount, name
    for number in range(10):
        known = sum(till.wallets.points.get(f"c{number}", 0) for till in tills)
        assert second.books.purse(POINTS, f"c{number}") == known, number
    uses = sum(till.uses.get("FEW", 0) for till in tills)
    assert first.books.promotion_uses("m-once", code="FEW") == uses == 14, "each till gave its seven"


def hear(one: Shop, other: Shop) -> None:
    with one.writer.transaction():
        one.writer.ledger.append_foreign(other.log())
    one.books.forget()
