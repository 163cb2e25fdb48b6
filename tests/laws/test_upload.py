"""Whatever is lost on the way to head office, and whoever leads: every event once, and the money of the tills."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.contracts.memory_hub import MemoryLog, MemoryMaster
from tests.laws.hub_world import OFFICE, OFFICE_ANEW, STORE, Fate, Office, Till, arrived, drained
from tillmesh.fleet.catalogue import change_products
from tillmesh.fleet.ports import Entry
from tillmesh.fleet.syncing import rebuild
from tillmesh.shop.events import Change

A, B = "tilla.aaaaaaaa", "tillb.bbbbbbbb"


def always() -> Fate:
    return Fate.ARRIVES


def test_a_leader_that_dies_after_half_of_its_events_is_followed_by_one_that_goes_on() -> None:
    office = Office()
    fates = [Fate.ARRIVES, Fate.DIES]
    first = Till(A, office, lambda: fates.pop(0) if fates else Fate.ARRIVES)
    second = Till(B, office, always)
    for number in range(50):
        first.sell(100 + number)
    second.learn(first)
    first.lead(1)
    first.wait(1_000)
    assert not first.alive
    assert office.numbers() == {A: 50}
    for number in range(50):
        second.sell(200 + number)
    second.lead(2)
    drained(second, office)
    arrived(office, [second])
    assert office.master.revenue(STORE) == sum(range(100, 150)) + sum(range(200, 250))


def test_events_of_a_batch_whose_answer_is_lost_ten_times_count_once() -> None:
    office = Office()
    fates = [Fate.ARRIVES, *[Fate.ANSWER_LOST] * 10]
    till = Till(A, office, lambda: fates.pop(0) if fates else Fate.ARRIVES)
    for _ in range(100):
        till.sell(250)
    till.lead(0)
    drained(till, office)
    for _ in range(20):
        till.wait(100_000)
    arrived(office, [till])
    assert office.master.revenue(STORE) == 25_000
    assert not fates


@pytest.mark.slow
def test_a_days_backlog_drains_through_a_head_office_that_is_often_busy() -> None:
    office, rng = Office(), random.Random(7)
    till = Till(A, office, lambda: rng.choice([Fate.ARRIVES, Fate.ARRIVES, Fate.BUSY, Fate.AWAY]))
    for _ in range(10_000):
        till.sell(100)
    till.lead(1)
    drained(till, office)
    arrived(office, [till])
    assert office.master.revenue(STORE) == 1_000_000


def test_two_leaders_that_replay_the_same_events_do_no_harm_and_the_older_one_stops() -> None:
    office = Office()
    old, new = Till(A, office, always), Till(B, office, always)
    for _ in range(30):
        old.sell(100)
        new.sell(100)
    new.learn(old)
    old.learn(new)
    old.lead(3)
    new.lead(4)
    for _ in range(5):
        new.wait(1_000)
        old.sell(100)
        old.wait(1_000)
    assert "hub_older_term" in old.alarms
    before, held = old.requests, office.numbers()
    old.wait(10_000_000)
    assert (old.requests, office.numbers()) == (before + 1, held)  # it asks now and then, and sends nothing
    new.learn(old)
    drained(new, office)
    arrived(office, [old, new])


@pytest.mark.slow
@given(seed=st.integers(0, 2**32))
@settings(max_examples=200)
def test_random_cuts_deaths_and_failing_disks_lose_and_double_nothing(seed: int) -> None:
    rng = random.Random(seed)
    office = Office()

    def fate() -> Fate:
        return rng.choice([Fate.ARRIVES] * 4 + [Fate.LOST, Fate.ANSWER_LOST, Fate.DIES, Fate.BUSY, Fate.AWAY])

    tills = [Till(A, office, fate), Till(B, office, fate)]
    term = 0
    for _ in range(rng.randrange(5, 60)):
        till = rng.choice(tills)
        match rng.randrange(8):
            case 0:
                term += 1
                till.lead(term)
            case 1:
                till.learn(tills[0] if till is tills[1] else tills[1])
            case 2:
                office.master.fail = rng.randrange(3)
                office.log.fail = rng.randrange(2)
            case 3:
                office.restart()
            case 4:
                till.wait(rng.randrange(100_000))
            case _:
                for _ in range(rng.randrange(1, 40)):
                    till.sell(rng.randrange(1, 10_000))
                till.wait(rng.randrange(1_000))
    for till in tills:
        till.fate = always
    office.log.fail = office.master.fail = 0
    office.service.catch_up()
    last = tills[0]
    last.lead(None)
    last.learn(tills[1])
    last.lead(term + 1)
    drained(last, office)
    if last.logs:
        arrived(office, [last])
        before = office.master.digest()
        assert rebuild(office.log, office.master)[1] == before


def test_head_office_that_was_put_back_from_an_old_copy_gets_everything_back_and_goes_on_under_another_name() -> None:
    office = Office()
    till = Till(A, office, always)
    till.sell(100)
    till.lead(1)
    drained(till, office)
    change = [Change(key="tea", fields={"price_minor": 250})]
    copy = list(office.log.entries)
    for _ in range(3):
        service = office.service
        events = change_products(STORE, service.held(STORE), service.clock, change, "ann", till.now_ms)
        service.store(Entry(STORE, 1, service.actor, till.now_ms, events))
        till.perform(till.uplink.news(till.now_ms))
    assert len(till.logs[OFFICE]) == 3

    office.log, office.master = MemoryLog(), MemoryMaster()
    for entry in copy:
        office.master.apply(office.log.append(entry), entry)
    office.restart()
    till.sell(200)
    till.wait(1_000)
    drained(till, office)
    arrived(office, [till])
    assert office.service.actor == OFFICE_ANEW
    service = office.service
    events = change_products(STORE, service.held(STORE), service.clock, change, "ann", till.now_ms)
    service.store(Entry(STORE, 1, service.actor, till.now_ms, events))
    till.perform(till.uplink.news(till.now_ms))
    assert [event.actor for event in till.logs[OFFICE_ANEW]] == [OFFICE_ANEW]


def test_a_crash_between_the_log_and_the_master_database_neither_loses_nor_doubles() -> None:
    office = Office()
    till = Till(A, office, always)
    for _ in range(10):
        till.sell(100)
    office.master.fail = 1
    till.lead(1)
    assert office.numbers() == {}  # in the log, and not acknowledged
    assert len(office.log.entries) == 1
    office.restart()
    office.service.catch_up()
    assert office.numbers() == {A: 10}
    drained(till, office)
    arrived(office, [till])
