"""What a council asks its driver to do, in the order given, and what it raises when nothing can be agreed on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from tillmesh.kernel.errors import TillmeshError
from tillmesh.raft import ConfState, Ready, Role
from tillmesh.till.agreement import SettingsDecided


class NoQuorum(TillmeshError):
    """Nothing can be agreed on now: too few tills of the store hear each other. Selling goes on."""

    status = 503
    kind = "no-quorum"
    title = "Read-only for now"


@dataclass(frozen=True, slots=True)
class Persist:
    """Write a Ready in one durable transaction, then call ``stored``."""

    ready: Ready


@dataclass(frozen=True, slots=True)
class SendTo:
    """Hand bytes to the link of an actor; losing them is harmless."""

    actor: str
    body: bytes


@dataclass(frozen=True, slots=True)
class Publish:
    """As the leader: make a decision an event with this authority, unless one of this authority is known already."""

    index: int
    decision: SettingsDecided


@dataclass(frozen=True, slots=True)
class Settled:
    """A decision is taken, wherever it was asked for."""

    op_id: str
    index: int


@dataclass(frozen=True, slots=True)
class Refused:
    """What this till asked the leader for will not be decided."""

    op_id: str
    detail: str


@dataclass(frozen=True, slots=True)
class Led:
    """Who leads, or what this till is, has changed."""

    leader: str | None
    role: Role
    term: int


@dataclass(frozen=True, slots=True)
class Compact:
    """Replace the log up to an applied entry by a snapshot."""

    index: int
    conf: ConfState
    data: bytes


CouncilStep: TypeAlias = Persist | SendTo | Publish | Settled | Refused | Led | Compact
