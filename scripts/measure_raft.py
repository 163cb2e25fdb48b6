"""Measure the Raft core alone: proposals per CPU-second in memory, and how long a store is without a leader.

    python scripts/measure_raft.py [--failovers N] [--json]

Failover is simulated in virtual time with the store's timing (tick 50 ms, heartbeat 150 ms, timeout 300-500 ms): the
leader stops at a random moment, the clock runs until another has committed an entry. A term more than needed is an
"extra term".
"""

from __future__ import annotations

import argparse
import heapq
import json
import statistics
import sys
import time
from dataclasses import dataclass
from random import Random

from tillmesh.raft import Config, ConfState, MemoryStorage, Message, NodeId, RawNode, Role, decode_message, encode

TICK_MS = 50.0


@dataclass(frozen=True)
class Lan:
    """How long a message takes and how long a disk syncs, in ms: uniform between the two (guesses)."""

    name: str
    link: tuple[float, float]
    sync: tuple[float, float]


LANS = (Lan("calm", (0.3, 2.0), (1.0, 6.0)), Lan("busy", (2.0, 25.0), (5.0, 30.0)))


class Store:
    """Nodes under virtual time; a message leaves when the disk has synced what it promises."""

    def __init__(self, voters: int, lan: Lan, rng: Random, *, pre_vote: bool) -> None:
        self.lan, self.rng, self.now, self.order = lan, rng, 0.0, 0
        self.events: list[tuple[float, int, NodeId, Message | None]] = []
        self.disks: dict[NodeId, MemoryStorage] = {}
        self.nodes: dict[NodeId, RawNode] = {}
        self.synced: dict[NodeId, float] = {}
        conf = ConfState(tuple(range(1, voters + 1)))
        for node in conf.voters:
            self.disks[node], self.synced[node] = MemoryStorage(conf), 0.0
            self.nodes[node] = RawNode(Config(node, pre_vote=pre_vote, rng=rng), self.disks[node])
            self._at(rng.uniform(0, TICK_MS), node, None)

    def _at(self, when: float, node: NodeId, message: Message | None) -> None:
        self.order += 1
        heapq.heappush(self.events, (when, self.order, node, message))

    def _work(self, node: NodeId) -> None:
        raw, disk = self.nodes[node], self.disks[node]
        while raw.has_ready():
            ready = raw.ready()
            disk.append(ready.entries)
            if ready.hard_state is not None:
                disk.set_hard_state(ready.hard_state)
            if ready.must_sync:
                self.synced[node] = max(self.synced[node], self.now) + self.rng.uniform(*self.lan.sync)
            leaves = max(self.now, self.synced[node])
            for message in ready.messages:
                self._at(leaves + self.rng.uniform(*self.lan.link), message.to, message)
            raw.advance(ready)

    def step(self) -> None:
        """Let the next thing happen."""
        self.now, _, node, message = heapq.heappop(self.events)
        raw = self.nodes.get(node)
        if raw is None:
            return
        if message is None:
            self._at(self.now + TICK_MS, node, None)
            raw.tick()
        else:
            raw.step(message)
        self._work(node)

    def leader(self) -> RawNode | None:
        """Give who leads with an entry of its term committed."""
        for raw in self.nodes.values():
            status = raw.status()
            if status.role is Role.LEADER and status.commit and status.commit == status.last_index:
                return raw
        return None

    def run_until_led(self) -> RawNode:
        """Let time pass until somebody leads."""
        while (led := self.leader()) is None:
            self.step()
        return led


def failover(voters: int, lan: Lan, seed: int, *, pre_vote: bool) -> tuple[float, int]:
    """Stop the leader of a quiet store; give ms until another has committed, and terms beyond the one needed."""
    rng = Random(f"{seed} {voters} {lan.name} {pre_vote}")  # noqa: S311 - a simulation
    store = Store(voters, lan, rng, pre_vote=pre_vote)
    old = store.run_until_led().status()
    end = store.now + rng.uniform(500, 1_500)
    while store.now < end:
        store.step()
    start = store.now
    del store.nodes[old.id]
    new = store.run_until_led().status()
    return store.now - start, new.term - old.term - 1


def proposals_per_cpu_second(nodes: int, count: int, *, bytes_on_the_wire: bool) -> float:
    """Propose one by one to a leader, carry every message at once, until all have applied all."""
    conf = ConfState(tuple(range(1, nodes + 1)))
    disks: dict[NodeId, MemoryStorage] = {node: MemoryStorage(conf) for node in conf.voters}
    rng = Random(1)  # noqa: S311 - a simulation
    group = {node: RawNode(Config(node, rng=rng), disks[node]) for node in conf.voters}
    applied = dict.fromkeys(conf.voters, 0)

    def settle() -> None:
        busy = True
        while busy:
            busy = False
            for node, raw in group.items():
                while raw.has_ready():
                    busy = True
                    ready = raw.ready()
                    disks[node].append(ready.entries)
                    if ready.hard_state is not None:
                        disks[node].set_hard_state(ready.hard_state)
                    for message in ready.messages:
                        group[message.to].step(decode_message(encode(message)) if bytes_on_the_wire else message)
                    applied[node] += sum(bool(entry.data) for entry in ready.committed_entries)
                    raw.advance(ready)

    group[1].campaign()
    settle()
    data = bytes(200)
    start = time.process_time()
    for _ in range(count):
        group[1].propose(data)
        settle()
    took = time.process_time() - start
    assert set(applied.values()) == {count}
    return count / took


def measure(failovers: int) -> list[dict[str, object]]:
    """Measure everything."""
    found: list[dict[str, object]] = [
        {"what": "proposals", "nodes": n, "encoded": encoded, "per_cpu_second": round(_rate(n, encoded=encoded))}
        for n in (1, 3, 5)
        for encoded in (False, True)
    ]
    for lan in LANS:
        for voters in (3, 5):
            for pre_vote in (False, True):
                runs = [failover(voters, lan, seed, pre_vote=pre_vote) for seed in range(failovers)]
                times = sorted(ms for ms, _ in runs)
                found.append(
                    {
                        "what": "failover",
                        "voters": voters,
                        "lan": lan.name,
                        "pre_vote": pre_vote,
                        "median_ms": round(statistics.median(times)),
                        "p95_ms": round(times[int(0.95 * len(times))]),
                        "max_ms": round(times[-1]),
                        "extra_terms_percent": round(100 * sum(extra > 0 for _, extra in runs) / len(runs), 1),
                    }
                )
    return found


def _rate(nodes: int, *, encoded: bool) -> float:
    return max(proposals_per_cpu_second(nodes, 2_000, bytes_on_the_wire=encoded) for _ in range(3))


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="Measure the Raft core alone.")
    parser.add_argument("--failovers", type=int, default=1_000)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    for line in measure(options.failovers):
        print(
            json.dumps(line) if options.json else "  ".join(f"{key} {value}" for key, value in line.items()), flush=True
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
