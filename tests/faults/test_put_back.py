"""One till of a store with others is put back from a back-up that is older than what the others know: real programs."""

from __future__ import annotations

import shutil
import time
from pathlib import Path

import pytest

from tests.faults.checker import Attempt, History
from tests.faults.corner_shop import CASHIER, assert_all_holds, driving, receipt_of, sale, total_minor
from tests.faults.running import Program, until
from tests.faults.small_store import actor_of, agree, build_store, replicated, running, trade
from tillmesh.terminal import backup, provisioning, store_commands

pytestmark = [pytest.mark.slow, pytest.mark.service, pytest.mark.timeout(300)]
MONTHS_S = 60 * 86_400
AUDITED = ("till_reborn", "former_till_listed", "former_till_retired")


def lose_and_put_back(till: Program, whole: Path, key: Path) -> str:
    """Lose the disk of a till and put its back-up back; give what its next receipts begin with."""
    till.kill()
    shutil.rmtree(till.shop)
    return str(backup.restore(whole, till.shop, key_file=key)["receipts_begin_with"])


def sell_alone(shop: Path, history: History, cart_id: str) -> str:
    """Sell at a till whose program hears nobody; give the receipt number."""
    with driving(shop) as driver:
        sold = str(driver.do_now(CASHIER, sale(cart_id, 1)).reply)
        number = receipt_of(driver, sold)
    history.note(Attempt(cart_id, "ok", sold, number, total_minor(1)))
    return number


def let_months_pass(issuer: Path) -> None:
    """Let the store have gone on for two months: its issuer vouches for that time."""
    store = provisioning.store_of(issuer)
    membership = provisioning.membership_in(issuer, store)
    revised = membership.revised(int(time.time()) + MONTHS_S, {})
    provisioning.leave_list(issuer, provisioning.authority_in(issuer, store).sign(revised))


def vouched_s(till: Program) -> int:
    """Say up to when the running program's own list vouches: one that was merely left there counts for nothing yet."""
    if provisioning.lists_left(till.shop):
        return 0
    return provisioning.membership_in(till.shop, provisioning.store_of(till.shop)).roster.as_of_s


def take_in(till: Program, host: Program) -> None:
    """Let a till whose certificate has ended join its store again, with all that it holds."""
    shown = host.call("POST", "/store/pairing", None, host.sign_in("ruth"))
    assert shown.status == 201, shown
    store_commands.join(till.shop, shown.body["code"], address=f"127.0.0.1:{shown.body['port']}")


def assert_audited(till: Program, joined: str) -> None:
    """Of the names that the other till had, the one in between is told as what it was, once."""
    entries = till.get("/audit?limit=200", till.sign_in("ruth")).body["entries"]
    told = {action: [one["detail"] for one in entries if one["action"] == action] for action in AUDITED}
    assert all(told.values()), told
    assert [detail.startswith(f"{joined} was ") for detail in told["former_till_listed"]] == [True]
    assert not any(detail.startswith(joined) for detail in told["till_reborn"])


def test_a_till_put_back_from_a_back_up_beside_living_ones_hears_what_they_know_and_brings_what_only_it_had(
    tmp_path: Path,
) -> None:
    tills, history = build_store(tmp_path, 2), History()
    first, second = tills
    for till in tills:
        till.arguments += ("--no-ai",)
    safe, to = tmp_path / "safe.key", tmp_path / "backups"
    shutil.copy(second.shop / "keys" / "database.key", safe)
    to.mkdir()
    with running(tills):
        numbers = trade(second, history, "before")
        actors = {actor_of(second)}
        whole = Path(backup.make(second.shop, to)["backup"])
        known = trade(second, history, "the other knows", 2)
        replicated(second)
        begin = lose_and_put_back(second, whole, safe)
        second.start()
        agree(tills)
        actors.add(actor_of(second))
        assert trade(second, history, "the other knows", 2) == known, "the same sales, not others"
        anew = trade(second, history, "after")
        assert {number[:4] for number in anew} == {begin}
        replicated(second)

        assert second.stop() == 0
        unheard = sell_alone(second.shop, history, "only the back-up has it")
        whole = Path(backup.make(second.shop, to)["backup"])
        begin = lose_and_put_back(second, whole, safe)
        let_months_pass(first.shop)
        until(lambda: vouched_s(first) > time.time() + MONTHS_S / 2, "the certificate in the back-up has ended")
        take_in(second, first)
        (second.shop / "keys" / provisioning.ISSUER).unlink(missing_ok=True)  # as in a larger store: it has to ask
        second.start()
        agree(tills)
        actors.add(actor_of(second))
        newest = trade(second, history, "in the end")
        assert not {number[:4] for number in newest} & {number[:4] for number in (*numbers, *known, *anew, unheard)}
        assert begin not in {number[:4] for number in newest}, "it joined again, as somebody else once more"
        assert len(actors) == 3
        replicated(second)
        agree(tills)
        assert_audited(first, actor_of(second))
        assert (first.stop(), second.stop()) == (0, 0)
    for till in tills:
        assert_all_holds(till.shop, history)
