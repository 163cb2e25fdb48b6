"""The leader's way to head office, sans I/O: what happens and the time in, what to ask, load and send out.

Only the leader uploads, and a till that works alone. It begins by asking what head office holds; who led before is
no part of it: a batch whose answer was lost, or that died half-way with its leader, is simply not sent again or sent
twice, and head office counts every event once. One batch is under way; the next leaves when it was acknowledged.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

from tillmesh.kernel.envelope import Envelope, Head
from tillmesh.kernel.ids import is_office
from tillmesh.kernel.limits import RETRY_AFTER_S_MAX, SYNC_BATCH_BYTES_MAX, SYNC_EVENTS_PER_BATCH_MAX
from tillmesh.sync.messages import Mark, Run, Span, runs_of, sealed
from tillmesh.sync.model_orders import orders_digest
from tillmesh.sync.session import Side
from tillmesh.sync.signatures import Notary, SignedHead, Verdict
from tillmesh.sync.steps import WakeAt
from tillmesh.sync.upload import Answer, Batch, State

EVERY_MS: Final = 15 * 60_000  # with nothing new, head office hears of the store so often, and the store of its news
PUSH_MS: Final = 200  # after a sale: what is sold meanwhile goes along
AGAIN_MS: Final = 1_000
AGAIN_MS_MAX: Final = 60_000  # guess: a shop that is back on the internet is heard of within a minute by itself
LATER: Final = frozenset({408, 425, 429})  # of the answers in 4xx those that say "again"
REFUSED_MS: Final = 300_000  # a person has to do something first
TROUBLE_CHARS_MAX: Final = 200


@dataclass(frozen=True, slots=True)
class AskState:
    """Ask head office what it holds; answer with ``Uplink.told`` or ``Uplink.failed``."""

    ticket: int


@dataclass(frozen=True, slots=True)
class LoadUp:
    """Read events from the own log and give them to ``Uplink.loaded``; stop early at either limit."""

    ticket: int
    spans: tuple[Span, ...]
    events_max: int
    bytes_max: int


@dataclass(frozen=True, slots=True)
class Upload:
    """Send a batch; answer with ``Uplink.answered`` or ``Uplink.failed``."""

    ticket: int
    batch: Batch


@dataclass(frozen=True, slots=True)
class Known:
    """What head office holds durably, and what is under way, has changed: tell the other tills."""

    durable: Mapping[str, int]
    under_way: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Take:
    """Store these events of head office's own, with its signatures, as any other till's."""

    events: tuple[Envelope, ...]
    signed: tuple[SignedHead, ...]


@dataclass(frozen=True, slots=True)
class Alarm:
    """Tell a manager: something that goes not away by itself."""

    kind: str
    subject: str
    detail: str


UplinkStep: TypeAlias = AskState | LoadUp | Upload | Known | Take | Alarm | WakeAt


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """Why there was no answer; ``status`` 0 means that head office was not reached."""

    status: int = 0
    kind: str = ""
    detail: str = ""
    subject: str = ""  # the actor of a fork
    retry_after_s: int = 0


class Uplink:
    """One till's part in uploading. ``draw`` gives a number in [0, 1) and spreads what many stores do at once.

    Invariant: at most one request or load is unanswered (``_busy``), and it carries the newest ticket.
    Invariant: ``_theirs`` is what head office last said, never what we believe to have sent.
    """

    def __init__(self, me: Side, heads: Mapping[str, Head], draw: Callable[[], float], notary: Notary) -> None:
        self._me = me
        self._notary = notary
        self._heads = dict(heads)
        self._draw = draw
        self._term: int | None = None  # None: uploading is another till's business
        self._stale: int | None = None  # a term that head office has called older
        self._online = True
        self._theirs: dict[str, int] | None = None
        self._fenced: set[str] = set()
        self._tills: dict[str, int] = {}  # how many of head office's events each till of the store holds
        self._tills_sent: dict[str, int] = {}
        self._ticket = 0
        self._busy = False
        self._under_way: dict[str, int] = {}
        self._failures = 0
        self._not_before_ms = 0
        self._push_at_ms = 0
        self._due_ms = 0
        self._events_max = SYNC_EVENTS_PER_BATCH_MAX
        self._bytes_max = SYNC_BATCH_BYTES_MAX
        self._lists: tuple[bytes, ...] = ()  # of the store's tills
        self._lists_sent: tuple[bytes, ...] = ()  # as they were with the batch under way
        self._lists_told: tuple[bytes, ...] = ()  # what head office has of them
        self._told: set[str] = set()  # alarms that were given since the last success
        self.orders_mark = b""  # of the orders for models that head office has told last; empty: none since the start
        self.reachable = False
        self.trouble = ""  # why head office, which answers, takes nothing; empty while all is well

    @property
    def uploads(self) -> bool:
        """Whether uploading is this till's business now."""
        return self._term is not None

    @property
    def office_events(self) -> int:
        """How many of head office's own events are held here."""
        return sum(head.seq for actor, head in self._heads.items() if is_office(actor))

    @property
    def uploading(self) -> bool:
        """Whether events are under way."""
        return bool(self._under_way)

    # What happens -----------------------------------------------------------------------------------------------

    def lead(self, term: int | None, now_ms: int) -> list[UplinkStep]:
        """Upload from now on as the leader of a term (0: a till alone), or no more."""
        if term == self._term:
            return []
        self._term = term
        if term is None or term != self._stale:
            self._stale = None
        self._forget()
        self._theirs, self._lists_told = None, ()
        self._fenced.clear()  # head office says so again if it still holds
        self._due_ms = now_ms
        self._not_before_ms = self._push_at_ms = now_ms
        self._failures = 0
        return self._next(now_ms)

    def appended(self, head: Head, now_ms: int) -> list[UplinkStep]:
        """The log of some actor has grown on this disk."""
        held = self._heads.get(head.actor)
        if held is not None and held.seq >= head.seq:
            return []
        if self._push_at_ms <= now_ms:
            self._push_at_ms = now_ms + PUSH_MS
        self._heads[head.actor] = head
        return self._next(now_ms)

    def know(self, lists: tuple[bytes, ...]) -> None:
        """The store's tills are listed so: head office has to know whose signatures count."""
        self._lists = lists

    def spread(self, tills: Mapping[str, int], now_ms: int) -> list[UplinkStep]:
        """So many of head office's events are on each till of the store: it wants to know when they have come."""
        if self._term is None or tills == self._tills:
            return []
        self._tills = dict(tills)
        self._due_ms = min(self._due_ms, now_ms + PUSH_MS)
        return self._next(now_ms)

    def online(self, now_ms: int, *, up: bool) -> list[UplinkStep]:
        """The network came or went: when it comes, try at once."""
        if up == self._online:
            return []
        self._online = up
        self._forget()
        self._failures, self._not_before_ms, self._due_ms = 0, now_ms, now_ms
        if not up:
            self.reachable = False
            return [Known(self._theirs or {}, {})]
        return self._next(now_ms)

    def news(self, now_ms: int) -> list[UplinkStep]:
        """Head office has something for this store: fetch it."""
        self._due_ms = now_ms
        if self._term is not None and self._term == self._stale:
            self._not_before_ms = now_ms
        return self._next(now_ms)

    def told(self, ticket: int, state: State, now_ms: int) -> list[UplinkStep]:
        """Head office said what it holds."""
        if not self._mine(ticket):
            return []
        self._failures = 0
        self.reachable = True
        self._theirs = dict(state.acked)
        if self._term is not None and state.term > self._term:
            return self._older(f"head office has heard of term {state.term}", now_ms)
        self._stale = None
        return [Known(self._theirs, {}), *self._next(now_ms)]

    def loaded(
        self, ticket: int, events: Sequence[Envelope], signatures: Mapping[tuple[str, int], bytes], now_ms: int
    ) -> list[UplinkStep]:
        """The driver has read what :class:`LoadUp` asked for."""
        if not self._mine(ticket):
            return []
        if not events:
            return self._again(now_ms, AGAIN_MS)
        return self._send(runs_of(events, signatures))

    def answered(self, ticket: int, answer: Answer, now_ms: int) -> list[UplinkStep]:
        """Head office has taken a batch, and says what it holds now."""
        sent, lists, tills = self._under_way, self._lists_sent, self._tills_sent
        if not self._mine(ticket):
            return []
        before = self._theirs or {}
        self._lists_told = lists
        self._theirs = dict(answer.acked)
        if answer.model_orders is not None:
            self.orders_mark = orders_digest(answer.model_orders)
        self.reachable, self.trouble = True, ""
        self._told.clear()
        stuck = sent and not any(self._theirs.get(actor, 0) > before.get(actor, 0) for actor in sent)
        self._events_max = min(2 * self._events_max, SYNC_EVENTS_PER_BATCH_MAX)
        self._bytes_max = min(2 * self._bytes_max, SYNC_BATCH_BYTES_MAX)
        self._due_ms = now_ms + int(EVERY_MS * (0.9 + 0.2 * self._draw()))
        steps: list[UplinkStep] = [Known(self._theirs, {})]
        taken = self._updates(answer.updates, steps)
        if taken or tills != self._tills:
            self._due_ms = now_ms + AGAIN_MS  # tell that it has come, and ask for what did not fit
        if stuck and not answer.wanted:
            return [*steps, *self._again(now_ms, AGAIN_MS << min(self._failures, 6))]
        self._failures = 0
        return [*steps, *self._next(now_ms)]

    def failed(self, ticket: int, why: Refusal, now_ms: int) -> list[UplinkStep]:
        """Head office was not reached, or said no."""
        if not self._mine(ticket):
            return []
        self.reachable = why.status != 0
        if why.status not in LATER:  # being put off is no trouble
            self.trouble = why.detail[:TROUBLE_CHARS_MAX] if why.status else ""
        quiet: list[UplinkStep] = [Known(self._theirs or {}, {})]
        match why.status, why.kind:
            case 409, "older-term":
                return [*quiet, *self._older(why.detail, now_ms)]
            case ((409 | 422), ("fork" | "unsigned" | "too-many-actors")) if why.subject:
                self._fenced.add(why.subject)
                return [*quiet, *self._alarm(f"hub_{why.kind}", why.subject, why.detail), *self._next(now_ms)]
            case 413, _ if self._events_max > 1:
                self._events_max //= 2
                self._bytes_max //= 2
                return [*quiet, *self._next(now_ms)]
            case (status, _) if 400 <= status < 500 and status not in LATER:
                alarm = self._alarm("hub_refused", self._me.store, f"{why.status}: {why.detail}"[:300])
                return [*quiet, *alarm, *self._again(now_ms, REFUSED_MS)]
            case _:
                wait_ms = min(AGAIN_MS << min(self._failures, 10), AGAIN_MS_MAX)
                asked_ms = 1000 * min(max(0, why.retry_after_s), RETRY_AFTER_S_MAX)
                return [*quiet, *self._again(now_ms, wait_ms, asked_ms)]

    def wake(self, now_ms: int) -> list[UplinkStep]:
        """Look at the time."""
        return self._next(now_ms)

    # What follows from it ---------------------------------------------------------------------------------------

    def _next(self, now_ms: int) -> list[UplinkStep]:
        if self._term is None or not self._online or self._busy:
            return []
        if now_ms < self._not_before_ms:
            return [WakeAt(self._not_before_ms)]
        if self._theirs is None or self._term == self._stale:
            return [AskState(self._take_ticket())]
        spans = self._lacking(self._theirs)
        if spans:
            if now_ms < self._push_at_ms:
                return [WakeAt(self._push_at_ms)]
            return [LoadUp(self._take_ticket(), spans, self._events_max, self._bytes_max)]
        if now_ms < self._due_ms:
            return [WakeAt(self._due_ms)]
        self._take_ticket()
        return self._send([])

    def _lacking(self, theirs: Mapping[str, int]) -> tuple[Span, ...]:
        return tuple(
            Span(actor, theirs.get(actor, 0) + 1, head.seq)
            for actor, head in sorted(self._heads.items())
            if actor not in self._fenced and head.seq > theirs.get(actor, 0)
        )

    def _send(self, runs: list[Run]) -> list[UplinkStep]:
        assert self._term is not None, "only who leads loads"
        self._busy = True
        self._under_way = {run.actor: run.last for run in runs}
        heads = {actor: Mark(h.seq, h.hash) for actor, h in self._heads.items() if actor not in self._fenced}
        self._lists_sent = self._lists
        self._tills_sent = self._tills
        news = [] if self._lists == self._lists_told else list(self._lists)
        batch = Batch(self._me.store, self._term, self._me.actor, heads, runs, news, self._tills, self.orders_mark)
        return [Known(self._theirs or {}, self._under_way), Upload(self._ticket, batch)]

    def _updates(self, runs: Sequence[Run], steps: list[UplinkStep]) -> bool:
        """Seal what is new of head office's log on top of what is held; says whether something is."""
        fresh: list[Envelope] = []
        signed: list[SignedHead] = []
        for run in runs:
            held = self._heads.get(run.actor, Head(run.actor))
            if run.first > held.seq + 1 or run.actor in self._fenced:
                continue
            chain, head = sealed(self._me.store, run, held)
            if chain and head.hash != run.hash:
                self._fenced.add(run.actor)
                steps += self._alarm("hub_fork", run.actor, f"head office has another history of {run.actor}")
                continue
            if chain and self._notary.judge(SignedHead(head, run.signature)) is not Verdict.SIGNED:
                steps += self._alarm("hub_unsigned", run.actor, "head office's events are not signed with its key")
                continue
            fresh += chain
            signed += [SignedHead(head, run.signature)] if chain else []
        if fresh:
            steps.append(Take(tuple(fresh), tuple(signed)))
        return bool(fresh)

    def _older(self, detail: str, now_ms: int) -> list[UplinkStep]:
        """Upload no more, but ask now and then: head office may have found that nobody led in the later term."""
        self._stale = self._term
        return [*self._alarm("hub_older_term", self._me.actor, detail), *self._again(now_ms, REFUSED_MS)]

    def _again(self, now_ms: int, wait_ms: int, asked_ms: int = 0) -> list[UplinkStep]:
        """Wait at least as long as was asked for, and a random part of the own delay on top."""
        self._failures += 1
        spread_ms = int(wait_ms * (0.5 + self._draw() / 2))
        self._not_before_ms = now_ms + max(spread_ms, asked_ms + int(self._draw() * AGAIN_MS) if asked_ms else 0)
        return [WakeAt(self._not_before_ms)]

    def _alarm(self, kind: str, subject: str, detail: str) -> list[UplinkStep]:
        """Tell of a thing once until head office took something again."""
        if f"{kind} {subject}" in self._told:
            return []
        self._told.add(f"{kind} {subject}")
        return [Alarm(kind, subject, detail)]

    def _take_ticket(self) -> int:
        self._ticket += 1
        self._busy = True
        return self._ticket

    def _mine(self, ticket: int) -> bool:
        """Say whether an answer is for what is under way, and take it off."""
        if not self._busy or ticket != self._ticket:
            return False
        self._busy = False
        self._under_way = {}
        return True

    def _forget(self) -> None:
        """What is under way is nobody's business any more; its answer will find a newer ticket."""
        self._ticket += 1
        self._busy = False
        self._under_way = {}
