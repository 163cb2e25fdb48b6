"""The event that says whose column of the stock is kept with those of all other tills that are gone."""

from __future__ import annotations

from typing import Final

from tillmesh.kernel.codec import Record
from tillmesh.shop.ranges import Count


class ActorsFolded(Record):
    """The store agreed that nothing more comes from these actors: their columns of the stock are one from now on.

    What they wrote stays in the log, and what one of them wrote and nobody had heard of still counts when it comes.
    """

    finals: tuple[tuple[str, Count], ...]  # actor and the number of its last event, which all tills held
    epoch: Count  # the version of the store's list of tills that had none of them


FOLD_KINDS: Final[dict[str, type[Record]]] = {"actors_folded": ActorsFolded}
