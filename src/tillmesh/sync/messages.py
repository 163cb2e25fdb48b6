"""What two sides say to each other. The same messages serve terminal to terminal and leader to hub.

Every collection has its limit in the type, so that a decoder refuses before it builds.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Annotated, Final, TypeAlias

from msgspec import Meta, Struct

from tillmesh.kernel.envelope import Envelope, Head, seal
from tillmesh.kernel.limits import (
    ACTOR_CHARS_MAX,
    EVENT_BODY_BYTES_MAX,
    INTAKE_WAIT_MS_MAX,
    SYNC_ACTORS_MAX,
    SYNC_EVENTS_PER_BATCH_MAX,
)

PROTOCOL: Final = 1

Actor = Annotated[str, Meta(min_length=1, max_length=ACTOR_CHARS_MAX)]
Seq = Annotated[int, Meta(ge=0, le=2**62)]
Hash = Annotated[bytes, Meta(max_length=32)]
Vector = Annotated[dict[Actor, Seq], Meta(max_length=SYNC_ACTORS_MAX)]


class Mark(Struct, frozen=True, array_like=True):
    """Where one actor's log ends at the sender, and the hash there: equal heads mean equal logs."""

    seq: Seq
    hash: Hash


class Span(Struct, frozen=True, array_like=True):
    """A stretch of one actor's log, both ends included."""

    actor: Actor
    first: Annotated[int, Meta(ge=1, le=2**62)]
    last: Annotated[int, Meta(ge=1, le=2**62)]


class Hello(Struct, frozen=True, array_like=True, tag=1):
    """The first message of each side: who, of which store, and everything held durably."""

    protocol: int
    store: Annotated[str, Meta(max_length=64)]
    epoch: Seq  # of the membership that the sender knows
    actor: Actor
    heads: Annotated[dict[Actor, Mark], Meta(max_length=SYNC_ACTORS_MAX)]


class Item(Struct, frozen=True, array_like=True):
    """An event without what its place already says: actor, seq and both hashes."""

    hlc: Annotated[int, Meta(ge=0, le=2**63 - 1)]
    type: Annotated[str, Meta(max_length=40)]
    version: Annotated[int, Meta(ge=0, le=65_535)]
    body: Annotated[bytes, Meta(max_length=EVENT_BODY_BYTES_MAX)]


class Run(Struct, frozen=True, array_like=True):
    """A stretch of one actor's log. The receiver computes the hashes; ``hash`` is what the last one must be.

    So a run says nothing twice, and a fork shows wherever two logs parted, not only where their heads meet. It ends
    where the actor has signed.
    """

    actor: Actor
    first: Annotated[int, Meta(ge=1, le=2**62)]
    items: Annotated[list[Item], Meta(min_length=1, max_length=SYNC_EVENTS_PER_BATCH_MAX)]
    hash: Hash
    signature: Annotated[bytes, Meta(max_length=64)] = b""  # of the last event's head, by the actor's own key

    @property
    def last(self) -> int:
        """The number of its last event."""
        return self.first + len(self.items) - 1

    @property
    def head(self) -> Head:
        """Where it ends, as it says itself."""
        return Head(self.actor, self.last, self.hash)


class Push(Struct, frozen=True, array_like=True, tag=2):
    """Events that the receiver lacks, in one batch that is applied in one transaction."""

    batch: Seq
    runs: Annotated[list[Run], Meta(max_length=SYNC_EVENTS_PER_BATCH_MAX)]


NO_SIGNATURES: Final[Mapping[tuple[str, int], bytes]] = MappingProxyType({})


def runs_of(events: Iterable[Envelope], signatures: Mapping[tuple[str, int], bytes] = NO_SIGNATURES) -> list[Run]:
    """Put events, in log order of each actor, into runs; with the signatures of the heads (actor, seq) they end in."""
    runs: list[Run] = []
    items: list[Item] = []
    last: Envelope | None = None
    for event in events:
        if last is not None and (event.actor, event.seq) != (last.actor, last.seq + 1):
            runs.append(_run(last, items, signatures))
            items = []
        items.append(Item(event.hlc, event.type, event.version, event.body))
        last = event
    if last is not None:
        runs.append(_run(last, items, signatures))
    return runs


def sealed(store: str, run: Run, held: Head) -> tuple[list[Envelope], Head]:
    """Seal what is new of a run on top of what is held of its actor, and give where that ends."""
    assert run.first <= held.seq + 1, "nothing is missing before it"
    head, events = held, []
    for item in run.items[held.seq + 1 - run.first :]:
        event = seal(store, head, hlc=item.hlc, kind=item.type, version=item.version, body=item.body)
        events.append(event)
        head = Head(event.actor, event.seq, event.hash)
    return events, head


def _run(last: Envelope, items: list[Item], signatures: Mapping[tuple[str, int], bytes]) -> Run:
    signature = signatures.get((last.actor, last.seq), b"")
    return Run(last.actor, last.seq - len(items) + 1, items, last.hash, signature)


class Ack(Struct, frozen=True, array_like=True, tag=3):
    """What is on the sender's disk now. ``batch`` answers a Push; 0 tells news unasked."""

    batch: Seq
    durable: Vector


class Want(Struct, frozen=True, array_like=True, tag=4):
    """The batch left a gap: send from here."""

    batch: Seq
    after: Vector


class Later(Struct, frozen=True, array_like=True, tag=5):
    """Busy: the batch was not applied, send it again in so many milliseconds."""

    batch: Seq
    wait_ms: Annotated[int, Meta(ge=0, le=600_000)]


class Presence(Struct, frozen=True, array_like=True, tag=6):
    """Still here, and this is what I hold: keeps acknowledgements fresh when nothing is sold.

    ``leaderless``: the sender reaches no leader, so it hears only from whoever pushes to it directly.
    """

    durable: Vector
    leaderless: bool = False


class Refuse(Struct, frozen=True, array_like=True, tag=7):
    """The session ends, and why."""

    code: Annotated[str, Meta(max_length=40)]
    detail: Annotated[str, Meta(max_length=500)]


class Forked(Struct, frozen=True, array_like=True, tag=8):
    """Two histories of this actor exist: send nothing of it any more."""

    actor: Actor
    detail: Annotated[str, Meta(max_length=500)]


class Slow(Struct, frozen=True, array_like=True, tag=9):
    """This actor has written more than a shop does: send nothing of it for so long, and everything else as ever."""

    actor: Actor
    wait_ms: Annotated[int, Meta(ge=0, le=INTAKE_WAIT_MS_MAX)]


Message: TypeAlias = Hello | Push | Ack | Want | Later | Presence | Refuse | Forked | Slow
NEWEST: Final = 9  # number of a message; a higher one is a newer program's, and is ignored
