"""One link between two sides, sans I/O: find out what the other lacks, send it, count only what is durable.

Both sides run the same code. A side sends in batches, one in flight; it sends the next when the first is acknowledged
as durable, so a slow receiver sets the pace by itself. A batch that is not acknowledged is sent again from what the
peer last acknowledged: receivers ignore what they hold, so nothing is ever counted twice.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Final, assert_never

import msgspec

from tillmesh.kernel.envelope import Envelope, Head, seal
from tillmesh.kernel.limits import SYNC_ACTORS_MAX, SYNC_BATCH_BYTES_MAX, SYNC_EVENTS_PER_BATCH_MAX
from tillmesh.sync.intake import Intake
from tillmesh.sync.messages import (
    NO_SIGNATURES,
    PROTOCOL,
    Ack,
    Forked,
    Hello,
    Later,
    Mark,
    Message,
    Presence,
    Push,
    Refuse,
    Run,
    Slow,
    Span,
    Want,
    runs_of,
)
from tillmesh.sync.signatures import Notary, SignedHead, Verdict
from tillmesh.sync.steps import Acked, Apply, Closed, Fence, Load, Send, Step, WakeAt

RESEND_MS: Final = 2_000  # Guess: well above a fsync on a slow disk, well below a cashier's patience.
RESEND_MS_MAX: Final = 30_000
PRESENCE_MS: Final = 5_000
SILENT_MS: Final = 3 * PRESENCE_MS  # A peer that says nothing for so long is gone.
STRANGER_MS: Final = 5_000  # so long may a list of tills take that introduces an actor
_NOTHING: Final = Head("")
assert PRESENCE_MS < SILENT_MS
assert RESEND_MS <= RESEND_MS_MAX


class Side(msgspec.Struct, frozen=True):
    """Who one end of a session is."""

    store: str
    actor: str
    epoch: int = 0


class Session:
    """One end of one link.

    Invariant: ``_theirs`` never says more than the peer told is durable there; only a Want takes it back.
    Invariant: at most one batch is in flight (``_batch`` > 0 exactly then), and at most one Load is unanswered.
    """

    def __init__(
        self,
        me: Side,
        heads: Mapping[str, Head],
        *,
        eager: bool = True,
        notary: Notary | None = None,
        intake: Intake | None = None,
    ) -> None:
        """Begin with what is held; without a notary all that joins on is taken for true, without an intake at once."""
        self._me = me
        self._notary = notary
        self._intake = intake
        self._taking: tuple[int, tuple[Envelope, ...]] | None = None  # the peer's batch that is being stored
        self._told_slow: dict[str, int] = {}  # actor -> until when this side wants nothing of it
        self._slowed: dict[str, int] = {}  # actor -> until when the peer wants nothing of it
        self._heads = dict(heads)
        self._eager = eager
        self._leaderless = self._peer_leaderless = False
        self._theirs: dict[str, int] | None = None  # unknown before Hello
        self._fenced: set[str] = set()
        self._batch = 0
        self._sent: dict[str, int] = {}  # actor -> last event of the batch in flight
        self._batches = 0
        self._loading = False
        self._resend_at_ms = 0
        self._resends = 0
        self._heard_ms = 0
        self._said_ms = 0
        self._closed = False

    # What happens -----------------------------------------------------------------------------------------------

    def start(self, now_ms: int) -> list[Step]:
        """Begin: say hello with everything held."""
        self._heard_ms = now_ms
        heads = {actor: Mark(head.seq, head.hash) for actor, head in self._heads.items()}
        hello = Hello(PROTOCOL, self._me.store, self._me.epoch, self._me.actor, heads)
        return [self._say(hello, now_ms), WakeAt(now_ms + PRESENCE_MS)]

    def receive(self, message: Message | None, now_ms: int) -> list[Step]:  # noqa: PLR0911 - one for each message
        """Take in a message; None is one of a newer program, which says no more than that the peer is there."""
        if self._closed:
            return []
        self._heard_ms = now_ms
        if message is None:
            return []
        if isinstance(message, Hello):
            return self._hello(message, now_ms)
        if isinstance(message, Refuse):
            return self._close(f"the other side ended it: {message.code}: {message.detail}")
        if self._theirs is None:
            return self._refuse("no-hello", "the first message must be a hello", now_ms)
        match message:
            case Push():
                return self._pushed(message, now_ms)
            case Ack():
                return self._acked(message)
            case Presence():
                self._peer_leaderless = message.leaderless
                return [*self._learn(message.durable), *self._next()]
            case Want():
                return self._wanted(message)
            case Later():
                return self._put_off(message, now_ms)
            case Slow():
                return self._slow_down(message, now_ms)
            case Forked():
                # Of an actor whose events nobody here holds, there is nothing to stop with.
                return self._fence(message.actor, message.detail) if message.actor in self._heads else []
        assert_never(message)

    def appended(self, head: Head) -> list[Step]:
        """The own log of some actor has grown: by a sale here, or by what another peer brought."""
        self._heads[head.actor] = head
        return self._next()

    def be_eager(self, *, eager: bool) -> list[Step]:
        """Push at once from now on, or only answer what is asked; follows who leads."""
        self._eager = eager
        return self._next()

    def be_leaderless(self, *, leaderless: bool) -> list[Step]:
        """Tell the peer whether this side reaches a leader: without one everybody it reaches must push to it."""
        if leaderless == self._leaderless:
            return []
        self._leaderless = leaderless
        return [Send(self._presence())] if self._theirs is not None and not self._closed else []

    def loaded(
        self, events: Sequence[Envelope], now_ms: int, signatures: Mapping[tuple[str, int], bytes] = NO_SIGNATURES
    ) -> list[Step]:
        """The driver has read what :class:`Load` asked for, and the signatures of the heads (actor, seq) it ends in."""
        self._loading = False
        if self._closed or not events or self._batch:
            return []
        self._batches += 1
        self._batch = self._batches
        self._sent = {event.actor: event.seq for event in events}
        self._resend_at_ms = now_ms + min(RESEND_MS << min(self._resends, 4), RESEND_MS_MAX)
        return [self._say(Push(self._batch, runs_of(events, signatures)), now_ms), WakeAt(self._resend_at_ms)]

    def applied(self, batch: int, durable: Mapping[str, Head], now_ms: int) -> list[Step]:
        """A batch of the peer is on disk; ``durable`` are the heads of the actors it was about."""
        self._heads.update(durable)
        taken, self._taking = self._taking, None
        if self._intake is not None and taken is not None:
            self._intake.took(taken[1], now_ms)
        if self._closed:
            return []
        news = {actor: head.seq for actor, head in durable.items()}
        return [self._say(Ack(batch, news), now_ms), *self._next()]

    def refused(self, batch: int, wait_ms: int, now_ms: int) -> list[Step]:
        """A batch of the peer was not applied because this side is busy: ask for it again later."""
        self._taking = None
        return [] if self._closed else [self._say(Later(batch, wait_ms), now_ms)]

    def fence(self, actor: str) -> None:
        """Send and take nothing of an actor any more."""
        self._fenced.add(actor)

    def wake(self, now_ms: int) -> list[Step]:
        """Resend what was not acknowledged, say that we are here, and give up on a peer that says nothing."""
        if self._closed:
            return []
        if now_ms - self._heard_ms >= SILENT_MS:
            return self._close(f"the other side has been silent for {SILENT_MS} ms")
        steps: list[Step] = []
        if self._batch and now_ms >= self._resend_at_ms:
            self._batch, self._sent = 0, {}
            self._resends += 1
            steps += self._next()
        if any(now_ms >= until for until in self._slowed.values()):
            self._slowed = {actor: until for actor, until in self._slowed.items() if now_ms < until}
            steps += self._next()
        if self._theirs is not None and now_ms - self._said_ms >= PRESENCE_MS:
            steps.append(self._say(self._presence(), now_ms))
        return [*steps, WakeAt(self._wake_at(now_ms))]

    # What follows from it ---------------------------------------------------------------------------------------

    def _hello(self, hello: Hello, now_ms: int) -> list[Step]:
        if hello.protocol != PROTOCOL:
            return self._refuse("protocol", f"this side speaks {PROTOCOL}, not {hello.protocol}", now_ms)
        if hello.store != self._me.store:
            return self._refuse("store", "this is another store", now_ms)
        if hello.actor == self._me.actor:
            return self._refuse("same-actor", "two tills with one identity: a cloned disk", now_ms)
        steps: list[Step] = []
        for actor, mark in hello.heads.items():
            own = self._heads.get(actor)
            if own is not None and own.seq == mark.seq and own.hash != mark.hash:
                steps += self._fence(actor, f"two events {actor}-{mark.seq} exist")
        self._theirs = {}
        steps += self._learn({actor: mark.seq for actor, mark in hello.heads.items()})
        self._batch, self._sent = 0, {}
        if self._leaderless:
            steps.append(self._say(self._presence(), now_ms))
        return [*steps, *self._next()]

    def _pushed(self, push: Push, now_ms: int) -> list[Step]:
        """Pass on what is new and joins on; ask again where something is missing before it.

        One batch at a time: a peer that does not wait for the answer would fill this side's memory with batches, keep
        its sales waiting behind them, and have what it wrote counted by nobody.
        """
        if self._taking is not None:
            return [self._say(Later(push.batch, RESEND_MS), now_ms)]
        slow, again = self._slow(push.runs, now_ms)
        pushed = [run for run in push.runs if run.actor not in slow]
        verdicts = [self._judged(run) for run in pushed]
        if Verdict.FORGED in verdicts:
            return self._refuse("unsigned", "events that their own actor did not sign", now_ms, forger=True)
        # A stranger's events have to wait until it is introduced, those of the others have not.
        runs = [run for run, verdict in zip(pushed, verdicts, strict=True) if verdict is Verdict.SIGNED]
        if (pushed or again) and not runs:
            return [self._say(Later(push.batch, STRANGER_MS), now_ms)]
        steps: list[Step] = [self._say(Slow(actor, wait_ms), now_ms) for actor, wait_ms in slow.items()]
        wanted: dict[str, int] = {}
        fresh: list[Envelope] = []
        signed: list[SignedHead] = []
        told: dict[str, int] = {}
        for run in runs:
            if run.actor in self._fenced:
                steps.append(self._say(Forked(run.actor, "fenced here"), now_ms))
                continue
            held = self._heads.get(run.actor, Head(run.actor))
            if run.first > held.seq + 1:
                wanted[run.actor] = held.seq
                continue
            events, end = self._chained(run, held)
            if end.hash != run.hash and end.seq < run.first + len(run.items):
                detail = f"{run.actor} has two histories before event {end.seq + 1}"
                # What goes beyond the head here was judged above: the actor signed it.
                proven = self._notary is not None and run.first + len(run.items) - 1 > held.seq
                steps += [*self._fence(run.actor, detail, proven=proven), self._say(Forked(run.actor, detail), now_ms)]
                continue
            fresh += events
            if events:
                signed.append(SignedHead(end, run.signature))
            told[run.actor] = held.seq
            # Whoever sends an event has it on disk: it need not be sent back.
            steps += self._learn({run.actor: run.first + len(run.items) - 1})
        if wanted:
            steps.append(self._say(Want(push.batch, wanted), now_ms))
        if fresh:
            self._taking = push.batch, tuple(fresh)
            steps.append(Apply(push.batch, tuple(fresh), tuple(signed)))
        elif not wanted:
            steps.append(self._say(Ack(push.batch, told), now_ms))
        return steps

    def _slow(self, runs: Sequence[Run], now_ms: int) -> tuple[dict[str, int], bool]:
        """Name the actors that have to wait, with how long, and whether the peer sends on though it was told so."""
        if self._intake is None:
            return {}, False
        new = {run.actor for run in runs if run.first + len(run.items) - 1 > self._heads.get(run.actor, _NOTHING).seq}
        slow = {actor: wait for actor in sorted(new) if (wait := self._intake.wait_ms(actor, now_ms))}
        again = any(now_ms < self._told_slow.get(actor, 0) for actor in slow)
        self._told_slow = {actor: until for actor, until in self._told_slow.items() if now_ms < until}
        self._told_slow |= {actor: now_ms + wait for actor, wait in slow.items()}
        return slow, again

    def _judged(self, run: Run) -> Verdict:
        """Say whether the actor itself signed what is new of a run."""
        end = Head(run.actor, run.first + len(run.items) - 1, run.hash)
        held = self._heads.get(run.actor, Head(run.actor)).seq
        if self._notary is None or run.actor in self._fenced or end.seq <= held:
            return Verdict.SIGNED
        return self._notary.judge(SignedHead(end, run.signature))

    def _chained(self, run: Run, held: Head) -> tuple[list[Envelope], Head]:
        """Seal what is new of a run on top of the own log, and give where that ends."""
        head, events = held, []
        for item in run.items[max(0, held.seq + 1 - run.first) :]:
            event = seal(self._me.store, head, hlc=item.hlc, kind=item.type, version=item.version, body=item.body)
            events.append(event)
            head = Head(event.actor, event.seq, event.hash)
        return events, head

    def _acked(self, ack: Ack) -> list[Step]:
        if ack.batch and ack.batch == self._batch:
            self._batch, self._sent = 0, {}
            self._resends = 0
        return [*self._learn(ack.durable), *self._next()]

    def _wanted(self, want: Want) -> list[Step]:
        """The peer lacks something before what was sent: what we believed of it was wrong."""
        assert self._theirs is not None
        for actor, seq in want.after.items():
            if actor in self._heads:  # else there is nothing to send; a peer may name new ones for ever
                self._theirs[actor] = min(self._theirs.get(actor, 0), seq)
        if want.batch == self._batch:
            self._batch, self._sent = 0, {}
        return self._next()

    def _put_off(self, later: Later, now_ms: int) -> list[Step]:
        if later.batch != self._batch:
            return []
        self._sent = {}  # refused for now: nothing of it is under way
        self._resend_at_ms = now_ms + later.wait_ms
        return [WakeAt(self._resend_at_ms)]

    def _slow_down(self, slow: Slow, now_ms: int) -> list[Step]:
        """Send nothing of an actor for a while; nobody can name more actors than are held here."""
        if slow.actor not in self._heads:
            return []
        self._slowed[slow.actor] = now_ms + slow.wait_ms
        return [WakeAt(now_ms + slow.wait_ms)]

    def _learn(self, durable: Mapping[str, int]) -> list[Step]:
        """Take in what the peer says it holds; it may hold more than we do, never less than it said before.

        Of actors that nobody here has heard of, no more than fit one hello: a peer may name new ones for ever.
        """
        theirs = self._theirs
        assert theirs is not None
        news = {actor: seq for actor, seq in durable.items() if seq > theirs.get(actor, 0)}
        if len(theirs) + len(news) > SYNC_ACTORS_MAX:
            news = {actor: seq for actor, seq in news.items() if actor in theirs or actor in self._heads}
        theirs.update(news)
        return [Acked(news)] if news else []

    def _next(self) -> list[Step]:
        """Ask the driver for the next batch if the peer lacks something and none is under way."""
        if self._closed or self._theirs is None or self._batch or self._loading:
            return []
        if not (self._eager or self._peer_leaderless):
            return []
        spans = tuple(
            Span(actor, self._theirs.get(actor, 0) + 1, head.seq)
            for actor, head in sorted(self._heads.items(), key=self._least_first)
            if actor not in self._fenced and actor not in self._slowed and head.seq > self._theirs.get(actor, 0)
        )
        if not spans:
            return []
        self._loading = True
        return [Load(spans, SYNC_EVENTS_PER_BATCH_MAX, SYNC_BATCH_BYTES_MAX)]

    def _fence(self, actor: str, detail: str, *, proven: bool = False) -> list[Step]:
        """Stop with an actor, and tell the driver the first time."""
        if actor in self._fenced:
            return []
        self._fenced.add(actor)
        # Where signatures count, the word of one peer fences an actor towards that peer only: else a single till
        # that lies could silence any other.
        return [Fence(actor, detail, everywhere=self._notary is None, proven=proven)]

    def _least_first(self, item: tuple[str, Head]) -> tuple[bool, int, str]:
        """What was sold here is nowhere else yet: it goes first, and last the log of which the peer lacks the most.

        So whoever has written a great deal keeps nobody else waiting.
        """
        actor, head = item
        assert self._theirs is not None
        return actor != self._me.actor, head.seq - self._theirs.get(actor, 0), actor

    def _presence(self) -> Presence:
        return Presence(self._durable(), self._leaderless)

    def _durable(self) -> dict[str, int]:
        return {actor: head.seq for actor, head in self._heads.items()}

    def _say(self, message: Message, now_ms: int) -> Send:
        self._said_ms = now_ms
        return Send(message)

    def _wake_at(self, now_ms: int) -> int:
        ahead = [self._said_ms + PRESENCE_MS, self._heard_ms + SILENT_MS]
        if self._batch:
            ahead.append(self._resend_at_ms)
        return max(now_ms + 1, min(ahead))

    def _refuse(self, code: str, detail: str, now_ms: int, *, forger: bool = False) -> list[Step]:
        return [self._say(Refuse(code, detail), now_ms), *self._close(detail, forger=forger)]

    def _close(self, detail: str, *, forger: bool = False) -> list[Step]:
        self._closed = True
        return [Closed(detail, forger)]

    @property
    def in_flight(self) -> Mapping[str, int]:
        """Per actor the last event of the batch that was sent and is not answered yet."""
        return self._sent

    @property
    def behind(self) -> int | None:
        """How many events the peer holds that this side does not hold yet, or None before its hello."""
        return self._lacked(self._fenced)

    @property
    def unheard(self) -> int | None:
        """The same, without what this side has put off: it is no news that is on its way."""
        return self._lacked(self._fenced | self._told_slow.keys())

    def _lacked(self, but: Collection[str]) -> int | None:
        if self._theirs is None:
            return None
        held = self._heads
        return sum(
            max(0, seq - held.get(actor, _NOTHING).seq) for actor, seq in self._theirs.items() if actor not in but
        )

    @property
    def lacks(self) -> int | None:
        """How many events the peer does not hold yet, or None before its hello."""
        if self._theirs is None:
            return None
        theirs = self._theirs
        return sum(max(0, head.seq - theirs.get(actor, 0)) for actor, head in self._heads.items())
