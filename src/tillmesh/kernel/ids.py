"""Who wrote what: terminals, actors and events.

An **actor** is a terminal plus a random incarnation, minted with the data directory and minted anew after any
restore. An **event** is named by its actor and a dense sequence number from 1.
"""

from __future__ import annotations

import re
from typing import NewType

from tillmesh.kernel.errors import Invalid

TerminalId = NewType("TerminalId", str)
ActorId = NewType("ActorId", str)  # "terminal.incarnation"
EventId = NewType("EventId", str)  # "actor-seq"

OFFICE = TerminalId("headoffice")  # never minted for a till: the alphabet lacks i and o
_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"  # Crockford base32: no i, l, o, u.
_EVENT = re.compile(r"([0-9a-z]{4,16}\.[0-9a-z]{4,16})-([1-9][0-9]{0,17})")


def spell(entropy: bytes, chars: int) -> str:
    """Write random bytes as ``chars`` characters of Crockford base32; needs 5 bits of entropy for each."""
    bits = int.from_bytes(entropy, "big")
    return "".join(_ALPHABET[(bits >> (5 * i)) & 31] for i in range(chars))


def mint_terminal(entropy: bytes) -> TerminalId:
    """Name a terminal from at least 5 bytes of entropy."""
    return TerminalId(spell(entropy, 8))


def mint_actor(terminal: TerminalId, entropy: bytes) -> ActorId:
    """Name a new incarnation of a terminal from at least 5 bytes of entropy."""
    return ActorId(f"{terminal}.{spell(entropy, 8)}")


def terminal_of(actor: str) -> TerminalId:
    """Give the terminal behind an actor."""
    return TerminalId(actor.partition(".")[0])


def series(actor: str) -> str:
    """Start receipt numbers with four characters of the incarnation, so that no copy ever repeats a number."""
    return actor.partition(".")[2][:4].upper()


def is_office(actor: str) -> bool:
    """Say whether events of an actor were written at head office."""
    return terminal_of(actor) == OFFICE


def event_id(actor: str, seq: int) -> EventId:
    """Name the event ``seq`` of ``actor``."""
    return EventId(f"{actor}-{seq}")


def parse_event_id(text: str) -> tuple[ActorId, int]:
    """Split an event id into actor and sequence number, or raise :class:`Invalid`."""
    match = _EVENT.fullmatch(text)
    if match is None:
        raise Invalid(f"{text[:60]!r} is not an event id", hint="Use the id as the till gave it: actor-seq.")
    return ActorId(match[1]), int(match[2])
