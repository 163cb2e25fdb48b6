"""Who waits for a model, and until when: each question ends exactly once, and none is waited for longer than said."""

from hypothesis import given
from hypothesis import strategies as st

from tillmesh.edge.batching import Waiting
from tillmesh.edge.cache import AnswerCache
from tillmesh.kernel.limits import INFERENCE_BATCH_MAX, INFERENCE_STALL_MS, INFERENCE_WAITING_MAX


def ask(waiting: Waiting, model: str = "fruit", now: int = 0, wait: int = 300) -> int:
    ticket = waiting.ask(model, now, wait)
    assert ticket is not None
    return ticket


def test_questions_to_one_model_are_asked_together_and_others_wait_their_turn() -> None:
    waiting = Waiting()
    fruit = [ask(waiting) for _ in range(5)]
    voice = ask(waiting, "voice")
    first = waiting.next_batch()
    assert first is not None
    assert first.tickets == tuple(fruit[:INFERENCE_BATCH_MAX])
    assert waiting.next_batch() is None
    assert [ticket for _, ticket in waiting.answered(10)] == fruit[:4]
    second = waiting.next_batch()
    assert second is not None
    assert second.tickets == (fruit[4],)
    waiting.answered(20)
    third = waiting.next_batch()
    assert third is not None
    assert (third.model, third.tickets) == ("voice", (voice,))


def test_an_answer_after_the_deadline_is_thrown_away_and_counted() -> None:
    waiting = Waiting()
    slow, patient = ask(waiting, wait=300), ask(waiting, wait=900)
    waiting.next_batch()
    assert waiting.expire(301) == [slow]
    assert waiting.answered(400) == [(1, patient)]
    assert waiting.late == 1


def test_a_silent_worker_has_stalled_some_time_after_the_deadline() -> None:
    waiting = Waiting()
    ask(waiting, wait=300)
    assert waiting.wake_at_ms() == 300
    waiting.next_batch()
    assert not waiting.is_stalled(300 + INFERENCE_STALL_MS)
    assert waiting.is_stalled(301 + INFERENCE_STALL_MS)
    waiting.expire(301)
    assert waiting.wake_at_ms() == 300 + INFERENCE_STALL_MS


def test_too_many_who_wait_are_told_at_once() -> None:
    waiting = Waiting()
    for _ in range(INFERENCE_WAITING_MAX):
        ask(waiting)
    assert waiting.ask("fruit", 0, 300) is None


def test_a_batch_that_memory_does_not_hold_is_asked_in_halves_down_to_one() -> None:
    waiting = Waiting()
    tickets = [ask(waiting) for _ in range(4)]
    for size in (4, 2, 1):
        batch = waiting.next_batch()
        assert batch is not None
        assert batch.tickets == tuple(tickets[:size])
        assert waiting.again_in_halves() is (size > 1)
    rest = waiting.next_batch()
    assert rest is not None
    assert rest.tickets == (tickets[1],)


def test_when_the_worker_dies_everybody_is_told() -> None:
    waiting = Waiting()
    tickets = [ask(waiting) for _ in range(6)]
    waiting.next_batch()
    assert waiting.fail_all() == tickets
    assert waiting.next_batch() is None
    assert waiting.wake_at_ms() is None


def test_who_waits_for_a_model_that_is_refused_is_told_and_others_are_not() -> None:
    waiting = Waiting()
    fruit, voice = ask(waiting), ask(waiting, "voice")
    waiting.next_batch()
    waiting.put_back()
    assert waiting.drop("fruit") == [fruit]
    batch = waiting.next_batch()
    assert batch is not None
    assert batch.tickets == (voice,)


@given(
    st.lists(
        st.sampled_from(["ask", "ask voice", "next", "answer", "halves", "wait", "die", "back", "drop"]), max_size=60
    )
)
def test_every_question_ends_exactly_once(steps: list[str]) -> None:
    waiting, now = Waiting(), 0
    asked: set[int] = set()
    ended: list[int] = []
    for step in steps:
        working = waiting.working
        match step:
            case "ask" | "ask voice":
                ticket = waiting.ask("voice" if "voice" in step else "fruit", now, 100)
                asked |= {ticket} if ticket is not None else set()
            case "next":
                waiting.next_batch()
            case "answer" if working is not None:
                ended += [ticket for _, ticket in waiting.answered(now)]
                ended += [t for t in working.tickets if t in asked - set(ended)]  # late: thrown away
            case "halves" if working is not None and not waiting.again_in_halves():
                ended += [t for t in working.tickets if t in asked - set(ended)]
            case "back" if working is not None:
                waiting.put_back()
            case "drop":
                ended += waiting.drop("fruit")
            case "wait":
                now += 60
                ended += waiting.expire(now)
            case "die":
                ended += waiting.fail_all()
            case _:
                pass  # it can't be done now
    ended += waiting.fail_all()
    assert sorted(ended) == sorted(asked)


def test_answers_are_kept_for_a_while_and_the_oldest_makes_room() -> None:
    cache = AnswerCache[str](2, 1_000)
    cache.put(b"a", "apple", 0)
    cache.put(b"b", "banana", 0)
    assert cache.get(b"a", 500) == "apple"
    cache.put(b"c", "cherry", 600)
    assert cache.get(b"b", 600) is None
    assert cache.get(b"a", 1_001) is None
    assert len(cache) == 1
    cache.clear()
    assert cache.get(b"c", 601) is None
