"""Alerts about what tills of a store are to each other, caused on real ones: who leads, and what the leader lacks."""

import os
import signal
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest

from tests.alert_replay import Asked, Replay
from tests.faults.checker import History
from tests.faults.running import Program, until
from tests.faults.small_disk import SmallDisk, small_disk
from tests.faults.small_store import build_store, reachable, running
from tests.faults.test_wrong_clock import Clock
from tests.ports import free_ports
from tillmesh.terminal.council_recovery import recover_store
from tillmesh.till.room import Stage
from tillmesh.till.watching import ELECTIONS_HOUR_MAX, LEADER_LAG_S_MAX

pytestmark = [pytest.mark.slow, pytest.mark.service, pytest.mark.timeout(300)]

LONG_S, SALES_MAX = 120.0, 2_000
LAG, LEADERLESS = 'tillmesh_sync_lag_seconds{at="leader"}', "tillmesh_leaderless_seconds"
STAGE, TERM = "tillmesh_disk_stage", "tillmesh_leading_term"


def asked(tills: Sequence[Program]) -> list[Asked]:
    return [Asked(till.shop.name, till.port) for till in tills]


def without_models(tills: Sequence[Program]) -> Sequence[Program]:
    for till in tills:
        till.arguments += ("--no-ai",)
    return tills


def told(till: Program, series: str) -> float:
    """Read one series of what Prometheus is told; 0 if it is not told."""
    found = [line.split()[1] for line in till.metrics().splitlines() if line.startswith(series + " ")]
    return float(found[0]) if found else 0.0


def leader(tills: Sequence[Program]) -> Program | None:
    """Give the till that leads, as it says itself."""
    for till in tills:
        answer = till.get("/raft")
        if answer.status == 200 and answer.body["state"] == "leader" and answer.body["has_quorum"]:
            return till
    return None


@contextmanager
def asleep(till: Program) -> Iterator[None]:
    """Let a till stand still, as a machine that sleeps."""
    os.kill(till.pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(till.pid, signal.SIGCONT)


def fall_asleep_in_turn(tills: Sequence[Program]) -> None:
    """Let whoever leads stand still until another one leads, more often than is usual in an hour."""
    while max(told(till, "tillmesh_elections_total") for till in tills) <= ELECTIONS_HOUR_MAX:
        until(lambda: all(reachable(till) == len(tills) - 1 for till in tills), "all hear each other", LONG_S)
        first = until(lambda: leader(tills), "somebody leads", LONG_S)
        others = [till for till in tills if till is not first]
        with asleep(first):
            until(partial(leader, others), "another one leads", LONG_S)


def lead_in_one_term(tills: Sequence[Program]) -> None:
    """Wait until all lead; whoever is behind starts anew, which takes it one term further."""
    terms = {till.port: 0.0 for till in tills}
    while len(set(terms.values())) > 1 or 0 in terms.values():
        for till in tills:
            if terms[till.port] and terms[till.port] < max(terms.values()):
                till.kill()
                till.start()
            until(partial(told, till, TERM), "it leads", LONG_S)
            terms[till.port] = told(till, TERM)


def test_two_tills_that_were_both_told_to_decide_alone_raise_an_alert_while_both_run(tmp_path: Path) -> None:
    tills, replay = build_store(tmp_path, 2), Replay()
    with running(without_models(tills)):
        first = until(lambda: leader(tills), "somebody leads", LONG_S)
        replay.take(*asked(tills))
        for till in sorted(tills, key=lambda one: one is first):  # who follows goes first: no election begins
            till.kill()
    links = free_ports(2)
    for till, port in zip(tills, (links, links + 1), strict=True):
        recover_store(till.shop)  # an operator believes at each of them that the other one is lost
        till.arguments = ("--no-ai", "--no-mdns", "--link-bind", "127.0.0.1", "--link-port", str(port))
    with tills[0], tills[1]:
        lead_in_one_term(tills)
        replay.take(*asked(tills))
        tills[1].kill()
        replay.take(*asked(tills[:1]))
    replay.judge(tmp_path / "alerts", [(), {"SplitBrain"}, ()])


def have_voted_in(tills: Sequence[Program]) -> bool:
    """Say whether every till counts in elections: who has just come only learns, and a lone voter has no majority."""
    return all(len(till.get("/raft").body["voters"]) == len(tills) for till in tills)


def is_full_for(disk: SmallDisk, tills: Sequence[Program]) -> bool:
    """Fill again what a till has made free meanwhile; say whether all have seen that the disk is full."""
    disk.fill()
    return all(told(till, STAGE) >= Stage.TIGHT for till in tills)


def is_writing(till: Program) -> bool:
    return told(till, "tillmesh_writing") == 1 and told(till, "tillmesh_disk_reserve_held") == 1


def use_up(disk: SmallDisk, till: Program, token: str, history: History, name: str) -> None:
    """Fill a disk, and sell until the reserve is gone as well."""
    for number in range(SALES_MAX):
        disk.fill()
        answer = till.sell(token, history, f"{name}-{number}", number)
        assert answer is not None
        if answer.status == 507:
            return
    raise AssertionError("the disk never fills")


def use_up_where_one_leads(disk: SmallDisk, tills: Sequence[Program], tokens: Sequence[str], history: History) -> None:
    """Fill the disk of all tills but the last; on a slow machine that one is elected meanwhile, then once more."""
    *full, last = tills
    for attempt in range(5):
        if leader(full) is None:
            with asleep(last):
                until(lambda: leader(full), "one whose disk will be full leads", LONG_S)
        for till, token in zip(full, tokens, strict=False):
            use_up(disk, till, token, history, f"{till.shop.name}-{attempt}")
        if leader(full) is not None:
            return
        disk.clear()
    raise AssertionError("the last till is elected again and again")


def test_leaders_that_fall_asleep_or_can_not_take_sales_in_raise_alerts_until_they_are_well(tmp_path: Path) -> None:
    replay, clock, history = Replay(), Clock(tmp_path), History()
    with small_disk(tmp_path / "disk", "60m") as disk:
        tills = build_store(disk.place, 3, last=tmp_path)
        tills[2].environment = clock.environment()
        with running(without_models(tills)):
            until(lambda: leader(tills), "somebody leads", LONG_S)
            until(lambda: all(told(till, LEADERLESS) == 0 for till in tills), "all hear who leads", LONG_S)
            until(partial(have_voted_in, tills), "all count in elections", LONG_S)
            replay.take(*asked(tills))
            fall_asleep_in_turn(tills)
            with asleep(tills[2]):
                until(lambda: leader(tills[:2]), "one whose disk will be full leads", LONG_S)
            until(lambda: all(told(till, LEADERLESS) == 0 for till in tills), "all hear who leads", LONG_S)
            replay.take(*asked(tills))
            tokens = [till.sign_in() for till in tills]
            use_up_where_one_leads(disk, tills, tokens, history)
            answer = tills[2].sell(tokens[2], history, "lonely", 1)
            assert answer is not None
            assert answer.status == 201
            clock.set(timedelta(seconds=2 * LEADER_LAG_S_MAX))  # nobody has to wait for two minutes
            until(lambda: told(tills[2], LAG) > LEADER_LAG_S_MAX, "the leader lacks what was sold long ago", LONG_S)
            until(partial(is_full_for, disk, tills[:2]), "they looked at the disk", LONG_S)
            replay.take(*asked(tills))
            disk.clear()
            until(lambda: told(tills[2], LAG) == 0 and told(tills[2], LEADERLESS) == 0, "the leader has it", LONG_S)
            until(lambda: all(is_writing(till) for till in tills), "all write into room that is theirs", LONG_S)
            replay.take(*asked(tills))
    replay.judge(tmp_path / "alerts", [(), {"Elections"}, {"SyncLag", "DiskFull", "NotWriting"}, ()])
