"""F16: one till of the store lives ten years in the future. It drags nobody along, and its prices can be changed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.faults.checker import History
from tests.faults.corner_shop import assert_all_holds
from tests.faults.running import Program, until
from tests.faults.small_store import agree, build_store, running, trade
from tests.faults.test_wrong_clock import Clock, price_of

pytestmark = [pytest.mark.slow, pytest.mark.service]
TEN_YEARS = timedelta(days=3652)


def test_f16_a_till_ten_years_ahead_drags_nobody_along_and_its_prices_can_be_changed(tmp_path: Path) -> None:
    tills, history, clock = build_store(tmp_path, 3), History(), Clock(tmp_path)
    clock.set(TEN_YEARS)
    ahead = tills[2]
    ahead.environment = clock.environment()
    with running(tills):
        manager = ahead.sign_in("ruth")
        assert ahead.call("PATCH", "/products/GIN", {"price_minor": 1}, manager).status == 200
        for number, till in enumerate(tills):
            trade(till, history, f"sold-{number}", 2)
        agree(tills)
        assert year_of(tills[0]) <= datetime.now(UTC).year + 1, "the others are not dragged along"
        own = tills[0].sign_in("ruth")
        until(lambda: any(check["check"] == "clock" for check in checks(tills[0])), "the health page names the clock")
        until(lambda: any("check them" in entry for entry in audit(tills, "clock_ahead")), "a manager is told, once")
        assert tills[0].call("PATCH", "/products/GIN", {"price_minor": 1999}, own).status == 200
        until(
            lambda: all(price_of(till, till.sign_in("ruth"), "GIN") == 1999 for till in tills),
            "the price is right again",
        )
        agree(tills)
        for till in tills:
            assert till.stop() == 0, till.said()
    for till in tills:
        assert_all_holds(till.shop, history)


def year_of(till: Program) -> int:
    """Give the year of the last sale that a till rang up itself."""
    found = till.get("/sales?limit=50", till.sign_in("ruth")).body["sales"]
    mine = till.get("/state").body["terminal"]["actor"]
    dates = [sale["at"] for sale in found if str(sale["sale_id"]).startswith(mine)]
    return datetime.fromisoformat(max(dates)).year


def checks(till: Program) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = till.get("/health").body["checks"]
    return found


def audit(tills: list[Program], action: str) -> list[str]:
    entries = tills[0].get("/audit?limit=200", tills[0].sign_in("ruth")).body["entries"]
    return [str(entry["detail"]) for entry in entries if entry.get("action") == action]
