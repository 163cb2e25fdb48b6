"""Several councils of one store, with disks and links in memory."""

from __future__ import annotations

import random
from collections import deque

import msgspec
import pytest

from tillmesh.kernel.errors import Damaged
from tillmesh.raft import Config, HardState, MemoryStorage, Message, MessageType, RawNode, Role, encode
from tillmesh.shop.events import Change
from tillmesh.till.agreement import Belonging, CutDecided, SettingsDecided
from tillmesh.till.council import ENTRIES_KEPT, Council, beginning
from tillmesh.till.council_steps import Compact, CouncilStep, NoQuorum, Persist, Publish, Refused, SendTo, Settled

STORE_NAMES = ("t1.a", "t2.b", "t3.c", "t4.d", "t5.e")


class Room:
    """Where councils meet: every frame arrives, in order, unless somebody is cut off or down."""

    def __init__(self, count: int, seed: int = 1) -> None:
        self.names = STORE_NAMES[:count]
        self.disks = {name: MemoryStorage() for name in self.names}
        hard, snapshot = beginning(self.names[0])
        self.disks[self.names[0]].apply_snapshot(snapshot)
        self.disks[self.names[0]].set_hard_state(hard)
        self.random = random.Random(seed)
        self.councils: dict[str, Council] = {}
        self.away: set[str] = set()
        self.published: dict[int, SettingsDecided] = {}
        self.settled: dict[str, dict[str, int]] = {name: {} for name in self.names}
        self.refused: list[str] = []
        self._post: deque[tuple[str, str, bytes]] = deque()
        for name in self.names:
            self.start(name)

    def start(self, name: str) -> None:
        disk = self.disks[name]
        snapshot = disk.snapshot()
        disk.set_conf_state(snapshot.conf_state)
        node = RawNode(Config(id=name, rng=self.random, applied=snapshot.index), disk)
        self.councils[name] = Council(name, node, snapshot)
        self.councils[name].belong(Belonging(frozenset(self.names)))

    def tick(self, times: int = 1) -> None:
        for _ in range(times):
            for name, council in self.councils.items():
                if name not in self.away:
                    self.perform(name, council.tick())
            self.deliver()

    def deliver(self) -> None:
        while self._post:
            sender, to, body = self._post.popleft()
            if {sender, to}.isdisjoint(self.away):
                self.perform(to, self.councils[to].received(sender, body))

    def perform(self, name: str, steps: list[CouncilStep]) -> None:
        disk, todo = self.disks[name], deque(steps)
        while todo:
            match todo.popleft():
                case Persist(ready):
                    if ready.snapshot is not None:
                        disk.apply_snapshot(ready.snapshot)
                    disk.append(ready.entries)
                    if ready.hard_state is not None:
                        disk.set_hard_state(ready.hard_state)
                    todo.extend(self.councils[name].stored(ready))
                case SendTo(actor, body):
                    self._post.append((name, actor, body))
                case Publish(index, decision):
                    self.published.setdefault(index, decision)
                case Settled(op_id, index):
                    self.settled[name][op_id] = index
                case Refused(op_id, _):
                    self.refused.append(op_id)
                case Compact(index, conf, data):
                    disk.create_snapshot(index, conf, data)
                    disk.compact(index)
                case _:
                    pass

    def ask(self, name: str, op_id: str) -> None:
        decision = SettingsDecided(op_id=op_id, by="ruth", changes=(Change(key="store", fields={"name": op_id}),))
        self.perform(name, self.councils[name].propose(decision))
        self.deliver()

    def leader(self) -> str:
        (name,) = [name for name, council in self.councils.items() if name not in self.away and council.leads]
        return name

    def until_led(self) -> str:
        for _ in range(200):
            self.tick()
            if sum(council.leads for name, council in self.councils.items() if name not in self.away) == 1:
                return self.leader()
        raise AssertionError("nobody leads")


def formed(count: int) -> Room:
    """A store whose tills have all become members."""
    room = Room(count)
    room.until_led()
    room.tick(100)
    return room


@pytest.mark.parametrize(("tills", "voters"), [(1, 1), (2, 1), (3, 3), (4, 3), (5, 5)])
def test_a_store_grows_from_its_founder_to_as_many_voters_as_it_should_have(tills: int, voters: int) -> None:
    room = formed(tills)
    for council in room.councils.values():
        status = council.status()
        assert len(status.voters) == voters
        assert len(status.voters) + len(status.learners) == tills
        assert status.leader == room.names[0]


def test_what_a_manager_decides_on_any_till_is_decided_on_all_and_published_once() -> None:
    room = formed(3)
    room.ask(room.names[2], "op-1")
    room.tick(5)
    assert next(iter(room.published.values())).op_id == "op-1"
    assert all("op-1" in settled for settled in room.settled.values())
    assert len({council.agreed.to_bytes() for council in room.councils.values()}) == 1


def test_the_same_operation_asked_for_twice_is_one_decision() -> None:
    room = formed(3)
    room.ask(room.names[1], "op-1")
    room.ask(room.names[1], "op-1")
    room.tick(5)
    assert len(room.published) == 1


def test_a_decision_of_a_kind_that_only_newer_tills_know_is_passed_over_and_the_next_one_counts() -> None:
    room = formed(3)
    leader = room.leader()
    room.councils[leader]._node.propose(msgspec.msgpack.encode({"type": "tomorrow", "op_id": "new", "more": [1]}))
    room.tick(30)
    room.ask(leader, "old")
    room.tick(30)
    assert all(set(settled) == {"old"} for settled in room.settled.values())
    asker = next(name for name in room.names if name != leader)
    assert room.councils[leader].received(asker, b"p" + msgspec.msgpack.encode({"type": "tomorrow"})) == []


def test_a_part_without_a_majority_decides_nothing_and_says_so() -> None:
    room = formed(3)
    room.away = {room.names[1], room.names[2]}
    room.tick(30)
    assert room.councils[room.names[0]].status().role is not Role.LEADER
    with pytest.raises(NoQuorum, match="too few tills"):
        room.ask(room.names[0], "op-1")
    room.away = {room.names[0]}
    room.until_led()
    room.ask(room.names[1], "op-2")
    room.tick(5)
    room.away = set()
    room.tick(40)
    assert all("op-2" in settled for settled in room.settled.values())


def test_a_new_leader_publishes_what_its_predecessor_decided_and_did_not_publish() -> None:
    room = formed(3)
    before = room.leader()
    room.ask(before, "op-1")
    room.tick(3)
    room.published.clear()  # the old leader dies with its event
    room.away = {before}
    room.until_led()
    room.tick(5)
    assert [decision.op_id for decision in room.published.values()] == ["op-1"]


def test_a_till_that_was_restarted_knows_again_what_was_agreed() -> None:
    room = formed(3)
    room.ask(room.names[1], "op-1")
    room.tick(5)
    held = room.councils[room.names[2]].agreed
    room.start(room.names[2])
    room.tick(20)
    assert room.councils[room.names[2]].agreed == held


def test_a_revoked_till_loses_its_seat_and_a_learner_gets_its_vote() -> None:
    room = formed(4)
    gone = next(str(node) for node in room.councils[room.leader()].status().voters if node != room.leader())
    room.away = {gone}
    for council in room.councils.values():
        council.belong(Belonging(frozenset(room.names) - {gone}, frozenset({gone})))
    room.tick(100)
    status = room.councils[room.leader()].status()
    assert gone not in {*status.voters, *status.learners}
    assert len(status.voters) == 3


def test_a_leader_that_stops_hands_over_without_an_election_timeout() -> None:
    room = formed(3)
    before = room.leader()
    room.perform(before, room.councils[before].hand_over())
    room.deliver()
    assert room.leader() != before


def test_a_long_log_is_replaced_by_a_snapshot_that_a_newcomer_starts_from() -> None:
    room = Room(3)
    room.away = {room.names[2]}
    first = room.until_led()
    for number in range(ENTRIES_KEPT + 10):
        room.perform(first, room.councils[first].propose(CutDecided(op_id=f"c{number}", vector={"t1.a": number})))
        room.deliver()
    assert room.councils[first].applied > ENTRIES_KEPT
    room.perform(first, room.councils[first].published(10**6))
    assert room.disks[first].first_index() > ENTRIES_KEPT
    room.away = set()
    room.tick(100)
    assert room.councils[room.names[2]].agreed.cut == {"t1.a": ENTRIES_KEPT + 9}


def test_nobody_speaks_for_another_till() -> None:
    room = formed(3)
    body = next(body for step in room.councils[room.leader()].tick() * 1 + room.councils[room.leader()].tick()
                + room.councils[room.leader()].tick() if isinstance(step, SendTo) for body in [step.body])  # fmt: skip
    with pytest.raises(Damaged, match="speaks for"):
        room.councils[room.names[2]].received(room.names[1], body)


def test_a_till_that_does_not_lead_has_no_say_in_how_far_all_logs_are_safe() -> None:
    room = Room(3)
    room.until_led()
    room.tick(20)
    leader, lies = room.leader(), CutDecided(op_id="lie", vector={"t1.a": 1_000})
    (other, *_) = [name for name in room.names if name != leader]
    room.perform(other, room.councils[other].propose(lies))
    room.deliver()
    room.tick(4)
    assert room.refused == ["lie"]
    assert all(council.agreed.cut == {} for council in room.councils.values())


@pytest.mark.parametrize("term", [2**20 + 1_000, 2**62])
def test_a_till_that_names_a_term_far_ahead_does_not_use_up_all_terms(term: int) -> None:
    room = Room(3)
    room.until_led()
    before = room.councils["t2.b"].status().term
    lie = b"m" + encode(Message(MessageType.HEARTBEAT_RESPONSE, "t3.c", "t2.b", term))
    with pytest.raises(Damaged, match="far ahead"):
        room.councils["t2.b"].received("t3.c", lie)
    assert room.councils["t2.b"].status().term == before


@pytest.mark.parametrize("body", [b"", b"x", b"m", b"p\xc1", b"n\xc1", b"m" + b"\x90" * 50])
def test_bytes_that_are_no_message_are_refused(body: bytes) -> None:
    room = Room(1)
    with pytest.raises(Damaged):
        room.councils["t1.a"].received("t2.b", body)


def test_a_till_that_an_old_list_does_not_name_keeps_its_seat() -> None:
    room = formed(3)
    for council in room.councils.values():
        council.belong(Belonging(frozenset(room.names[:2])))
    room.tick(100)
    assert len(room.councils[room.leader()].status().voters) == 3


def test_a_leader_that_was_started_anew_publishes_decisions_in_their_order() -> None:
    room = formed(1)
    (name,) = room.names
    for op_id in ("op-1", "op-2", "op-3"):
        room.ask(name, op_id)
    indexes = sorted(room.published)
    # It was killed before it knew on disk that more than the first was decided.
    hard, _ = room.disks[name].initial_state()
    room.disks[name].set_hard_state(HardState(hard.term, hard.vote, indexes[0]))
    room.published = {}
    room.start(name)
    room.until_led()
    room.tick(5)
    assert list(room.published) == indexes
