"""PINs: wrong ones cost growing time, whoever knows another PIN, however many try at once, and over restarts."""

import asyncio
from collections.abc import Iterator

import pytest

from tillmesh.kernel.errors import Invalid, TooMany
from tillmesh.kernel.limits import PIN_DELAY_MS_MAX, PIN_FREE_TRIES, PIN_QUEUE_MAX, PIN_QUIET_MS
from tillmesh.terminal.web.pins import Pins, delay_ms

NOW_MS = 1_795_356_000_000


@pytest.fixture
def pins() -> Iterator[Pins]:
    found = Pins(bytes(32), "corner0shop0")
    yield found
    found.close()


def fail(pins: Pins, times: int, at_ms: int = NOW_MS) -> None:
    for _ in range(times):
        pins.failed(at_ms)


def wait_ms(pins: Pins, at_ms: int) -> int:
    try:
        pins.admit(at_ms)
    except TooMany as error:
        return error.retry_after_ms
    return 0


def test_two_wrong_pins_cost_nothing_and_then_the_wait_doubles() -> None:
    assert [delay_ms(failures) for failures in range(7)] == [0, 0, 0, 1_000, 2_000, 4_000, 8_000]
    assert delay_ms(1_000_000) == PIN_DELAY_MS_MAX


def test_a_locked_till_says_how_long(pins: Pins) -> None:
    fail(pins, PIN_FREE_TRIES)
    assert wait_ms(pins, NOW_MS) == 1_000
    assert wait_ms(pins, NOW_MS + 400) == 600
    assert wait_ms(pins, NOW_MS + 1_000) == 0


def test_a_restart_gives_no_free_tries(pins: Pins) -> None:
    again = Pins(bytes(32), "corner0shop0")
    fail(pins, 6)
    again.restore([NOW_MS] * 6)
    assert wait_ms(again, NOW_MS) == wait_ms(pins, NOW_MS) == delay_ms(6)
    again.close()


def test_only_an_hour_of_quiet_forgives(pins: Pins) -> None:
    fail(pins, 6)
    assert pins.failed(NOW_MS + PIN_QUIET_MS - 1) == 7
    assert pins.failed(NOW_MS + 2 * PIN_QUIET_MS) == 1


def test_wrong_pins_of_long_ago_are_not_counted_after_a_restart(pins: Pins) -> None:
    pins.restore([NOW_MS - 3 * PIN_QUIET_MS, NOW_MS - 10, NOW_MS])
    assert wait_ms(pins, NOW_MS) == 0
    assert pins.failed(NOW_MS) == 3


def test_a_clock_that_was_set_back_locks_nobody_out_for_longer(pins: Pins) -> None:
    fail(pins, PIN_FREE_TRIES)
    assert wait_ms(pins, NOW_MS - 86_400_000) == 1_000


def test_guesses_sent_at_once_are_judged_one_after_the_other(pins: Pins) -> None:
    refused = 0

    async def guess() -> None:
        nonlocal refused
        try:
            async with pins.turn():
                pins.admit(NOW_MS)
                await asyncio.sleep(0)  # the hash is worked out on another thread
                pins.failed(NOW_MS)
        except TooMany:
            refused += 1

    async def attack() -> None:
        await asyncio.gather(*(guess() for _ in range(50)))

    asyncio.run(attack())
    assert 50 - refused == PIN_FREE_TRIES
    assert refused >= 50 - PIN_QUEUE_MAX


@pytest.mark.parametrize("pin", ["", "123", "1234567890123", "12a4", "12 34", "\u0661\u0662\u0663\u0664"])
def test_a_pin_is_four_to_twelve_digits(pins: Pins, pin: str) -> None:
    with pytest.raises(Invalid):
        pins.tag_now(pin)


@pytest.mark.slow
def test_the_same_pin_is_another_tag_in_another_till_s_hands(pins: Pins) -> None:
    tag = pins.tag_now("4711")
    assert tag == pins.tag_now("4711")
    for pepper, store in ((bytes(31) + b"x", "corner0shop0"), (bytes(32), "another0shop")):
        other = Pins(pepper, store)
        assert other.tag_now("4711") != tag
        other.close()
    assert "4711" not in tag
