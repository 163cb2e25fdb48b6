"""A manager looks at what was unusual and says what it was, and sees what has to be ordered before it runs out."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.journeys.cashier import code_of
from tests.journeys.conftest import OpenCashier
from tests.journeys.till import TillProcess, copy_shop
from tillmesh.demo.shop_data import CASHIER, MANAGER
from tillmesh.shop.events import FlagReason, Payment
from tillmesh.terminal.driver import now_ms
from tillmesh.terminal.offline import OfflineTill
from tillmesh.till.commands import CloseSale, FlagAct, WantedLine, Who

pytestmark = pytest.mark.journey
DAY_MS = 86_400_000
MAYA = Who(user_id=CASHIER.user_id, role=CASHIER.role)
SYSTEM = Who(user_id="system", role="manager")
GOODS, PRICE_MINOR = "Butter croissant", 135
DAYS = 14


@pytest.fixture
def watched_till(shop: Path, tmp_path: Path) -> Iterator[TillProcess]:
    """A till whose croissants went quickly for two weeks, and whose last two sales were found unusual."""
    place = copy_shop(shop, tmp_path / "till")
    till, now = OfflineTill(place, hurried=True), now_ms()

    def sold(cart_id: str, pieces: int, at_ms: int) -> str:
        lines = (WantedLine(barcode=code_of(GOODS), quantity_milli=1000 * pieces),)
        paid = (Payment(method="card", amount_minor=PRICE_MINOR * pieces),)
        return till.do(MAYA, CloseSale(cart_id=cart_id, lines=lines, payments=paid), at_ms).events[0].id

    for back in range(1, DAYS + 1):
        sold(f"{back} days ago", 40, now - back * DAY_MS)
    for number, level in enumerate(("medium", "high"), 1):
        reasons = (
            FlagReason(code="void_excess", weight_milli=1_250, value_milli=3_500),
            FlagReason(code="cash_share", weight_milli=400, value_milli=1_000),
        )
        act = FlagAct(
            event=sold(f"unusual {number}", number, now), kind="sale", person=CASHIER.user_id, score_ppm=900_000,
            level=level, reasons=reasons, model="fraud 1",
        )  # fmt: skip
        till.do(SYSTEM, act, now)
    till.close()
    process = TillProcess(place, "--no-ai")
    yield process
    process.close()


def test_a_manager_says_what_was_unusual_and_sees_what_to_order(
    watched_till: TillProcess, at_till: OpenCashier
) -> None:
    ruth = at_till(watched_till).sign_in(MANAGER.pin)
    page = ruth.page
    ruth.go("flags")
    acts = page.locator("article")
    expect(acts).to_have_count(2)
    worst = acts.filter(has_text="Very unusual")
    expect(worst).to_contain_text("£2.70")
    expect(worst).to_contain_text(CASHIER.name)
    expect(worst).to_contain_text("More voids than usual for this person")
    expect(worst).to_contain_text("100 % in cash")
    ruth.tap("Follow up", within=worst)
    ruth.dialog.get_by_role("textbox").fill("Ask her on Friday")
    ruth.key("Enter")
    expect(acts).to_have_count(1)
    ruth.tap("Nothing wrong", within=acts)
    expect(page.get_by_text("Nothing unusual is waiting")).to_be_visible()
    looked = page.locator(".timeline li")
    expect(looked).to_have_count(2)
    expect(looked.filter(has_text="To be followed up")).to_contain_text("Ask her on Friday")
    assert watched_till.ask("/ai/fraud/flags")["open"] == 0

    sku = watched_till.ask(f"/products?q={GOODS.replace(' ', '%20')}")["products"][0]["sku"]
    watched_till.ask("/stock/counts", "POST", {"sku": sku, "quantity": "30"})
    ruth.go("stock")
    ruth.tap("Order soon")
    row = page.locator(".stock-row").filter(has_text=GOODS)
    expect(row).to_contain_text("under a day")
    box = row.bounding_box()
    assert box is not None
    assert box["height"] >= 44  # however many there are, a finger finds each
    expect(row).to_contain_text("a delivery takes 2 days")
