"""What a session asks its driver to do, in the order given."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from tillmesh.kernel.envelope import Envelope
from tillmesh.sync.messages import Message, Span


@dataclass(frozen=True, slots=True)
class Send:
    """Hand a message to the link."""

    message: Message


@dataclass(frozen=True, slots=True)
class Load:
    """Read events from the own log and give them to ``Session.loaded``; stop early at either limit."""

    spans: tuple[Span, ...]
    events_max: int
    bytes_max: int


@dataclass(frozen=True, slots=True)
class Apply:
    """Store these events in one transaction, then tell ``Session.applied``; signatures are the driver's to check."""

    batch: int
    events: tuple[Envelope, ...]


@dataclass(frozen=True, slots=True)
class Acked:
    """The peer holds this durably: remember it (``peer_ack``)."""

    durable: dict[str, int]


@dataclass(frozen=True, slots=True)
class Fence:
    """Two logs of one actor disagree: take nothing of this actor any more, and tell a manager."""

    actor: str
    detail: str


@dataclass(frozen=True, slots=True)
class WakeAt:
    """Call ``Session.wake`` at this time, unless something happens before."""

    at_ms: int


@dataclass(frozen=True, slots=True)
class Closed:
    """The session is over; a new one may begin with a new link."""

    detail: str


Step: TypeAlias = Send | Load | Apply | Acked | Fence | WakeAt | Closed
