"""The hybrid logical clock: never back, near to wall time, and not to be dragged away."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tillmesh.kernel import hlc
from tillmesh.kernel.hlc import HybridLogicalClock, pack, physical_ms, unpack

NOW_MS = 1_700_000_000_000
HOUR_MS, YEAR_MS = 3_600_000, 365 * 24 * 3_600_000
DRIFT_MS = 300_000

wall_clocks = st.integers(NOW_MS - 5, NOW_MS + 5) | st.sampled_from([0, NOW_MS - HOUR_MS, NOW_MS + 10 * YEAR_MS])
broken_clocks = st.integers(-(2**70), 2**70) | wall_clocks
timestamps = st.builds(pack, wall_clocks, st.integers(0, 3) | st.just(hlc.COUNTER_MAX))
any_timestamps = timestamps | st.integers(-(2**65), 2**65)


@given(st.lists(broken_clocks, min_size=2, max_size=20))
def test_stamps_always_grow_whatever_the_wall_clock_does(walls: list[int]) -> None:
    clock = HybridLogicalClock("t1")
    stamps = [clock.tick(now_ms) for now_ms in walls]
    assert all(earlier < later for earlier, later in pairwise(stamps))
    assert clock.last == stamps[-1]


@given(st.lists(st.tuples(broken_clocks, st.none() | any_timestamps), min_size=1, max_size=20))
def test_stamps_always_grow_whatever_is_heard(heard: list[tuple[int, int | None]]) -> None:
    clock, before = HybridLogicalClock("t1"), 0
    for now_ms, remote in heard:
        stamp = clock.tick(now_ms) if remote is None else clock.observe(remote, now_ms)
        assert before < stamp < 2**63
        before = stamp


@given(timestamps, timestamps, wall_clocks)
def test_what_happens_after_hearing_a_stamp_is_stamped_later(last: int, remote: int, now_ms: int) -> None:
    clock = HybridLogicalClock("t1", last=last)
    heard = clock.accepts(remote, now_ms)
    assert heard == (remote <= last or physical_ms(remote) <= now_ms + DRIFT_MS)
    stamp = clock.observe(remote, now_ms)
    assert stamp > last
    assert stamp > remote or not heard
    assert clock.tick(now_ms) > stamp


@pytest.mark.slow
@given(st.lists(st.tuples(st.integers(NOW_MS, NOW_MS + 1_000), any_timestamps), max_size=20))
def test_no_peer_pushes_the_clock_further_ahead_than_the_drift(heard: list[tuple[int, int]]) -> None:
    clock, latest = HybridLogicalClock("t1"), NOW_MS
    for now_ms, remote in heard:
        latest = max(latest, now_ms)
        clock.observe(remote, now_ms)
        assert physical_ms(clock.last) <= latest + DRIFT_MS + 1  # 1: a full counter carries


def kulkarni(l: int, c: int, pt: int, message: tuple[int, int] | None) -> tuple[int, int]:  # noqa: E741 - the paper's names
    """Figure 5 of the paper, word by word."""
    if message is None:
        l_new = max(l, pt)
        return l_new, c + 1 if l_new == l else 0
    l_m, c_m = message
    l_new = max(l, l_m, pt)
    if l_new == l == l_m:
        return l_new, max(c, c_m) + 1
    if l_new == l:
        return l_new, c + 1
    if l_new == l_m:
        return l_new, c_m + 1
    return l_new, 0


near = st.integers(NOW_MS - 5, NOW_MS + 5)


@pytest.mark.slow
@given(st.lists(st.tuples(near, st.none() | st.tuples(near, st.integers(0, 3))), max_size=20))
def test_integer_arithmetic_is_the_algorithm_of_the_paper(steps: list[tuple[int, tuple[int, int] | None]]) -> None:
    clock, state = HybridLogicalClock("t1"), (0, 0)
    for now_ms, message in steps:
        state = kulkarni(*state, now_ms, message)
        stamp = clock.tick(now_ms) if message is None else clock.observe(pack(*message), now_ms)
        assert unpack(stamp) == state


@given(st.integers(0, hlc.PHYSICAL_MS_MAX), st.integers(0, hlc.COUNTER_MAX))
def test_a_stamp_is_its_milliseconds_and_its_counter(ms: int, count: int) -> None:
    stamp = pack(ms, count)
    assert unpack(stamp) == (ms, count) == (hlc.physical_ms(stamp), hlc.counter(stamp))
    assert 0 <= stamp <= hlc.TIMESTAMP_MAX


@given(timestamps, timestamps)
def test_stamps_compare_as_integers_the_way_their_parts_do(one: int, other: int) -> None:
    assert (one < other) == (unpack(one) < unpack(other))


def test_at_wall_time_a_stamp_is_the_wall_time() -> None:
    clock = HybridLogicalClock("t1")
    assert unpack(clock.tick(NOW_MS)) == (NOW_MS, 0)
    assert unpack(clock.tick(NOW_MS)) == (NOW_MS, 1)
    assert unpack(clock.tick(NOW_MS + 1)) == (NOW_MS + 1, 0)


def test_a_till_whose_clock_goes_back_an_hour_sells_on_with_growing_stamps() -> None:
    clock = HybridLogicalClock("t1")
    before = clock.tick(NOW_MS)
    after = [clock.tick(NOW_MS - HOUR_MS + n) for n in range(3)]
    assert after == [before + 1, before + 2, before + 3]
    assert clock.tick(NOW_MS + 1) == pack(NOW_MS + 1)


def test_a_full_counter_carries_into_the_next_millisecond() -> None:
    clock = HybridLogicalClock("t1", last=pack(NOW_MS, hlc.COUNTER_MAX))
    assert unpack(clock.tick(NOW_MS)) == (NOW_MS + 1, 0)


def test_a_till_ten_years_ahead_drags_nobody() -> None:
    clock = HybridLogicalClock("t1")
    ahead = pack(NOW_MS + 10 * YEAR_MS)
    assert not clock.accepts(ahead, NOW_MS)
    assert unpack(clock.observe(ahead, NOW_MS)) == (NOW_MS, 0)


def test_a_peer_cannot_push_the_clock_ahead_step_by_step() -> None:
    clock = HybridLogicalClock("t1")
    for n in range(100):
        clock.observe(pack(physical_ms(max(clock.last, pack(NOW_MS))) + DRIFT_MS), NOW_MS + n)
    assert physical_ms(clock.last) <= NOW_MS + DRIFT_MS + 100


def test_five_minutes_ahead_is_heard_and_a_millisecond_more_is_not() -> None:
    clock = HybridLogicalClock("t1")
    assert clock.accepts(pack(NOW_MS + DRIFT_MS, 7), NOW_MS)
    assert not clock.accepts(pack(NOW_MS + DRIFT_MS + 1), NOW_MS)
    assert HybridLogicalClock("t1", max_drift_ms=0).accepts(pack(NOW_MS), NOW_MS)
    assert not HybridLogicalClock("t1", max_drift_ms=0).accepts(pack(NOW_MS + 1), NOW_MS)


def test_a_till_with_a_dead_battery_still_stamps() -> None:
    clock = HybridLogicalClock("t1", last=pack(NOW_MS))
    assert clock.tick(0) == pack(NOW_MS, 1)
    assert clock.tick(-1) == pack(NOW_MS, 2)
    assert clock.tick(2**80) == pack(NOW_MS, 3)
    assert clock.accepts(pack(NOW_MS), 0)  # it is behind the own clock: nothing to be dragged by


def test_a_till_started_anew_goes_on_where_its_database_ends() -> None:
    stamp = HybridLogicalClock("t1").tick(NOW_MS)
    assert HybridLogicalClock("t1", last=stamp).tick(NOW_MS - HOUR_MS) == stamp + 1


def test_a_clock_knows_whose_it_is() -> None:
    assert HybridLogicalClock("k3m7qx2p.4f9a2c").node_id == "k3m7qx2p.4f9a2c"
    assert HybridLogicalClock().last == 0


@pytest.mark.parametrize(("ms", "count"), [(-1, 0), (2**47, 0), (0, -1), (0, 2**16)])
def test_a_stamp_outside_its_bits_is_our_own_mistake(ms: int, count: int) -> None:
    with pytest.raises(AssertionError):
        pack(ms, count)
