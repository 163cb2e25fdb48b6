"""How often a store may call at head office."""

import pytest

from tillmesh.fleet.throttle import STORES_KEPT_MAX, Throttle
from tillmesh.kernel.errors import TooMany


def test_a_store_in_a_loop_has_to_wait_and_the_others_do_not() -> None:
    throttle = Throttle(burst=3, per_s=2)
    for _ in range(3):
        throttle.admit("one", 1_000)
    with pytest.raises(TooMany) as refused:
        throttle.admit("one", 1_000)
    assert refused.value.retry_after_ms == 500
    throttle.admit("two", 1_000)
    throttle.admit("one", 1_500)
    with pytest.raises(TooMany):
        throttle.admit("one", 1_600)


def test_a_clock_that_goes_back_gives_and_takes_nothing() -> None:
    throttle = Throttle(burst=1, per_s=1)
    throttle.admit("one", 10_000)
    with pytest.raises(TooMany):
        throttle.admit("one", 5_000)
    throttle.admit("one", 6_000)


def test_the_memory_of_stores_is_bounded() -> None:
    throttle = Throttle()
    for number in range(STORES_KEPT_MAX + 10):
        throttle.admit(str(number), 0)
    assert len(throttle._stores) == STORES_KEPT_MAX
