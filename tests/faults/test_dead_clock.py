"""S4: tills whose clock stands in 1970 or 400 days ahead sell, link, sync, and take new tills in."""

from __future__ import annotations

from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.faults.checker import History
from tests.faults.running import Program, until
from tests.faults.small_store import agree, build_store, reachable, trade
from tests.faults.test_wrong_clock import Clock
from tests.ports import free_port
from tillmesh.terminal import store_commands
from tillmesh.terminal.verifying import verify

pytestmark = [pytest.mark.slow, pytest.mark.service]
TO_1970 = datetime(1970, 1, 2, tzinfo=UTC) - datetime.now(UTC)
AHEAD = timedelta(days=400)


def test_tills_of_1970_and_of_next_year_sync_and_one_of_them_takes_in_a_new_till(tmp_path: Path) -> None:
    tills, history = build_store(tmp_path, 3), History()
    for till, offset in ((tills[0], TO_1970), (tills[1], AHEAD)):
        folder = till.shop.parent / f"clock-{till.shop.name}"
        folder.mkdir()
        clock = Clock(folder)
        clock.set(offset)
        till.environment.update(clock.environment())
    with ExitStack() as undo:
        for till in tills:
            undo.enter_context(till)
        until(lambda: all(reachable(till) == 2 for till in tills), "all of them hear each other")
        for number, till in enumerate(tills):
            trade(till, history, f"till-{number}")
        agree(tills)
        shown = tills[0].call("POST", "/store/pairing", None, tills[0].sign_in("ruth")).body
        place = tmp_path / "till-4"
        store_commands.join(place, shown["code"], address=f"127.0.0.1:{shown['port']}")
        link = tills[0].arguments[tills[0].arguments.index("--link-port") + 1]
        arguments = ("--no-mdns", "--link-bind", "127.0.0.1", "--peer", f"127.0.0.1:{link}")
        fourth = undo.enter_context(Program(place, port=free_port(), arguments=arguments))
        until(lambda: reachable(fourth) >= 1, "the new till is linked")
        agree([*tills, fourth])
    for place in (*(till.shop for till in tills), fourth.shop):
        report = verify(place, quick=True)
        assert report["ok"], report["problems"]
