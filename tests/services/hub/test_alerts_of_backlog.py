"""Alerts about a head office that is away and about what piles up meanwhile, caused on real processes."""

import time
from contextlib import closing
from pathlib import Path

import pytest

from tests.alert_replay import Asked, Replay
from tests.faults.corner_shop import MANAGER
from tests.services.hub.office import running
from tests.services.hub.real_stores import Till, found, open_store, until
from tillmesh.terminal.bootstrap import open_terminal
from tillmesh.till.commands import Command, Note, Who
from tillmesh.till.watching import QUEUE_EVENTS_MAX

pytestmark = [pytest.mark.slow, pytest.mark.service, pytest.mark.timeout(300)]

HOUR_MS = 3_600_000
AT_ONCE = 1_000


def test_a_head_office_that_is_away_raises_alerts_until_it_is_back_and_has_it_all(tmp_path: Path) -> None:
    shop, hub, replay = tmp_path / "corner", tmp_path / "hub", Replay()
    now_ms = time.time_ns() // 1_000_000
    found(shop, hub, 1, at_ms=now_ms - 3 * HOUR_MS)
    with running(hub) as office:
        port, url = office.port, office.stores_url
        with open_store(shop, url) as (till,):
            until("head office has it all", lambda: waiting(till) == 0)
            replay.take(Asked("office", port, "office", ""), asked(till))
    write_down_much(shop / "till-0", now_ms - 2 * HOUR_MS)
    with open_store(shop, url) as (till,):
        until("it waits", lambda: waiting(till) > QUEUE_EVENTS_MAX)
        replay.take(Asked("office", port, "office", ""), asked(till))
        with running(hub, port=port):
            until("head office has it all", lambda: waiting(till) == 0)
            replay.take(Asked("office", port, "office", ""), asked(till))
    replay.judge(tmp_path / "alerts", [(), {"OfficeDown", "OfficeLag", "QueueDeep"}, ()])


def asked(till: Till) -> Asked:
    return Asked("till", till.program.port)


def waiting(till: Till) -> float:
    """Count the events that head office lacks, as Prometheus is told."""
    [line] = [
        line for line in till.program.metrics().splitlines() if line.startswith('tillmesh_queue_events{at="office"}')
    ]
    return float(line.split()[1])


def write_down_much(place: Path, at_ms: int) -> None:
    """Let more happen on a till that is not running than may wait."""
    note: list[tuple[Who, Command]] = [(MANAGER, Note(action="counted", subject="shelf", detail=""))] * AT_ONCE
    with closing(open_terminal(place)) as opened:
        for _ in range(QUEUE_EVENTS_MAX // AT_ONCE + 1):
            opened.writer.execute_all(opened.till, note, at_ms)
        opened.anchor.remember(opened.till.head, opened.till.receipts)
