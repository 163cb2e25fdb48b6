"""A leader's way to head office, step by step: when it asks, sends, waits, and what it tells a manager."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import TypeVar

import pytest

from tests.laws.hub_world import OFFICE, STORE, Believing, sale, sealed
from tillmesh.kernel.envelope import Envelope, Head
from tillmesh.shop.events import Change, ProductsChanged
from tillmesh.sync.messages import runs_of
from tillmesh.sync.session import Side
from tillmesh.sync.signatures import SignedHead, Verdict
from tillmesh.sync.uplink import (
    AGAIN_MS,
    AGAIN_MS_MAX,
    EVERY_MS,
    PUSH_MS,
    REFUSED_MS,
    Alarm,
    AskState,
    Known,
    LoadUp,
    Refusal,
    Take,
    Uplink,
    UplinkStep,
    Upload,
)
from tillmesh.sync.upload import Answer, State

A, B = "tilla.aaaaaaaa", "tillb.bbbbbbbb"
T = TypeVar("T")


def the(kind: type[T], steps: Sequence[UplinkStep]) -> T:
    """Give the one step of a kind."""
    (found,) = [step for step in steps if isinstance(step, kind)]
    return found


def none(kind: type[object], steps: Sequence[UplinkStep]) -> bool:
    return not any(isinstance(step, kind) for step in steps)


class Leader:
    """An uplink whose clock the test moves, with the events of one till behind it."""

    def __init__(self, count: int = 0, draw: Callable[[], float] = lambda: 0.5) -> None:
        self.now_ms = 1_000_000
        self.log: list[Envelope] = []
        self.uplink = Uplink(Side(STORE, A), {}, draw, Believing())
        self.sell(count)

    def sell(self, count: int = 1) -> list[UplinkStep]:
        steps: list[UplinkStep] = []
        for _ in range(count):
            head = Head(A, self.log[-1].seq, self.log[-1].hash) if self.log else Head(A)
            self.log.append(sealed(head, sale(head.seq + 1, 100), 1))
            steps = self.uplink.appended(Head(A, self.log[-1].seq, self.log[-1].hash), self.now_ms)
        return steps

    def after(self, ms: int) -> list[UplinkStep]:
        self.now_ms += ms
        return self.uplink.wake(self.now_ms)

    def lead(self, term: int | None = 1) -> list[UplinkStep]:
        return self.uplink.lead(term, self.now_ms)

    def told(self, steps: Sequence[UplinkStep], acked: dict[str, int] | None = None, term: int = 1) -> list[UplinkStep]:
        return self.uplink.told(the(AskState, steps).ticket, State(acked or {}, term), self.now_ms)

    def loaded(self, steps: Sequence[UplinkStep]) -> list[UplinkStep]:
        load = the(LoadUp, steps)
        (span,) = load.spans
        events = self.log[span.first - 1 : span.last][: load.events_max]
        return self.uplink.loaded(load.ticket, events, {}, self.now_ms)

    def answered(self, steps: Sequence[UplinkStep], answer: Answer) -> list[UplinkStep]:
        return self.uplink.answered(the(Upload, steps).ticket, answer, self.now_ms)

    def failed(self, steps: Sequence[UplinkStep], why: Refusal) -> list[UplinkStep]:
        return self.uplink.failed(the(Upload, steps).ticket, why, self.now_ms)

    def sending(self) -> list[UplinkStep]:
        """Come to the point where a batch has just left."""
        return self.loaded(self.told(self.lead()))

    def resting(self) -> None:
        """Come to the point where head office has everything."""
        self.answered(self.sending(), Answer({A: len(self.log)}))


def test_a_till_that_does_not_lead_says_nothing_to_head_office() -> None:
    leader = Leader(5)
    assert leader.after(EVERY_MS * 2) == []
    assert leader.uplink.uploads is False


def test_a_new_leader_goes_on_where_head_office_says_that_it_is() -> None:
    leader = Leader(10)
    asked = leader.lead()
    assert none(LoadUp, asked)
    load = the(LoadUp, leader.told(asked, {A: 7}))
    assert [(span.actor, span.first, span.last) for span in load.spans] == [(A, 8, 10)]


def test_one_batch_is_under_way_and_the_next_leaves_when_it_was_acknowledged() -> None:
    leader = Leader(3)
    sent = leader.sending()
    assert the(Known, sent).under_way == {A: 3}
    assert leader.uplink.uploading is True
    assert leader.sell(2) == []
    assert leader.after(PUSH_MS) == []
    more = leader.answered(sent, Answer({A: 3}))
    assert [(span.first, span.last) for span in the(LoadUp, more).spans] == [(4, 5)]


def test_sales_of_a_moment_leave_together() -> None:
    leader = Leader(1)
    leader.resting()
    assert none(LoadUp, leader.sell())
    leader.after(PUSH_MS // 2)
    assert none(LoadUp, leader.sell())
    load = the(LoadUp, leader.after(PUSH_MS // 2))
    assert [(span.first, span.last) for span in load.spans] == [(2, 3)]


def test_with_nothing_new_head_office_hears_of_the_store_every_quarter_of_an_hour() -> None:
    leader = Leader(1)
    leader.resting()
    assert none(Upload, leader.after(int(EVERY_MS * 0.99)))
    assert the(Upload, leader.after(int(EVERY_MS * 0.02))).batch.runs == []


def test_news_is_fetched_at_once() -> None:
    leader = Leader(1)
    leader.resting()
    assert the(Upload, leader.uplink.news(leader.now_ms)).batch.heads[A].seq == 1


def test_head_office_hears_soon_which_tills_have_its_changes_and_once_only() -> None:
    leader = Leader(1)
    leader.resting()
    leader.uplink.spread({"tilla": 2, "tillb": 1}, leader.now_ms)
    sent = leader.after(PUSH_MS)
    assert the(Upload, sent).batch.tills == {"tilla": 2, "tillb": 1}
    leader.uplink.spread({"tilla": 2, "tillb": 2}, leader.now_ms)  # while that is under way
    assert none(Upload, leader.answered(sent, Answer({A: 1})))
    sent = leader.after(AGAIN_MS)
    assert the(Upload, sent).batch.tills == {"tilla": 2, "tillb": 2}
    leader.answered(sent, Answer({A: 1}))
    assert leader.uplink.spread({"tilla": 2, "tillb": 2}, leader.now_ms) == []
    assert none(Upload, leader.after(int(EVERY_MS * 0.5)))


def test_tries_that_fail_come_ever_more_seldom_and_never_in_step() -> None:
    for draw in (0.0, 0.999):
        leader = Leader(1, partial(float, draw))
        sent = leader.sending()
        waits = []
        for _ in range(12):
            leader.failed(sent, Refusal())
            assert leader.uplink.reachable is False
            waited = 0
            while none(LoadUp, steps := leader.after(100)):
                waited += 100
            waits.append(waited)
            sent = leader.loaded(steps)
        assert waits[0] <= AGAIN_MS
        assert waits[-1] <= AGAIN_MS_MAX
        assert waits[-1] >= AGAIN_MS_MAX // 2 - 100
        assert waits == sorted(waits)


@pytest.mark.parametrize("status", [429, 503])
def test_a_busy_head_office_is_left_alone_as_long_as_it_asks(status: int) -> None:
    leader = Leader(1)
    leader.failed(leader.sending(), Refusal(status=status, retry_after_s=90))
    assert none(LoadUp, leader.after(89_999))
    assert not none(LoadUp, leader.after(1_001))
    assert leader.uplink.reachable is True


def test_batches_that_are_too_large_are_halved_and_grow_again() -> None:
    leader = Leader(900)
    steps = leader.told(leader.lead())
    sizes = []
    for _ in range(2):
        sizes.append(the(LoadUp, steps).events_max)
        steps = leader.failed(leader.loaded(steps), Refusal(status=413))
    sizes.append(the(LoadUp, steps).events_max)
    assert sizes == [1_000, 500, 250]
    steps = leader.answered(leader.loaded(steps), Answer({A: 250}))
    assert the(LoadUp, steps).events_max == 500


def test_one_event_that_is_too_large_by_itself_is_a_matter_for_people() -> None:
    leader = Leader(1)
    steps = leader.told(leader.lead())
    while none(Alarm, steps):
        steps = leader.failed(leader.loaded(steps), Refusal(status=413, detail="no"))
    assert the(Alarm, steps).kind == "hub_refused"


def test_a_forked_till_is_left_out_and_the_others_go_on() -> None:
    leader = Leader(3)
    other = sealed(Head(B), sale(1, 100), 1)
    leader.uplink.appended(Head(B, 1, other.hash), leader.now_ms)
    load = the(LoadUp, leader.told(leader.lead()))
    assert [span.actor for span in load.spans] == [A, B]
    sent = leader.uplink.loaded(load.ticket, [*leader.log, other], {}, leader.now_ms)
    steps = leader.failed(sent, Refusal(status=409, kind="fork", subject=A, detail="two histories"))
    assert (the(Alarm, steps).kind, the(Alarm, steps).subject) == ("hub_fork", A)
    assert [span.actor for span in the(LoadUp, steps).spans] == [B]


def test_a_leader_of_an_older_term_stops_and_a_newer_term_of_its_own_begins_anew() -> None:
    leader = Leader(3)
    steps = leader.failed(leader.sending(), Refusal(status=409, kind="older-term", detail="term 2 has begun"))
    assert the(Alarm, steps).kind == "hub_older_term"
    assert none(LoadUp, leader.sell())
    assert leader.lead(None) == []
    assert not none(AskState, leader.lead(3))


def test_a_leader_that_was_called_older_asks_now_and_then_and_goes_on_when_that_term_is_forgotten() -> None:
    leader = Leader(3)
    leader.failed(leader.sending(), Refusal(status=409, kind="older-term", detail="term 9000 has begun"))
    assert none(AskState, leader.after(REFUSED_MS // 2 - 1))
    steps = leader.told(leader.after(REFUSED_MS), {}, term=9_000)
    assert none(LoadUp, steps)
    assert none(Alarm, steps)  # it was told
    steps = leader.uplink.news(leader.now_ms)  # head office rings when a person has let the term be forgotten
    assert not none(LoadUp, leader.told(steps, {}, term=0))


def test_a_term_that_head_office_knows_to_be_over_is_not_even_tried() -> None:
    leader = Leader(3)
    steps = leader.told(leader.lead(1), {}, term=4)
    assert the(Alarm, steps).kind == "hub_older_term"
    assert none(LoadUp, steps)


@pytest.mark.parametrize("status", [400, 401, 403, 415, 422])
def test_what_a_person_has_to_mend_is_told_once_and_tried_again_later(status: int) -> None:
    leader = Leader(1)
    steps = leader.failed(leader.sending(), Refusal(status=status, detail="no such key"))
    assert "no such key" in the(Alarm, steps).detail
    assert none(LoadUp, leader.after(REFUSED_MS // 2 - 1))
    again = leader.failed(leader.loaded(leader.after(REFUSED_MS)), Refusal(status=status))
    assert none(Alarm, again)


def test_the_internets_coming_back_ends_all_waiting() -> None:
    leader = Leader(1)
    sent = leader.sending()
    leader.uplink.online(leader.now_ms, up=False)
    assert leader.uplink.reachable is False
    assert leader.answered(sent, Answer({A: 1})) == []  # too late: it was given up
    assert leader.after(AGAIN_MS_MAX) == []
    assert not none(LoadUp, leader.uplink.online(leader.now_ms, up=True))


def test_an_answer_for_an_earlier_leadership_is_nobodys() -> None:
    leader = Leader(2)
    sent = leader.sending()
    leader.lead(None)
    asked = leader.lead(2)
    assert leader.answered(sent, Answer({A: 2})) == []
    assert not none(LoadUp, leader.told(asked, {}, term=2))


def changes(count: int) -> list[Envelope]:
    body = ProductsChanged(changes=(Change(key="tea", fields={"price_minor": 250}),), by="headoffice:ann")
    events: list[Envelope] = []
    head = Head(OFFICE)
    for number in range(1, count + 1):
        events.append(sealed(head, body, number))
        head = Head(OFFICE, number, events[-1].hash)
    return events


def test_what_head_office_changed_is_taken_in_and_confirmed_soon() -> None:
    leader = Leader(1)
    events = changes(3)
    steps = leader.answered(leader.sending(), Answer({A: 1, OFFICE: 3}, runs_of(events)))
    assert the(Take, steps).events == tuple(events)
    for event in events:
        leader.uplink.appended(Head(OFFICE, event.seq, event.hash), leader.now_ms)
    assert the(Upload, leader.after(AGAIN_MS)).batch.heads[OFFICE].seq == 3
    assert leader.uplink.office_events == 3


def test_changes_that_come_twice_or_with_a_gap_are_no_news() -> None:
    leader = Leader(1)
    events = changes(4)
    for event in events[:2]:
        leader.uplink.appended(Head(OFFICE, event.seq, event.hash), leader.now_ms)
    sent = leader.loaded(leader.told(leader.lead(), {OFFICE: 4}))
    steps = leader.answered(sent, Answer({A: 1, OFFICE: 4}, runs_of(events[:2]) + runs_of(events[3:])))
    assert none(Take, steps)


def test_changes_of_another_history_or_without_head_offices_signature_are_refused() -> None:
    leader = Leader(1)
    (run,) = runs_of(changes(2))
    run = type(run)(run.actor, run.first, run.items, b"\1" * 32)
    steps = leader.answered(leader.sending(), Answer({A: 1}, [run]))
    assert (the(Alarm, steps).kind, none(Take, steps)) == ("hub_fork", True)

    class Doubting:
        def judge(self, signed: SignedHead) -> Verdict:
            return Verdict.FORGED

    doubting = Leader(1)
    doubting.uplink = Uplink(Side(STORE, A), {A: Head(A, 1, doubting.log[0].hash)}, lambda: 0.5, Doubting())
    steps = doubting.answered(doubting.sending(), Answer({A: 1}, runs_of(changes(2))))
    assert (the(Alarm, steps).kind, none(Take, steps)) == ("hub_unsigned", True)


def test_an_answer_that_acknowledges_nothing_of_a_batch_does_not_make_it_spin() -> None:
    leader = Leader(2)
    steps = leader.answered(leader.sending(), Answer({}))
    assert none(LoadUp, steps)
    assert not none(LoadUp, leader.after(2 * AGAIN_MS))
