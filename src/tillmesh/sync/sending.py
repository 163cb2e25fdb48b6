"""What a side sends to its peer, and when: one batch in flight, sent again until it is durable over there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from typing import Final

from tillmesh.kernel.envelope import Envelope, Head
from tillmesh.kernel.limits import SYNC_ACTORS_MAX, SYNC_BATCH_BYTES_MAX, SYNC_EVENTS_PER_BATCH_MAX
from tillmesh.sync.messages import Later, Push, Slow, Span, Want, runs_of
from tillmesh.sync.steps import Acked, Load, Step, WakeAt

RESEND_MS: Final = 2_000  # Guess: well above a fsync on a slow disk, well below a cashier's patience.
RESEND_MS_MAX: Final = 30_000
assert RESEND_MS <= RESEND_MS_MAX


class Sending:
    """The sending half of a session; ``heads`` and ``fenced`` are the session's own, as they grow.

    Invariant: ``theirs`` never says more than the peer told is durable there; only a Want takes it back.
    Invariant: at most one batch is in flight (``_batch`` > 0 exactly then), and at most one Load is unanswered.
    """

    def __init__(self, actor: str, heads: Mapping[str, Head], fenced: Set[str]) -> None:
        self._actor = actor
        self._heads = heads
        self._fenced = fenced
        self.theirs: dict[str, int] | None = None  # unknown before Hello
        self.under_way: dict[str, int] = {}  # actor -> last event of the batch in flight
        self.resend_at_ms = 0
        self._slowed: dict[str, int] = {}  # actor -> until when the peer wants nothing of it
        self._batch = 0
        self._batches = 0
        self._resends = 0
        self._is_loading = False

    @property
    def is_greeted(self) -> bool:
        """Whether the peer has said hello."""
        return self.theirs is not None

    @property
    def is_in_flight(self) -> bool:
        """Whether a batch is on its way and not answered yet."""
        return bool(self._batch)

    def begin(self) -> None:
        """The peer said hello: from now on it is known what it holds."""
        self.theirs = {}
        self._nothing_in_flight()

    def learn(self, durable: Mapping[str, int]) -> list[Step]:
        """Take in what the peer says it holds; it may hold more than we do, never less than it said before.

        Of actors that nobody here has heard of, no more than fit one hello: a peer may name new ones for ever.
        """
        theirs = self.theirs
        assert theirs is not None
        news = {actor: seq for actor, seq in durable.items() if seq > theirs.get(actor, 0)}
        if len(theirs) + len(news) > SYNC_ACTORS_MAX:
            news = {actor: seq for actor, seq in news.items() if actor in theirs or actor in self._heads}
        theirs.update(news)
        return [Acked(news)] if news else []

    def load(self) -> list[Step]:
        """Ask the driver for the next batch if the peer lacks something and none is under way."""
        theirs = self.theirs
        if theirs is None or self._batch or self._is_loading:
            return []
        spans = tuple(
            Span(actor, theirs.get(actor, 0) + 1, head.seq)
            for actor, head in sorted(self._heads.items(), key=self._least_first)
            if actor not in self._fenced and actor not in self._slowed and head.seq > theirs.get(actor, 0)
        )
        if not spans:
            return []
        self._is_loading = True
        return [Load(spans, SYNC_EVENTS_PER_BATCH_MAX, SYNC_BATCH_BYTES_MAX)]

    def _least_first(self, item: tuple[str, Head]) -> tuple[bool, int, str]:
        """What was sold here is nowhere else yet: it goes first, and last the log of which the peer lacks the most.

        So whoever has written a great deal keeps nobody else waiting.
        """
        actor, head = item
        assert self.theirs is not None
        return actor != self._actor, head.seq - self.theirs.get(actor, 0), actor

    def loaded(
        self, events: Sequence[Envelope], now_ms: int, signatures: Mapping[tuple[str, int], bytes]
    ) -> Push | None:
        """Make a batch of what the driver has read; None if there is nothing to send now."""
        self._is_loading = False
        if not events or self._batch:
            return None
        self._batches += 1
        self._batch = self._batches
        self.under_way = {event.actor: event.seq for event in events}
        self.resend_at_ms = now_ms + min(RESEND_MS << min(self._resends, 4), RESEND_MS_MAX)
        return Push(self._batch, runs_of(events, signatures))

    def acked(self, batch: int) -> None:
        """A batch is durable over there."""
        if batch and batch == self._batch:
            self._nothing_in_flight()
            self._resends = 0

    def wanted(self, want: Want) -> None:
        """The peer lacks something before what was sent: what we believed of it was wrong."""
        assert self.theirs is not None
        for actor, seq in want.after.items():
            if actor in self._heads:  # else there is nothing to send; a peer may name new ones for ever
                self.theirs[actor] = min(self.theirs.get(actor, 0), seq)
        if want.batch == self._batch:
            self._nothing_in_flight()

    def put_off(self, later: Later, now_ms: int) -> list[Step]:
        """The peer did not take the batch: it goes again later."""
        if later.batch != self._batch:
            return []
        self.under_way = {}  # refused for now: nothing of it is under way
        self.resend_at_ms = now_ms + later.wait_ms
        return [WakeAt(self.resend_at_ms)]

    def slow_down(self, slow: Slow, now_ms: int) -> list[Step]:
        """Send nothing of an actor for a while; nobody can name more actors than are held here."""
        if slow.actor not in self._heads:
            return []
        self._slowed[slow.actor] = now_ms + slow.wait_ms
        return [WakeAt(now_ms + slow.wait_ms)]

    def resends(self, now_ms: int) -> bool:
        """Give up on an answer that is overdue; say whether one was."""
        if not self._batch or now_ms < self.resend_at_ms:
            return False
        self._nothing_in_flight()
        self._resends += 1
        return True

    def resumes(self, now_ms: int) -> bool:
        """Send again of actors whose wait is over; say whether there are any."""
        slowed = {actor: until for actor, until in self._slowed.items() if now_ms < until}
        is_over = len(slowed) < len(self._slowed)
        self._slowed = slowed
        return is_over

    def lacks(self) -> int | None:
        """How many events the peer does not hold yet, or None before its hello."""
        if self.theirs is None:
            return None
        theirs = self.theirs
        return sum(max(0, head.seq - theirs.get(actor, 0)) for actor, head in self._heads.items())

    def holds_beyond(self, but: Set[str]) -> int | None:
        """How many events of all but some actors only the peer holds, or None before its hello."""
        if self.theirs is None:
            return None
        held = self._heads
        return sum(
            max(0, seq - (held[actor].seq if actor in held else 0))
            for actor, seq in self.theirs.items()
            if actor not in but
        )

    def _nothing_in_flight(self) -> None:
        self._batch, self.under_way = 0, {}
