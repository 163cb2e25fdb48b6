"""Virtual time: one queue of what happens next, and the clocks that each till believes in."""

from __future__ import annotations

import heapq
from collections.abc import Callable
from hashlib import sha256
from typing import Final

START_MS: Final = 1_795_356_000_000  # a Sunday afternoon in November 2026
HAPPENINGS_MAX: Final = 2_000_000  # of one run: a store that talks for ever has lost its way


class TimeNeverEnds(Exception):
    """One run had more happenings than any honest run has."""


class Timeline:
    """What happens next. Things due at one moment happen in the order in which they were planned."""

    def __init__(self, tell: Callable[[str], None] | None = None) -> None:
        self.now_ms = START_MS
        self.happenings = 0
        self._queue: list[tuple[int, int, Callable[[], None]]] = []
        self._planned = 0
        self._tell = tell
        self._trace = sha256()

    def after(self, delay_ms: int, work: Callable[[], None]) -> None:
        """Plan work for later."""
        assert delay_ms >= 0, "nothing happens in the past"
        self._planned += 1
        heapq.heappush(self._queue, (self.now_ms + delay_ms, self._planned, work))

    def run(self, duration_ms: int) -> None:
        """Let time pass."""
        end_ms = self.now_ms + duration_ms
        while self._queue and self._queue[0][0] <= end_ms:
            self.now_ms, _, work = heapq.heappop(self._queue)
            self.happenings += 1
            if self.happenings > HAPPENINGS_MAX:
                raise TimeNeverEnds(f"more than {HAPPENINGS_MAX} happenings in {self.now_ms - START_MS} ms")
            work()
        self.now_ms = end_ms

    def note(self, text: str) -> None:
        """Write down what happened; a replay of the same seed writes down the very same."""
        line = f"{self.now_ms - START_MS:>8} {text}"
        self._trace.update(line.encode() + b"\n")
        if self._tell is not None:
            self._tell(line)

    @property
    def trace(self) -> str:
        """The hash of everything that was noted so far."""
        return self._trace.hexdigest()


class Clock:
    """The clocks of one till: a wall clock that people and batteries set wrong, and one that only goes forward."""

    def __init__(self, timeline: Timeline) -> None:
        self._timeline = timeline
        self._drift_ppm = 0
        self.offset_ms = 0
        self.ahead_ms = 0  # Invariant: the furthest the wall clock was ever ahead of true time.

    def set_up(self, skew_ms: int, drift_ppm: int) -> None:
        """Be a little off from the beginning, and run a little fast or slow."""
        self._drift_ppm = drift_ppm
        self.jump(skew_ms)

    def wall_ms(self) -> int:
        """Read the wall clock."""
        return self.steady_ms() + self.offset_ms

    def steady_ms(self) -> int:
        """Read the clock that is never set, only a little fast or slow."""
        passed = self._timeline.now_ms - START_MS
        return START_MS + passed + passed * self._drift_ppm // 1_000_000

    def jump(self, by_ms: int) -> None:
        """Set the wall clock wrong, or right again."""
        self.offset_ms += by_ms
        self.ahead_ms = max(self.ahead_ms, self.offset_ms)
