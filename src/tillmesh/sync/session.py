"""One link between two sides, sans I/O: find out what the other lacks, send it, count only what is durable.

Both sides run the same code. A side sends in batches, one in flight; it sends the next when the first is acknowledged
as durable, so a slow receiver sets the pace by itself. A batch that is not acknowledged is sent again from what the
peer last acknowledged: receivers ignore what they hold, so nothing is ever counted twice.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, assert_never

import msgspec

from tillmesh.kernel.envelope import Envelope, Head
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
    Slow,
    Want,
)
from tillmesh.sync.sending import RESEND_MS, Sending
from tillmesh.sync.signatures import Notary
from tillmesh.sync.steps import Apply, Closed, Fence, Send, Step, WakeAt
from tillmesh.sync.taking import Gap, JoinsOn, Taking, TwoHistories

PRESENCE_MS: Final = 5_000
SILENT_MS: Final = 3 * PRESENCE_MS  # A peer that says nothing for so long is gone.
STRANGER_MS: Final = 5_000  # so long may a list of tills take that introduces an actor
assert PRESENCE_MS < SILENT_MS


class Side(msgspec.Struct, frozen=True):
    """Who one end of a session is."""

    store: str
    actor: str
    epoch: int = 0


class Session:
    """One end of one link: what is said when, over a half that sends and one that takes."""

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
        self._heads = dict(heads)
        self._fenced: set[str] = set()
        self._taking = Taking(me.store, self._heads, self._fenced, notary, intake)
        self._is_signed = notary is not None
        self._sending = Sending(me.actor, self._heads, self._fenced)
        self._eager = eager
        self._leaderless = self._peer_leaderless = False
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
        if not self._sending.is_greeted:
            return self._refuse("no-hello", "the first message must be a hello", now_ms)
        match message:
            case Push():
                return self._pushed(message, now_ms)
            case Ack():
                self._sending.acked(message.batch)
                return [*self._sending.learn(message.durable), *self._next()]
            case Presence():
                self._peer_leaderless = message.leaderless
                return [*self._sending.learn(message.durable), *self._next()]
            case Want():
                self._sending.wanted(message)
                return self._next()
            case Later():
                return self._sending.put_off(message, now_ms)
            case Slow():
                return self._sending.slow_down(message, now_ms)
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
        return [Send(self._presence())] if self._sending.is_greeted and not self._closed else []

    def loaded(
        self, events: Sequence[Envelope], now_ms: int, signatures: Mapping[tuple[str, int], bytes] = NO_SIGNATURES
    ) -> list[Step]:
        """The driver has read what :class:`Load` asked for, and the signatures of the heads (actor, seq) it ends in."""
        push = self._sending.loaded(() if self._closed else events, now_ms, signatures)
        return [] if push is None else [self._say(push, now_ms), WakeAt(self._sending.resend_at_ms)]

    def applied(self, batch: int, durable: Mapping[str, Head], now_ms: int) -> list[Step]:
        """A batch of the peer is on disk; ``durable`` are the heads of the actors it was about."""
        self._heads.update(durable)
        self._taking.stored(now_ms)
        if self._closed:
            return []
        news = {actor: head.seq for actor, head in durable.items()}
        return [self._say(Ack(batch, news), now_ms), *self._next()]

    def refused(self, batch: int, wait_ms: int, now_ms: int) -> list[Step]:
        """A batch of the peer was not applied because this side is busy: ask for it again later."""
        self._taking.not_stored()
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
        if self._sending.resends(now_ms):
            steps += self._next()
        if self._sending.resumes(now_ms):
            steps += self._next()
        if self._sending.is_greeted and now_ms - self._said_ms >= PRESENCE_MS:
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
        self._sending.begin()
        steps += self._sending.learn({actor: mark.seq for actor, mark in hello.heads.items()})
        if self._leaderless:
            steps.append(self._say(self._presence(), now_ms))
        return [*steps, *self._next()]

    def _pushed(self, push: Push, now_ms: int) -> list[Step]:
        """Pass on what is new and joins on; ask again where something is missing before it."""
        if self._taking.is_busy:
            return [self._say(Later(push.batch, RESEND_MS), now_ms)]
        sifted = self._taking.sift(push.runs, now_ms)
        if sifted.is_forged:
            return self._refuse("unsigned", "events that their own actor did not sign", now_ms, forger=True)
        if sifted.is_early:
            return [self._say(Later(push.batch, STRANGER_MS), now_ms)]
        steps: list[Step] = [self._say(Slow(actor, wait_ms), now_ms) for actor, wait_ms in sifted.slow.items()]
        wanted: dict[str, int] = {}
        told: dict[str, int] = {}
        parts: list[JoinsOn] = []
        for run in sifted.runs:
            if run.actor in self._fenced:
                steps.append(self._say(Forked(run.actor, "fenced here"), now_ms))
                continue
            match self._taking.join(run):
                case Gap(held):
                    wanted[run.actor] = held
                case TwoHistories(detail, proven):
                    steps += self._fence(run.actor, detail, proven=proven)
                    steps.append(self._say(Forked(run.actor, detail), now_ms))
                case JoinsOn(held) as part:
                    parts.append(part)
                    told[run.actor] = held
                    # Whoever sends an event has it on disk: it need not be sent back.
                    steps += self._sending.learn({run.actor: run.last})
        if wanted:
            steps.append(self._say(Want(push.batch, wanted), now_ms))
        if fresh := tuple(event for part in parts for event in part.events):
            self._taking.storing(fresh)
            steps.append(Apply(push.batch, fresh, tuple(part.signed for part in parts if part.events)))
        elif not wanted:
            steps.append(self._say(Ack(push.batch, told), now_ms))
        return steps

    def _next(self) -> list[Step]:
        """Go on sending, if the peer is to be sent anything at all."""
        if self._closed or not (self._eager or self._peer_leaderless):
            return []
        return self._sending.load()

    def _fence(self, actor: str, detail: str, *, proven: bool = False) -> list[Step]:
        """Stop with an actor, and tell the driver the first time."""
        if actor in self._fenced:
            return []
        self._fenced.add(actor)
        # Where signatures count, the word of one peer fences an actor towards that peer only: else a single till
        # that lies could silence any other.
        return [Fence(actor, detail, everywhere=not self._is_signed, proven=proven)]

    def _presence(self) -> Presence:
        return Presence({actor: head.seq for actor, head in self._heads.items()}, self._leaderless)

    def _say(self, message: Message, now_ms: int) -> Send:
        self._said_ms = now_ms
        return Send(message)

    def _wake_at(self, now_ms: int) -> int:
        ahead = [self._said_ms + PRESENCE_MS, self._heard_ms + SILENT_MS]
        if self._sending.is_in_flight:
            ahead.append(self._sending.resend_at_ms)
        return max(now_ms + 1, min(ahead))

    def _refuse(self, code: str, detail: str, now_ms: int, *, forger: bool = False) -> list[Step]:
        return [self._say(Refuse(code, detail), now_ms), *self._close(detail, forger=forger)]

    def _close(self, detail: str, *, forger: bool = False) -> list[Step]:
        self._closed = True
        return [Closed(detail, forger)]

    @property
    def in_flight(self) -> Mapping[str, int]:
        """Per actor the last event of the batch that was sent and is not answered yet."""
        return self._sending.under_way

    @property
    def behind(self) -> int | None:
        """How many events the peer holds that this side does not hold yet, or None before its hello."""
        return self._sending.holds_beyond(self._fenced)

    @property
    def unheard(self) -> int | None:
        """The same, without what this side has put off: it is no news that is on its way."""
        return self._sending.holds_beyond(self._fenced | self._taking.put_off)

    @property
    def lacks(self) -> int | None:
        """How many events the peer does not hold yet, or None before its hello."""
        return self._sending.lacks()
