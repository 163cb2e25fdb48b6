"""The sync service: take a batch in, answer with what is durable, and with what the store should have.

Acknowledged means in the event log *and* in the master database. A crash between the two loses nothing and doubles
nothing: the log comes first, the master database notes how far it has applied it, and catches up before it goes on.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from tillmesh.fleet.ingest import Forked, judge
from tillmesh.fleet.ports import Analytics, Entry, EventLog, Held, LogBroken, Master
from tillmesh.fleet.transfers import may_be_store, said
from tillmesh.kernel.codec import Record
from tillmesh.kernel.envelope import Envelope, Head
from tillmesh.kernel.hlc import HybridLogicalClock
from tillmesh.kernel.limits import SYNC_EVENTS_PER_BATCH_MAX, TRANSFERS_LOOKED_MAX, UPDATES_BYTES_MAX
from tillmesh.sync.messages import runs_of
from tillmesh.sync.model_orders import SignedOrder
from tillmesh.sync.signatures import Notary
from tillmesh.sync.upload import Answer, Batch, State

ANALYTICS_ENTRIES_MAX: Final = 200
Sign: TypeAlias = Callable[[str, Head], bytes]  # of a store's chain, with head office's own key
Trust: TypeAlias = Callable[[str, Sequence[bytes]], Notary | None]  # takes in a store's lists, gives who judges


Relay: TypeAlias = Callable[[str, Sequence[Envelope]], None]  # what a store has noted, before it is stored
Orders: TypeAlias = tuple[Mapping[str, str], list[SignedOrder] | None]  # versions in words, orders if they are news
Models: TypeAlias = Callable[[str, bytes], Orders]  # of a store that has the orders with this digest


def no_models(store: str, known: bytes) -> Orders:  # noqa: ARG001 - it looks at nothing
    """Order no models."""
    return {}, None


def believe_all(store: str, lists: Sequence[bytes]) -> Notary | None:  # noqa: ARG001 - it looks at nothing
    """Judge no signatures."""
    return None


def tell_nobody(store: str, events: Sequence[Envelope]) -> None:
    """Carry nothing from one store to another."""


@dataclass(slots=True)
class Seen:
    """When a store was heard of last, by whom, and what it has of head office's events."""

    at_ms: int
    sender: str
    term: int
    has: Mapping[str, int] = field(default_factory=dict)
    tills: Mapping[str, int] = field(default_factory=dict)  # how many of head office's events each of them holds


class SyncService:
    """Takes batches in, one after the other. Not for several threads at once: the caller sees to that.

    Invariant: what is acknowledged is in the log and applied to the master database.
    """

    def __init__(
        self,
        log: EventLog,
        master: Master,
        actor: str,
        sign: Sign,
        *,
        mint: Callable[[], str],
        trust: Trust = believe_all,
        models: Models = no_models,
        relay: Relay = tell_nobody,
    ) -> None:
        self._log, self._master, self._sign, self._mint = log, master, sign, mint
        self._trust, self._models, self._relay = trust, models, relay
        self._whole = False  # whether the master database is known to have applied all of the log
        self.actor = actor
        self.clock = HybridLogicalClock(actor)
        self.seen: dict[str, Seen] = {}

    def take(self, batch: Batch, now_ms: int, generation: int = 0) -> Answer:
        """Take in a batch that was let in under credentials of some generation.

        Raises Forked, OlderTerm, or StorageFailed with nothing acknowledged.
        """
        self.catch_up()
        held = self._master.held(batch.store)
        self._notice_lost_log(held, batch)

        def hash_of(actor: str, seq: int) -> bytes | None:
            return self._master.hash_of(batch.store, actor, seq)

        notary = self._trust(batch.store, batch.lists)
        verdict = judge(held, batch, hash_of, frozenset({self.actor}), notary, generation=generation)
        for actor, detail in verdict.forks.items():
            self._master.fence(batch.store, actor, detail, now_ms)
        if verdict.forks:
            actor, detail = next(iter(verdict.forks.items()))
            raise Forked(detail, actor=actor, hint="Upload the others; have a person look at this till.")
        self._relay(batch.store, verdict.events)
        if verdict.events or (generation, batch.term) > (held.generation, held.term):
            new, signed = tuple(verdict.events), tuple(verdict.signed)
            self.store(Entry(batch.store, batch.term, batch.sender, now_ms, new, signed, generation))
            for event in verdict.events:
                if event.hlc > self.clock.last:  # of a day's backlog only the first is
                    self.clock.observe(event.hlc, now_ms)
        has = {actor: mark.seq for actor, mark in batch.heads.items()}
        self.seen[batch.store] = Seen(now_ms, batch.sender, batch.term, has, batch.tills)
        updates = self._master.outbox(batch.store, has, SYNC_EVENTS_PER_BATCH_MAX, UPDATES_BYTES_MAX)
        acked = vector_of(self._master.held(batch.store))
        runs = runs_of(updates, self._signed(batch.store, updates))
        versions, orders = self._models(batch.store, batch.orders)
        return Answer(acked, runs, dict(versions), verdict.wanted, orders)

    def _notice_lost_log(self, held: Held, batch: Batch) -> None:
        """A store that sends more of our own log than we have shows that we are an old copy: go on under another name.

        What we had written comes back with this very batch, as anybody's events. Only our signature proves it.
        """
        own = held.heads.get(self.actor, Head(self.actor))
        for run in batch.runs:
            is_ours_beyond = run.actor == own.actor and run.last > own.seq
            if is_ours_beyond and run.signature == self._sign(batch.store, run.head):
                self.actor = self._mint()
                self.clock = HybridLogicalClock(self.actor, last=self.clock.last)
                return

    def _signed(self, store: str, updates: Sequence[Envelope]) -> dict[tuple[str, int], bytes]:
        """Sign where the runs of head office's own events end: tills take no event that its actor did not sign."""
        ends = {event.actor: event for event in updates}
        return {(e.actor, e.seq): self._sign(store, Head(e.actor, e.seq, e.hash)) for e in ends.values()}

    def sign(self, store: str, head: Head) -> bytes:
        """Sign a head of a store's chain with head office's own key."""
        return self._sign(store, head)

    def state(self, store: str, generation: int = 0) -> State:
        """Say what is held of a store, and the newest term of this generation of its credentials."""
        self.catch_up()
        held = self._master.held(store)
        return State(vector_of(held), held.term if generation <= held.generation else 0)

    def carry_by(self, relay: Relay) -> None:
        """Let this carry news between stores from now on."""
        self._relay = relay

    def said(self, store: str, kind: str) -> list[bytes]:
        """Give what was told to a store last, of one type of event, the newest first."""
        return self._master.said(store, kind, TRANSFERS_LOOKED_MAX)

    def tell(self, store: str, body: Record, now_ms: int) -> bool:
        """Say something to a store in head office's own log there; False if no such store was ever heard of."""
        if not may_be_store(store):
            return False
        self.catch_up()
        held = self._master.held(store)
        if not held.heads:
            return False
        event = said(held, store, self.clock, body, now_ms)
        self.store(Entry(store, held.term, self.actor, now_ms, (event,), generation=held.generation))
        return True

    def store(self, entry: Entry) -> None:
        """Make an entry durable in the log, then apply it; before it what another sync service left unapplied."""
        self._whole = False
        position = self._log.append(entry)
        applied = self._master.position()
        if any(place > applied.get(part, 0) + 1 for part, place in position.items()):
            catch_up(self._log, self._master)
        else:
            self._master.apply(position, entry)
        self._whole = True

    def catch_up(self) -> int:
        """Apply what the log has and the master database lacks, after a crash between the two; give the entries."""
        if self._whole:
            return 0
        applied = catch_up(self._log, self._master)
        self._whole = True
        return applied

    def look_after(self) -> int:
        """Catch up even if nothing is known to be missing: another service may have died between log and master."""
        self._whole = False
        return self.catch_up()

    def follow(self, actor: str) -> None:
        """Write under this name from now on, if another service had to change it."""
        if actor != self.actor:
            self.actor = actor
            self.clock = HybridLogicalClock(actor, last=self.clock.last)

    def has(self, store: str, event: Envelope) -> bool:
        """Say whether this very event was applied, and no other in its place."""
        return self._master.hash_of(store, event.actor, event.seq) == event.hash

    def held(self, store: str) -> Held:
        """Say what is held of a store, with the heads of its chains."""
        return self._master.held(store)


def vector_of(held: Held) -> dict[str, int]:
    """Give the version vector of what is held."""
    return {actor: head.seq for actor, head in held.heads.items()}


def catch_up(log: EventLog, master: Master) -> int:
    """Apply every entry behind the master's position; give how many."""
    applied = 0
    for position, entry in log.replay(master.position()):
        master.apply(position, entry)
        applied += 1
    return applied


def feed(log: EventLog, analytics: Analytics) -> int:
    """Let analytics take in what it lacks, in bounded portions; give the entries."""
    taken = 0
    portion = []
    for item in log.replay(analytics.position()):
        portion.append(item)
        if len(portion) >= ANALYTICS_ENTRIES_MAX:
            analytics.take(portion)
            taken += len(portion)
            portion = []
    if portion:
        analytics.take(portion)
    return taken + len(portion)


def rebuild(log: EventLog, master: Master) -> tuple[int, str]:
    """Make the master database anew from the log; give the number of entries and the hash."""
    master.begin_anew()
    return catch_up(log, master), master.digest()


def fresh(held: Held, events: tuple[Envelope, ...]) -> list[Envelope]:
    """Give the events that are not held yet; raises if one leaves a gap, which the log never has.

    Adapters of the master database use it: the log may hold an event twice.
    """
    seqs = vector_of(held)
    found = []
    for event in events:
        at = seqs.get(event.actor, 0)
        if event.seq <= at:
            continue
        if event.seq != at + 1:
            raise LogBroken(f"after {event.actor}-{at} the log has {event.id}", hint="Check the event log.")
        seqs[event.actor] = event.seq
        found.append(event)
    return found
