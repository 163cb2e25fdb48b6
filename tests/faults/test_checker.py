"""The checker can fail: each kind of lie in the books is found, and so are mistakes planted into a real till."""

from dataclasses import replace
from pathlib import Path

import pytest

from tests.faults.checker import Attempt, History, Sold, check
from tests.faults.corner_shop import CASHIER, driving, found_shop, read_books, receipt_of, sale, total_minor
from tillmesh.kernel.errors import StorageFailed
from tillmesh.sim.disk import Disk, FaultVfs

TOLD = [Attempt(f"cart-{n}", "ok", f"till.actor-{n}", f"ACTO-{n:06d}", 500) for n in (1, 2, 3)]
BOOKS = [
    Sold(told.sale_id, told.cart_id, told.receipt_number, 500, 83, 0, 500, (1000,), (("TEA", 1000, 500),))
    for told in TOLD
]


def test_honest_books_have_no_broken_promise() -> None:
    assert check(History(list(TOLD)), BOOKS) == []


@pytest.mark.parametrize(
    ("broken", "books"),
    {
        "a sale is gone": ("I1", BOOKS[:2]),
        "a total was changed": ("I1", [replace(BOOKS[0], total_minor=499), *BOOKS[1:]]),
        "a receipt got another number": ("I1", [replace(BOOKS[0], receipt_number="ACTO-000009"), *BOOKS[1:]]),
        "a cart was sold twice": (
            "I2",
            [*BOOKS, replace(BOOKS[0], sale_id="till.actor-4", receipt_number="ACTO-000004")],
        ),
        "a sale nobody asked for": (
            "I2",
            [*BOOKS, replace(BOOKS[0], cart_id="ghost", sale_id="till.actor-4", receipt_number="ACTO-000004")],
        ),
        "the change is wrong": ("I4", [replace(BOOKS[0], change_minor=400), *BOOKS[1:]]),
        "a line costs more": ("I4", [replace(BOOKS[0], lines=(("TEA", 1000, 501),)), *BOOKS[1:]]),
        "a number is used twice": (
            "I7",
            [*BOOKS, replace(BOOKS[0], cart_id="cart-4", sale_id="till.actor-4")],
        ),
    }.values(),
)
def test_checker_names_the_broken_promise(broken: str, books: list[Sold]) -> None:
    assert broken in {line[:2] for line in check(History(list(TOLD)), books)}


def test_checker_finds_one_cart_with_two_answers() -> None:
    again = replace(TOLD[0], sale_id="till.actor-3", receipt_number="ACTO-000003")
    assert any("different answers" in line for line in check(History([*TOLD, again]), BOOKS))


def test_checker_finds_a_sale_after_everybody_was_told_no() -> None:
    told = [replace(TOLD[0], answer="fail"), *TOLD[1:]]
    assert [line[:2] for line in check(History(told), BOOKS)] == ["I2"]


def test_checker_finds_a_receipt_counter_kept_outside_of_the_transaction(tmp_path: Path) -> None:
    shop, history = tmp_path / "till", History()
    found_shop(shop)
    vfs = FaultVfs(Disk(fail_sync_at=6))
    with driving(shop, vfs=vfs.encrypted) as driver:
        for number in range(6):
            try:
                sale_id = str(driver.do_now(CASHIER, sale(f"cart-{number}", number)).reply)
            except StorageFailed:
                driver.opened.till.receipts += 1  # the planted mistake: the number stays taken
                history.note(Attempt(f"cart-{number}", "unknown"))
                continue
            receipt = receipt_of(driver, sale_id)
            history.note(Attempt(f"cart-{number}", "ok", sale_id, receipt, total_minor(number)))
    vfs.unregister()
    assert {line[:2] for line in check(history, read_books(shop)[0])} == {"I7"}
