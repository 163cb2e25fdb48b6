"""A day's backlog of fifteen tills at a head office that says "later" and "busy": all of it arrives, once."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.laws.hub_world import STORE, Fate, Office, Till
from tests.services.hub.broken_line import FarTill, limited
from tests.services.hub.office import enrolled, running
from tillmesh.adapters.wan.bundle import Bundle
from tillmesh.adapters.wan.client import HubClient, Unreachable
from tillmesh.hub.commands import rebuild_master

pytestmark = [pytest.mark.slow, pytest.mark.service, pytest.mark.timeout(300)]
A = "tilla.aaaaaaaa"
TILLS, SALES, WAIT_S = 15, 100, 120.0
# The crowd stands for many stores: together they ask more than one may.
STINGY = "uploads_burst = 1\nuploads_per_s = 1\nasks_burst = 100000\nasks_per_s = 10000\nwaiting_max = 1\n"
LATER_MS = 4_000_000  # longer than head office ever asks to wait


@contextmanager
def crowd(url: str, bundle: Bundle, size: int) -> Iterator[None]:
    """Let others ask all the time, so that there is always somebody who waits."""
    over = threading.Event()

    def ask() -> None:
        client = HubClient(url, bundle)
        while not over.is_set():
            try:
                client.state()
            except Unreachable:
                break
        client.close()

    threads = [threading.Thread(target=ask) for _ in range(size)]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        over.set()
        for thread in threads:
            thread.join()


def test_a_days_backlog_of_fifteen_tills_arrives_through_later_and_busy(tmp_path: Path) -> None:
    bundle, another = enrolled(tmp_path / "hub", STORE), enrolled(tmp_path / "hub", "another")
    with running(tmp_path / "hub", limited(tmp_path / "hub", STINGY)) as office:
        leader = FarTill(A, office.stores_url, bundle)
        taken = 0
        for number in range(TILLS):
            till = Till(f"till{number:02}.bbbbbbbb", Office(), lambda: Fate.ARRIVES)
            for sale in range(SALES):
                till.sell(100 + sale)
                taken += 100 + sale
            leader.learn(till)
        end = time.monotonic() + WAIT_S
        with crowd(office.stores_url, another, 3):
            leader.lead(1)
            while not {200, 429, 503} <= leader.statuses.keys():
                leader.sell(100)
                leader.wait(LATER_MS)
                assert time.monotonic() < end, leader.statuses
        while leader.behind:
            leader.wait(LATER_MS)
            assert time.monotonic() < end, leader.statuses
        leader.client.close()
        assert leader.statuses.keys() <= {200, 429, 503}
        (shown,) = office.call("GET", "/stores")[1]["stores"]
        sales = TILLS * SALES + len(leader.logs[A])
        assert (shown["events"], shown["sales"], shown["revenue_minor"]) == (sales, sales, taken + leader.taken_minor)
    assert rebuild_master(tmp_path / "hub")["same"] is True
