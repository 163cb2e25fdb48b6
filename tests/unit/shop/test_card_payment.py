"""A card payment as a value: every answer of a terminal in every state, and what must never happen."""

import itertools

import pytest
from msgspec import structs

from tillmesh.shop.card_payment import (
    OPEN,
    PAID,
    PAYMENT,
    REFUND,
    CardAnswer,
    CardPayment,
    Said,
    State,
    after,
    after_restart,
    sent,
    settle,
    used,
)


def payment(state: State = State.SENT, kind: str = PAYMENT) -> CardPayment:
    return CardPayment(
        payment_id="p-1", kind=kind, cart_id="c", amount_minor=1_250, currency="EUR", by="cara", asked_at_ms=1,
        state=state,
    )  # fmt: skip


def hear(now: CardPayment, *said: Said) -> CardPayment:
    for one in said:
        now = after(now, CardAnswer(said=one, token="T", approval_code="A1", last_four="4242", reason="refused"))
    return now


def test_a_payment_whose_answer_was_lost_is_unknown_until_the_terminal_says_how_it_ended() -> None:
    lost = hear(payment(), Said.SILENT, Said.SILENT, Said.WAITING, Said.SILENT)
    assert lost.state is State.UNKNOWN
    paid = hear(lost, Said.APPROVED)
    assert (paid.state, paid.token, paid.approval_code, paid.last_four) == (State.APPROVED, "T", "A1", "4242")
    assert hear(lost, Said.DECLINED).state is State.DECLINED


def test_a_terminal_that_never_heard_of_it_is_believed_the_second_time() -> None:
    once = hear(payment(), Said.NOT_FOUND)
    assert once.state is State.UNKNOWN
    assert hear(once, Said.NOT_FOUND).state is State.DECLINED
    assert hear(once, Said.WAITING, Said.NOT_FOUND).state is State.UNKNOWN  # it was on its way all the time


@pytest.mark.parametrize("state", [State.APPROVED, State.SETTLED])
def test_what_was_approved_stays_approved_whatever_is_said_later(state: State) -> None:
    for said in Said:
        assert hear(payment(state), said).state is state


def test_an_approval_that_comes_after_all_is_kept_and_marked_as_late() -> None:
    late = hear(payment(), Said.DECLINED, Said.APPROVED)
    assert (late.state, late.late, late.is_free) == (State.APPROVED, True, True)


def test_what_the_terminal_took_offline_is_settled_or_refused_later() -> None:
    offline = hear(payment(), Said.APPROVED_OFFLINE)
    assert offline.is_free
    assert hear(offline, Said.APPROVED).state is State.SETTLED
    assert hear(offline, Said.DECLINED).state is State.DECLINED_LATE
    assert not hear(offline, Said.DECLINED).is_free


def test_no_sequence_of_answers_ends_open_payments_as_paid_without_an_approval() -> None:
    for said in itertools.product([one for one in Said if not one.value.startswith("approved")], repeat=4):
        assert hear(payment(), *said).state not in PAID


def test_a_restart_asks_for_what_was_sent_and_forgets_what_was_not() -> None:
    assert after_restart(payment(State.CREATED)).reason == "not_sent"
    assert after_restart(payment(State.SENT)).state is State.UNKNOWN
    assert after_restart(payment(State.WAITING_CARD)).state is State.UNKNOWN
    assert after_restart(payment(State.CREATED, REFUND)).state is State.CREATED  # it is owed
    assert hear(payment(kind=REFUND), Said.NOT_FOUND, Said.NOT_FOUND).state is State.CREATED
    assert after_restart(payment(State.APPROVED)).state is State.APPROVED


def test_it_is_sent_once_and_used_once() -> None:
    assert sent(payment(State.CREATED)).state is State.SENT
    assert sent(payment(State.DECLINED)).state is State.DECLINED
    taken = used(hear(payment(), Said.APPROVED), "sale-1")
    assert not taken.is_free
    with pytest.raises(AssertionError):
        used(taken, "sale-2")


def test_a_person_says_how_it_ended_only_while_nobody_knows() -> None:
    assert settle(payment(State.UNKNOWN), paid=True, by="sam", approval_code="A9").approval_code == "A9"
    assert settle(payment(State.UNKNOWN), paid=False, by="sam").state is State.DECLINED
    with pytest.raises(AssertionError):
        settle(payment(State.APPROVED), paid=False, by="sam")


def test_a_terminal_knows_a_payment_by_ten_letters_that_depend_on_nothing_but_its_id() -> None:
    name = payment().service_id
    assert len(name) == 10
    assert name.isalnum()
    assert structs.replace(payment(), amount_minor=5).service_id == name
    assert structs.replace(payment(), payment_id="p-2").service_id != name
    assert set(State) == OPEN | PAID | {State.DECLINED, State.DECLINED_LATE}
