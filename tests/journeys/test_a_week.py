"""A week in the life of a shop: three tills, Monday to Saturday; in the end every report says what the book says."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.faults.running import until
from tests.journeys.cashier import Cashier, code_of, own, weighed_code
from tests.journeys.conftest import OpenCashier
from tests.journeys.week import DAYS, FLOAT, Book, WeekStore, WeekTill
from tillmesh.demo.shop_data import CASHIER, MANAGER, SUPERVISOR

pytestmark = [pytest.mark.journey, pytest.mark.slow, pytest.mark.service, pytest.mark.xdist_group("browser"),
              pytest.mark.timeout(300)]  # fmt: skip

SOON_MS = 60_000  # of a loaded machine
LOAF, CANDLES, GEL = "Sourdough loaf", "Candles, 6", "Laundry gel 1.5 l"
SAMUEL = "c-okonjo"
HALF = "Half-price loaves"


@pytest.fixture
def store(tmp_path: Path) -> Iterator[WeekStore]:
    found = WeekStore(tmp_path, 3)
    with found.running():
        for till in found.tills:
            till.terminal_id = str(till.ask("/state")["terminal"]["terminal_id"])
        yield found


class Week:
    """The shop, its people before the tills, and the book."""

    def __init__(self, store: WeekStore, at_till: OpenCashier) -> None:
        self.store, self.book, self.today = store, Book(), 0
        self.one, self.two, self.three = store.tills
        self.windows = {till.name: at_till(till) for till in store.tills}

    def person(self, till: WeekTill, pin: str) -> Cashier:
        """Let somebody sign in this morning."""
        return self.windows[till.name].sign_in(pin)

    def till_of(self, person: Cashier) -> WeekTill:
        assert isinstance(person.till, WeekTill)
        return person.till

    def morning(self, day: int, *, by_hand: bool = False) -> None:
        """Open the shop; unless somebody does it before our eyes, every drawer is counted in."""
        self.today = day
        self.store.opens(day)
        for till in self.store.tills:
            if not by_hand:
                till.ask("/shifts/open", "POST", {"float_minor": FLOAT})

    def evening(self) -> None:
        """Count every drawer: not a penny is missing."""
        for till in self.store.tills:
            counted = {"counted_minor": self.in_drawer(till)}
            assert till.ask("/shifts/close", "POST", counted)["variance_minor"] == 0, (till.name, DAYS[self.today])

    def in_drawer(self, till: WeekTill) -> int:
        return FLOAT + self.book.pages[self.today].cash[till.name]

    def everywhere(self, path: str, what: object, *keys: str) -> None:
        """Wait until every till says so."""

        def said() -> bool:
            return all(_within(till.ask(path), keys) == what for till in self.store.tills)

        until(said, f"{path} is {what} on every till")

    def pays_cash(self, person: Cashier, minor: int) -> str:
        """Take exact cash for what lies on the counter, and write it into the book."""
        person.expect_total(pounds(minor))
        receipt = person.pay_cash_exactly()
        self.book.sold(self.today, self.till_of(person), cash=minor)
        person.key("Enter")
        return receipt


def _within(answer: Any, keys: tuple[str, ...]) -> object:
    for key in keys:
        answer = answer[key]
    return answer


def pounds(minor: int) -> str:
    return f"£{minor // 100:,}.{minor % 100:02}"


def price(name: str) -> int:
    return own(name).price_minor


def sku(name: str) -> str:
    return f"FM-{own(name).item}"


def test_a_week_on_three_tills_ends_with_reports_that_say_what_the_book_says(
    store: WeekStore, at_till: OpenCashier, root: Path
) -> None:
    week = Week(store, at_till)
    receipt = monday_opens_and_sells(week)
    tuesday_buys_and_makes_an_offer(week)
    wednesday_loses_the_network(week)
    thursday_counts_and_gives_money_back(week, receipt)
    friday_has_a_customer_with_points(week)
    saturday_closes(week)
    every_till_reports_the_same(week)
    shown_on_every_till(week, root / "artifacts" / "screenshots")


def monday_opens_and_sells(week: Week) -> str:
    """Count the drawers in, sell by scan, by weight and by search; give the receipt that comes back on Thursday."""
    week.morning(0, by_hand=True)
    for till in week.store.tills:
        daniel = week.person(till, SUPERVISOR.pin)
        daniel.page.get_by_role("link", name="Open the shift").click()
        expect(daniel.page.locator(".office-main form input").first).to_be_focused()
        daniel.type(str(FLOAT // 100))
        daniel.key("Enter")
        expect(daniel.page.locator(".kpis")).to_contain_text(pounds(FLOAT))
        daniel.go("sell")
    daniel = week.windows["Till 1"]
    daniel.scan(code_of(LOAF))
    daniel.scan(weighed_code("Bananas", 850))
    expect(daniel.line("Bananas")).to_contain_text("0.85 kg")
    week.pays_cash(daniel, price(LOAF) + 101)  # 0.850 kg at 1.19 is 1.0115
    daniel.key("F2")
    daniel.type("candles")
    expect(daniel.page.locator(".tile.active")).to_contain_text("Candles")
    daniel.key("Enter")
    expect(daniel.line(CANDLES)).to_be_visible()
    daniel.key("Escape", "+")
    daniel.expect_total(pounds(2 * price(CANDLES)))
    daniel.charge()
    daniel.key("k", "Enter")
    receipt = daniel.paid()
    week.book.sold(0, week.one, card=2 * price(CANDLES))
    week.everywhere("/reports/day", week.book.pages[0].total, "total_minor")
    week.evening()
    return receipt


def tuesday_buys_and_makes_an_offer(week: Week) -> None:
    """Order candles, book them in on another till; an offer made on the first till counts on the second."""
    week.morning(1)
    ruth, maya = week.person(week.one, MANAGER.pin), week.person(week.two, CASHIER.pin)
    ruth.go("purchasing")
    expect(ruth.page.get_by_text("Nothing is ordered")).to_be_visible()
    ruth.tap("New order")
    ruth.dialog.get_by_label("Supplier").fill("Miller & Sons")
    ruth.dialog.get_by_placeholder("Search products").fill("candles")
    ruth.tap(CANDLES, within=ruth.dialog)
    ruth.dialog.get_by_label("Quantity").fill("12")
    ruth.tap("Order", within=ruth.dialog, exact=True)
    expect(ruth.page.locator(".office-main .card").filter(has_text="Miller & Sons")).to_contain_text("Expected")
    ruth.go("promotions/new")
    form = ruth.page.locator(".sale-card form")
    form.get_by_label("Name").fill(HALF)
    form.get_by_label("Percent off").fill("50")
    form.get_by_placeholder("Search products").first.fill("sourdough")
    form.get_by_role("button", name=re.compile(LOAF)).first.click()
    ruth.tap("Make it")
    expect(ruth.page.locator(".promo-list")).to_contain_text(HALF)
    until(lambda: len(week.two.ask("/orders")["orders"]) == 1, "the second till knows the order")
    until(lambda: len(week.two.ask("/promotions")["promotions"]) == 1, "the second till knows the offer")
    maya.go("purchasing")
    maya.tap("Receive")
    maya.dialog.get_by_label(CANDLES).fill("10")
    maya.tap("Receive", within=maya.dialog)
    expect(maya.page.locator(".office-main")).to_contain_text("Partly here")
    week.everywhere(f"/stock/{sku(CANDLES)}", "28", "value")  # 20 at first, 2 sold, 10 came
    maya.go("sell")
    maya.scan(code_of(LOAF))
    expect(maya.line(LOAF)).to_contain_text(HALF)
    week.pays_cash(maya, price(LOAF) // 2)
    week.evening()


def wednesday_loses_the_network(week: Week) -> None:
    """The third till sells on alone, says so, and once it is back everybody's sum is the same."""
    week.morning(2)
    maya, daniel = week.person(week.one, CASHIER.pin), week.person(week.three, SUPERVISOR.pin)
    expect(daniel.page.locator(".pills")).to_contain_text("3 of 3 tills", timeout=SOON_MS)
    week.store.cut(week.three)
    expect(daniel.page.locator(".pills")).to_contain_text("Offline", timeout=SOON_MS)
    for _ in range(2):
        daniel.scan(code_of(GEL))
        week.pays_cash(daniel, price(GEL))
    expect(daniel.page.locator(".pills")).to_contain_text("2 sales waiting", timeout=SOON_MS)
    maya.scan(code_of(LOAF))
    week.pays_cash(maya, price(LOAF) // 2)
    assert week.one.ask("/reports/day")["total_minor"] == price(LOAF) // 2, "apart, each has its own"
    week.store.cut()
    expect(daniel.page.locator(".pills")).to_contain_text("3 of 3 tills", timeout=SOON_MS)
    week.everywhere("/reports/day", week.book.pages[2].total, "total_minor")
    week.evening()


def thursday_counts_and_gives_money_back(week: Week, receipt: str) -> None:
    """Count a shelf on the third till; on the second give money back for what the first one sold."""
    week.morning(3)
    daniel, ruth = week.person(week.three, SUPERVISOR.pin), week.person(week.two, MANAGER.pin)
    daniel.go("stock")
    expect(daniel.page.get_by_placeholder("Name, SKU or barcode")).to_be_focused()
    daniel.scan(code_of(CANDLES))
    daniel.tap("Count", within=daniel.dialog, exact=True)
    daniel.dialog.get_by_label("Counted").fill("27")
    daniel.dialog.locator("button[type=submit]").click()
    expect(daniel.toast(f"{CANDLES}: 27 in stock")).to_be_visible()
    week.everywhere(f"/stock/{sku(CANDLES)}", "27", "value")
    ruth.key("F8")
    expect(ruth.page.get_by_label("Receipt number, product or customer")).to_be_focused()
    ruth.type(receipt)
    expect(ruth.page.locator(".sale-card")).to_contain_text("Candles")
    ruth.tap("Refund", exact=True)
    ruth.tap(f"{CANDLES}: one more", within=ruth.dialog)
    ruth.tap("Faulty", within=ruth.dialog)
    ruth.tap(f"Give back {pounds(price(CANDLES))}", within=ruth.dialog)
    expect(ruth.dialog.get_by_role("heading", name="Receipt")).to_be_visible()
    ruth.key("Escape")
    week.book.gave_back(3, week.two, card=price(CANDLES))
    ruth.go("sell")
    ruth.scan(code_of("Avocado"))
    week.pays_cash(ruth, price("Avocado"))
    week.everywhere(f"/stock/{sku(CANDLES)}", "28", "value")
    week.evening()


def friday_has_a_customer_with_points(week: Week) -> None:
    """What a customer buys on the second till is worth points, which the third till takes the next day."""
    week.morning(4)
    maya = week.person(week.two, CASHIER.pin)
    maya.type("2*")
    maya.scan(code_of(GEL))
    choose_samuel(maya)
    week.pays_cash(maya, 2 * price(GEL))
    week.everywhere(f"/customers/{SAMUEL}/purses", 13, "points")  # one for each whole pound
    week.evening()


def choose_samuel(person: Cashier) -> None:
    person.key("F4")
    person.type("okon")
    expect(person.dialog.locator(".rows li")).to_have_count(1)
    person.key("Enter")
    expect(person.page.locator(".cart header")).to_contain_text("Samuel Okonjo")


def saturday_closes(week: Week) -> None:
    """Points are paid with, and every drawer is counted by hand: exact."""
    week.morning(5)
    daniel = week.person(week.three, SUPERVISOR.pin)
    daniel.scan(code_of("Avocado"))
    choose_samuel(daniel)
    daniel.charge()
    daniel.key("p")
    expect(daniel.page.locator(".held")).to_contain_text("13 points, worth £0.13")
    daniel.key("Enter")
    expect(daniel.page.locator("#due")).to_have_text("£0.82")
    daniel.key("Enter")
    daniel.paid()
    week.book.sold(5, week.three, points=13, cash=82)
    week.everywhere("/reports/day", week.book.pages[5].total, "total_minor")
    for till in week.store.tills:
        cashier = daniel if till is week.three else week.person(till, CASHIER.pin)
        cashier.go("shift")
        cashier.tap("Close the shift")
        expect(cashier.dialog.get_by_label("Counted")).to_be_visible()
        cashier.type(f"{week.in_drawer(till) / 100:.2f}")
        cashier.key("Enter")
        expect(cashier.dialog).to_contain_text("Shift closed")
        expect(cashier.dialog).to_contain_text("Exact")
        assert f"Counted{pounds(week.in_drawer(till))}" in cashier.dialog.inner_text().replace("\n", ""), till.name
        cashier.key("Escape")


def every_till_reports_the_same(week: Week) -> None:
    """Each day, the week and the closes, on each till: to the penny what the book says."""
    book, monday, saturday = week.book, week.store.day(0), week.store.day(5)
    for day in range(len(DAYS)):
        reports = [till.ask(f"/reports/day?date={week.store.day(day)}") for till in week.store.tills]
        assert reports[0] == reports[1] == reports[2], DAYS[day]
        compare(reports[0], book, day)
    weeks = [till.ask(f"/reports/days?from={monday}&to={saturday}")["days"] for till in week.store.tills]
    assert weeks[0] == weeks[1] == weeks[2]
    assert [one["total_minor"] for one in weeks[0]] == [book.pages[day].total for day in range(len(DAYS))]
    week.store.opens(6, 10)
    for till in week.store.tills:
        till.ask("/fiscal/close", "POST", {})
        closes = till.ask("/fiscal/periods?kind=day")["periods"]
        own_days = {one["period"]: one["totals"] for one in closes}
        for day in range(len(DAYS)):
            sums = own_days.get(str(week.store.day(day)), {"sales_minor": 0, "refunds_minor": 0})
            assert sums["sales_minor"] - sums["refunds_minor"] == book.pages[day].taken[till.name], (till.name, day)


def compare(report: dict[str, Any], book: Book, day: int) -> None:
    page = book.pages[day]
    said = {
        "total": report["total_minor"],
        "sales": report["sales"],
        "given back": report["refunds_minor"],
        "tills": {one["name"]: (one["sales"], one["total_minor"]) for one in report["tills"]},
        "tenders": {one["method"]: one["net_minor"] for one in report["tenders"]},
    }
    assert said == {
        "total": page.total,
        "sales": page.sales.total(),
        "given back": page.given_back,
        "tills": {name: (page.sales[name], page.taken[name]) for name in page.taken},
        "tenders": dict(page.tenders),
    }, DAYS[day]


def shown_on_every_till(week: Week, folder: Path) -> None:
    """The owner reads the week on each till."""
    folder.mkdir(parents=True, exist_ok=True)
    for till in week.store.tills:
        ruth = week.person(till, MANAGER.pin)
        ruth.go("reports/days")
        ruth.page.get_by_label("From").fill(str(week.store.day(0)))
        ruth.page.get_by_label("To").fill(str(week.store.day(5)))
        expect(ruth.page.locator(".kpis .kv").first).to_have_text(pounds(week.book.total), timeout=SOON_MS)
        ruth.page.screenshot(path=folder / f"week-{till.name[-1]}.png", animations="disabled")
