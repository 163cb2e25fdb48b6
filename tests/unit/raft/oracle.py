"""The invariants of figure 3 of the paper and some of our own, checked after every step of any group of nodes.

All of it is incremental: an entry is looked at when it is stored, committed or applied, so checking stays cheap.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from tillmesh.raft import Entry, EntryType, HardState, MemoryStorage, NodeId, RawNode, Ready, Role
from tillmesh.raft.state import Raft


class Broken(AssertionError):
    """An invariant does not hold."""


def require(holds: bool, invariant: str, says: str) -> None:
    if not holds:
        raise Broken(f"{invariant}: {says}")


@dataclass
class Seen:
    """What is remembered of one node: some of it for ever, some while it runs."""

    promised: HardState = field(default_factory=HardState)  # the newest term and vote that messages may tell of
    commit: int = 0  # while it runs
    applied: int = 0  # while it runs
    stored: int = 0  # last index on disk
    leads: int = 0  # the term it leads, 0 when it does not


@dataclass
class Oracle:
    """Watches a whole group."""

    disks: dict[NodeId, MemoryStorage]
    seen: dict[NodeId, Seen] = field(default_factory=dict)
    leaders: dict[int, NodeId] = field(default_factory=dict)
    entries: dict[tuple[int, int], tuple[int, bytes, EntryType]] = field(default_factory=dict)
    committed: list[tuple[int, int]] = field(default_factory=lambda: [(0, 0)])  # by index: term, term of the commit
    applied: dict[int, tuple[int, bytes]] = field(default_factory=dict)

    def started(self, node: NodeId, raw: RawNode, applied: int) -> None:
        """A node was started from its disk: it must remember what it promised."""
        seen = self.seen.setdefault(node, Seen())
        raft = raw._raft
        old, now = seen.promised, raft.hard_state()
        require(now.term >= old.term, "term monotonic", f"node {node} forgot term {old.term}, is back in {now.term}")
        if now.term == old.term and old.vote is not None:
            require(now.vote == old.vote, "vote monotonic", f"node {node} forgot its vote of term {now.term}")
        require(
            raft.log.last_index() >= seen.stored, "durability", f"node {node} lost entries from {raft.log.last_index()}"
        )
        seen.commit, seen.applied, seen.leads = raft.log.committed, applied, 0
        for index in range(raft.log.first_index(), raft.log.last_index() + 1):
            (entry,) = raft.log.entries(index, index + 1, 0)
            self._entry(entry, raft.log.term(index - 1))

    def assume_committed(self, raw: RawNode) -> None:
        """Take what a starting log says is committed as given."""
        log = raw._raft.log
        for index in range(len(self.committed), log.committed + 1):
            self.committed.append((log.term(index), raw._raft.term))

    def persisted(self, node: NodeId, ready: Ready, disk: MemoryStorage) -> None:
        """A Ready is on disk: what does it promise, and does it fit what others stored?"""
        seen = self.seen[node]
        if ready.hard_state is not None:
            old, now = seen.promised, ready.hard_state
            require(now.term >= old.term, "term monotonic", f"node {node} from {old.term} to {now.term}")
            if now.term == old.term and old.vote is not None:
                require(now.vote == old.vote, "vote monotonic", f"node {node} voted {old.vote}, then {now.vote}")
            seen.promised = now
        if ready.entries:
            first = ready.entries[0]
            require(
                not seen.leads or first.index > seen.stored,
                "leader append-only",
                f"node {node} replaced {first.index} in term {seen.leads}",
            )
            prev = disk.term(first.index - 1) if first.index - 1 >= disk.first_index() - 1 else 0
            for entry in ready.entries:
                self._entry(entry, prev)
                prev = entry.term
        seen.stored = disk.last_index()

    def _entry(self, entry: Entry, prev_term: int) -> None:
        mine = (prev_term, entry.data, entry.type)
        theirs = self.entries.setdefault((entry.index, entry.term), mine)
        require(theirs == mine, "log matching", f"entry {entry.index} of term {entry.term} is {theirs} and {mine}")

    def stepped(self, node: NodeId, raw: RawNode) -> None:
        """A node did something."""
        raft, seen = raw._raft, self.seen[node]
        if raft.role is Role.LEADER and seen.leads != raft.term:
            self._elected(node, raft)
        if raft.role is not Role.LEADER:
            seen.leads = 0
        commit = raft.log.committed
        require(commit >= seen.commit, "commit monotonic", f"node {node} went from {seen.commit} to {commit}")
        require(
            commit <= raft.log.last_index(), "commit monotonic", f"node {node} committed {commit}, which is not there"
        )
        if commit > seen.commit:
            self._commit(node, raft, seen.commit + 1)
            seen.commit = commit

    def _elected(self, node: NodeId, raft: Raft) -> None:
        known = self.leaders.setdefault(raft.term, node)
        require(known == node, "election safety", f"nodes {known} and {node} lead term {raft.term}")
        self.seen[node].leads = raft.term
        index = max((i for i in range(len(self.committed)) if self.committed[i][1] < raft.term), default=0)
        if index >= raft.log.first_index():
            require(
                raft.log.matches(index, self.committed[index][0]),
                "leader completeness",
                f"node {node} leads term {raft.term} without committed entry {index}",
            )

    def _commit(self, node: NodeId, raft: Raft, first: int) -> None:
        log = raft.log
        if raft.role is Role.LEADER:
            require(
                log.term(log.committed) == raft.term,
                "commit by counting",
                f"node {node} of term {raft.term} counted entry {log.committed} of term {log.term(log.committed)}",
            )
        for index in range(first, log.committed + 1):
            if index < log.first_index():
                require(index < len(self.committed), "state machine safety", f"a snapshot of {index}, never committed")
                continue
            term = log.term(index)
            if index == len(self.committed):
                self.committed.append((term, raft.term))
                if raft.role is Role.LEADER:
                    self._on_a_majority(raft, index, term)
            require(index < len(self.committed), "state machine safety", f"node {node} skips to {index}")
            require(
                self.committed[index][0] == term,
                "state machine safety",
                f"entry {index} is committed with terms {self.committed[index][0]} and {term}",
            )

    def _on_a_majority(self, raft: Raft, index: int, term: int) -> None:
        holders = 0
        for voter in raft.tracker.voters:
            disk = self.disks.get(voter)
            if disk is not None and index <= disk.last_index():
                holders += index < disk.first_index() or disk.term(index) == term
        need = len(raft.tracker.voters) // 2 + 1
        require(holders >= need, "durability", f"entry {index} is committed on {holders} disks, needs {need}")

    def apply(self, node: NodeId, entry: Entry) -> None:
        """A node applies an entry."""
        seen = self.seen[node]
        require(
            entry.index == seen.applied + 1, "state machine safety", f"{node} applies {entry.index} on {seen.applied}"
        )
        seen.applied = entry.index
        mine = (entry.term, entry.data)
        theirs = self.applied.setdefault(entry.index, mine)
        require(theirs == mine, "state machine safety", f"entry {entry.index} was applied as {theirs} and {mine}")

    def restored(self, node: NodeId, index: int) -> None:
        """A node takes over a snapshot."""
        require(index > self.seen[node].applied, "state machine safety", f"{node} goes back to {index}")
        self.seen[node].applied = index
