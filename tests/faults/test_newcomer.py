"""A till with an empty database gets a long history over its links: verified, in pieces, while the donor sells."""

import re
from pathlib import Path

import pytest

from tests.faults.checker import Attempt, History
from tests.faults.corner_shop import CASHIER, assert_all_holds, driving, sale
from tests.faults.running import Program, until
from tests.faults.small_store import agree, back, build_store, reachable, sells, trade
from tillmesh.till.commands import Command, Who

pytestmark = [pytest.mark.slow, pytest.mark.service, pytest.mark.timeout(240)]
EVENTS = 12_000
AT_ONCE = 500
NOTES = 100  # far more than the tills write into their audit logs meanwhile, far less than what came before the cut


def long_history(shop: Path, history: History) -> None:
    """Sell for weeks, without syncing each sale or telling anybody."""
    with driving(shop) as driver:
        opened = driver.opened
        opened.writer.db.execute("PRAGMA synchronous=OFF")
        for first in range(0, EVENTS, AT_ONCE):
            carts: list[tuple[Who, Command]] = [
                (CASHIER, sale(f"old-{number}", number)) for number in range(first, first + AT_ONCE)
            ]
            for number in range(first, first + AT_ONCE):
                history.note(Attempt(f"old-{number}", "unknown"))
            opened.writer.execute_all(opened.till, carts, opened.till.clock.last >> 16)
        opened.anchor.remember(opened.till.head, opened.till.receipts)


def to_come(till: Program) -> int | None:
    """Say how many events a till still waits for, as its page does; None while it does not say."""
    try:
        found = re.search(r"(\d+) events are still to come", str(till.get("/health").body))
    except OSError:
        return None
    return int(found[1]) if found else None


def test_newcomer_goes_on_where_a_cut_left_it_while_the_donor_sells(tmp_path: Path) -> None:
    (donor, newcomer), history = build_store(tmp_path, 2), History()
    long_history(donor.shop, history)
    for path in newcomer.shop.glob("till.db*"):
        path.unlink()
    with donor, newcomer:
        token, sold = donor.sign_in(), 0
        left = EVENTS
        while not 0 < left < EVENTS and not sells(newcomer):
            answer = donor.sell(token, history, f"meanwhile-{sold}", sold)
            assert answer is not None
            assert answer.status == 201, "selling never waits for a newcomer"
            sold += 1
            left = to_come(newcomer) or EVENTS
        if not sells(newcomer):
            newcomer.kill()
            newcomer.start()
            until(lambda: sells(newcomer) or to_come(newcomer) is not None, "it asks again")
            assert (to_come(newcomer) or 0) <= left + sold + NOTES, "it has what it had"
        back(newcomer)
        opened = newcomer.call("POST", "/shifts/open", {"float_minor": 0}, newcomer.sign_in("ruth"))
        assert opened.status < 300, opened
        trade(newcomer, history, "by the newcomer")
        until(lambda: reachable(donor) == reachable(newcomer) == 1, "both hear each other")
        agree([donor, newcomer])
        assert (donor.stop(), newcomer.stop()) == (0, 0)
    assert sold > 0
    for till in (donor, newcomer):
        assert_all_holds(till.shop, history)
