"""Practice at a real till: it looks and prints like a day's work, and afterwards nothing of it ever happened."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.services.api.shop import Json, Loop, Shop
from tillmesh.adapters.sqlite.reporting import state_hash
from tillmesh.kernel.limits import TRAINING_MS_MAX
from tillmesh.terminal.training import FOLDER

PAID = [{"method": "cash", "amount_minor": 500}]


@pytest.fixture
def shop(loop: Loop, tmp_path: Path) -> Iterator[Shop]:
    """A shop of its own: nobody else may sell while this one practises."""
    shop = Shop(loop, tmp_path / "till")
    shop.product(barcodes=["96385074"])
    shop.ok("POST", "/stock/receipts", {"sku": "tea", "quantity": 10})
    shop.sale("real")
    yield shop
    loop.run(shop.services.training().stop())
    shop.close()


def all_of(shop: Shop) -> Json:
    """What reports, numbers, stock and the log of the real shop say."""
    said: Json = shop.loop.run(shop.driver.read(state_hash))
    return {"said": said["version_vector"], "x": shop.ok("GET", "/reports/x"), "stock": shop.ok("GET", "/stock/tea")}


def practise(shop: Shop) -> Any:
    begun = shop.ok("POST", "/training")
    assert shop.ok("GET", "/state", role="cashier")["training"] == begun
    return begun


def test_practice_sales_never_count_and_the_next_real_one_goes_on_where_the_last_one_was(shop: Shop) -> None:
    before = all_of(shop)
    practise(shop)
    sale = shop.sale("practice", quantity="3")
    assert sale["receipt_number"].endswith("-000001")
    assert shop.ok("GET", "/products/96385074")["stock"] == "6"  # nine were left, and three were practised with
    assert [one["sale_id"] for one in shop.ok("GET", "/sales")["sales"]] == [sale["sale_id"]]
    assert shop.ok("POST", f"/sales/{sale['sale_id']}/void", {"reason": "a try"}, role="supervisor")
    assert shop.ok("GET", "/reports/x")["voids"] == 1
    assert shop.call("DELETE", "/training", role="cashier").status_code == 204

    assert shop.ok("GET", "/state", role="cashier")["training"] is None
    after = all_of(shop)
    notes = shop.ok("GET", "/audit")["entries"][:2]
    assert [one["action"] for one in notes] == ["training_ended", "training_began"]
    assert {actor: seq - 2 for actor, seq in after.pop("said").items()} == before.pop("said")  # and nothing else
    assert after == before
    assert shop.call("GET", f"/sales/{sale['sale_id']}").status_code == 404
    assert shop.sale("real again")["receipt_number"].endswith("-000002")
    assert not (shop.data_dir / FOLDER).exists()


def test_practice_charges_nobody_although_the_till_has_a_card_terminal(shop: Shop) -> None:
    shop.ok("PATCH", "/settings", {"terminal": {"card_terminal": "simulated", "card_simulation": "decline"}})
    practise(shop)
    assert shop.ok("GET", "/state", role="cashier")["terminal"]["card_terminal"] == "simulated"
    shop.ok("POST", "/carts/c/ops", {"ops": [{"op_id": "1", "op": "add", "sku": "tea", "line_id": "1"}]})
    shop.ok("POST", "/card-payments", {"payment_id": "p", "cart_id": "c", "amount_minor": 250}, role="cashier")
    shop.ok("POST", "/card-payments/p/press", {"outcome": "accept"}, role="cashier")
    shop.wait_for(lambda: shop.ok("GET", "/card-payments/p")["free"] or None, 60)
    shop.ok("DELETE", "/training")
    assert shop.ok("GET", "/card-payments")["payments"] == []


def test_the_paper_of_practice_says_that_it_is_no_sale(shop: Shop) -> None:
    practise(shop)
    sale = shop.sale("practice")
    paper = shop.ok("GET", f"/sales/{sale['sale_id']}/receipt")["text"]
    assert paper.count("TRAINING - NOT A SALE") == 2
    shop.ok("DELETE", "/training")
    real = shop.sale("real again")
    assert "TRAINING" not in shop.ok("GET", f"/sales/{real['sale_id']}/receipt")["text"]


def test_a_manager_begins_practice_and_changes_nothing_of_the_shop_in_it(shop: Shop) -> None:
    assert shop.call("POST", "/training", role="supervisor").status_code == 403
    practise(shop)
    assert shop.call("POST", "/training").status_code == 409
    assert shop.call("PATCH", "/products/tea", {"price_minor": 1}).status_code == 409
    assert shop.call("PATCH", "/settings", {"store": {"name": "Practice"}}).status_code == 409
    names = [one["name"] for one in shop.ok("GET", "/customers")["customers"]]
    assert names == ["Alex Example"]  # whoever practises sees nobody's data


def test_practice_ends_by_itself_and_with_the_program(shop: Shop, loop: Loop) -> None:
    begun = practise(shop)
    practice = shop.services.practising
    assert practice is not None
    assert practice.ends_ms - practice.began_ms == TRAINING_MS_MAX
    assert begun["ends_at"] > begun["began_at"]
    loop.run(shop.services.training().stop())
    assert shop.services.practising is None
    assert not (shop.data_dir / FOLDER).exists()
    (shop.data_dir / FOLDER / "till").mkdir(parents=True)  # as a till leaves it that was killed
    shop.services.trainer = None
    shop.services.training()
    assert not (shop.data_dir / FOLDER).exists()
