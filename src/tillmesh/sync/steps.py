"""What a session asks its driver to do, in the order given."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from tillmesh.kernel.envelope import Envelope
from tillmesh.sync.messages import Message, Span
from tillmesh.sync.signatures import SignedHead


@dataclass(frozen=True, slots=True)
class Send:
    """Hand a message to the link."""

    message: Message


@dataclass(frozen=True, slots=True)
class Load:
    """Read events from the own log and give them to ``Session.loaded``; stop early at either limit.

    Each actor's run has to end where a signature of that actor is at hand.
    """

    spans: tuple[Span, ...]
    events_max: int
    bytes_max: int


@dataclass(frozen=True, slots=True)
class Apply:
    """Store these events in one transaction with the signatures that vouch for them, then tell ``Session.applied``."""

    batch: int
    events: tuple[Envelope, ...]
    signed: tuple[SignedHead, ...] = ()  # checked; one for each actor's run


@dataclass(frozen=True, slots=True)
class Acked:
    """The peer holds this durably: remember it (``peer_ack``)."""

    durable: dict[str, int]


@dataclass(frozen=True, slots=True)
class Fence:
    """Two logs of one actor disagree: take nothing of this actor any more, and tell a manager.

    ``everywhere`` is False if only the word of the peer says so: then only this session stops with the actor.
    ``proven`` is True if the actor itself signed the history that disagrees with the one here.
    """

    actor: str
    detail: str
    everywhere: bool = True
    proven: bool = False


@dataclass(frozen=True, slots=True)
class WakeAt:
    """Call ``Session.wake`` at this time, unless something happens before."""

    at_ms: int


@dataclass(frozen=True, slots=True)
class Closed:
    """The session is over; a new one may begin with a new link."""

    detail: str
    forger: bool = False  # the peer passed on events that their actor did not sign


Step: TypeAlias = Send | Load | Apply | Acked | Fence | WakeAt | Closed
