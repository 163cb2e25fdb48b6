"""Several conversations over one link: the first byte of a frame says which, the rest is that conversation's own.

What decides goes before what is big: heartbeats and lists of tills must not queue behind a batch of sales.
"""

from __future__ import annotations

from enum import IntEnum, unique
from typing import Final

from tillmesh.sync.frames import FrameDamaged


@unique
class Channel(IntEnum):
    """A conversation of two tills, the most urgent first. Numbers are on the wire: never reuse one."""

    RAFT = 2  # agreement: votes, heartbeats, entries
    PURSES = 8  # what carts are about to take out of customers' money; a payment waits for it
    RIGHTS = 10  # to sell what there are only few of; somebody may wait for them at the counter
    STORE = 3  # who belongs to the store: lists of tills, renewals
    STANDING = 4  # what each till says of itself, for people to see
    HUB = 5  # what head office holds, as the leader hears it
    KEYS = 6  # of customers' personal data, which is no part of the logs
    SYNC = 1  # the logs
    PICTURES = 9  # of products: behind every sale
    MODELS = 7  # which versions of models the store runs, and the models themselves: behind every sale


URGENCY: Final = tuple(Channel)


def wrap(channel: Channel, body: bytes) -> bytes:
    """Give the frame that carries a body."""
    return bytes((channel,)) + body


def unwrap(frame: bytes) -> tuple[Channel | None, bytes]:
    """Give the channel and the body of a frame; a channel of a newer program is None. Raises FrameDamaged if empty."""
    if not frame:
        raise FrameDamaged("a frame without a channel", hint="Refuse its sender.")
    try:
        return Channel(frame[0]), frame[1:]
    except ValueError:
        return None, frame[1:]
