"""The hybrid logical clock: one integer that orders, near to wall time, and never goes back.

A timestamp is 48 bits of milliseconds UTC and 16 bits of counter, ``ms << 16 | counter``, and fits SQLite's INTEGER.
Packed so, the algorithm of the paper is integer arithmetic: "one more than the largest so far" counts within a
millisecond, and a full counter carries into the milliseconds by itself.

Timestamps **order**; ``(actor, seq)`` **delivers**. Two clocks may give the same timestamp; the actor breaks the tie.

Source: Kulkarni, Demirbas, Madappa, Avva, Leone: "Logical Physical Clocks", OPODIS 2014, figure 5.
"""

from __future__ import annotations

from typing import Final

from tillmesh.kernel.limits import HLC_DRIFT_MS_MAX

COUNTER_BITS: Final = 16
COUNTER_MAX: Final = (1 << COUNTER_BITS) - 1
PHYSICAL_MS_MAX: Final = (1 << 47) - 1  # The year 6429: int64 leaves 47 of the 48 bits, the 48th is the sign.
TIMESTAMP_MAX: Final = (1 << 63) - 1


def pack(physical_ms: int, counter: int = 0) -> int:
    """Make a timestamp of milliseconds in [0, PHYSICAL_MS_MAX] and a counter in [0, COUNTER_MAX]."""
    assert 0 <= physical_ms <= PHYSICAL_MS_MAX, f"{physical_ms} ms is outside of a timestamp's 47 bits"
    assert 0 <= counter <= COUNTER_MAX, f"{counter} is outside of a counter's {COUNTER_BITS} bits"
    return physical_ms << COUNTER_BITS | counter


def unpack(timestamp: int) -> tuple[int, int]:
    """Split a timestamp into milliseconds UTC and counter."""
    return timestamp >> COUNTER_BITS, timestamp & COUNTER_MAX


def physical_ms(timestamp: int) -> int:
    """Give the milliseconds UTC of a timestamp."""
    return timestamp >> COUNTER_BITS


def counter(timestamp: int) -> int:
    """Give the counter of a timestamp: its place among those of the same millisecond."""
    return timestamp & COUNTER_MAX


class HybridLogicalClock:
    """One replica's clock. It is told the time, and is never a reason to refuse a sale: no method raises.

    Invariant: ``last`` never decreases. Restore a clock by giving it the largest timestamp on disk as ``last``.
    """

    __slots__ = ("_last", "max_drift_ms", "node_id")

    def __init__(self, node_id: str = "", *, last: int = 0, max_drift_ms: int = HLC_DRIFT_MS_MAX) -> None:
        assert 0 <= last <= TIMESTAMP_MAX, f"{last} is not a timestamp"
        assert max_drift_ms >= 0, f"a drift of {max_drift_ms} ms would refuse honest clocks"
        self.node_id = node_id
        self.max_drift_ms = max_drift_ms
        self._last = last

    @property
    def last(self) -> int:
        """The largest timestamp given or merged so far; 0 before the first."""
        return self._last

    def tick(self, now_ms: int) -> int:
        """Stamp a local event: larger than every timestamp before, and at wall time if the wall clock allows it.

        A wall clock that goes back, or stands outside of 1970 to 6429, is ignored until it is right again.
        """
        return self._advance(self._last, now_ms)

    def observe(self, remote: int, now_ms: int) -> int:
        """Stamp the receipt of ``remote``: larger than it too, unless it fails :meth:`accepts`; then as a local event.

        So one clock that is years ahead cannot drag a whole store with it.
        """
        return self._advance(max(self._last, remote) if self.accepts(remote, now_ms) else self._last, now_ms)

    def accepts(self, remote: int, now_ms: int) -> bool:
        """Say whether a timestamp is at most ``max_drift_ms`` ahead of the wall clock, or behind this clock anyway.

        The bound is on the wall clock, not on ``last``: else a peer could push this clock ahead step by step.
        """
        if remote <= self._last:
            return remote >= 0
        return remote <= TIMESTAMP_MAX and physical_ms(remote) <= _plausible(now_ms) + self.max_drift_ms

    def _advance(self, floor: int, now_ms: int) -> int:
        self._last = max(floor + 1, _plausible(now_ms) << COUNTER_BITS)
        return self._last


def _plausible(now_ms: int) -> int:
    """A wall clock outside of 1970 to 6429 says nothing, least of all that a peer may be far ahead."""
    return now_ms if 0 <= now_ms <= PHYSICAL_MS_MAX else 0
