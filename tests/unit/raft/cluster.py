"""A group of nodes in one process: the driver's contract spelled out, disks that can lose, an oracle that watches."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from tests.unit.raft.oracle import Oracle
from tillmesh.raft import (
    Config,
    ConfState,
    Entry,
    EntryType,
    HardState,
    MemoryStorage,
    Message,
    NodeId,
    RawNode,
    Ready,
    Role,
    conf_change,
)


class Disk:
    """What a node wrote, and what of it is synced."""

    def __init__(self, storage: MemoryStorage) -> None:
        self.live = storage
        self._synced = storage.initial_state()[0]
        self._unsynced: list[Ready] = []

    def persist(self, ready: Ready) -> None:
        """Write a Ready; it is safe when it or a later one is synced."""
        self._unsynced.append(ready)
        if ready.snapshot is not None:
            self.live.apply_snapshot(ready.snapshot)
        self.live.append(ready.entries)
        if ready.hard_state is not None:
            self.live.set_hard_state(ready.hard_state)
        if ready.must_sync:
            self._unsynced.clear()
            self._synced = self.live.initial_state()[0]

    def lose_unsynced(self) -> None:
        """Forget what was written and not synced: the commit index, and entries if somebody forgot to sync them."""
        self.live.set_hard_state(self._synced)
        first = min((entry.index for ready in self._unsynced for entry in ready.entries), default=0)
        if first > self.live.first_index():
            del self.live._entries[first - self.live.first_index() :]
        self._unsynced.clear()


class Crashed(Exception):
    """The node stopped in the middle of a Ready."""


@dataclass
class Node:
    """One node: its disk outlives it."""

    id: NodeId
    disk: Disk
    config: Callable[[int], Config]
    raw: RawNode | None = None
    applied: list[tuple[int, bytes]] = field(default_factory=list)
    crash_at: str = ""  # "before persist" or "after persist": the next Ready ends there
    snapshots: int = 0
    held: Ready | None = None  # with a slow disk

    @property
    def running(self) -> bool:
        return self.raw is not None


class Cluster:
    """Nodes and what passes between them. Whoever owns the cluster decides what happens to posted messages."""

    def __init__(self, post: Callable[[Message], None]) -> None:
        self.post = post
        self.nodes: dict[NodeId, Node] = {}
        self.oracle = Oracle(disks={})
        self.is_slow: Callable[[NodeId], bool] = lambda _: False  # the next Ready waits for finish

    def add(
        self,
        node: NodeId,
        conf: ConfState,
        config: Callable[[int], Config],
        *,
        hard: HardState | None = None,
        log: Iterable[Entry] = (),
    ) -> Node:
        """Prepare a node's disk; it is not started."""
        storage = MemoryStorage(conf, hard or HardState())
        storage.append(list(log))
        self.nodes[node] = Node(node, Disk(storage), config)
        self.oracle.disks[node] = storage
        return self.nodes[node]

    def start(self, node: NodeId) -> RawNode:
        """Start a node from its disk; its state machine starts from the snapshot."""
        me = self.nodes[node]
        snapshot = me.disk.live.snapshot()
        me.applied = [(i, text.encode()) for i, text in json.loads(snapshot.data or b"[]")]
        me.crash_at = ""
        me.raw = RawNode(me.config(snapshot.index), me.disk.live)
        self.oracle.started(node, me.raw, snapshot.index)
        self.drain(node)
        return me.raw

    def stop(self, node: NodeId, *, lose_unsynced: bool = False) -> None:
        """Crash a node."""
        me = self.nodes[node]
        me.raw = me.held = None
        if lose_unsynced:
            me.disk.lose_unsynced()

    def restart(self, node: NodeId) -> RawNode:
        self.stop(node)
        return self.start(node)

    def __getitem__(self, node: NodeId) -> RawNode:
        raw = self.nodes[node].raw
        assert raw is not None, f"node {node} does not run"
        return raw

    def running(self) -> list[NodeId]:
        return [node for node, me in self.nodes.items() if me.running]

    def leaders(self) -> list[NodeId]:
        return [node for node in self.running() if self[node]._raft.role is Role.LEADER]

    def call(self, node: NodeId, action: Callable[[RawNode], object]) -> None:
        """Let a node do something, then do what it asks for; an error of the core is passed on after that."""
        try:
            action(self[node])
        finally:
            self.oracle.stepped(node, self[node])
            self.drain(node)

    def drain(self, node: NodeId) -> None:
        """Do what the node asks for, in the order of the contract, until it asks for nothing."""
        me = self.nodes[node]
        try:
            while me.raw is not None and me.raw.has_ready():
                ready = me.raw.ready()
                if self.is_slow(node):
                    me.held = ready
                else:
                    self._perform(me, me.raw, ready)
        except Crashed:
            self.stop(node, lose_unsynced=True)

    def finish(self, node: NodeId) -> None:
        """A slow disk is done with what it was given; the node may have stepped on meanwhile."""
        me = self.nodes[node]
        if me.raw is None or me.held is None:
            return
        ready, me.held = me.held, None
        try:
            self._perform(me, me.raw, ready)
        except Crashed:
            self.stop(node, lose_unsynced=True)
        self.drain(node)

    def _perform(self, me: Node, raw: RawNode, ready: Ready) -> None:
        if me.crash_at == "before persist":
            raise Crashed
        me.disk.persist(ready)
        self.oracle.persisted(me.id, ready, me.disk.live)
        if me.crash_at == "after persist":
            raise Crashed
        for message in ready.messages:
            self.post(message)
        if ready.snapshot is not None:
            self.oracle.restored(me.id, ready.snapshot.index)
            me.applied = [(i, text.encode()) for i, text in json.loads(ready.snapshot.data or b"[]")]
        for entry in ready.committed_entries:
            self._apply(me, raw, entry)
        raw.advance(ready)
        self.oracle.stepped(me.id, raw)

    def _apply(self, me: Node, raw: RawNode, entry: Entry) -> None:
        self.oracle.apply(me.id, entry)
        change = conf_change(entry)
        if change is not None:
            raw.apply_conf_change(change)
            self.oracle.stepped(me.id, raw)
        if entry.data and entry.type is EntryType.NORMAL:
            me.applied.append((entry.index, entry.data))

    def compact(self, node: NodeId) -> None:
        """Make a snapshot of what is applied and drop the log up to it."""
        me, status = self.nodes[node], self[node].status()
        if status.applied <= me.disk.live.snapshot().index:
            return
        data = json.dumps([(i, text.decode()) for i, text in me.applied]).encode()
        me.disk.live.create_snapshot(status.applied, ConfState(status.voters, status.learners), data)
        me.disk.live.compact(status.applied)
        me.snapshots += 1
