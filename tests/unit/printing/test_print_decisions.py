"""What becomes of a print job, decided without a printer."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tillmesh.shop.receipt import Mark
from tillmesh.till.printing import (
    RETRY_MS_FIRST,
    RETRY_MS_MAX,
    GiveUp,
    JobKind,
    PrintFailed,
    PrintJob,
    Retry,
    after_failure,
    after_restart,
    is_expired,
    retry_delay_ms,
)

NOTHING_SENT = PrintFailed("no connection")
PARTLY_SENT = PrintFailed("hung up", maybe_printed=True)


def job(kind: JobKind = "sale", mark: Mark = Mark.ORIGINAL, attempts: int = 1) -> PrintJob:
    return PrintJob(1, kind, "k3m7qx2p.4f9a2c-17", mark, attempts, created_ms=1_000)


def test_receipt_that_never_left_the_till_stays_an_original() -> None:
    assert after_failure(job(), NOTHING_SENT, 2_000, 0.0) == Retry(2_000 + RETRY_MS_FIRST // 2, Mark.ORIGINAL)


def test_receipt_that_may_be_out_is_a_possible_duplicate_from_then_on() -> None:
    doubted = after_failure(job(), PARTLY_SENT, 2_000, 0.0)
    assert isinstance(doubted, Retry)
    assert doubted.mark is Mark.POSSIBLE_DUPLICATE
    again = after_failure(job(mark=doubted.mark), NOTHING_SENT, 3_000, 0.0)
    assert isinstance(again, Retry)
    assert again.mark is Mark.POSSIBLE_DUPLICATE


def test_copy_stays_a_copy_however_often_it_fails() -> None:
    decision = after_failure(job(mark=Mark.COPY), PARTLY_SENT, 2_000, 0.0)
    assert isinstance(decision, Retry)
    assert decision.mark is Mark.COPY
    assert after_restart(job(mark=Mark.COPY), 2_000) == Retry(2_000, Mark.COPY)


def test_receipt_being_printed_when_the_till_died_is_printed_again_but_marked() -> None:
    assert after_restart(job(), 5_000) == Retry(5_000, Mark.POSSIBLE_DUPLICATE)


def test_drawer_is_never_opened_twice_for_one_sale() -> None:
    assert isinstance(after_failure(job("drawer"), PARTLY_SENT, 2_000, 0.0), GiveUp)
    assert isinstance(after_restart(job("drawer"), 2_000), GiveUp)


def test_drawer_is_tried_again_at_once_and_does_not_slow_down() -> None:
    for attempts in (1, 5, 9):
        assert after_failure(job("drawer", attempts=attempts), NOTHING_SENT, 2_000, 0.9) == Retry(2_500, Mark.ORIGINAL)


def test_without_a_printer_nothing_waits_for_one() -> None:
    assert isinstance(after_failure(job(), PrintFailed("none", state="off"), 2_000, 0.0), GiveUp)


@pytest.mark.parametrize(
    ("kind", "age_ms", "expired"),
    [
        ("drawer", 10_000, False),
        ("drawer", 10_001, True),
        ("sale", 30 * 60_000, False),
        ("sale", 30 * 60_000 + 1, True),
        ("z", 6 * 86_400_000, False),
        ("z", 8 * 86_400_000, True),
    ],
)
def test_drawer_expires_in_seconds_a_receipt_in_half_an_hour_a_z_report_in_a_week(
    kind: JobKind, age_ms: int, *, expired: bool
) -> None:
    assert is_expired(job(kind), 1_000 + age_ms) is expired


@given(st.integers(1, 10**6), st.floats(0, 1, exclude_max=True))
def test_pauses_grow_but_never_beyond_the_limit_and_are_never_nothing(attempts: int, draw: float) -> None:
    pause = retry_delay_ms(attempts, draw)
    assert RETRY_MS_FIRST // 2 <= pause <= RETRY_MS_MAX
    assert pause <= retry_delay_ms(attempts + 1, draw)
