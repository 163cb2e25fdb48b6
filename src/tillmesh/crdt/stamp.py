"""When, and with whose authority, a register was written: the order in which later writes win."""

from __future__ import annotations

from typing import Annotated, Final, NamedTuple

from msgspec import Meta

from tillmesh.crdt.replicated import INT64_MAX, is_count, require_actor, shown
from tillmesh.kernel.errors import Invalid
from tillmesh.kernel.limits import ACTOR_CHARS_MAX

_Ordinal = Annotated[int, Meta(ge=0, le=INT64_MAX)]


class Stamp(NamedTuple):
    """Compares as a tuple: the higher authority wins, then the later clock, then the greater actor.

    ``authority`` is the version of the decision behind the write (a price list, a membership epoch): 0 when there is
    none. ``hlc`` is a timestamp of :mod:`tillmesh.kernel.hlc`.
    """

    authority: _Ordinal
    hlc: _Ordinal
    actor: Annotated[str, Meta(max_length=ACTOR_CHARS_MAX)]


# Before every write: no real stamp lacks an actor.
UNSET: Final = Stamp(0, 0, "")


def checked_stamp(stamp: object) -> Stamp:
    """Give a real stamp, or raise :class:`Invalid`."""
    if not isinstance(stamp, tuple) or len(stamp) != len(Stamp._fields):
        raise Invalid(f"{shown(stamp)} is not a stamp: authority, hlc, actor", hint=_ASK)
    authority, hlc, actor = stamp
    if not (is_count(authority) and is_count(hlc)):
        raise Invalid(f"{shown(tuple(stamp))} is out of range: 0 to {INT64_MAX}", hint=_ASK)
    require_actor(actor)
    return stamp if isinstance(stamp, Stamp) else Stamp(authority, hlc, actor)


_ASK: Final = "Stamp a write with the till's own clock and actor."
