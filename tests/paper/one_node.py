"""One node under a microscope: messages go in by hand, what comes out is looked at. The driver's contract is kept."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from tillmesh.raft import (
    Config,
    ConfState,
    Entry,
    HardState,
    MemoryStorage,
    Message,
    MessageType,
    RawNode,
    Ready,
    Role,
    Status,
    conf_change,
)

ELECTION, HEARTBEAT, TIMEOUT = 10, 1, 12


def log(*terms: int, first: int = 1) -> tuple[Entry, ...]:
    return tuple(Entry(term, index, f"{index}.{term}".encode()) for index, term in enumerate(terms, first))


class One:
    """Node 1 of a group; sent messages pile up in ``out`` and are taken away by ``take``."""

    def __init__(
        self,
        *,
        voters: Iterable[int] = (1, 2, 3),
        learners: Iterable[int] = (),
        term: int = 0,
        vote: int | None = None,
        commit: int = 0,
        terms: Iterable[int] = (),
        node: int = 1,
        **config: Any,
    ) -> None:
        self.disk = MemoryStorage(ConfState(tuple(voters), tuple(learners)), HardState(term, vote, commit))
        self.disk.append(log(*terms))
        settings = {"pre_vote": False, "check_quorum": False, "election_timeout": lambda: TIMEOUT}
        self.node = RawNode(
            Config(node, heartbeat_tick=HEARTBEAT, election_tick=ELECTION, **{**settings, **config}), self.disk
        )
        self.out: list[Message] = []
        self.applied: list[Entry] = []
        self.readies: list[Ready] = []
        self.drain()

    def drain(self) -> None:
        while self.node.has_ready():
            ready = self.node.ready()
            self.readies.append(ready)
            if ready.snapshot is not None:
                self.disk.apply_snapshot(ready.snapshot)
            self.disk.append(ready.entries)
            if ready.hard_state is not None:
                self.disk.set_hard_state(ready.hard_state)
            self.out += ready.messages
            for entry in ready.committed_entries:
                self.applied.append(entry)
                change = conf_change(entry)
                if change is not None:
                    self.node.apply_conf_change(change)
            self.node.advance(ready)

    @property
    def status(self) -> Status:
        return self.node.status()

    @property
    def vote(self) -> object:
        """The vote on disk."""
        return self.disk.initial_state()[0].vote

    @property
    def terms(self) -> list[int]:
        return [self.disk.term(i) for i in range(self.disk.first_index(), self.disk.last_index() + 1)]

    def take(self, kind: MessageType | None = None) -> list[Message]:
        taken = [m for m in self.out if kind is None or m.type is kind]
        self.out = []
        return taken

    def tick(self, times: int = 1) -> list[Message]:
        for _ in range(times):
            self.node.tick()
            self.drain()
        return self.take()

    def hear(self, kind: MessageType, from_: int = 2, *, term: int | None = None, **fields: Any) -> list[Message]:
        """Step a message, by default of the node's own term; give what it sends because of it."""
        self.take()
        term = self.status.term if term is None else term
        self.node.step(Message(kind, from_, self.status.id, term, **fields))
        self.drain()
        return self.take()

    def campaign(self) -> list[Message]:
        self.node.campaign()
        self.drain()
        return self.take()

    def propose(self, data: bytes = b"x") -> list[Message]:
        self.node.propose(data)
        self.drain()
        return self.take()

    def stored(self, from_: int, index: int | None = None) -> list[Message]:
        """A follower acknowledges everything, or up to an index."""
        return self.hear(MessageType.APPEND_RESPONSE, from_, index=self.status.last_index if index is None else index)

    def lead(self) -> One:
        """Win the election of the next term and have its first entry stored everywhere."""
        self.campaign()
        for other in self.status.voters:
            if other != self.status.id and self.status.role is not Role.LEADER:
                if self.status.role is Role.PRE_CANDIDATE:
                    self.hear(MessageType.PRE_VOTE_RESPONSE, int(other), term=self.status.term + 1)
                else:
                    self.hear(MessageType.VOTE_RESPONSE, int(other))
        assert self.status.role is Role.LEADER
        for other in (*self.status.voters, *self.status.learners):
            if other != self.status.id:
                self.stored(int(other))
        self.take()
        return self
