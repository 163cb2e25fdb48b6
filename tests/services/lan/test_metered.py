"""However many packets a second somebody sends, few are read, and those of others are read all the same."""

from __future__ import annotations

import asyncio
from typing import Any

from tillmesh.adapters.lan.metered import (
    ADDRESSES_MAX,
    UNITS_AT_ONCE,
    UNITS_AT_ONCE_IN_ALL,
    UNITS_PER_S,
    Meter,
    Metered,
)

SMALL, LARGE = 130, 8_960


class Clock:
    now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


class Ear(asyncio.DatagramProtocol):
    def __init__(self) -> None:
        self.heard: list[bytes] = []

    def datagram_received(self, data: bytes, addr: tuple[Any, ...]) -> None:
        self.heard.append(data)


def let_in(meter: Meter, count: int, size: int, address: str) -> int:
    return sum(meter.lets_in(size, address) for _ in range(count))


def test_a_host_that_sends_without_end_is_read_now_and_then_and_another_one_every_time() -> None:
    clock = Clock()
    meter = Meter(clock)
    assert let_in(meter, 10_000, SMALL, "10.0.0.9") <= UNITS_AT_ONCE
    assert let_in(meter, 20, SMALL, "10.0.0.2") == 20
    clock.now_s = 10.0
    assert let_in(meter, 10_000, SMALL, "10.0.0.9") <= 10 * UNITS_PER_S
    assert let_in(meter, 20, SMALL, "10.0.0.2") == 20
    assert meter.dropped > 10_000


def test_a_large_packet_counts_for_what_it_takes_to_read_it() -> None:
    meter = Meter(Clock())
    assert let_in(meter, 1_000, LARGE, "10.0.0.9") <= UNITS_AT_ONCE / 36


def test_whoever_sends_from_made_up_addresses_is_held_to_what_all_may_send_and_costs_no_memory() -> None:
    clock = Clock()
    meter = Meter(clock)
    taken = sum(meter.lets_in(SMALL, f"10.0.{n >> 8}.{n & 255}") for n in range(10_000))
    assert taken <= UNITS_AT_ONCE_IN_ALL
    assert len(meter._of) <= ADDRESSES_MAX
    clock.now_s = 60.0
    assert meter.lets_in(SMALL, "10.0.0.2"), "it is over, and forgotten"


def test_what_is_let_in_is_heard_and_the_rest_is_not() -> None:
    ear = Ear()
    metered = Metered(ear, Meter(Clock()))
    for number in range(UNITS_AT_ONCE + 1):
        metered.datagram_received(b"%d" % number, ("10.0.0.9", 5353))
    assert ear.heard[:2] == [b"0", b"1"]
    assert len(ear.heard) < UNITS_AT_ONCE
