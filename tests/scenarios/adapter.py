"""Runs conformance scenarios (format raft-scenarios/1) against the core. The conventions stand in the files themselves.

Everything the format knows is here, whether or not a scenario of ours uses it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from tests.unit.raft.cluster import Cluster
from tillmesh.kernel.errors import TillmeshError
from tillmesh.raft import (
    ConfChange,
    ConfChangeType,
    Config,
    ConfState,
    Entry,
    HardState,
    Message,
    MessageType,
    Role,
    decode_message,
    encode,
)

CAPABILITIES = {"transfer", "membership", "learners", "snapshot", "max_batch", "conf_effective_on_apply"}
# Names of groups of messages; any single type may be named as well.
KINDS = {
    "vote": {t for t in MessageType if "vote" in t},
    "append": {MessageType.APPEND, MessageType.APPEND_RESPONSE},
    "heartbeat": {MessageType.HEARTBEAT, MessageType.HEARTBEAT_RESPONSE},
    "transfer": {MessageType.TIMEOUT_NOW},
}
STEPS_MAX = 100_000  # deliveries in one step: more is a storm

Json = dict[str, Any]


class Failed(AssertionError):
    """The core did something else than the scenario expects."""


def missing(scenario: Json) -> set[str]:
    """Name capabilities a scenario needs that this core lacks."""
    return set(scenario.get("needs", ())) - CAPABILITIES


def run(scenario: Json) -> None:
    """Run a scenario; raises Failed, or Broken from the oracle."""
    world = World(scenario)
    for number, step in enumerate(scenario["steps"], 1):
        try:
            world.perform(step)
        except AssertionError as cause:
            raise type(cause)(f"step {number} {step}: {cause}") from cause
    world.expect(scenario.get("expect", {}))


def _kinds(names: Iterable[str]) -> set[MessageType]:
    return {kind for name in names for kind in (KINDS[name] if name in KINDS else {MessageType(name)})}


class World:
    """Nodes, one queue, links that can be cut."""

    def __init__(self, scenario: Json) -> None:
        self.options = scenario.get("options", {})
        self.queue: list[Message] = []
        self.copies: list[Message] = []
        self.cuts: set[frozenset[int]] = set()
        self.cluster = Cluster(self.queue.append)
        self.conf = ConfState(tuple(scenario["nodes"]), tuple(scenario.get("learners", ())))
        self.init = scenario.get("init", {})
        members = [*scenario["nodes"], *scenario.get("learners", ())]
        for node in members:
            self._prepare(node)
        for node in members:
            self.cluster.start(node)
            raw = self.cluster[node]
            self.cluster.oracle.assume_committed(raw)

    def _prepare(self, node: int) -> None:
        init = self.init.get(str(node), {})
        log = [Entry(t, i, f"i{i}t{t}".encode()) for i, t in enumerate(init.get("log", ()), 1)]
        hard = HardState(init.get("term", 0), init.get("vote"), init.get("commit", 0))
        self.cluster.add(node, self.conf, lambda applied: self._config(node, applied), hard=hard, log=log)

    def _config(self, node: int, applied: int) -> Config:
        batch = self.options.get("max_batch")
        return Config(
            id=node,
            heartbeat_tick=1,
            election_tick=10,
            election_timeout=lambda: 10 + node,
            pre_vote=bool(self.options.get("prevote")),
            check_quorum=bool(self.options.get("check_quorum")),
            applied=applied,
            **({"max_entries_per_msg": batch} if batch else {}),
        )

    # Steps.

    def perform(self, step: Json) -> None:
        getattr(self, f"_do_{step['op']}")(step)

    def _do_tick(self, step: Json) -> None:
        for _ in range(step.get("times", 1)):
            self.cluster.call(step["node"], lambda raw: raw.tick())

    def _do_run(self, step: Json) -> None:
        for _ in range(step.get("times", 1)):
            for node in sorted(self.cluster.running(), key=int):
                self.cluster.call(node, lambda raw: raw.tick())
            self._do_deliver({})

    def _do_campaign(self, step: Json) -> None:
        self.cluster.call(step["node"], lambda raw: raw.campaign())

    def _do_deliver(self, step: Json) -> None:
        until = step.get("until")
        waiting = {id(m) for m in self.queue} if step.get("once") else None
        for _ in range(STEPS_MAX):
            if until is not None and self.holds(until):
                return
            found = next(
                (m for m in self._matching(step, self.queue) if waiting is None or id(m) in waiting),
                None,
            )
            if found is None:
                if until is not None:
                    raise Failed(f"everything is delivered and {until} does not hold: {self._why(until)}")
                return
            self._remove(found)
            self._deliver(found)
        raise Failed(f"after {STEPS_MAX} deliveries messages still cause messages")

    def _do_drop(self, step: Json) -> None:
        for message in list(self._matching(step, self.queue)):
            self._remove(message)

    def _do_copy(self, step: Json) -> None:
        # Real copies: a message in flight is told from its copy by identity.
        self.copies += [decode_message(encode(m)) for m in self._matching(step, self.queue)]

    def _do_replay(self, step: Json) -> None:
        replayed = list(self._matching(step, self.copies))
        self.copies = [m for m in self.copies if all(m is not other for other in replayed)]
        self.queue += replayed

    def _do_reverse(self, step: Json) -> None:
        matching = list(self._matching(step, self.queue))
        places = [i for i, m in enumerate(self.queue) if any(m is other for other in matching)]
        for place, message in zip(places, reversed(matching), strict=True):
            self.queue[place] = message

    def _do_partition(self, step: Json) -> None:
        self.cuts |= {frozenset(pair) for pair in step.get("links", ())}
        groups = step.get("groups", ())
        self.cuts |= {
            frozenset({a, b}) for one in groups for other in groups if one is not other for a in one for b in other
        }

    def _do_heal(self, step: Json) -> None:
        self.cuts.clear()

    def _do_propose(self, step: Json) -> None:
        node = step["node"]
        if isinstance(node, dict):
            leaders = [n for n in self.cluster.leaders() if n in node["leader_among"]]
            if not leaders:
                raise Failed(f"nobody leads among {node['leader_among']}")
            node = max(leaders, key=lambda n: self.cluster[n].status().term)
        self._ask(node, step, lambda raw: raw.propose(step["data"].encode()))

    def _do_conf(self, step: Json) -> None:
        ((kind, target),) = ((k, step[k]) for k in ("add_voter", "add_learner", "remove") if k in step)
        change = ConfChange(ConfChangeType(kind), target)
        self._ask(step["node"], {"result": "accepted", **step}, lambda raw: raw.propose_conf_change(change))

    def _do_transfer(self, step: Json) -> None:
        self._ask(step["node"], step, lambda raw: raw.transfer_leader(step["to"]))

    def _ask(self, node: int, step: Json, action: Any) -> None:
        result, why = "accepted", ""
        try:
            self.cluster.call(node, action)
        except TillmeshError as refusal:
            result, why = "rejected", refusal.detail
        if step.get("result", "any") not in {"any", result}:
            raise Failed(f"it was {result} {why}")

    def _do_stop(self, step: Json) -> None:
        self.cluster.stop(step["node"])

    def _do_restart(self, step: Json) -> None:
        self.cluster.restart(step["node"])

    def _do_start(self, step: Json) -> None:
        self._prepare(step["node"])
        self.cluster.start(step["node"])

    def _do_compact(self, step: Json) -> None:
        self.cluster.compact(step["node"])

    def _do_expect(self, step: Json) -> None:
        self.expect({key: value for key, value in step.items() if key != "op"})

    # Messages.

    def _matching(self, step: Json, messages: list[Message]) -> Iterator[Message]:
        kinds = _kinds(step["types"]) if "types" in step else None
        for m in messages:
            if "from" in step and m.from_ not in step["from"]:
                continue
            if "to" in step and m.to not in step["to"]:
                continue
            if "among" in step and not {m.from_, m.to} <= set(step["among"]):
                continue
            if kinds is None or m.type in kinds:
                yield m

    def _remove(self, message: Message) -> None:
        del self.queue[next(i for i, m in enumerate(self.queue) if m is message)]

    def _deliver(self, m: Message) -> None:
        to = self.cluster.nodes.get(m.to)
        if to is not None and to.running and frozenset({m.from_, m.to}) not in self.cuts:
            self.cluster.call(m.to, lambda raw: raw.step(m))

    # Expectations.

    def holds(self, expected: Json) -> bool:
        return self._why(expected) is None

    def expect(self, expected: Json) -> None:
        why = self._why(expected)
        if why is not None:
            raise Failed(why)

    def _why(self, expected: Json) -> str | None:
        """Say what of an expectation does not hold, or None."""
        for key, value in expected.items():
            if key == "leaders":
                found = [n for n in self.cluster.leaders() if n in value["among"]]
                if len(found) != value["count"]:
                    return f"{found} lead, not {value['count']} of {value['among']}"
            elif key == "not_leader":
                if set(value) & set(self.cluster.leaders()):
                    return f"{self.cluster.leaders()} lead"
            elif key in {"same_term", "same_log"}:
                look = self._term if key == "same_term" else self._log
                if any(look(n) != look(value[0]) for n in value):
                    return f"{key}: {[look(n) for n in value]}"
            elif key == "min_term":
                nodes = expected.get("same_term", list(self.cluster.nodes))
                if any(self._term(n) < value for n in nodes):
                    return f"terms {[self._term(n) for n in nodes]} are below {value}"
            else:
                for name, wanted in value.items():
                    got = getattr(self, f"_see_{key}")(int(name))
                    if not self._is(key, got, wanted):
                        return f"{key} of node {name} is {got}, not {wanted}"
        return None

    def _is(self, key: str, got: Any, wanted: Any) -> bool:
        match key:
            case "roles" if isinstance(wanted, list):
                return got in wanted
            case "commit_at_least":
                return bool(got >= wanted)
            case "voters" | "learners":
                return sorted(got) == sorted(wanted)
            case _:
                return bool(got == wanted)

    def _term(self, node: int) -> int:
        me = self.cluster.nodes[node]
        return me.raw.status().term if me.raw is not None else me.disk.live.initial_state()[0].term

    def _log(self, node: int) -> list[tuple[int, int, bytes]]:
        disk = self.cluster.nodes[node].disk.live
        first, last = disk.first_index(), disk.last_index()
        return [(e.index, e.term, e.data) for e in disk.entries(first, last + 1, 2**62)] if last >= first else []

    def _see_roles(self, node: int) -> Role:
        return self.cluster[node].status().role

    def _see_terms(self, node: int) -> int:
        return self._term(node)

    def _see_voted_for(self, node: int) -> Any:
        return self.cluster.nodes[node].disk.live.initial_state()[0].vote

    def _see_last_index(self, node: int) -> int:
        return self.cluster.nodes[node].disk.live.last_index()

    def _see_commit(self, node: int) -> int:
        me = self.cluster.nodes[node]
        return me.raw.status().commit if me.raw is not None else me.disk.live.initial_state()[0].commit

    _see_commit_at_least = _see_commit

    def _see_log_terms(self, node: int) -> list[int]:
        return [term for _, term, _ in self._log(node)]

    def _see_applied(self, node: int) -> list[str]:
        given = {
            f"i{i}t{t}".encode() for init in self.init.values() for i, t in enumerate(init.get("log", ()), 1)
        }  # fmt: skip
        return [data.decode() for _, data in self.cluster.nodes[node].applied if data not in given]

    def _see_leader_known(self, node: int) -> Any:
        return self.cluster[node].status().leader

    def _see_voters(self, node: int) -> tuple[Any, ...]:
        return self.cluster[node].status().voters

    def _see_learners(self, node: int) -> tuple[Any, ...]:
        return self.cluster[node].status().learners
