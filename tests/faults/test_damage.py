"""F11: single bits flipped on the disk. A till may refuse, or say what it lost; it may never be silently wrong."""

import os
import random
import re
import signal
from collections import Counter
from pathlib import Path

import pytest

from tests.faults.checker import History
from tests.faults.corner_shop import CASHIER, driving, found_shop, read_audit, read_books, receipt_of, sale
from tests.faults.seller import Seller
from tillmesh.kernel.errors import Damaged
from tillmesh.terminal.verifying import verify

FLIPS = int(os.environ.get("TILLMESH_FAULT_SEEDS", "200"))
pytestmark = pytest.mark.timeout(120 + FLIPS)


def flip(path: Path, draw: random.Random, *, first: int = 0) -> int:
    """Flip one bit of a file at a random place; doing it with the same draw again undoes it."""
    at, bit = draw.randrange(first, path.stat().st_size), draw.randrange(8)
    with path.open("r+b") as file:
        file.seek(at)
        byte = file.read(1)[0]
        file.seek(at)
        file.write(bytes([byte ^ 1 << bit]))
    return at


def is_detected(shop: Path) -> bool:
    try:
        return not verify(shop)["ok"]
    except Damaged:
        return True


@pytest.mark.slow
def test_every_flipped_bit_of_the_database_is_detected(tmp_path: Path) -> None:
    shop = tmp_path / "till"
    found_shop(shop)
    with driving(shop) as driver:
        for number in range(100):
            driver.do_now(CASHIER, sale(f"cart-{number}", number))
    silent = []
    for seed in range(FLIPS):
        at = flip(shop / "till.db", random.Random(seed))
        if not is_detected(shop):
            silent.append(at)
        flip(shop / "till.db", random.Random(seed))
    assert verify(shop)["ok"], "every flip was undone"
    assert silent == []


@pytest.mark.slow
def test_flipped_bit_in_the_write_ahead_log_is_told_by_the_anchor(tmp_path: Path) -> None:
    shop, history = tmp_path / "till", History()
    found_shop(shop)
    with Seller(tmp_path) as seller:
        carts = [(f"cart-{number}", number) for number in range(12)]
        assert seller.sell(shop, carts, history, dies=True) == -signal.SIGKILL
    files = {path: path.read_bytes() for path in shop.iterdir() if path.is_file() and path.name != "reserve"}
    told = Counter(what_a_start_tells(shop, history, files, random.Random(seed)) for seed in range(FLIPS // 2))
    assert set(told) <= {"lost range", "refused"}
    assert told["lost range"] > FLIPS // 4


def what_a_start_tells(shop: Path, history: History, files: dict[Path, bytes], draw: random.Random) -> str:
    """Put the files back as the killed till left them, flip a bit of the log, start, and sell one more."""
    for path, content in files.items():
        path.write_bytes(content)  # in place: the anchor is known by its inode
    flip(shop / "till.db-wal", draw)
    try:
        with driving(shop) as driver:
            outcome = driver.do_now(CASHIER, sale("one more", 1))
            receipt = receipt_of(driver, str(outcome.reply))
            notices = driver.opened.notices
    except Damaged:
        return "refused"
    books, _ = read_books(shop)
    assert receipt not in {told.receipt_number for told in history.attempts}
    lost = [told.sale_id for told in history.attempts if told.sale_id not in {sold.sale_id for sold in books}]
    assert lost, "each bit of this log belongs to a committed sale"
    [(_, detail)] = notices
    numbers = re.match(r"events (\d+) to (\d+) of", detail)
    assert numbers is not None, detail
    assert {int(sale_id.rpartition("-")[2]) for sale_id in lost} <= set(range(int(numbers[1]), int(numbers[2]) + 1))
    assert read_audit(shop, "new_incarnation") == [detail]
    assert verify(shop)["ok"]
    return "lost range"
