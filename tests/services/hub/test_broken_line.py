"""An upload over real TLS that breaks at 200 places: every event is at head office once, whoever sent it how often."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.laws.hub_world import STORE
from tests.services.hub.broken_line import BrokenLine, FarTill, limited
from tests.services.hub.office import RunningOffice, enrolled, running
from tillmesh.hub.commands import rebuild_master

pytestmark = [pytest.mark.slow, pytest.mark.service, pytest.mark.timeout(300)]
A, B = "tilla.aaaaaaaa", "tillb.bbbbbbbb"
CUTS = 200
QUICK = "uploads_burst = 100000\nuploads_per_s = 10000\n"  # being put off is another test's matter
LATER_MS = 400_000  # longer than any till waits before it tries again


class FarStore:
    """Head office, the line to it, and the two tills of a store that may upload over it."""

    def __init__(self, office: RunningOffice, line: BrokenLine, tills: Sequence[FarTill]) -> None:
        self.office, self.line, self.tills = office, line, tills

    def at_head_office(self) -> tuple[int, int, int]:
        """Give events, sales and revenue as head office shows them."""
        (shown,) = self.office.call("GET", "/stores")[1]["stores"]
        return shown["events"], shown["sales"], shown["revenue_minor"]

    def at_the_tills(self) -> tuple[int, int, int]:
        """Give the same as the tills counted it; all that they did is sell."""
        count = sum(len(till.logs.get(till.actor, [])) for till in self.tills)
        return count, count, sum(till.taken_minor for till in self.tills)

    def talk(self) -> None:
        """Let both tills hear what the other one holds, as over the shop's network."""
        self.tills[0].learn(self.tills[1])
        self.tills[1].learn(self.tills[0])


@contextmanager
def far_store(folder: Path) -> Iterator[FarStore]:
    bundle = enrolled(folder, STORE)
    with running(folder, limited(folder, QUICK)) as office:
        line = BrokenLine(office.port + 1)
        tills = [FarTill(actor, f"https://127.0.0.1:{line.port}", bundle) for actor in (A, B)]
        try:
            yield FarStore(office, line, tills)
        finally:
            for till in tills:
                till.client.close()
            line.close()


def drain(till: FarTill) -> None:
    """Let a till that leads try until nothing is left."""
    for _ in range(100):
        till.wait(LATER_MS)
        if not till.behind:
            return
    raise AssertionError(f"{till.behind} events are still not at head office: {till.statuses}")


def test_a_line_that_breaks_at_two_hundred_places_loses_and_doubles_nothing(tmp_path: Path) -> None:
    rng = random.Random(20_261_125)
    with far_store(tmp_path / "hub") as store:
        leader, other = store.tills
        for till in store.tills:
            for _ in range(250):
                till.sell(rng.randrange(1, 10_000))
        store.talk()
        term = 1
        leader.lead(term)
        while store.line.cuts < CUTS:
            for till in store.tills:
                for _ in range(rng.randrange(1, 6)):
                    till.sell(rng.randrange(1, 10_000))
            store.talk()
            match rng.randrange(10):
                case 0:  # the leader is cut off in mid-batch, and the other one goes on in the next term
                    store.line.cut_after("up", rng.randrange(3_000))
                    leader.wait(LATER_MS)
                    leader, other, term = other, leader, term + 1
                    leader.lead(term)
                case 1:  # one that led before comes back and sends all it has, in a term that is over
                    other.lead(None)
                    other.lead(max(1, term - 1))
                case 2:
                    store.line.swallow(rng.randrange(1, 4))
                case _:
                    store.line.cut_after(*rng.choice([("up", rng.randrange(3_000)), ("down", rng.randrange(1_500))]))
            leader.wait(LATER_MS)
        store.line.heal()
        leader.lead(term + 1)
        drain(leader)
        assert store.at_head_office() == store.at_the_tills()
    assert rebuild_master(tmp_path / "hub")["same"] is True


def test_every_answer_lost_ten_times_counts_every_event_once(tmp_path: Path) -> None:
    with far_store(tmp_path / "hub") as store:
        till, _ = store.tills
        till.lead(0)
        for number in range(12):
            for _ in range(10):
                till.sell(100 + number)
            before = store.line.cuts
            store.line.swallow(10)
            while store.line.armed:
                till.wait(LATER_MS)
            assert store.line.cuts - before == 10
            assert store.at_head_office()[0] == len(till.logs[A]), "what was sent has arrived, though nobody was told"
            drain(till)
        assert store.at_head_office() == store.at_the_tills()


def test_a_leader_that_is_gone_after_half_of_its_events_is_followed_and_comes_back_in_vain(tmp_path: Path) -> None:
    with far_store(tmp_path / "hub") as store:
        first, second = store.tills
        for number in range(50):
            first.sell(100 + number)
        first.lead(1)
        drain(first)
        for number in range(50):
            first.sell(200 + number)
        second.learn(first)
        second.sell(999)
        second.lead(2)
        drain(second)
        assert store.at_head_office() == store.at_the_tills()
        first.wait(LATER_MS)  # it believes that it leads still, and has fifty events to send
        assert "hub_older_term" in first.alarms
        assert store.at_head_office() == store.at_the_tills()
