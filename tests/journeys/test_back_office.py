"""The owner's hour behind the sale: products, stock, people, reports, settings and the audit log."""

from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.journeys.cashier import Cashier, code_of
from tests.journeys.conftest import OpenCashier
from tests.journeys.till import TillProcess
from tillmesh.demo.shop_data import MANAGER

pytestmark = [pytest.mark.journey, pytest.mark.slow, pytest.mark.xdist_group("browser")]

GOOD_FILE = "barcode,name,price,department\n4006381333931,Pencil,0.99,Household\n5901234123457,Marker,2.49,Household\n"
BAD_FILE = "barcode,name,price,department\n4006381333931,Pencil,cheap,Household\n5901234123457,,2.49,Household\n"


def test_a_price_changed_in_the_office_is_the_price_at_the_till(till: TillProcess, at_till: OpenCashier) -> None:
    ruth = at_till(till).sign_in(MANAGER.pin)
    ruth.go("products")
    ruth.page.get_by_placeholder("Name, SKU or barcode").fill("sourdough")
    ruth.page.locator(".product-row b").filter(has_text="Sourdough loaf").click()
    ruth.dialog.get_by_label("Price", exact=False).first.fill("4.20")
    ruth.tap("Save", within=ruth.dialog)
    expect(ruth.toast("Saved")).to_be_visible()
    ruth.go("sell")
    ruth.scan(code_of("Sourdough loaf"))
    ruth.expect_total("£4.20")
    ruth.expect_saved()
    assert ruth.cart_of_the_till()["total_minor"] == 420


def test_a_new_product_is_scanned_a_moment_later(till: TillProcess, at_till: OpenCashier) -> None:
    ruth = at_till(till).sign_in(MANAGER.pin)
    ruth.go("products")
    expect(ruth.page.get_by_placeholder("Name, SKU or barcode")).to_be_focused()
    ruth.scan("4006381333931")  # nobody knows it: the form opens with the code
    expect(ruth.dialog.get_by_label("Barcodes")).to_have_value("4006381333931")
    ruth.dialog.get_by_label("Name").fill("Pencil HB")
    ruth.dialog.get_by_label("Price").first.fill("0.99")
    ruth.tap("Save", within=ruth.dialog)
    expect(ruth.toast("Pencil HB added")).to_be_visible()
    ruth.go("sell")
    ruth.scan("4006381333931")
    expect(ruth.line("Pencil HB")).to_be_visible()
    ruth.expect_total("£0.99")


def test_a_file_is_tried_first_and_wrong_lines_are_named(
    till: TillProcess, at_till: OpenCashier, tmp_path: Path
) -> None:
    bad, good = tmp_path / "bad.csv", tmp_path / "good.csv"
    bad.write_text(BAD_FILE)
    good.write_text(GOOD_FILE)
    ruth = at_till(till).sign_in(MANAGER.pin)
    ruth.go("products")
    ruth.tap("Import")
    ruth.dialog.locator("input[type=file]").set_input_files(bad)
    expect(ruth.dialog.locator(".refusal")).to_contain_text("2 lines are wrong")
    expect(ruth.dialog.locator("tbody tr").first).to_contain_text("cheap")
    expect(ruth.dialog.locator("tbody tr td").first).to_have_text("2")
    expect(ruth.dialog.get_by_role("button", name="Import")).to_be_disabled()
    ruth.dialog.locator("input[type=file]").set_input_files(good)
    ruth.tap("Take 2 changes", within=ruth.dialog)
    expect(ruth.toast("2 products imported")).to_be_visible()
    ruth.go("sell")
    ruth.scan("5901234123457")
    expect(ruth.line("Marker")).to_be_visible()
    ruth.expect_total("£2.49")


def test_stock_is_received_counted_and_adjusted_with_a_reason(till: TillProcess, at_till: OpenCashier) -> None:
    ruth = at_till(till).sign_in(MANAGER.pin)
    ruth.go("stock")
    expect(ruth.page.get_by_placeholder("Name, SKU or barcode")).to_be_focused()
    for kind, number, expected in (("Count", "7", "7"), ("Receive", "12", "19"), ("Adjust", "2", "17")):
        ruth.scan(code_of("Candles, 6"))
        ruth.tap(kind, within=ruth.dialog, exact=True)
        ruth.dialog.get_by_label("Counted" if kind == "Count" else "Quantity").fill(number)
        if kind == "Adjust":
            ruth.tap("Breakage", within=ruth.dialog)
        ruth.dialog.locator("button[type=submit]").click()
        expect(ruth.toast(f"Candles, 6: {expected} in stock")).to_be_visible()
    assert till.ask("/stock/FM-00412")["value"] == "17"


def test_a_new_cashier_signs_in_and_sees_only_a_cashiers_pages(till: TillProcess, at_till: OpenCashier) -> None:
    ruth = at_till(till).sign_in(MANAGER.pin)
    ruth.go("people")
    ruth.tap("New person")
    ruth.dialog.get_by_label("Name").fill("Noor Haddad")
    ruth.dialog.get_by_label("PIN").fill("4711")
    ruth.tap("Save", within=ruth.dialog)
    expect(ruth.page.locator(".person").filter(has_text="Noor Haddad")).to_be_visible()
    noor = at_till(till).sign_in("4711")
    noor.key("F10")
    expect(noor.dialog).to_contain_text("Noor Haddad")
    expect(noor.dialog.get_by_role("link", name="Sales")).to_be_visible()
    for page in ("Reports", "People", "Audit log"):
        expect(noor.dialog.get_by_role("link", name=page)).to_have_count(0)


def test_reports_show_the_day_as_charts_tables_and_csv(till: TillProcess, at_till: OpenCashier) -> None:
    ruth = at_till(till).sign_in(MANAGER.pin)
    ruth.scan(code_of("Laundry gel 1.5 l"))
    ruth.pay_cash_exactly()
    ruth.go("reports/day")
    expect(ruth.page.get_by_role("img", name="Sales by hour")).to_be_visible()
    with ruth.page.expect_download() as download:
        ruth.page.get_by_role("link", name="CSV").click()
    assert "Laundry gel" in Path(download.value.path()).read_text("utf-8")
    expect(ruth.page.locator(".hbars .less")).to_have_count(0)
    more_comes_back_than_was_sold(till)  # the open page hears of it
    expect(ruth.page.locator(".hbars .less").first).to_be_visible()
    assert ruth.page.locator(".chart text").first.evaluate("one => getComputedStyle(one).fontSize") == "12px"
    ruth.tap("Period")
    expect(ruth.page.get_by_role("img", name="Sales by day")).to_be_visible()
    hanging = ruth.page.locator(".chart .less")
    expect(hanging).to_have_count(1)
    assert hanging.evaluate("bar => bar.getBBox().height") > 20
    expect(ruth.page.locator(".chart .zero-line")).to_have_count(1)
    ruth.tap("Z reports")
    expect(ruth.page.locator(".zcols .row-main").first).to_be_visible()


def more_comes_back_than_was_sold(till: TillProcess) -> None:
    """Take back goods worth more than a day's takings."""
    dear = {"sku": "piano", "name": "Piano", "price_minor": 900_000, "department": "Household"}
    till.ask("/products", "POST", dear)
    back = {"lines": [{"sku": "piano", "quantity": "1"}], "reason": "faulty", "refund_key": "piano",
            "payments": [{"method": "card", "amount_minor": 900_000, "last_four": "4242"}]}  # fmt: skip
    till.ask("/refunds", "POST", back)


def test_settings_change_the_receipt_and_the_audit_log_names_who_did_it(
    till: TillProcess, at_till: OpenCashier
) -> None:
    ruth = at_till(till).sign_in(MANAGER.pin)
    ruth.go("settings")
    ruth.page.get_by_label("Last lines of the receipt").fill("See you on Saturday!")
    ruth.tap("Save")
    expect(ruth.toast("Saved")).to_be_visible()
    ruth.go("sell")
    ruth.scan(code_of("Avocado"))
    ruth.pay_cash_exactly()
    sale = till.sales()[0]
    assert "See you on Saturday!" in str(till.ask(f"/sales/{sale['sale_id']}/receipt?format=json"))
    ruth.go("audit")
    entry = ruth.page.locator(".office-main li").filter(has_text="Settings changed").first
    expect(entry).to_contain_text("Ruth Okafor")


def test_the_look_of_the_screen_is_kept(till: TillProcess, at_till: OpenCashier) -> None:
    maya: Cashier = at_till(till).sign_in()
    maya.go("settings")
    maya.tap("High contrast")
    maya.tap("Larger")
    maya.page.reload()
    expect(maya.page.locator("html")).to_have_attribute("data-theme", "contrast")
    expect(maya.page.locator("html")).to_have_attribute("data-text", "larger")


def test_goods_are_ordered_and_booked_in_when_they_come(till: TillProcess, at_till: OpenCashier, root: Path) -> None:
    till.ask("/products", "POST", {"sku": "kettle", "name": "Zinc kettle", "price_minor": 3900, "cost_minor": 1500})
    ruth = at_till(till).sign_in(MANAGER.pin)
    ruth.go("purchasing")
    ruth.tap("New order")
    expect(ruth.dialog).to_be_visible()
    ruth.page.get_by_label("Supplier").fill("Miller & Sons")
    while ruth.dialog.locator(".buy-line").count():
        ruth.dialog.locator(".buy-line button").first.click()
    ruth.dialog.get_by_placeholder("Search products").fill("zinc")
    ruth.tap("Zinc kettle", within=ruth.dialog)
    ruth.dialog.get_by_label("Quantity").fill("6")
    ruth.dialog.get_by_role("button", name="Order", exact=True).click()
    expect(ruth.page.locator(".office-main .card").filter(has_text="Miller & Sons")).to_contain_text("£90.00")
    ruth.tap("Receive")
    ruth.dialog.get_by_label("Zinc kettle").fill("4")
    ruth.dialog.get_by_role("button", name="Receive").click()
    expect(ruth.page.get_by_text("Partly here")).to_be_visible()
    folder = root / "artifacts" / "screenshots"
    folder.mkdir(parents=True, exist_ok=True)
    ruth.page.screenshot(path=folder / "purchasing-orders.png", animations="disabled")
    assert till.ask("/stock/kettle")["value"] == "4"
