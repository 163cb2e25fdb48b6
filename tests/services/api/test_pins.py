"""Security requirement S8: PINs can't be guessed, and guessing stops nobody from selling."""

import asyncio
import time
from collections.abc import Callable
from itertools import pairwise

import pytest

from tests.services.api.shop import PINS, Shop
from tillmesh.kernel.errors import TooMany
from tillmesh.kernel.limits import PIN_DELAY_MS_MAX, PIN_FREE_TRIES, PIN_QUEUE_MAX
from tillmesh.terminal.program import restore_pins
from tillmesh.terminal.web.pins import Pins, delay_ms

GUESSES = 10_000
HOUR_MS = 3_600_000


def guess(pins: Pins, now_ms: int) -> int:
    """Try a wrong PIN as soon as it is allowed, and give the time then."""
    try:
        pins.admit(now_ms)
    except TooMany as wait:
        now_ms += wait.retry_after_ms
        pins.admit(now_ms)
    pins.failed(now_ms)
    return now_ms


def test_ten_thousand_guesses_take_a_month() -> None:
    pins, now_ms = Pins(b"pepper", "store"), 0
    for _ in range(GUESSES):
        now_ms = guess(pins, now_ms)
    pins.close()
    assert now_ms > 30 * 24 * HOUR_MS


@pytest.mark.slow
def test_whoever_knows_one_pin_guesses_others_no_faster(fresh: Callable[[], Shop]) -> None:
    """Signing in between the guesses must not forgive them."""
    shop = fresh()
    statuses = []
    for _ in range(PIN_FREE_TRIES + 2):
        statuses.append(shop.call("POST", "/session", {"pin": "0000"}, role=None).status_code)
        shop.call("POST", "/session", {"pin": PINS["cashier"]}, role=None)
    assert 429 in statuses


@pytest.mark.slow
def test_the_wait_grows_to_a_limit_and_is_told(fresh: Callable[[], Shop]) -> None:
    shop, waits = fresh(), []
    for _ in range(PIN_FREE_TRIES):
        answer = shop.call("POST", "/session", {"pin": "0000"}, role=None)
        assert (answer.status_code, answer.json()["kind"]) == (401, "wrong-pin")
    for _ in range(12):
        answer = shop.call("POST", "/session", {"pin": PINS["manager"]}, role=None)
        assert (answer.status_code, answer.json()["kind"]) == (429, "too-many"), "the right PIN waits, too"
        wait_ms = answer.json()["retry_after_ms"]
        assert 0 <= int(answer.headers["retry-after"]) * 1000 - wait_ms < 1000
        waits.append(wait_ms)
        shop.clock.ahead_ms += wait_ms
        assert shop.call("POST", "/session", {"pin": "0000"}, role=None).status_code == 401
    assert all(later > 1.5 * before for before, later in pairwise(waits[:8]))
    assert waits[-1] > 0.9 * PIN_DELAY_MS_MAX
    assert shop.call("GET", "/state", role="cashier").status_code == 200
    shop.clock.ahead_ms += PIN_DELAY_MS_MAX
    assert shop.call("POST", "/session", {"pin": PINS["manager"]}, role=None).status_code == 201


@pytest.mark.slow
def test_approvals_count_as_guesses(fresh: Callable[[], Shop]) -> None:
    shop = fresh()
    for _ in range(PIN_FREE_TRIES):
        assert shop.call("POST", "/approvals", {"pin": "0000", "action": "void"}, role="cashier").status_code == 401
    assert (
        shop.call("POST", "/approvals", {"pin": PINS["manager"], "action": "void"}, role="cashier").status_code == 429
    )
    assert shop.call("POST", "/session", {"pin": PINS["manager"]}, role=None).status_code == 429


@pytest.mark.slow
def test_wrong_pins_stand_in_the_audit_log_and_survive_a_restart(fresh: Callable[[], Shop]) -> None:
    shop = fresh()
    for _ in range(PIN_FREE_TRIES):
        shop.call("POST", "/session", {"pin": "0000"}, role=None)
    entries = shop.ok("GET", "/audit?q=wrong_pin")["entries"]
    assert len(entries) == PIN_FREE_TRIES
    assert "0000" not in str([entry["detail"] for entry in entries])
    shop.services.pins = Pins(b"another", "program")
    shop.loop.run(restore_pins(shop.services))
    assert shop.call("POST", "/session", {"pin": PINS["manager"]}, role=None).status_code == 429


@pytest.mark.slow
def test_many_guesses_at_once_do_not_slip_past_the_count(fresh: Callable[[], Shop]) -> None:
    shop = fresh()

    async def at_once() -> list[int]:
        tries = [shop.ask("POST", "/session", {"pin": f"{n:04}"}, role=None) for n in range(50)]
        return [answer.status_code for answer in await asyncio.gather(*tries)]

    statuses = shop.loop.run(at_once())
    assert statuses.count(401) == PIN_FREE_TRIES
    assert statuses.count(429) == 50 - PIN_FREE_TRIES
    assert PIN_QUEUE_MAX < 50


@pytest.mark.slow
def test_hashing_does_not_hold_up_the_till(fresh: Callable[[], Shop]) -> None:
    """The event loop turns while a PIN is hashed: it must not wait for the whole hash, which takes tens of ms."""
    shop = fresh()

    async def longest_gap() -> tuple[float, float]:
        started = time.perf_counter()
        hashing = asyncio.ensure_future(asyncio.gather(*(shop.services.pins.tag(f"{n:04}") for n in range(8))))
        turns, before = 0, started
        while not hashing.done():
            await asyncio.sleep(0)
            turns, before = turns + 1, time.perf_counter()
        return turns / (before - started), before - started

    turns_a_second, took = shop.loop.run(longest_gap())
    assert took > 0.05, "eight hashes take time, one after the other"
    assert turns_a_second > 200


def test_the_delay_starts_after_the_free_tries_and_doubles() -> None:
    assert [delay_ms(n) for n in range(PIN_FREE_TRIES)] == [0] * PIN_FREE_TRIES
    assert [delay_ms(PIN_FREE_TRIES + n) for n in range(4)] == [1_000, 2_000, 4_000, 8_000]
    assert delay_ms(10**9) == PIN_DELAY_MS_MAX
