"""Fraud scores and forecasts through the API: who sees them, and that a sale never depends on them."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.services.api.shop import Json, Loop, Shop
from tillmesh.edge.features import COUNT
from tillmesh.edge.risk import Reason, Verdict
from tillmesh.shop.events import Payment
from tillmesh.terminal.bootstrap import Opened
from tillmesh.terminal.fraud import Answer, FraudWatch, NotScored
from tillmesh.till.commands import CloseSale, WantedLine, Who

DAY_MS = 86_400_000


class Model:
    """Stands where the model is: says what it was told to say, and what it was asked."""

    def __init__(self, score: float | None = None) -> None:
        self.score = score
        self.asked: list[tuple[float, ...]] = []

    async def __call__(self, features: tuple[float, ...]) -> Answer:
        self.asked.append(features)
        if self.score is None:
            raise NotScored("late")
        level = "high" if self.score > 0.5 else "low"
        reasons = (Reason(code="void_excess", weight=1.25, value=3.5),)
        return Answer(Verdict(score=self.score, level=level, reasons=reasons), "fraud 1")


@pytest.fixture
def shop(fresh: Callable[[], Shop]) -> Shop:
    shop = fresh()
    shop.product()
    return shop


@pytest.fixture
def watched(shop: Shop, loop: Loop) -> Any:
    """Let a model watch the shop; give what makes it and what waits until it has looked at everything."""
    made: list[FraudWatch] = []

    def watch(model: Model, acts_min: int = 0) -> FraudWatch:
        async def start() -> FraudWatch:
            found = FraudWatch(shop.services.driver, model, acts_min=acts_min)
            shop.services.extra["fraud"] = found
            found.start(shop.services.clock())
            return found

        made.append(loop.run(start()))
        return made[-1]

    yield watch
    for one in made:
        loop.run(one.stop())


def flags(shop: Shop) -> list[Json]:
    found: list[Json] = shop.ok("GET", "/ai/fraud/flags", role="manager")["flags"]
    return found


def test_what_stands_out_is_flagged_after_the_sale_and_only_managers_see_it(
    shop: Shop, watched: Callable[[Model], FraudWatch], loop: Loop
) -> None:
    watch = watched(Model(0.93))
    sale = shop.sale("one")
    loop.run(watch.settled())
    (found,) = flags(shop)
    assert (found["sale_id"], found["kind"], found["level"], found["score"]) == (sale["sale_id"], "sale", "high", 0.93)
    assert found["reasons"] == [{"code": "void_excess", "weight": 1.25, "value": 3.5}]
    for role in ("cashier", "supervisor"):
        assert shop.call("GET", "/ai/fraud/flags", role=role).status_code == 403
        assert shop.call("POST", "/ai/fraud-score", {"sale": sale["sale_id"]}, role=role).status_code == 403


def test_a_manager_reviews_a_flag(shop: Shop, watched: Callable[[Model], FraudWatch], loop: Loop) -> None:
    watch = watched(Model(0.93))
    shop.sale("one")
    loop.run(watch.settled())
    path = f"/ai/fraud/flags/{flags(shop)[0]['flag_id']}/review"
    assert shop.call("POST", path, {"verdict": "guilty"}, role="manager").status_code == 422
    shop.ok("POST", path, {"verdict": "fine", "reason": "A regular"}, role="manager")
    (found,) = flags(shop)
    assert (found["review"]["verdict"], found["review"]["by"]["name"]) == ("fine", "Mona")
    assert shop.ok("GET", "/ai/fraud/flags", role="manager")["open"] == 0


def test_what_does_not_stand_out_leaves_no_trace(
    shop: Shop, watched: Callable[[Model], FraudWatch], loop: Loop
) -> None:
    watch = watched(Model(0.01))
    shop.sale("one")
    loop.run(watch.settled())
    assert (flags(shop), watch.scored, watch.flagged) == ([], 1, 0)


def test_without_an_answer_the_sale_stands_and_the_fallback_is_counted(
    shop: Shop, watched: Callable[[Model], FraudWatch], loop: Loop
) -> None:
    watch = watched(Model(None))
    sale = shop.sale("one")
    assert sale["durable"]
    loop.run(watch.settled())
    assert (flags(shop), dict(watch.fallbacks)) == ([], {"late": 1})
    said = shop.ok("POST", "/ai/fraud-score", {"sale": sale["sale_id"]}, role="manager")
    assert (said["score"], said["level"], said["fallback"]) == (None, "unknown", "late")


def test_a_shop_of_which_little_is_known_is_not_judged(
    shop: Shop, watched: Callable[..., FraudWatch], loop: Loop
) -> None:
    model = Model(0.93)
    watch = watched(model, acts_min=2)  # two are worth a little less than two a moment later
    for number in range(4):
        shop.sale(f"early-{number}")
    loop.run(watch.settled())
    assert (len(model.asked), len(flags(shop))) == (1, 1)


def test_a_till_without_models_sells_and_says_so(shop: Shop) -> None:
    sale = shop.sale("one")
    assert shop.call("POST", "/ai/fraud-score", {"sale": sale["sale_id"]}, role="manager").status_code == 503
    assert flags(shop) == []


def test_a_sale_can_be_asked_about_by_its_id_or_as_it_would_be(
    shop: Shop, watched: Callable[[Model], FraudWatch], loop: Loop
) -> None:
    model = Model(0.25)
    watched(model)
    sale = shop.sale("one")
    supposed = {"lines": [{"sku": "tea", "quantity": "1", "discount_minor": 100}], "payments": []}
    for asked in (sale["sale_id"], {"sale_id": sale["sale_id"]}, supposed):
        said = shop.ok("POST", "/ai/fraud-score", {"sale": asked}, role="manager")
        assert (said["score"], said["level"], said["recommendation"]) == (0.25, "low", "none")
    assert all(len(features) == COUNT for features in model.asked)
    assert model.asked[-1] != model.asked[-2]
    assert shop.call("POST", "/ai/fraud-score", {"sale": "nobody"}, role="manager").status_code == 404
    assert shop.call("POST", "/ai/fraud-score", {"sale": {"lines": []}}, role="manager").status_code == 422


def test_what_happened_before_the_start_is_what_is_usual(
    shop: Shop, watched: Callable[[Model], FraudWatch], loop: Loop
) -> None:
    for number in range(3):
        shop.sale(f"before-{number}")
    model = Model(0.01)
    watch = watched(model)
    shop.sale("after")
    loop.run(watch.settled())
    minutes_since = model.asked[-1][10]
    assert len(model.asked) == 1
    assert (
        minutes_since < 8
    )  # 50 hours, on the slowest machine; a cashier without a sale before would have the most there is


def sold_before(shop: Shop, loop: Loop, *, days: int, pieces: int) -> None:
    """Sell some tea on each of the days before today, by the till's own clock of then."""
    now = shop.clock()
    payments = (Payment(method="card", amount_minor=250 * pieces),)
    lines = (WantedLine(sku="tea", quantity_milli=1000 * pieces),)

    def sell(opened: Opened) -> None:
        for back in range(1, days + 1):
            command = CloseSale(cart_id=f"{back} days ago", lines=lines, payments=payments)
            opened.writer.execute(opened.till, Who(user_id="cashier", role="cashier"), command, now - back * DAY_MS)

    loop.run(shop.driver.on_opened(sell))


def test_a_product_is_forecast_from_what_was_sold(shop: Shop, loop: Loop) -> None:
    shop.ok("POST", "/stock/receipts", {"sku": "tea", "quantity": "500"})
    sold_before(shop, loop, days=30, pieces=4)
    found = shop.ok("GET", "/ai/demand", params={"sku": "tea", "days": "7"}, role="supervisor")
    assert len(found["forecast"]) == 7
    for day in found["forecast"]:
        assert day["low"] <= day["quantity"] <= day["high"]
    assert found["per_day"] == pytest.approx(4, abs=0.3)
    assert (found["suggested_order"], found["order_soon"], found["stock"]) == (0, False, "380")
    shop.ok("POST", "/stock/counts", {"sku": "tea", "quantity": "6"}, role="supervisor")
    soon = shop.ok("GET", "/ai/demand/orders", role="supervisor")
    (tea,) = soon["orders"]
    assert (tea["sku"], tea["order_soon"]) == ("tea", True)
    assert tea["suggested_order"] >= tea["expected"] - 6
    assert tea["lasts_days"] == pytest.approx(1.5, abs=0.2)
    again = shop.ok("GET", "/ai/demand", params={"sku": "tea"}, role="supervisor")
    assert again["suggested_order"] == tea["suggested_order"]


def test_goods_nobody_bought_have_an_empty_forecast_and_unknown_ones_none(shop: Shop) -> None:
    shop.product("new", barcodes=[])
    found = shop.ok("GET", "/ai/demand", params={"sku": "new"}, role="supervisor")
    assert (found["suggested_order"], found["lasts_days"], len(found["forecast"])) == (0, None, 14)
    assert shop.call("GET", "/ai/demand", params={"sku": "nothing"}, role="supervisor").status_code == 404
    assert shop.call("GET", "/ai/demand", params={"sku": "new", "days": "0"}, role="supervisor").status_code == 422
    assert shop.call("GET", "/ai/demand", params={"sku": "new"}, role="cashier").status_code == 403
