"""The judge of the store's agreement: looks over the shoulder of every council, at every step."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tillmesh.raft import HardState, NodeId
from tillmesh.shop.events import SettingsChanged
from tillmesh.shop.settings import STORE as STORE_SETTINGS
from tillmesh.sim.history import History
from tillmesh.sim.oracles import Fact
from tillmesh.sim.station import Station
from tillmesh.sim.verdicts import require
from tillmesh.till.commands import ChangeRecords


class Assembly:
    """What was promised so far: I5, and that a decision stays what it was."""

    def __init__(self, stations: Sequence[Station]) -> None:
        self._stations = stations
        self._leaders: dict[int, str] = {}  # term -> actor
        self._durable: dict[str, tuple[int, NodeId | None]] = {}  # actor -> term and vote, as its disk has them
        self.decisions: dict[int, str] = {}  # index -> operation

    def persisted(self, actor: str, hard: HardState) -> None:
        """Term and vote of an actor are durable."""
        term, vote = self._durable.get(actor, (0, None))
        require("term", hard.term >= term, f"{actor} went back from term {term} to {hard.term}")
        if hard.term == term and vote is not None:
            require("vote", hard.vote == vote, f"{actor} voted for {vote} and {hard.vote} in term {term}")
        self._durable[actor] = hard.term, hard.vote

    def loaded(self, actor: str, hard: HardState) -> None:
        """An actor starts with this term and vote from its disk: no promise may be forgotten."""
        term, vote = self._durable.get(actor, (0, None))
        if hard.term == term and vote is not None:
            require("vote", hard.vote == vote, f"{actor} forgot that it voted for {vote} in term {term}")
        require("term", hard.term >= term, f"{actor} forgot term {term}: its disk says {hard.term}")
        self._durable[actor] = hard.term, hard.vote

    def leads(self, actor: str, term: int) -> None:
        """An actor leads in a term, alone."""
        other = self._leaders.setdefault(term, actor)
        require("leader", other == actor, f"{other} and {actor} both lead in term {term}")

    def settled(self, actor: str, op_id: str, index: int) -> None:
        """An actor applied a decision: every other applies the same there."""
        other = self.decisions.setdefault(index, op_id)
        require("decision", other == op_id, f"{actor} applied {op_id} at {index}, others {other}")

    def offered(self, members: frozenset[str], cut: Mapping[str, int]) -> None:
        """A leader says that all these terminals hold all logs so far: what lies before may be forgotten one day."""
        for station in self._stations:
            if station.boots and station.origin.terminal in members:
                lacks = {actor: seq for actor, seq in cut.items() if station.held_once.get(actor, 0) < seq}
                require("cut", not lacks, f"till {station.number} is said to hold {lacks}; it never did")

    @property
    def terms(self) -> int:
        """In how many terms somebody led."""
        return len(self._leaders)


def quorum(stations: Sequence[Station]) -> bool:
    """Say whether a majority of the voters still exists, by the till that knows most of the log.

    A voter whose disk was taken away is gone for good; without a majority only an operator's command goes on.
    """
    seats = [station.seat for station in stations if station.seat is not None]
    if not seats:
        return False
    voters = max((seat.council.status() for seat in seats), key=lambda status: (status.term, status.commit)).voters
    alive = {station.origin.actor for station in stations}
    return 2 * sum(str(voter) in alive for voter in voters) > len(voters)


def united(stations: Sequence[Station]) -> bool:
    """Say whether all tills follow one leader, and all of them, and nobody else, are members."""
    seen = set()
    for station in stations:
        assert station.seat is not None
        status = station.seat.council.status()
        seen.add((status.leader, status.term, frozenset(status.voters) | frozenset(status.learners)))
    if len(seen) != 1:
        return False
    [(leader, _, members)] = seen
    return leader is not None and members == {station.origin.actor for station in stations}


def decisions_hold(assembly: Assembly, facts: Sequence[Fact], stations: Sequence[Station], history: History) -> None:
    """What was decided took effect everywhere, and the newest decision holds."""
    taken: dict[str, int] = {}
    for fact in facts:
        if isinstance(fact.body, SettingsChanged) and fact.body.authority:
            key = str(fact.body.changes[0].fields["receipt_footer"])
            decided = assembly.decisions.get(fact.body.authority)
            require("decision", decided == key, f"{fact.event.id} says that {key} was decided; it was {decided}")
            taken[key] = max(taken.get(key, 0), fact.body.authority)
    for attempt in history.attempts:
        if (
            attempt.answer == "ok"
            and isinstance(attempt.command, ChangeRecords)
            and attempt.command.entity == "setting"
        ):
            require("decision", attempt.key in taken, f"{attempt.key} was decided and never took effect")
    if taken:
        newest = max(taken, key=lambda key: taken[key])
        for station in stations:
            fields = station.look(lambda books: books.fields("setting", STORE_SETTINGS)) or {}
            footer = fields.get("receipt_footer")
            require("decision", footer == newest, f"till {station.number} has {footer}; {newest} was decided last")
