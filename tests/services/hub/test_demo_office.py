"""A demo with head office: what the tills sell arrives, whatever happens to the internet, and prices come down."""

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.services.test_demo_program import call, ctl, demo
from tillmesh.demo.office import OFFICE_PASSWORD, OFFICE_USER
from tillmesh.hub.commands import rebuild_master
from tillmesh.terminal.verifying import verify

WAIT_S = 90.0


def until(what: str, holds: Callable[[], bool]) -> None:
    """Wait for something of the shop, generously."""
    end = time.monotonic() + WAIT_S
    while not holds():
        assert time.monotonic() < end, what
        time.sleep(0.1)


def reported_of(hub: str, token: str) -> int:
    """Give all net sales as analytics has them."""
    days = call(hub, "GET", "/reports/days", token=token)["days"]
    return sum(int(day["net_minor"]) for day in days)


class Till:
    """One till of the demo, with a manager signed in."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.token = call(url, "POST", "/session", {"pin": "9999"})["token"]

    def get(self, path: str) -> Any:
        return call(self.url, "GET", path, token=self.token)

    def sell(self, cart_id: str) -> Any:
        sale = {
            "cart_id": cart_id,
            "lines": [{"sku": "FM-00301", "quantity": "2"}],
            "payments": [{"method": "cash", "amount_minor": 5000}],
        }
        return call(self.url, "POST", "/sales", sale, self.token)

    def state_of(self, sold: Any) -> str:
        return str(self.get(f"/sales/{sold['sale_id']}")["sync_state"])


@pytest.mark.slow
@pytest.mark.service
@pytest.mark.timeout(400)
def test_what_two_tills_sell_without_internet_is_at_head_office_once_it_is_back(tmp_path: Path) -> None:
    with demo(tmp_path, "--tills", "2") as (_, state):
        hub = state["hub"]["url"]
        token = call(hub, "POST", "/session", {"user": OFFICE_USER, "password": OFFICE_PASSWORD})["token"]
        tills = [Till(till["url"]) for till in state["tills"]]

        def store() -> Any:
            return call(hub, "GET", "/stores", token=token)["stores"][0]

        first = tills[0].sell("with-internet")
        until("the sale is complete", lambda: tills[0].state_of(first) == "complete")
        until("the other till knows of it", lambda: tills[1].state_of(first) == "complete")
        before = store()

        assert ctl(tmp_path, "wan", "off").returncode == 0
        until("the tills notice", lambda: not any(till.get("/sync")["hub_reachable"] for till in tills))
        sold = [till.sell(f"without-{n}-{number}") for n, till in enumerate(tills) for number in range(5)]
        assert all(each["durable"] for each in sold)
        assert store()["revenue_minor"] == before["revenue_minor"]

        assert ctl(tmp_path, "wan", "on").returncode == 0
        until("all is complete", lambda: all(t.get("/sync")["complete"] for t in tills) and all(
            till.state_of(each) == "complete" for till in tills for each in sold))  # fmt: skip
        after = store()
        assert after["sales"] - before["sales"] == len(sold)
        assert after["revenue_minor"] - before["revenue_minor"] == sum(each["total_minor"] for each in sold)
        for till in tills:
            shown = till.get("/sync")
            assert shown["hub_reachable"] is True
            assert shown["last_hub_sync"] is not None
            assert (shown["pending"], shown["sent_to_hub"]) == (0, 0)

        call(hub, "PATCH", "/catalogue/FM-00301", {"price_minor": 399}, token)
        until(
            "the price is on every till",
            lambda: [t.get("/products/FM-00301")["price_minor"] for t in tills] == [399, 399],
        )
        assert tills[1].sell("with the new price")["total_minor"] == 798
        until("the report is right", lambda: reported_of(hub, token) == store()["revenue_minor"])
        folders = [till["data_dir"] for till in state["tills"]]
    for data_dir in folders:
        assert verify(Path(data_dir))["problems"] == []
    report = rebuild_master(tmp_path / "hub")
    assert report["same"] is True


@pytest.mark.slow
@pytest.mark.service
@pytest.mark.timeout(400)
def test_a_leader_that_dies_with_sales_to_upload_is_followed_and_prices_agree_everywhere(tmp_path: Path) -> None:
    with demo(tmp_path, "--tills", "3") as (_, state):
        hub = state["hub"]["url"]
        token = call(hub, "POST", "/session", {"user": OFFICE_USER, "password": OFFICE_PASSWORD})["token"]
        tills = {till["n"]: Till(till["url"]) for till in state["tills"]}
        ids = {till["terminal_id"]: till["n"] for till in state["tills"]}
        until("three tills vote", lambda: len(tills[1].get("/raft")["voters"]) == 3)

        def store() -> Any:
            return call(hub, "GET", "/stores", token=token)["stores"][0]

        def price(sku: str) -> set[int]:
            found = call(hub, "GET", f"/stores/{store()['store']}/products?q={sku}", token=token)["products"]
            return {int(till.get(f"/products/{sku}")["price_minor"]) for till in tills.values()} | {
                product["price_minor"] for product in found
            }

        waiting = ("pending", "sent_to_leader", "acked_by_leader", "sent_to_hub")
        until("head office holds the history", lambda: tills[1].get("/sync")["complete"] > 0)
        until("all of it", lambda: all(t.get("/sync")[word] == 0 for t in tills.values() for word in waiting))
        before = store()
        assert ctl(tmp_path, "wan", "off").returncode == 0
        until("the tills notice", lambda: not any(till.get("/sync")["hub_reachable"] for till in tills.values()))
        # The later change wins, wherever it was made, on every till and at head office.
        call(hub, "PATCH", "/catalogue/FM-00301", {"price_minor": 410}, token)
        call(tills[2].url, "PATCH", "/products/FM-00301", {"price_minor": 420}, tills[2].token)
        call(tills[2].url, "PATCH", "/products/FM-00302", {"price_minor": 510}, tills[2].token)
        call(hub, "PATCH", "/catalogue/FM-00302", {"price_minor": 520}, token)
        sold = [till.sell(f"backlog-{n}-{number}") for n, till in tills.items() for number in range(10)]
        leader = ids[tills[1].get("/raft")["leader_id"]]
        until("the others hold what the leader sold", lambda: all(
            len(tills[leader].get(f"/sales/{each['sale_id']}")["replicated_to"]) == 2 for each in sold))  # fmt: skip
        assert ctl(tmp_path, "wan", "on").returncode == 0
        assert ctl(tmp_path, "kill", str(leader)).returncode == 0  # whatever it was doing
        del tills[leader]
        # The dead leader may have uploaded its backlog before it died; this one it can't have.
        sold.append(next(iter(tills.values())).sell("after its death"))
        until("another one has uploaded everything", lambda: store()["sales"] - before["sales"] == len(sold))
        until("and says so", lambda: all(till.state_of(each) == "complete" for till in tills.values() for each in sold))
        assert store()["revenue_minor"] - before["revenue_minor"] == sum(each["total_minor"] for each in sold)
        assert store()["term"] > before["term"]
        until("the till's later price holds", lambda: price("FM-00301") == {420})
        until("head office's later price holds", lambda: price("FM-00302") == {520})


@pytest.mark.slow
@pytest.mark.service
@pytest.mark.timeout(400)
def test_a_till_says_that_head_office_is_gone_and_sells_on(tmp_path: Path) -> None:
    with demo(tmp_path, "--tills", "1") as (_, state):
        (till,) = [Till(each["url"]) for each in state["tills"]]
        until("head office was heard of", lambda: till.get("/sync")["last_hub_sync"] is not None)
        os.kill(state["hub"]["pid"], signal.SIGKILL)
        until("the till notices without selling", lambda: till.get("/sync")["hub_reachable"] is False)
        assert till.sell("on its own")["durable"] is True
        assert till.get("/sync")["last_hub_sync"] is not None
