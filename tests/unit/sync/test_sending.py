"""What a till sends to another one: its own sales first, again until they are durable there, and what was missing."""

from tillmesh.kernel.envelope import Head, seal
from tillmesh.sync.messages import NO_SIGNATURES, Want
from tillmesh.sync.sending import RESEND_MS, RESEND_MS_MAX, Sending
from tillmesh.sync.steps import Load

MINE, OTHER = "mine.aaaa", "also.bbbb"


def sending(**held: int) -> Sending:
    heads = {{"mine": MINE, "other": OTHER}[name]: Head(name, seq) for name, seq in held.items()}
    found = Sending(MINE, heads, set())
    found.begin()
    return found


def asked(half: Sending) -> list[tuple[str, int, int]]:
    return [
        (span.actor, span.first, span.last) for step in half.load() if isinstance(step, Load) for span in step.spans
    ]


def test_what_was_sold_here_goes_first_however_much_it_is() -> None:
    assert asked(sending(mine=900, other=1)) == [(MINE, 1, 900), (OTHER, 1, 1)]


def test_a_till_that_lacks_something_before_what_was_sent_gets_it() -> None:
    half = sending(mine=9)
    half.learn({MINE: 7})
    half.wanted(Want(0, {MINE: 3}))
    assert asked(half) == [(MINE, 4, 9)]


def test_a_batch_that_nobody_answers_goes_again_after_longer_and_longer_waits() -> None:
    half, now, waits = sending(mine=1), 0, []
    sale = seal("store", Head(MINE), hlc=1, kind="audited", version=1, body=b"")
    for _ in range(6):
        half.load()
        assert half.loaded([sale], now, NO_SIGNATURES) is not None
        waits.append(half.resend_at_ms - now)
        now = half.resend_at_ms
        assert half.resends(now)
    assert waits == [RESEND_MS, 2 * RESEND_MS, 4 * RESEND_MS, 8 * RESEND_MS, RESEND_MS_MAX, RESEND_MS_MAX]
