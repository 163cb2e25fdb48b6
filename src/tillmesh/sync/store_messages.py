"""What tills say about their store: who belongs to it, renewed certificates, and what is asked of the leader.

One body of :class:`~tillmesh.sync.channels.Channel.STORE` is one message. Numbers are on the wire: never reuse one, add
fields only at the end and with a default. A number that this program does not know is a newer one's and is ignored.
"""

from __future__ import annotations

from functools import cache
from typing import Annotated, Any, Final, TypeAlias

import msgspec
from msgspec import Meta, Struct

from tillmesh.kernel.hlc import PHYSICAL_MS_MAX
from tillmesh.kernel.limits import (
    ACTOR_CHARS_MAX,
    NOTE_CHARS_MAX,
    STORE_DOCUMENT_BYTES_MAX,
    STORE_LIST_BYTES_MAX,
    STORE_LISTS_MAX,
    STORE_MESSAGE_BYTES_MAX,
)
from tillmesh.sync.conversation import Conversation

Actor = Annotated[str, Meta(min_length=1, max_length=ACTOR_CHARS_MAX)]
Document = Annotated[bytes, Meta(max_length=STORE_DOCUMENT_BYTES_MAX)]  # a certificate, or a request for one (DER)
SignedList = Annotated[bytes, Meta(max_length=STORE_LIST_BYTES_MAX)]  # of tills, with the authority's signature


class Lists(Struct, frozen=True, array_like=True, tag=1):
    """The sender's signed lists of tills: said when a link comes up and whenever they change."""

    lists: Annotated[list[SignedList], Meta(max_length=STORE_LISTS_MAX)]
    issuer: bool = False  # whether the sender can renew certificates


class Renew(Struct, frozen=True, array_like=True, tag=2):
    """To an issuer: the next certificate for the actor that this link has proved, please."""

    request: Document


class Renewed(Struct, frozen=True, array_like=True, tag=3):
    """From an issuer: the certificate, and the list of tills that knows of it."""

    certificate: Document
    list: SignedList


class Reborn(Struct, frozen=True, array_like=True, tag=4):
    """To an issuer: the terminal that this link has proved goes on as another actor, and asks for its certificate.

    Or it was that actor once, without any list knowing of it, and its key is made known so that what it sold counts.
    """

    actor: Actor
    request: Document
    sign_public: Annotated[bytes, Meta(min_length=32, max_length=32)]  # what the new actor's events are signed with
    sign_proof: Annotated[bytes, Meta(min_length=64, max_length=64)]  # by that key, over both actors and the request
    former: bool = False  # it was that actor; no more than what the audit log says hangs on it


class Declined(Struct, frozen=True, array_like=True, tag=5):
    """From an issuer: no certificate, and why."""

    code: Annotated[str, Meta(max_length=40)]
    detail: Annotated[str, Meta(max_length=NOTE_CHARS_MAX)]


class Retire(Struct, frozen=True, array_like=True, tag=6):
    """To an issuer: an actor that the sender's terminal was before, or the sender itself, is no till any more."""

    actor: Actor


class Clock(Struct, frozen=True, array_like=True, tag=7):
    """What the sender's wall clock says at this moment, in milliseconds UTC: for people to compare."""

    wall_ms: Annotated[int, Meta(ge=0, le=PHYSICAL_MS_MAX)]


StoreMessage: TypeAlias = Lists | Renew | Renewed | Reborn | Declined | Retire | Clock
_NEWEST: Final = 7


@cache
def _decoder() -> msgspec.msgpack.Decoder[Any]:
    return msgspec.msgpack.Decoder(StoreMessage)


def write_store(message: StoreMessage) -> bytes:
    """Encode a message."""
    return msgspec.msgpack.encode(message)


_CONVERSATION: Final = Conversation("the store", STORE_MESSAGE_BYTES_MAX, _NEWEST, _decoder)


def read_store(body: bytes) -> StoreMessage | None:
    """Decode a message; None for one of a newer program. Raises :class:`FrameDamaged` and nothing else."""
    message: StoreMessage | None = _CONVERSATION.read(body)
    return message
