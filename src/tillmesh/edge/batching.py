"""Who waits for a model, until when, and what is asked together: a value to step, the driver has clock and pipe.

A worker does one batch at a time. Whoever has waited until the deadline is told to go on without; the answer that comes
after it is thrown away and counted, and a worker that says nothing for too long is ended.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

from tillmesh.kernel.limits import INFERENCE_BATCH_MAX, INFERENCE_STALL_MS, INFERENCE_WAITING_MAX


@dataclass(frozen=True, slots=True)
class Asked:
    """One question to a model."""

    ticket: int
    model: str
    deadline_ms: int  # on the steady clock


@dataclass(frozen=True, slots=True)
class Batch:
    """What a worker works on, or is to be given."""

    model: str
    tickets: tuple[int, ...]
    silent_until_ms: int  # a worker that has not answered by then has stalled


@dataclass(slots=True)
class Waiting:
    """Questions that wait, and the one batch in the worker's hands.

    Invariant: a ticket ends exactly once: answered in time, expired, or failed.
    """

    batch_max: int = INFERENCE_BATCH_MAX  # less while the worker's memory does not hold that many
    stall_ms: int = INFERENCE_STALL_MS
    late: int = 0  # answers that came after the deadline
    working: Batch | None = None
    _queue: deque[Asked] = field(default_factory=deque)
    _open: dict[int, Asked] = field(default_factory=dict)  # neither answered nor expired
    _tickets: int = 0

    def ask(self, model: str, now_ms: int, wait_ms: int) -> int | None:
        """Put a question into the queue and give its ticket; None when too many wait."""
        if len(self._queue) >= INFERENCE_WAITING_MAX:
            return None
        self._tickets += 1
        asked = Asked(self._tickets, model, now_ms + wait_ms)
        self._queue.append(asked)
        self._open[asked.ticket] = asked
        return asked.ticket

    def next_batch(self) -> Batch | None:
        """Take the oldest questions to one model, at most ``batch_max``; None when it is busy or nobody waits."""
        if self.working is not None or not self._queue:
            return None
        model = self._queue[0].model
        taken = [asked for asked in self._queue if asked.model == model][: self.batch_max]
        for asked in taken:
            self._queue.remove(asked)
        silent_until_ms = max(asked.deadline_ms for asked in taken) + self.stall_ms
        self.working = Batch(model, tuple(asked.ticket for asked in taken), silent_until_ms)
        return self.working

    def answered(self, now_ms: int) -> list[tuple[int, int]]:
        """The worker answered its batch: give (place in the batch, ticket) of those who still wait for it."""
        batch, self.working = self.working, None
        assert batch is not None, "an answer without a question"
        held = [(place, self._open.pop(ticket, None)) for place, ticket in enumerate(batch.tickets)]
        in_time = [(place, asked.ticket) for place, asked in held if asked is not None and now_ms <= asked.deadline_ms]
        self.late += len(batch.tickets) - len(in_time)
        return in_time

    def again_in_halves(self) -> bool:
        """The batch was too large for the worker's memory: ask smaller ones; False when it was one question alone."""
        batch, self.working = self.working, None
        assert batch is not None, "an answer without a question"
        if len(batch.tickets) == 1:
            self._open.pop(batch.tickets[0], None)
            return False
        self.batch_max = max(1, len(batch.tickets) // 2)
        self._queue.extendleft(self._open[ticket] for ticket in reversed(batch.tickets) if ticket in self._open)
        return True

    def put_back(self) -> None:
        """The batch was not handed over: its model has to be loaded first."""
        batch, self.working = self.working, None
        assert batch is not None, "nothing was taken"
        self._queue.extendleft(self._open[ticket] for ticket in reversed(batch.tickets) if ticket in self._open)

    def drop(self, model: str) -> list[int]:
        """The model can't be used: give the tickets that wait for it, and forget them."""
        dropped = [asked.ticket for asked in self._open.values() if asked.model == model]
        for ticket in dropped:
            del self._open[ticket]
        self._queue = deque(asked for asked in self._queue if asked.ticket in self._open)
        return dropped

    def expire(self, now_ms: int) -> list[int]:
        """Give the tickets whose deadline is over, and forget them."""
        over = [asked.ticket for asked in self._open.values() if now_ms > asked.deadline_ms]
        for ticket in over:
            del self._open[ticket]
        self._queue = deque(asked for asked in self._queue if asked.ticket in self._open)
        return over

    def fail_all(self) -> list[int]:
        """The worker is gone: give every ticket that waited for anything, and forget them."""
        failed = list(self._open)
        self._open.clear()
        self._queue.clear()
        self.working = None
        self.batch_max = INFERENCE_BATCH_MAX
        return failed

    def is_stalled(self, now_ms: int) -> bool:
        """Say whether the worker has been silent for too long."""
        return self.working is not None and now_ms > self.working.silent_until_ms

    def wake_at_ms(self) -> int | None:
        """Give the next moment at which something is over."""
        moments = [asked.deadline_ms for asked in self._open.values()]
        if self.working is not None:
            moments.append(self.working.silent_until_ms)
        return min(moments, default=None)
