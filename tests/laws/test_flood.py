"""A till of the store that was taken over writes without end: its own events wait, and nobody else's do."""

import pytest

from tests.laws.sync_world import STORE, World
from tillmesh.kernel.envelope import Envelope, Head, seal
from tillmesh.kernel.hlc import pack
from tillmesh.kernel.limits import INTAKE_BURST_BYTES, INTAKE_DAY_BYTES, INTAKE_EVENT_BYTES
from tillmesh.sync import Ack, Apply, Hello, Intake, Later, Mark, Push, Send, Session, Side, Slow, runs_of
from tillmesh.sync.intake import DAY_MS
from tillmesh.sync.messages import Want
from tillmesh.sync.signatures import KeyNotary

BODY = b"x" * 744  # with what a row takes beside it: a thousand bytes
COST = len(BODY) + INTAKE_EVENT_BYTES
BURST = 20 * COST
FLOOD, HONEST = "flood.boot1", "till1.boot1"
NOW_MS = 1_795_684_443_120


def allowance(now_ms: int = NOW_MS, *, newcomer: bool = False) -> Intake:
    return Intake({}, now_ms, burst_bytes=BURST, day_bytes=BURST, newcomer=newcomer)


def log_of(actor: str, count: int, *, first_ms: int = NOW_MS, step_ms: int = 0, body: bytes = BODY) -> list[Envelope]:
    events, head = [], Head(actor)
    for number in range(count):
        hlc = pack(first_ms + number * step_ms)
        events.append(seal(STORE, head, hlc=hlc, kind="audited", version=1, body=body))
        head = Head(actor, events[-1].seq, events[-1].hash)
    return events


@pytest.mark.slow
@pytest.mark.parametrize("leader", [True, False])
@pytest.mark.parametrize("seed", range(3))
def test_a_flood_by_one_till_delays_only_its_own_events_and_nothing_is_dropped(seed: int, leader: bool) -> None:
    names = ["flood", "till1", "till2", "till3"]
    world = World(names, seed)
    for name in names[1:]:
        world.tills[name].intake = allowance()
    if leader:  # all that is sold reaches the others over one till, as it does in a store that is led
        for name in ("flood", "till2", "till3"):
            world.connect("till1", name)
    else:
        world.connect_all()
    for place in range(200):
        world.sell("flood", BODY)
        if place % 40 == 0:
            for name in names[1:]:
                world.sell(name, b"sale")
        while place % 10 == 0 and world.deliver():
            pass
    world.settle(rounds=3)
    for name in names[1:]:
        held = {actor: head.seq for actor, head in world.tills[name].heads().items()}
        assert [held[f"{honest}.boot1"] for honest in names[1:]] == [5, 5, 5], "honest sales are everywhere at once"
        assert 20 <= held[FLOOD] <= 40, "one batch more than its burst at most"
    for _ in range(40):  # days later
        world.now_ms += DAY_MS // 2
        for name in names:
            for session in world.tills[name].sessions.values():
                session._heard_ms = world.now_ms  # the links stayed up
        world.settle(rounds=3)
    assert world.equal(), "what was left where it was has come in, in its own time"


def session_of(intake: Intake, *, held: int = 0) -> Session:
    session = Session(Side(STORE, HONEST), {}, intake=intake)
    session.start(0)
    session.receive(Hello(1, STORE, 0, FLOOD, {FLOOD: Mark(10**6, bytes(32))}), 0)
    return session


def pushed(session: Session, batch: int, events: list[Envelope], now_ms: int = 0) -> list[object]:
    """Push a batch as an older or hostile program does, and store what is to be stored; give what was said."""
    said: list[object] = []
    for step in session.receive(Push(batch, runs_of(events)), now_ms):
        if isinstance(step, Apply):
            heads = {event.actor: Head(event.actor, event.seq, event.hash) for event in step.events}
            said += [one.message for one in session.applied(step.batch, heads, now_ms) if isinstance(one, Send)]
        elif isinstance(step, Send):
            said.append(step.message)
    return said


def test_a_till_that_sends_on_though_it_was_told_to_wait_is_answered_later_and_takes_no_more_than_its_turn() -> None:
    flood, sale = log_of(FLOOD, 60), log_of("till2.boot1", 2, body=b"sale")
    session = session_of(allowance())
    assert pushed(session, 1, flood[:25]) == [Ack(1, {FLOOD: 25})]
    slow, ack = pushed(session, 2, flood[25:50])
    assert isinstance(slow, Slow)
    assert (slow.actor, ack) == (FLOOD, Ack(2, {}))
    assert isinstance(pushed(session, 3, flood[25:50])[-1], Later)
    assert pushed(session, 4, [*flood[25:50], *sale])[-1] == Ack(4, {"till2.boot1": 2}), "the sale in it is taken"
    later = DAY_MS
    assert pushed(session, 5, flood[25:50], later) == [Ack(5, {FLOOD: 50})], "after the wait it goes on where it was"


def test_a_new_till_takes_in_years_of_a_shop_at_once_and_a_log_denser_than_any_shops_slowly() -> None:
    day = log_of(FLOOD, 400, first_ms=NOW_MS - 100 * DAY_MS, step_ms=DAY_MS // 4)
    dense = log_of(FLOOD, 400, first_ms=NOW_MS - 100 * DAY_MS)
    for events, fits in ((day, True), (dense, False)):
        new, old = allowance(newcomer=True), allowance()
        for intake in (new, old):
            intake.took(events, 0)
        assert (new.wait_ms(FLOOD, 0) == 0) == fits
        assert old.wait_ms(FLOOD, 0) > 0, (
            "an actor that nobody heard of is no history to a till that was here all along"
        )


def test_a_till_that_was_away_takes_in_what_the_others_wrote_meanwhile() -> None:
    away = Intake({FLOOD: NOW_MS - 50 * DAY_MS}, NOW_MS, burst_bytes=BURST, day_bytes=BURST)
    away.took(log_of(FLOOD, 500, first_ms=NOW_MS - 50 * DAY_MS, step_ms=DAY_MS // 10), 0)
    assert away.wait_ms(FLOOD, 0) == 0


def test_an_event_that_comes_twice_counts_once_and_stamps_of_tomorrow_make_no_time_pass() -> None:
    intake, events = allowance(), log_of(FLOOD, 20, first_ms=NOW_MS + DAY_MS, step_ms=DAY_MS)
    for _ in range(5):
        intake.took(events[:19], 0)
    assert intake.wait_ms(FLOOD, 0) == 0
    intake.took(events, 0)
    assert intake.wait_ms(FLOOD, 0) > 0
    assert intake.waiting(0) == [FLOOD]
    assert intake.waiting(DAY_MS) == []


def test_a_till_that_starts_anew_goes_on_where_it_was_with_a_flood() -> None:
    def started(taken: int, stamp_ms: int = NOW_MS) -> Intake:
        return Intake({FLOOD: stamp_ms}, NOW_MS, taken_bytes={FLOOD: taken}, burst_bytes=BURST, day_bytes=BURST)

    assert started(BURST - 1).wait_ms(FLOOD, 0) == 0
    assert started(BURST).wait_ms(FLOOD, 0) > 0
    assert started(9 * BURST).wait_ms(FLOOD, 0) == started(BURST).wait_ms(FLOOD, 0), "but it is no worse off"
    flooded = started(9 * BURST)
    assert flooded.waiting(0) == []
    assert [flooded.wait_ms(FLOOD, moment) > 0 for moment in (0, DAY_MS // 2)] == [True, False]
    assert started(9 * BURST).wait_ms(HONEST, 0) == 0
    again = started(BURST - COST, NOW_MS - 10 * DAY_MS)
    again.took(log_of(FLOOD, 10, first_ms=NOW_MS - 9 * DAY_MS), 0)
    assert again.wait_ms(FLOOD, 0) == 0, "it was away meanwhile: its log goes on nine days ago"


def test_head_office_may_write_as_much_as_it_likes() -> None:
    intake = allowance()
    intake.took(log_of("headoffice.aaaaaaaa", 500), 0)
    assert intake.wait_ms("headoffice.aaaaaaaa", 0) == 0


def test_an_honest_till_never_meets_the_limit() -> None:
    """A day without the others is 3,000 sales at each of 15 tills; a catalogue has 100,000 products."""
    signed_sale, product = 2 * (1_024 + INTAKE_EVENT_BYTES), 400
    assert 3_000 * signed_sale < INTAKE_DAY_BYTES / 5
    assert 24 * 3_000 * signed_sale < INTAKE_BURST_BYTES
    assert 5 * 100_000 * product < INTAKE_BURST_BYTES


def test_a_till_that_names_new_actors_for_ever_costs_the_others_no_memory() -> None:
    """Nobody introduced them, so nothing of them is taken in; neither may anything be remembered of them."""
    intake = allowance()
    session = Session(Side(STORE, HONEST), {}, notary=KeyNotary(STORE, lambda _: None), intake=intake)
    session.start(0)
    session.receive(Hello(1, STORE, 0, FLOOD, {}), 0)
    for number in range(100):
        made_up = log_of(f"made{number:04}.boot1", 1)
        session.receive(Push(number + 1, runs_of(made_up)), number)
        session.receive(Want(number + 1, {made_up[0].actor: number}), number)
    assert intake._allowances == {}
    assert session._sending.theirs == {}
    assert intake.waiting(10**9) == []


def test_a_till_that_does_not_wait_for_an_answer_gets_one_batch_stored_and_all_of_it_counted() -> None:
    """Batches that pile up keep sales waiting and fill memory; and of those nobody counted what was in them."""
    intake, flood = allowance(), log_of(FLOOD, 60)
    session = session_of(intake)
    stored: list[Apply] = []
    for number in range(50):
        steps = session.receive(Push(number + 1, runs_of(flood[: 10 + number])), 0)
        stored += [step for step in steps if isinstance(step, Apply)]
        assert number == 0 or [type(step.message) for step in steps if isinstance(step, Send)] == [Later]
    assert [len(step.events) for step in stored] == [10]
    session.applied(1, {FLOOD: Head(FLOOD, 10, flood[9].hash)}, 0)
    assert pushed(session, 51, flood[:25]) == [Ack(51, {FLOOD: 25})]
    assert intake.waiting(0) == [FLOOD], "it has used up its allowance"


def test_a_batch_that_could_not_be_stored_can_come_again() -> None:
    events = log_of(FLOOD, 3)
    session = session_of(allowance())
    session.receive(Push(1, runs_of(events)), 0)
    session.refused(1, 2_000, 0)
    assert pushed(session, 2, events) == [Ack(2, {FLOOD: 3})]
