"""F14: the wall clock jumps back an hour while the till sells."""

import shutil
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.faults.checker import History
from tests.faults.corner_shop import PRICES, assert_all_holds, found_shop, read_books
from tests.faults.running import Program

pytestmark = [pytest.mark.slow, pytest.mark.service]


class Clock:
    """The wall clock of one program, by libfaketime; its monotonic clock stays as it is."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / "clock"
        self.set(timedelta())

    def set(self, offset: timedelta) -> None:
        self._file.write_text(f"{offset.total_seconds():+.0f}\n")

    def environment(self) -> dict[str, str]:
        return {
            "LD_PRELOAD": library(),
            "FAKETIME_TIMESTAMP_FILE": str(self._file),
            "FAKETIME_NO_CACHE": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        }


def library() -> str:
    """Find libfaketime, or skip saying why."""
    if shutil.which("faketime") is None:
        pytest.skip("faketime is not installed; scripts/setup.sh test installs it")
    shown = subprocess.run(
        ["faketime", "-f", "+0", "printenv", "LD_PRELOAD"], capture_output=True, text=True, check=True
    )
    return shown.stdout.strip()


def price_of(program: Program, token: str, sku: str) -> int:
    return int(program.get(f"/products/{sku}", token).body["price_minor"])


def test_clock_going_back_an_hour_neither_doubles_sales_nor_reverts_prices(tmp_path: Path) -> None:
    shop, history, clock = tmp_path / "till", History(), Clock(tmp_path)
    found_shop(shop, pins=True)
    now = datetime.now(UTC)
    # Far from midnight: the same shop day before and after the jump.
    clock.set(now.replace(hour=15, minute=0) - now)
    with Program(shop, environment=clock.environment()) as program:
        cashier, manager = program.sign_in(), program.sign_in("ruth")
        for number in range(4):
            program.sell(cashier, history, f"before-{number}", number)
        assert program.call("PATCH", "/products/GIN", {"price_minor": 2500}, manager).status == 200

        clock.set(now.replace(hour=14, minute=0) - now)
        assert program.get("/session", cashier).status == 200, "nobody is signed out by a clock"
        assert program.call("PATCH", "/products/GIN", {"price_minor": PRICES["GIN"]}, manager).status == 200
        assert price_of(program, cashier, "GIN") == PRICES["GIN"], "the later change wins, whatever the clock says"
        for number in range(4):
            program.sell(cashier, history, f"before-{number}", number)  # again: the same receipts
            program.sell(cashier, history, f"after-{number}", number)
        program.kill()
        program.start()
        cashier = program.sign_in()
        assert price_of(program, cashier, "GIN") == PRICES["GIN"]
        program.sell(cashier, history, "restarted", 4)
        totals = program.get(f"/reports/day?date={now.date()}", program.sign_in("ruth")).body
        assert program.stop() == 0
    assert_all_holds(shop, history)
    sales, _ = read_books(shop)
    assert len(sales) == 9
    assert totals["total_minor"] == sum(sold.total_minor for sold in sales)
    assert totals["sales"] == 9
    hours = {hour["hour"]: hour["sales"] for hour in totals["hours"] if hour["sales"]}
    assert hours == {15: 4, 14: 5}
