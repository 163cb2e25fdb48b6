"""Tills on a bad network: partitions, a cut pair, flapping, bad weather, pulled cables (F18, F20, F23-F27)."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.faults.checker import Attempt, History, check
from tests.faults.corner_shop import assert_all_holds, read_books
from tests.faults.lan.street import Host, Street, raft, street
from tests.faults.running import until
from tests.faults.small_store import agree, trade

pytestmark = [pytest.mark.slow, pytest.mark.service, pytest.mark.xdist_group("lan")]
SOAK_S = float(
    os.environ.get("TILLMESH_LAN_S", "6")
)  # how long bad weather lasts; the catalogue's 5 and 10 minutes: 600


def change_footer(host: Host, text: str) -> int:
    token = host.sign_in("ruth")
    return host.call("PATCH", "/settings", {"store": {"receipt_footer": text}}, token).status


def footer(host: Host) -> str:
    return str(host.get("/settings", host.sign_in("ruth")).body["store"]["receipt_footer"])


def all_holds(hosts: Sequence[Host], history: History) -> None:
    """Stop the tills, then look at every disk: each acknowledged sale once, money, receipts, chains (I1 I2 I4 I7)."""
    for host in hosts:
        assert host.stop() == 0, host.said()
    for host in hosts:
        assert_all_holds(host.shop, history)


def test_f20_two_of_five_sell_on_without_deciding_anything_and_agree_after_healing(tmp_path: Path) -> None:
    with street(tmp_path, 5) as found:
        first = found.formed(5)
        few = [first, next(host for host in found.hosts if host is not first)]
        many = [host for host in found.hosts if host not in few]
        history = History()
        found.part([host.number for host in few], [host.number for host in many])
        new = found.leader(many)
        until(lambda: not any(raft(host)["has_quorum"] for host in few), "the others know that they are few")
        for host in found.hosts:
            trade(host, history, f"apart-{host.number}", 2)
        assert change_footer(few[1], "from the few") == 503
        assert change_footer(many[0], "from the many") == 200
        found.heal()
        agree(found.hosts)
        assert {footer(host) for host in found.hosts} == {"from the many"}
        assert found.leader() is new, "the old leader comes back as a follower"
        all_holds(found.hosts, history)


def test_f23_two_tills_that_do_not_hear_each_other_keep_one_leader_and_one_log(tmp_path: Path) -> None:
    with street(tmp_path, 3) as found:
        leader = found.formed(3)
        apart = next(host for host in found.hosts if host is not leader)
        between = next(host for host in found.hosts if host not in (leader, apart))
        history = History()
        found.cut(leader.number, apart.number)
        _live_through(found, history, "cut")
        agree(found.hosts)
        terms = {raft(host)["term"] for host in (leader, between)}
        assert len(terms) == 1
        found.heal()
        found.leader()
        all_holds(found.hosts, history)


def test_f24_a_till_that_comes_and_goes_deposes_nobody(tmp_path: Path) -> None:
    with street(tmp_path, 3) as found:
        leader = found.formed(3)
        term = raft(leader)["term"]
        flapping = next(host for host in found.hosts if host is not leader)
        others = [host.number for host in found.hosts if host is not flapping]
        history = History()
        end = time.monotonic() + 2 * SOAK_S
        turn = 0
        while time.monotonic() < end:
            found.part(others, [flapping.number]) if turn % 2 == 0 else found.heal()
            trade(flapping, history, f"flap-{turn}", 1)
            time.sleep(2)
            turn += 1
        found.heal()
        agree(found.hosts)
        assert raft(leader)["term"] <= term + 1
        assert found.leader() is leader
        all_holds(found.hosts, history)


@pytest.mark.parametrize(
    ("weather", "what"),
    [
        ({"delay_s": 0.05, "jitter_s": 0.005, "loss": 0.05}, "lost"),  # F25
        ({"jitter_s": 0.02, "double": 0.05, "corrupt": 0.02}, "corrupted"),  # F26
    ],
)
def test_f25_f26_a_bad_network_delays_sales_and_loses_none(
    tmp_path: Path, weather: dict[str, float], what: str
) -> None:
    with street(tmp_path, 3) as found:
        found.formed(3)
        history = History()
        found.order(weather=weather)
        _live_through(found, history, "weather")
        agree(found.hosts)
        assert found.order()[what] > 0, "the weather was bad"
        found.heal()
        found.leader()
        all_holds(found.hosts, history)


def test_f27_a_till_whose_cable_was_pulled_sells_on_and_catches_up(tmp_path: Path) -> None:
    with street(tmp_path, 3) as found:
        leader = found.formed(3)
        history = History()
        for turn, host in enumerate((leader, *(host for host in found.hosts if host is not leader))):
            host.cable("down")
            others = [other for other in found.hosts if other is not host]
            found.leader(others)
            trade(others[0], history, f"with-{turn}", 1)
            host.cable("up")
            trade(host, history, f"back-{turn}", 1)
            agree(found.hosts)
        all_holds(found.hosts, history)


def test_f18_a_killed_leader_is_followed_by_another_and_comes_back(tmp_path: Path) -> None:
    with street(tmp_path, 3) as found:
        leader = found.formed(3)
        history = History()
        trade(leader, history, "before", 2)
        leader.kill()
        rest = [host for host in found.hosts if host is not leader]
        assert found.leader(rest) in rest
        assert change_footer(rest[0], "without the old one") == 200
        trade(rest[1], history, "meanwhile", 2)
        leader.start()
        agree(found.hosts)
        assert footer(leader) == "without the old one"
        all_holds(found.hosts, history)


def _live_through(found: Street, history: History, name: str) -> None:
    """Sell on every till while the weather lasts."""
    end, turn = time.monotonic() + SOAK_S, 0
    while turn == 0 or time.monotonic() < end:
        for host in found.hosts:
            trade(host, history, f"{name}-{host.number}-{turn}", 1)
        turn += 1


def test_f35_the_last_bottle_sold_on_three_cut_off_tills_is_one_alert_and_voids_nothing(tmp_path: Path) -> None:
    with street(tmp_path, 3) as found:
        found.formed(3)
        first, history = found.hosts[0], History()
        manager = first.sign_in("ruth")
        assert first.call("POST", "/stock/counts", {"sku": "GIN", "quantity": 1}, manager).status < 300
        agree(found.hosts)
        found.part([1], [2], [3])
        until(lambda: all(sync_peers(host) == 0 for host in found.hosts), "every till is alone")
        for host in found.hosts:
            cart_id = f"gin-{host.number}"
            paid = [{"method": "cash", "amount_minor": 2000}]
            order = {"cart_id": cart_id, "lines": [{"sku": "GIN", "quantity": 1}], "payments": paid}
            answer = host.call("POST", "/sales", order, host.sign_in())
            assert answer.status == 201, answer
            told = answer.body
            history.note(Attempt(cart_id, "ok", told["sale_id"], told["receipt_number"], told["total_minor"]))
        found.heal()
        agree(found.hosts)
        for host in found.hosts:
            token = host.sign_in("ruth")
            assert host.get("/stock/GIN", token).body["value"] == "-2"
            [conflict] = [each for each in host.get("/conflicts", token).body["conflicts"] if each["sku"] == "GIN"]
            assert {each["action"] for each in conflict["suggestions"]} >= {"adjust"}
            assert all(host.get(f"/sales/{told.sale_id}", token).status == 200 for told in history.attempts)
            assert host.stop() == 0, host.said()
            books, others = read_books(host.shop)
            assert check(history, books, others) == []
            assert others == [], "nothing was voided or refunded"


def sync_peers(host: Host) -> int:
    return sum(peer["reachable"] for peer in host.get("/sync").body["peers"])
