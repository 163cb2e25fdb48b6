"""F36: somebody on the shop's network who lies about the tills, in every way that mDNS and TLS let him."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.faults.checker import History
from tests.faults.corner_shop import FLOAT_MINOR, MANAGER, found_shop
from tests.faults.lan_hosts import LanTill, cabled
from tests.faults.running import until
from tests.faults.small_store import actor_of, agree, reachable, trade
from tillmesh.adapters.lan.hints import store_mark
from tillmesh.kernel.ids import terminal_of
from tillmesh.terminal.joining import join_here
from tillmesh.terminal.provisioning import store_of

ROOT = Path(__file__).resolve().parents[2]
RECORDS = 10_000
GROWTH_KB_MAX = 48 << 10  # measured: 3 to 4 MB; the library's cache is bounded
pytestmark = [pytest.mark.service, pytest.mark.slow]


def test_f36_a_rogue_host_costs_no_link_no_sale_and_no_memory(tmp_path: Path) -> None:
    with cabled(3) as hosts:
        first, second = _tills(tmp_path, hosts)
        history = History()
        with first, second:
            until(lambda: reachable(first) == reachable(second) == 1, "they find each other by mDNS alone")
            trade(first, history, "before")
            agree([first, second])
            links = [till.said().count("the link to") for till in (first, second)]
            before_kb = [till.memory_kb() for till in (first, second)]
            rogue = _rogue(hosts[2], first, second)
            assert rogue.stdout is not None
            assert rogue.stdout.readline().strip() == "done"
            trade(second, history, "meanwhile")
            agree([first, second])
            assert reachable(first) == reachable(second) == 1
            assert [till.said().count("the link to") for till in (first, second)] == links, "no link was ever lost"
            grown_kb = [till.memory_kb() - held for till, held in zip((first, second), before_kb, strict=True)]
            assert max(grown_kb) < GROWTH_KB_MAX, grown_kb
            second.kill()
            second.start()  # while he goes on lying
            until(lambda: reachable(first) == reachable(second) == 1, "a till that was away is found all the same")
            trade(second, history, "after")
            agree([first, second])
            out, _ = rogue.communicate(timeout=60)
            assert rogue.returncode == 0, out


def _tills(folder: Path, hosts: list[str]) -> tuple[LanTill, LanTill]:
    places = [folder / "till-1", folder / "till-2"]
    found_shop(places[0], pins=True)
    join_here(places[0], places[1], number=2, float_minor=FLOAT_MINOR, by=MANAGER)
    first, second = (
        LanTill(place, port=8081, arguments=("--link-port", "9461"), namespace=host)
        for place, host in zip(places, hosts, strict=False)
    )
    return first, second


def _rogue(host: str, first: LanTill, second: LanTill) -> subprocess.Popen[str]:
    store = store_of(first.shop)
    names = " ".join(terminal_of(actor_of(till)) for till in (first, second))
    words = [store_mark(store), store, str(RECORDS), "10.79.0.3", names, "10.79.0.1:9461 10.79.0.2:9461"]
    command = ["ip", "netns", "exec", host, sys.executable, "-m", "tests.faults.rogue_host", *words]
    return subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
