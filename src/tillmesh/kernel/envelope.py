"""The envelope around every event: who wrote it, where it stands in the chain, and the hash that pins it.

``hash = SHA-256(prev_hash || store || actor || seq || hlc || type || version || body)``, every variable part preceded
by its length, so no two events share one input.
"""

from __future__ import annotations

from hashlib import sha256
from struct import pack
from typing import Final

import msgspec

from tillmesh.kernel.errors import Damaged
from tillmesh.kernel.ids import EventId, event_id

GENESIS: Final = bytes(32)  # prev_hash of an actor's first event


class Envelope(msgspec.Struct, frozen=True, array_like=True):
    """One sealed event. ``hlc`` orders; ``(actor, seq)`` delivers; ``hash`` pins everything before it."""

    actor: str
    seq: int  # dense from 1
    hlc: int
    type: str
    version: int
    body: bytes
    prev_hash: bytes
    hash: bytes

    @property
    def id(self) -> EventId:
        """The event's name, ``actor-seq``."""
        return event_id(self.actor, self.seq)


class Head(msgspec.Struct, frozen=True, array_like=True):
    """The end of one actor's chain."""

    actor: str
    seq: int = 0
    hash: bytes = GENESIS


def digest(store: str, e: Envelope) -> bytes:
    """Compute the hash of an event of ``store`` from its parts (32 bytes)."""
    return _digest(store, e.actor, e.seq, e.hlc, e.type, e.version, e.body, e.prev_hash)


def _digest(
    store: str, actor: str, seq: int, hlc: int, kind: str, version: int, body: bytes, prev_hash: bytes
) -> bytes:
    s, a, t = store.encode(), actor.encode(), kind.encode()
    head = pack(f">32sH{len(s)}sH{len(a)}sQQH{len(t)}sHI", prev_hash, len(s), s, len(a), a, seq, hlc, len(t), t,
                version, len(body))  # fmt: skip
    return sha256(head + body).digest()


def seal(store: str, head: Head, *, hlc: int, kind: str, version: int, body: bytes) -> Envelope:
    """Append an event to the chain that ends in ``head``."""
    seq = head.seq + 1
    pinned = _digest(store, head.actor, seq, hlc, kind, version, body, head.hash)
    return Envelope(head.actor, seq, hlc, kind, version, body, head.hash, pinned)


def check_link(store: str, head: Head, e: Envelope) -> Head:
    """Verify that ``e`` is the next event after ``head`` and give the new head, or raise :class:`Damaged`."""
    if (e.actor, e.seq) != (head.actor, head.seq + 1):
        raise Damaged(f"after {head.actor}-{head.seq} came {e.id}", hint="Ask for the events between.")
    if e.prev_hash != head.hash:
        raise Damaged(f"{e.id} does not follow {head.actor}-{head.seq}: other previous hash", hint="A fork: fence it.")
    if digest(store, e) != e.hash:
        raise Damaged(f"{e.id} was altered: its hash does not match its content", hint="Restore it from a peer.")
    return Head(e.actor, e.seq, e.hash)
