"""Whoever stole a store's credentials claims whatever term; once they are revoked the store goes on at once."""

import pytest

from tests.contracts.memory_hub import MemoryLog, MemoryMaster
from tests.laws.hub_world import STORE, Fate, Office, Till, arrived, drained, signed
from tillmesh.fleet.ingest import OlderTerm, TermLeap
from tillmesh.fleet.syncing import SyncService
from tillmesh.kernel.limits import TERM_LEAP_MAX
from tillmesh.sync.upload import Batch

A, B, THIEF = "tilla.aaaaaaaa", "tillb.bbbbbbbb", "tillt.tttttttt"
LAST = 2**62  # the highest term that a batch can name


def arrives() -> Fate:
    return Fate.ARRIVES


def claim(office: Office, term: int) -> None:
    """Upload nothing but a term."""
    office.service.take(Batch(STORE, term, THIEF, {}, []), 1_000, office.generation)


def test_a_thief_who_claims_the_highest_term_again_and_again_keeps_the_store_out_only_until_he_is_revoked() -> None:
    office = Office()
    leader = Till(A, office, arrives)
    leader.sell(100)
    leader.lead(7)
    drained(leader, office)
    for step in range(1, 50):
        claim(office, 7 + step * TERM_LEAP_MAX)
    for number in range(30):
        leader.sell(200 + number)
    leader.wait(10_000)
    assert "hub_older_term" in leader.alarms
    assert office.numbers() == {A: 1}
    office.revoke("first")
    leader.credentials = "second"  # brought to the till, which starts with them
    leader.alive = False
    leader.lead(7)
    leader.wait(1_000)
    arrived(office, [leader])
    assert office.master.revenue(STORE) == 100 + sum(range(200, 230))
    thief = Till(THIEF, office, arrives)
    thief.sell(9)
    thief.lead(LAST)
    assert thief.alarms == ["hub_refused"]
    arrived(office, [leader])


def test_a_store_whose_term_a_person_lets_be_forgotten_goes_on_under_the_credentials_it_has() -> None:
    office = Office()
    leader, other = Till(A, office, arrives), Till(B, office, arrives)
    claim(office, TERM_LEAP_MAX)
    leader.sell(100)
    leader.lead(7)
    assert office.numbers() == {}
    office.generation += 1
    leader.wait(600_000)  # it asks by itself
    arrived(office, [leader])
    other.learn(leader)
    other.sell(50)
    other.lead(6)
    assert "hub_older_term" in other.alarms, "among honest leaders the later term still counts"
    leader.learn(other)
    drained(leader, office)
    arrived(office, [leader, other])


def test_a_term_out_of_nowhere_is_refused_and_says_the_limit() -> None:
    office = Office()
    with pytest.raises(TermLeap, match=rf"term {LAST}, head office knows of 0; the limit is {TERM_LEAP_MAX} more"):
        claim(office, LAST)
    claim(office, TERM_LEAP_MAX)
    with pytest.raises(TermLeap):
        claim(office, 2 * TERM_LEAP_MAX + 1)
    claim(office, 2 * TERM_LEAP_MAX)
    office.generation += 1
    claim(office, LAST)  # the first of its generation: a store that really is there goes on
    assert office.service.state(STORE, office.generation).term == LAST


def test_a_batch_that_was_let_in_before_the_credentials_were_revoked_comes_too_late() -> None:
    office = Office()
    office.revoke("first")
    claim(office, 3)
    with pytest.raises(OlderTerm, match="generation 0, 1 has begun"):
        office.service.take(Batch(STORE, LAST, THIEF, {}, []), 1_000, 0)
    assert office.service.state(STORE, 1).term == 3


def test_a_claim_that_was_voided_stays_void_when_the_master_database_is_made_anew() -> None:
    office = Office()
    claim(office, TERM_LEAP_MAX)
    office.revoke("first")
    claim(office, 3)
    log, anew = office.log, MemoryMaster()
    assert isinstance(log, MemoryLog)
    service = SyncService(log, anew, office.actor, signed, mint=lambda: office.actor)
    assert service.state(STORE, 1).term == 3
    assert service.state(STORE, 2).term == 0
