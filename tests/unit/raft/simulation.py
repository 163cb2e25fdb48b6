"""A store's group of nodes under virtual time, a bad network and disks that lose, all from one seed.

First a time of faults in which nothing unsafe may happen, then a healed world in which the group must come to agree.
Time is counted in tenths of a tick.
"""

from __future__ import annotations

import heapq
import json
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from random import Random

from tests.unit.raft.cluster import Cluster
from tests.unit.raft.oracle import Broken
from tillmesh.kernel.errors import TillmeshError
from tillmesh.raft import (
    ConfChange,
    ConfChangeType,
    Config,
    ConfState,
    Message,
    MessageType,
    NodeId,
    Role,
    conf_change,
    decode_message,
    encode,
)

TICK = 10
DONE = Message(MessageType.TIMEOUT_NOW, 0, 0)  # stands for a disk that has finished
FAULTY_TICKS = 260
HEALED_TICKS_MAX = 600
SIZES = (1, 2, 3, 3, 3, 3, 4, 5, 5, 7)


@dataclass(frozen=True)
class Plan:
    """What kind of world a seed stands for."""

    nodes: int
    learners: int
    spares: int
    pre_vote: bool
    check_quorum: bool
    batch: int
    inflight: int
    drop: float
    duplicate: float
    late: float
    delay: int
    skew: float
    busy: float  # faults per tick
    slow: float  # of a node's disk writes


def draw_plan(seed: int, nodes: int | None = None) -> Plan:
    """Draw a world; a fifth of them is calm, so that long logs and many terms both come about."""
    rng = Random(f"plan {seed}")
    rough = rng.random() > 0.2
    return Plan(
        nodes=nodes or rng.choice(SIZES),
        learners=rng.choice((0, 0, 1)),
        spares=rng.choice((0, 1, 2)),
        pre_vote=rng.random() < 0.7,
        check_quorum=rng.random() < 0.7,
        batch=rng.choice((1, 3, 100)),
        inflight=rng.choice((1, 2, 50)),
        drop=rng.choice((0.0, 0.02, 0.15, 0.3)) if rough else 0.0,
        duplicate=rng.choice((0.0, 0.1, 0.3)),
        late=rng.choice((0.0, 0.02, 0.1)),
        delay=rng.choice((0, 3, 15, 40)),
        skew=rng.choice((0.0, 0.1, 0.4)),
        busy=rng.choice((0.1, 0.3)) if rough else 0.02,
        slow=rng.choice((0.0, 0.1, 0.5)),
    )


class Simulation:
    """One world. ``run`` raises Broken, which names the seed."""

    def __init__(self, seed: int, nodes: int | None = None) -> None:
        self.seed = seed
        self.plan = draw_plan(seed, nodes)
        self.rng = Random(f"world {seed}")
        self.now = 0
        self.order = 0
        self.events: list[tuple[int, int, NodeId, Message | None]] = []
        self.cuts: set[tuple[NodeId, NodeId]] = set()
        self.faulty = True
        self.proposed = 0
        self.cluster = Cluster(self._post)
        self.cluster.is_slow = self._is_slow
        plan = self.plan
        self.voters = list(range(1, plan.nodes + 1))
        learners = [plan.nodes + 1 + i for i in range(plan.learners)]
        self.members = [*self.voters, *learners, *(plan.nodes + plan.learners + 1 + i for i in range(plan.spares))]
        conf = ConfState(tuple(self.voters), tuple(learners))
        self.period: dict[NodeId, int] = {
            node: round(TICK * (1 + self.rng.uniform(-plan.skew, plan.skew))) for node in self.members
        }
        for node in self.members:
            self.cluster.add(node, conf, self._config(node))
            if node in conf.voters or node in conf.learners:
                self._start(node)
            self._schedule(node, self.rng.randrange(1, TICK + 1), None)

    def _config(self, node: int) -> Callable[[int], Config]:
        plan = self.plan
        return lambda applied: Config(
            id=node,
            pre_vote=plan.pre_vote,
            check_quorum=plan.check_quorum,
            max_entries_per_msg=plan.batch,
            max_inflight_msgs=plan.inflight,
            applied=applied,
            rng=self.rng,
        )

    # Time and network.

    def _schedule(self, node: NodeId, delay: int, message: Message | None) -> None:
        self.order += 1
        heapq.heappush(self.events, (self.now + delay, self.order, node, message))

    def _post(self, message: Message) -> None:
        plan, rng = self.plan, self.rng
        if (message.from_, message.to) in self.cuts:
            return
        if not self.faulty:
            self._schedule(message.to, 1, message)
            return
        if rng.random() < plan.drop:
            return
        if rng.random() < 0.05:
            message = decode_message(encode(message))
        for _ in range(2 if rng.random() < plan.duplicate else 1):
            far = rng.randrange(30 * TICK) if rng.random() < plan.late else 0
            self._schedule(message.to, 1 + rng.randrange(plan.delay + 1) + far, message)

    def _is_slow(self, node: NodeId) -> bool:
        if not self.faulty or self.rng.random() >= self.plan.slow:
            return False
        self._schedule(node, 1 + self.rng.randrange(3 * TICK), DONE)
        return True

    def _advance(self, ticks: int) -> None:
        end = self.now + ticks * TICK
        while self.events and self.events[0][0] <= end:
            self.now, _, node, message = heapq.heappop(self.events)
            if message == DONE:
                self.cluster.finish(node)
                continue
            if message is None:
                self._schedule(node, self.period[node] if self.faulty else TICK, None)
            if not self.cluster.nodes[node].running:
                continue
            if message is None:
                self.cluster.call(node, lambda raw: raw.tick())
            elif (message.from_, node) not in self.cuts:
                self.cluster.call(node, lambda raw, m=message: raw.step(m))  # type: ignore[misc]
        self.now = end

    # Faults.

    def _start(self, node: NodeId) -> None:
        if not self.cluster.nodes[node].running:
            self.cluster.start(node)

    def _disturb(self) -> None:
        actions = [
            self._crash, self._crash, self._start_one, self._start_one, self._start_one, self._split, self._cut_one_way,
            self._mend, self._mend, self._compact, self._transfer, self._campaign, self._change_members,
            self._change_members,
        ]  # fmt: skip
        self.rng.choice(actions)()

    def _some(self, nodes: list[NodeId]) -> NodeId | None:
        return self.rng.choice(nodes) if nodes else None

    def _crash(self) -> None:
        node = self._some(self.cluster.running())
        if node is None:
            return
        how = self.rng.choice(("now", "before persist", "after persist"))
        if how == "now":
            self.cluster.stop(node, lose_unsynced=True)
        else:
            self.cluster.nodes[node].crash_at = how

    def _start_one(self) -> None:
        node = self._some([n for n, me in self.cluster.nodes.items() if not me.running and n in self._enrolled()])
        if node is not None:
            self._start(node)

    def _enrolled(self) -> set[NodeId]:
        """Who was ever admitted: a spare is started only then, as a terminal is."""
        known = {n for n, me in self.cluster.nodes.items() if me.raw or me.disk.live.last_index()}
        for node in self.cluster.running():
            status = self.cluster[node].status()
            known |= set(status.voters) | set(status.learners)
        return known | set(self.voters)

    def _split(self) -> None:
        side = {n for n in self.members if self.rng.random() < 0.5}
        self.cuts |= {(a, b) for a in self.members for b in self.members if (a in side) != (b in side)}

    def _cut_one_way(self) -> None:
        self.cuts.add((self.rng.choice(self.members), self.rng.choice(self.members)))

    def _mend(self) -> None:
        self.cuts.clear()

    def _compact(self) -> None:
        node = self._some(self.cluster.running())
        if node is not None:
            self.cluster.compact(node)

    def _on_leader(self, action: Callable[..., object]) -> None:
        node = self._some(self.cluster.leaders())
        if node is None:
            return
        with suppress(TillmeshError):
            self.cluster.call(node, action)

    def _transfer(self) -> None:
        to = self.rng.choice(self.members)
        self._on_leader(lambda raw: raw.transfer_leader(to))

    def _campaign(self) -> None:
        node = self._some(self.cluster.running())
        if node is not None:
            self.cluster.call(node, lambda raw: raw.campaign())

    def _change_members(self) -> None:
        node = self.rng.choice(self.members)
        kind = self.rng.choice(tuple(ConfChangeType))
        self._on_leader(lambda raw: raw.propose_conf_change(ConfChange(kind, node)))

    def _propose(self) -> None:
        self.proposed += 1
        data = f"p{self.proposed}".encode()
        self._on_leader(lambda raw: raw.propose(data))

    # The two halves of a life.

    def run(self) -> None:
        """Live through the seed."""
        try:
            for _ in range(FAULTY_TICKS):
                self._advance(1)
                if self.rng.random() < self.plan.busy:
                    self._disturb()
                if self.rng.random() < 0.4:
                    self._propose()
            self._heal()
        except Broken as broken:
            raise Broken(f"seed {self.seed}, {self.plan}: {broken}") from broken

    def _heal(self) -> None:
        self.faulty = False
        self.cuts.clear()
        for node in sorted(self._enrolled(), key=int):
            self.cluster.nodes[node].crash_at = ""
            self._start(node)
        self.proposed += 1
        probe = f"probe {self.seed}".encode()
        for _ in range(HEALED_TICKS_MAX // 20):
            self._advance(20)
            members = self._members_of_the_store()
            if members and all(any(data == probe for _, data in self.cluster.nodes[n].applied) for n in members):
                self._check_agreement(members)
                return
            for node in self.cluster.running():  # Removed terminals are switched off; admitted ones run.
                if members and node not in members:
                    self.cluster.stop(node)
            for node in members or sorted(self._enrolled(), key=int):
                self._start(node)
            self._on_leader(lambda raw: raw.propose(probe))
        states = [(n, self.cluster[n].status()) for n in self.cluster.running()]
        raise Broken(f"liveness: healed for {HEALED_TICKS_MAX} ticks and not agreed: {states}")

    def _members_of_the_store(self) -> list[NodeId]:
        leaders = self.cluster.leaders()
        if len(leaders) != 1:
            return []
        status = self.cluster[leaders[0]].status()
        return [*status.voters, *status.learners]

    def _check_agreement(self, members: list[NodeId]) -> None:
        self._advance(20)
        states = [self.cluster[n].status() for n in members]
        if len({(s.term, s.leader, s.commit, s.applied, s.voters, s.learners) for s in states}) != 1:
            raise Broken(f"liveness: members differ after the probe was applied: {states}")
        if len({json.dumps([d.decode() for _, d in self.cluster.nodes[n].applied]) for n in members}) != 1:
            raise Broken("state machine safety: members applied different things")
        if sum(s.role is Role.LEADER for s in states) != 1:
            raise Broken(f"liveness: not one leader: {states}")


def changes_applied(simulation: Simulation) -> int:
    """Count how many changes of membership took effect: a simulation without any would prove little."""
    return sum(
        1
        for (index, term), (_, data, kind) in simulation.cluster.oracle.entries.items()
        if kind == "conf_change" and simulation.cluster.oracle.applied.get(index) == (term, data)
    )


__all__ = ["Simulation", "changes_applied", "conf_change", "draw_plan"]
