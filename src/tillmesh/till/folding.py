"""Which actors are gone for good, so that their columns of the stock may be one: agreed on, then told by an event.

Stock is the same afterwards. An actor counts as gone when it belongs to the store no more, its log ends at the same
event on every till, and head office, if there is one, holds that event too.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import NamedTuple

from tillmesh.kernel.ids import EventId, is_office
from tillmesh.kernel.limits import FOLDED_PER_EVENT_MAX
from tillmesh.shop.events import ActorsFolded
from tillmesh.till.agreement import Belonging
from tillmesh.till.commands import FoldActors
from tillmesh.till.desk import Desk


class Ends(NamedTuple):
    """Where logs end, as far as a leader that reaches every till has heard."""

    tills: Mapping[str, int] | None  # of those logs that end at the same event on all tills; None: not all are heard
    office: Mapping[str, int] | None  # what head office holds; None: there is none


def gone(known: Belonging, seated: Collection[str], ends: Ends, agreed: Mapping[str, int]) -> dict[str, int]:
    """Say of which actors the leader may propose that nothing more comes, each with the number of its last event.

    ``seated`` are those that take part in the store's agreement, ``agreed`` those that were agreed on before.
    """
    if ends.tills is None:
        return {}
    found = {}
    for actor in sorted(known.revoked - known.members - set(seated)):
        last = ends.tills.get(actor, 0)
        at_office = ends.office is None or ends.office.get(actor, 0) == last
        if last and at_office and not is_office(actor) and agreed.get(actor, 0) < last:
            found[actor] = last
    return dict(list(found.items())[:FOLDED_PER_EVENT_MAX])


def fold(desk: Desk, command: FoldActors) -> EventId | None:
    """Tell what the store agreed on, unless it was told before."""
    known = desk.books.folded()
    new = sorted((actor, last) for actor, last in command.finals if known.get(actor, 0) < last)
    if not new:
        return None
    return desk.record(ActorsFolded(finals=tuple(new[:FOLDED_PER_EVENT_MAX]), epoch=command.epoch))
