"""What of an uploaded batch head office takes: chained, new, of this term. Pure: what is held comes in as a value.

``(actor, seq)`` delivers. An event that is held with the same hash is no news, with another one it is a fork: that
actor is fenced. A gap is named, and the rest of the batch counts all the same.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from tillmesh.fleet.ports import HashOf, Held
from tillmesh.kernel.envelope import Envelope, Head
from tillmesh.kernel.errors import Conflict, Invalid
from tillmesh.kernel.limits import SYNC_ACTORS_MAX, TERM_LEAP_MAX
from tillmesh.sync.messages import Run, sealed
from tillmesh.sync.signatures import Notary, SignedHead
from tillmesh.sync.signatures import Verdict as Judgement
from tillmesh.sync.upload import Batch


class OlderTerm(Conflict):
    """Another till leads the store by now; the sender is harmless and must stop."""

    kind = "older-term"
    title = "Another till leads this store"

    def __init__(self, detail: str, *, term: int, hint: str = "") -> None:
        super().__init__(detail, hint=hint)
        self.term = term

    def members(self) -> dict[str, object]:
        """Name the newest term that head office heard of."""
        return {"term": self.term}


class TermLeap(Conflict):
    """A term so far above the last one that no election can have led there."""

    kind = "term-leap"
    title = "A term out of nowhere"


class Forked(Conflict):
    """Two histories of one actor exist; nothing of it is taken until a person has looked."""

    kind = "fork"
    title = "Two histories of one till"

    def __init__(self, detail: str, *, actor: str, hint: str = "") -> None:
        super().__init__(detail, hint=hint)
        self.actor = actor

    def members(self) -> dict[str, object]:
        """Name the actor, so that the sender can go on with the others."""
        return {"actor": self.actor}


class Unsigned(Conflict):
    """Events that their own actor did not sign, as far as head office knows its key."""

    status = 422
    kind = "unsigned"
    title = "Events without their till's signature"

    def __init__(self, detail: str, *, actor: str, hint: str = "") -> None:
        super().__init__(detail, hint=hint)
        self.actor = actor

    def members(self) -> dict[str, object]:
        """Name the actor, so that the sender can go on with the others."""
        return {"actor": self.actor}


class TooManyActors(Unsigned):
    """More authors of events than a store can have."""

    kind = "too-many-actors"
    title = "A store with too many authors of events"


@dataclass(slots=True)
class Verdict:
    """What a batch brings: new events and whose signatures they come under, gaps as "go on after", forks by actor."""

    events: list[Envelope] = field(default_factory=list)
    signed: list[SignedHead] = field(default_factory=list)
    wanted: dict[str, int] = field(default_factory=dict)
    forks: dict[str, str] = field(default_factory=dict)


def judge(
    held: Held,
    batch: Batch,
    hash_of: HashOf,
    office: frozenset[str] = frozenset(),
    notary: Notary | None = None,
    *,
    generation: int = 0,
) -> Verdict:
    """Say what is new in a batch; raises what is named above, :class:`Forked` for an actor that is fenced already.

    ``office`` are head office's own actors: nobody else may add to their logs. Without a notary all is believed.
    ``generation`` is that of the credentials under which the batch was let in.
    """
    _require_term(held, batch, generation)
    if "\0" in batch.sender or any("\0" in run.actor for run in batch.runs):
        raise Invalid("the name of an actor holds a NUL", hint="Look at the till that sends this.")
    verdict = Verdict()
    for actor, mark in batch.heads.items():
        own = held.heads.get(actor)
        if own is not None and own.seq == mark.seq and own.hash != mark.hash and actor not in held.fenced:
            verdict.forks[actor] = f"two events {actor}-{mark.seq} exist"
    _require_few(held, batch)
    for run in batch.runs:
        if run.actor in held.fenced:
            raise Forked(
                f"{run.actor} is fenced: {held.fenced[run.actor]}",
                actor=run.actor,
                hint="Upload the others; have a person look at this till.",
            )
        before = len(verdict.events)
        _weigh(verdict, held, batch.store, run, hash_of, office)
        if notary is not None and len(verdict.events) > before:
            _require_signature(run, notary)
    return verdict


def _require_term(held: Held, batch: Batch, generation: int) -> None:
    """Let later terms in, step by step. In a new generation of credentials every term is the first one."""
    if generation > held.generation:
        return
    if generation < held.generation:
        raise OlderTerm(
            f"{batch.sender} uploads under credentials of generation {generation}, {held.generation} has begun",
            term=held.term,
            hint="Upload again. If it goes on, head office's keys are an old copy: forget the store's term there.",
        )
    if batch.term < held.term:
        raise OlderTerm(
            f"{batch.sender} uploads in term {batch.term}, term {held.term} has begun",
            term=held.term,
            hint="Let the leader of that term upload. If no till knows that term: forget it at head office.",
        )
    if batch.term > held.term + TERM_LEAP_MAX:
        raise TermLeap(
            f"{batch.sender} uploads in term {batch.term}, head office knows of {held.term}; "
            f"the limit is {TERM_LEAP_MAX} more",
            hint="If this till is no stolen one, forget the store's term at head office: then any term is the first.",
        )


def _require_few(held: Held, batch: Batch) -> None:
    """A store has only so many authors of events: sums over all of them fit 64 bits."""
    new = [run.actor for run in batch.runs if run.actor not in held.heads]
    if len(held.heads) + len(new) > SYNC_ACTORS_MAX:
        raise TooManyActors(
            f"{new[-1]} would be author {len(held.heads) + len(new)} of events of {batch.store}; "
            f"the limit is {SYNC_ACTORS_MAX}",
            actor=new[-1],
            hint="Upload the others; begin the store anew under another id.",
        )


def _require_signature(run: Run, notary: Notary) -> None:
    """A till can pass on what another one said, never make it up."""
    said = notary.judge(SignedHead(run.head, run.signature))
    if said is not Judgement.SIGNED:
        known = "its signature does not verify" if said is Judgement.FORGED else "its key is not known here"
        raise Unsigned(
            f"events {run.first} to {run.last} of {run.actor}: {known}",
            actor=run.actor,
            hint="Upload the others; look at the store's list of tills.",
        )


def _weigh(verdict: Verdict, held: Held, store: str, run: Run, hash_of: HashOf, office: frozenset[str]) -> None:
    """Add what one run brings."""
    before = held.heads.get(run.actor, Head(run.actor))
    if run.first > before.seq + 1:
        verdict.wanted[run.actor] = before.seq
        return
    if run.last <= before.seq:
        known = hash_of(run.actor, run.last)
        if known is not None and known != run.hash:
            verdict.forks[run.actor] = f"two events {run.actor}-{run.last} exist"
        return
    events, head = sealed(store, run, before)
    if head.hash != run.hash:
        verdict.forks[run.actor] = f"{run.actor} has another history before event {before.seq + 1}"
    elif run.actor in office:
        verdict.forks[run.actor] = f"{run.actor} is head office's own log, and {run.last} was never written here"
    else:
        verdict.events += events
        verdict.signed += [SignedHead(head, run.signature)] if run.signature else []
