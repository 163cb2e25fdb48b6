"""Fault F35 of the catalogue on real processes: the last item sold on three tills at once, in three partitions.

Tickets, which are hard-limited, are in the same store: of those each till sells its own and not one more.
"""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.services.test_demo_program import ask, call, ctl, demo, hashes, reachable, until

pytestmark = [pytest.mark.slow, pytest.mark.service, pytest.mark.timeout(240)]
SKU = "FM-00301"


def verified(data_dir: str) -> Any:
    """Check a till's whole log beside the running program."""
    command = [sys.executable, "-m", "tillmesh", "verify", data_dir]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads(done.stdout)


def part_all(tills: list[dict[str, Any]]) -> None:
    """Three partitions; the demo's own `cut` makes two. A till reads in its file whom it does not reach."""
    for till in tills:
        beyond = "".join(f"{other['terminal_id']}\n" for other in tills if other["n"] != till["n"])
        half = Path(till["data_dir"]) / "cut.half"
        half.write_text(beyond, "utf-8")
        half.rename(half.with_name("cut"))


def bring_tickets(urls: list[str], managers: list[str]) -> None:
    """Three tickets come in at the first till; by themselves the tills share them."""
    ticket = {"sku": "gig", "name": "Gig", "price_minor": 380, "hard_limited": True}
    call(urls[0], "POST", "/products", ticket, managers[0])
    call(urls[0], "POST", "/stock/receipts", {"sku": "gig", "quantity": "3"}, managers[0])
    doors = list(zip(urls, managers, strict=True))

    def held() -> list[str]:
        answers = [ask(url, "GET", "/rights/gig", token=token) for url, token in doors]
        return [json.loads(data).get("here", "") for status, data in answers if status == 200]

    until(lambda: held() == ["1", "1", "1"])


def sell_a_ticket(url: str, token: str, cart_id: str) -> int:
    """Sell one, and give the status of the answer."""
    cash = [{"method": "cash", "amount_minor": 380}]
    sale = {"cart_id": cart_id, "lines": [{"sku": "gig", "quantity": "1"}], "payments": cash}
    return ask(url, "POST", "/sales", json.dumps(sale).encode(), token)[0]


def test_the_last_item_sold_in_three_partitions_is_one_alert_and_no_money_moves(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with demo(data, "--tills", "3") as (_, state):
        urls = [till["url"] for till in state["tills"]]
        managers = [call(url, "POST", "/session", {"pin": "9999"})["token"] for url in urls]

        def everywhere(path: str) -> list[Any]:
            return [call(url, "GET", path, token=token) for url, token in zip(urls, managers, strict=True)]

        until(lambda: all(reachable(url) == 2 for url in urls))
        call(urls[0], "POST", "/stock/counts", {"sku": SKU, "quantity": "1"}, managers[0])
        until(lambda: [one["value"] for one in everywhere(f"/stock/{SKU}")] == ["1"] * 3)
        bring_tickets(urls, managers)
        part_all(state["tills"])
        until(lambda: [reachable(url) for url in urls] == [0, 0, 0])
        sold = []
        for place, url in enumerate(urls):
            token = call(url, "POST", "/session", {"pin": "1111"})["token"]
            sale = {
                "cart_id": f"last-{place}",
                "lines": [{"sku": SKU, "quantity": "1"}],
                "payments": [{"method": "cash", "amount_minor": 380}],
            }
            sold.append(call(url, "POST", "/sales", sale, token))
            assert [sell_a_ticket(url, token, f"gig-{place}-{n}") for n in range(3)] == [201, 409, 409]
        assert [one["open"] for one in everywhere("/conflicts")] == [0, 0, 0]

        ctl(data, "heal")
        until(lambda: all(reachable(url) == 2 for url in urls) and len(hashes(urls)) == 1)
        assert [(one["total"], one["here"], one["unheld"]) for one in everywhere("/rights/gig")] == [
            ("0", "0", "0")
        ] * 3
        assert [one["value"] for one in everywhere("/stock/gig")] == ["0"] * 3
        told = everywhere("/conflicts")
        for one in told:
            (conflict,) = one["conflicts"]
            assert (one["open"], conflict["sku"], conflict["stock"], conflict["missing"]) == (1, SKU, "-2", "2")
            assert {sale["sale_id"] for sale in conflict["sales"]} == {one["sale_id"] for one in sold}
            assert [sale["over"] for sale in conflict["sales"]] == [True, True, False]
        assert len({one["conflicts"][0]["id"] for one in told}) == 1, "one alert, under one name"
        assert [one["oversold"] for one in everywhere("/state")] == [1, 1, 1]
        for sale in sold:
            assert {one["state"] for one in everywhere(f"/sales/{sale['sale_id']}")} == {"closed"}
        checked = [verified(till["data_dir"]) for till in state["tills"]]
        assert len({one["sales"] for one in checked}) == 1
