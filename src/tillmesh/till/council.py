"""This till's seat in the store's agreement: a Raft node, what its log decides, and the duties of a leader.

A value to step, like the node inside it: ticks, messages and proposals in, steps out. The driver performs the steps
in the order given. Selling never waits for any of this.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

import msgspec

from tillmesh.kernel.errors import Conflict, Damaged, TillmeshError
from tillmesh.kernel.limits import TERM_LEAP_MAX
from tillmesh.raft import (
    ConfState,
    Entry,
    EntryType,
    HardState,
    Message,
    NotLeader,
    Pace,
    ProposalDropped,
    RawNode,
    Ready,
    Role,
    Snapshot,
    Status,
    conf_change,
    decode_message,
    encode,
)
from tillmesh.till.agreement import (
    Agreed,
    Belonging,
    Decision,
    FoldDecided,
    SettingsDecided,
    decode_decision,
    encode_decision,
    next_change,
)
from tillmesh.till.council_steps import (
    Compact,
    CouncilStep,
    Led,
    NoQuorum,
    Persist,
    Publish,
    Refused,
    SendTo,
    Settled,
)

TICK_MS: Final = 50  # three to a heartbeat (ADR 9)
DUTY_TICKS: Final = 4  # how often a leader looks after the membership
ENTRIES_KEPT: Final = 500  # applied entries that stay beside the snapshot: who was away for a while needs no snapshot
CATCH_UP_ENTRIES: Final = 10
PROPOSALS_WAITING_MAX: Final = 64
_RAFT, _ASK, _NO = b"m", b"p", b"n"


def beginning(founder: str) -> tuple[HardState, Snapshot]:
    """Give what a founder begins with: a snapshot, so that newcomers are told who the first voter is."""
    conf = ConfState(voters=(founder,))
    return HardState(term=1, commit=1), Snapshot(index=1, term=1, conf_state=conf, data=Agreed().to_bytes())


class _No(msgspec.Struct, frozen=True, array_like=True):
    op_id: str
    detail: str


class Council:
    """One till's part in the store's agreement.

    Invariant: ``agreed`` is the sum of all entries up to ``applied``, and of nothing else.
    Invariant: at most one Ready is with the driver (``_persisting``).
    """

    def __init__(self, me: str, node: RawNode, snapshot: Snapshot) -> None:
        self.me = me
        self.agreed = Agreed.from_bytes(snapshot.data)
        self.applied = snapshot.index
        self._node = node
        self._conf = snapshot.conf_state
        self._applied_term = snapshot.term
        self._snapshot_index = snapshot.index
        self._settings: dict[int, SettingsDecided] = {}  # applied since the snapshot
        self._known = Belonging()
        self._persisting = False
        self._led = Led(None, Role.FOLLOWER, 0)
        self.ticks = 0  # of TICK_MS since the start
        self._opened_term = 0  # the last term in which this till published what its predecessors had not

    # What happens -----------------------------------------------------------------------------------------------

    def tick(self) -> list[CouncilStep]:
        """Let TICK_MS pass."""
        self.ticks += 1
        self._node.tick()
        if self.ticks % DUTY_TICKS == 0 and self._node.status().role is Role.LEADER:
            self._look_after_members()
        return self._steps()

    def received(self, actor: str, body: bytes) -> list[CouncilStep]:
        """Take in what an actor said; raises Damaged for what is no message, and for one under another's name."""
        kind, rest = body[:1], body[1:]
        if kind == _RAFT:
            message = decode_message(rest)
            if message.from_ != actor:
                raise Damaged(f"{actor} speaks for {message.from_}", hint="Refuse its sender.")
            begun = message.snapshot.term if message.snapshot is not None else 0
            # Whoever could name any term would lead the store to the last one there is.
            if max(message.term, message.log_term, begun) > self._node.status().term + TERM_LEAP_MAX:
                raise Damaged(f"{actor} speaks of term {message.term}, far ahead of every other", hint="Look at it.")
            self._node.step(message)
            return self._steps()
        if kind == _ASK:
            wanted = decode_decision(rest)
            return [] if wanted is None else self._asked(actor, wanted)  # a newer till's: it asks again
        if kind == _NO:
            try:
                said = msgspec.msgpack.decode(rest, type=_No)
            except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as cause:
                raise Damaged(f"bytes that are no refusal: {cause}", hint="Refuse their sender.") from cause
            return [Refused(said.op_id, said.detail[:500])]
        raise Damaged(f"a message of the unknown kind {kind!r}", hint="Update both tills.")

    def belong(self, known: Belonging) -> None:
        """Hear who the store's signed lists name now."""
        self._known = known

    def unlinked(self, actor: str) -> list[CouncilStep]:
        """Hear that the link to an actor broke: what was under way is lost, and a leader may be."""
        self._node.report_unreachable(actor)
        return self._steps()

    def propose(self, decision: Decision) -> list[CouncilStep]:
        """Ask for a decision: as the leader, or by asking the leader. ``Settled`` or ``Refused`` follows, or nothing.

        Raises NoQuorum when no leader is known.
        """
        data = encode_decision(decision)
        status = self._node.status()
        if status.role is Role.LEADER:
            try:
                self._node.propose(data)
            except (NotLeader, ProposalDropped) as cause:
                raise NoQuorum(cause.detail, hint="Try again in a moment.") from cause
            return self._steps()
        if status.leader is None:
            raise NoQuorum(
                "too few tills of this store hear each other, so its shared settings can't change now",
                hint="Selling goes on. Bring the other tills back; if they are lost for good, your technician can "
                "let this one decide alone.",
            )
        return [SendTo(str(status.leader), _ASK + data)]

    def campaign(self) -> list[CouncilStep]:
        """Stand for election now instead of waiting; for a till that is alone in its store."""
        self._node.campaign()
        return self._steps()

    def hand_over(self) -> list[CouncilStep]:
        """Before stopping: let the best other voter lead."""
        status = self._node.status()
        if status.role is Role.LEADER:
            others = [(p.match, str(node)) for node, p in status.peers.items()
                      if node in status.voters and node != self.me and p.active]  # fmt: skip
            if others:
                self._node.transfer_leader(max(others)[1])
        return self._steps()

    def stored(self, ready: Ready) -> list[CouncilStep]:
        """A Ready is on disk: send what it promises, apply what is decided, go on with the next."""
        assert self._persisting
        self._persisting = False
        return [*self._done(ready), *self._steps()]

    # What is so -------------------------------------------------------------------------------------------------

    @property
    def leads(self) -> bool:
        """Say whether this till leads, with a majority behind it."""
        status = self._node.status()
        return status.role is Role.LEADER and status.has_quorum

    def status(self) -> Status:
        """Describe this moment."""
        return self._node.status()

    def published(self, index: int) -> list[CouncilStep]:
        """Hear that all decisions up to an authority are events here: the log before them may go."""
        self._settings = {at: each for at, each in self._settings.items() if at > index}
        if self._settings or self._persisting or self.applied - self._snapshot_index < ENTRIES_KEPT:
            return []
        self._snapshot_index = self.applied
        return [Compact(self.applied, self._conf, self.agreed.to_bytes())]

    # What follows from it ---------------------------------------------------------------------------------------

    def _steps(self) -> list[CouncilStep]:
        """Drain the node until it waits for the disk or has nothing more to say."""
        steps: list[CouncilStep] = []
        while not self._persisting and self._node.has_ready():
            ready = self._node.ready()
            if ready.hard_state is not None or ready.entries or ready.snapshot is not None:
                self._persisting = True
                steps.append(Persist(ready))
            else:
                steps += self._done(ready)
        if self._persisting:
            steps += self._sent(self._node.urgent())
        return [*steps, *self._news()]

    def _done(self, ready: Ready) -> list[CouncilStep]:
        steps = self._sent(ready.messages)
        if ready.snapshot is not None:
            self._adopt(ready.snapshot)
        for entry in ready.committed_entries:
            steps += self._apply(entry)
        self._node.advance(ready)
        return steps

    def _sent(self, messages: Collection[Message]) -> list[CouncilStep]:
        return [SendTo(str(message.to), _RAFT + encode(message)) for message in messages]

    def _adopt(self, snapshot: Snapshot) -> None:
        self.agreed, self.applied = Agreed.from_bytes(snapshot.data), snapshot.index
        self._conf, self._snapshot_index, self._settings = snapshot.conf_state, snapshot.index, {}
        self._applied_term = snapshot.term

    def _apply(self, entry: Entry) -> list[CouncilStep]:
        self.applied, self._applied_term = entry.index, entry.term
        change = conf_change(entry)
        if change is not None:
            self._conf = self._node.apply_conf_change(change)
            return []
        if not entry.data or entry.type is not EntryType.NORMAL:
            return []
        decision = decode_decision(entry.data)
        if decision is None:
            return []  # of newer programs: they carry it out, and what it means reaches this till as events
        if isinstance(decision, FoldDecided):
            decision = decision.but({str(node) for node in (*self._conf.voters, *self._conf.learners)})
        is_new = decision.op_id not in self.agreed.operations
        self.agreed = self.agreed.after(decision)
        steps: list[CouncilStep] = []
        if is_new and isinstance(decision, SettingsDecided):
            self._settings[entry.index] = decision
            status = self._node.status()
            # Before that, decisions of earlier terms may come first: a later one published now would hide them.
            if status.role is Role.LEADER and self._opened_term == status.term:
                steps.append(Publish(entry.index, decision))
        return [*steps, Settled(decision.op_id, entry.index)]

    def _news(self) -> list[CouncilStep]:
        """Tell who leads when that changed, and as a new leader publish what those before it may not have."""
        status = self._node.status()
        steps: list[CouncilStep] = []
        now = Led(None if status.leader is None else str(status.leader), status.role, status.term)
        if now != self._led:
            self._led = now
            steps.append(now)
        # An entry of the own term is applied: then everything that was decided before is, too.
        if status.role is Role.LEADER and self._opened_term != status.term == self._applied_term:
            self._opened_term = status.term
            steps += [Publish(index, decision) for index, decision in sorted(self._settings.items())]
        return steps

    def _asked(self, actor: str, decision: Decision) -> list[CouncilStep]:
        """Decide as the leader what another till asks for, or say why not.

        How far all logs are safe nobody may ask for: the leader alone has heard it from every member, and what is
        pruned by it is gone.
        """
        try:
            if not isinstance(decision, SettingsDecided):
                raise Conflict("only settings can be asked for", hint="Let the leader look after the rest.")
            self._node.propose(encode_decision(decision))
        except TillmeshError as cause:
            return [SendTo(actor, _NO + msgspec.msgpack.encode(_No(decision.op_id, cause.detail)))]
        return self._steps()

    def _look_after_members(self) -> None:
        status = self._node.status()
        caught_up = {
            node for node, peer in status.peers.items()
            if node == self.me or (peer.pace is Pace.REPLICATE and status.last_index - peer.match <= CATCH_UP_ENTRIES)
        }  # fmt: skip
        change = next_change(ConfState(status.voters, status.learners), self.me, self._known, caught_up)
        if change is None:
            return
        try:
            self._node.propose_conf_change(change)
        except ProposalDropped:
            return  # one is under way; the next look decides anew
