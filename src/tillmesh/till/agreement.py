"""What a store agrees on, as values: the decisions of its log, what they add up to, and who should be a member.

A sale is never a decision. What is decided here is rare and small: settings every till shares, how far the logs of all
tills are safe (a stable cut), who is gone for good, and who gives out rights that nobody holds. Members are decided by
the Raft core itself.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Annotated, Final, NamedTuple, TypeAlias

import msgspec
from msgspec import Meta

from tillmesh.kernel.errors import Damaged, Invalid
from tillmesh.kernel.limits import (
    ACTOR_CHARS_MAX,
    EVENT_NUMBER_MAX,
    GRANTS_KEPT_MAX,
    KEY_CHARS_MAX,
    NOTE_CHARS_MAX,
    SYNC_ACTORS_MAX,
)
from tillmesh.raft import ConfChange, ConfChangeType, ConfState, NodeId
from tillmesh.shop.events import Change

VOTERS_MAX: Final = 5  # ADR 12: more voters make agreement slower and not safer.
DECISION_BYTES_MAX: Final = 256 << 10
OPERATIONS_KEPT_MAX: Final = 256  # Guess: a till asks again for some seconds, not for hundreds of decisions.

Vector: TypeAlias = Annotated[
    dict[Annotated[str, Meta(max_length=ACTOR_CHARS_MAX)], Annotated[int, Meta(ge=0, le=2**62)]],
    Meta(max_length=SYNC_ACTORS_MAX),
]
OpId: TypeAlias = Annotated[str, Meta(min_length=1, max_length=KEY_CHARS_MAX)]


class Promise(msgspec.Struct, frozen=True, array_like=True):
    """What an actor has promised to the others: its term, who has its vote in it, and where its log ends."""

    actor: str
    term: int
    vote: str = ""
    last_term: int = 0  # of the last entry it stored
    last: int = 0  # the index of that entry

    def is_kept_by(self, later: Promise) -> bool:
        """Say whether nothing of this is forgotten in what a disk says later.

        A log may become shorter, but only for entries of a newer term.
        """
        if later.term < self.term or (later.term == self.term and self.vote and later.vote != self.vote):
            return False
        return (later.last_term, later.last) >= (self.last_term, self.last)


class SettingsDecided(msgspec.Struct, frozen=True, tag="settings"):
    """Settings of the whole store change. Asked for twice under one ``op_id`` it is still one decision."""

    op_id: OpId
    by: Annotated[str, Meta(max_length=KEY_CHARS_MAX)]
    changes: Annotated[tuple[Change, ...], Meta(min_length=1, max_length=20)]


class CutDecided(msgspec.Struct, frozen=True, tag="cut"):
    """Every member holds everything up to this vector durably, but for those that have been silent for too long."""

    op_id: OpId
    vector: Vector


class FoldDecided(msgspec.Struct, frozen=True, tag="fold"):
    """Nothing more comes from these actors: their logs end here on every till, and they belong to the store no more."""

    op_id: OpId
    finals: Vector
    epoch: Annotated[int, Meta(ge=0, le=2**62)]  # the version of the list of tills

    def but(self, seated: Collection[str]) -> FoldDecided:
        """Leave out who takes part in the agreement at this place of its log: that one is not gone."""
        return msgspec.structs.replace(self, finals={a: seq for a, seq in self.finals.items() if a not in seated})


class RightsGranted(msgspec.Struct, frozen=True, tag="rights"):
    """A till gives out rights of a product that nobody holds; its event that says so comes behind ``after`` in its log.

    It counts only if ``before`` is the last grant of the product that counted: whoever wrote it had seen that one.
    """

    op_id: OpId
    sku: Annotated[str, Meta(min_length=1, max_length=KEY_CHARS_MAX)]
    actor: Annotated[str, Meta(min_length=1, max_length=ACTOR_CHARS_MAX)]
    quantity_milli: Annotated[int, Meta(ge=1, le=EVENT_NUMBER_MAX)]
    after: Annotated[int, Meta(ge=0, le=2**62)]
    before: Annotated[str, Meta(max_length=KEY_CHARS_MAX)] = ""
    by: Annotated[str, Meta(max_length=KEY_CHARS_MAX)] = ""
    reason: Annotated[str, Meta(max_length=NOTE_CHARS_MAX)] = ""


class _Tag(msgspec.Struct, frozen=True):
    """What kind of decision an entry is."""

    type: Annotated[str, Meta(max_length=KEY_CHARS_MAX)]


Decision: TypeAlias = SettingsDecided | CutDecided | FoldDecided | RightsGranted
_KINDS: Final = (SettingsDecided, CutDecided, FoldDecided, RightsGranted)
_KNOWN: Final = frozenset(str(kind.__struct_config__.tag) for kind in _KINDS)
_tags: Final = msgspec.msgpack.Decoder(_Tag)
_decoder: Final[msgspec.msgpack.Decoder[Decision]] = msgspec.msgpack.Decoder(Decision)


def encode_decision(decision: Decision) -> bytes:
    """Encode a decision as a log entry; raises Invalid over DECISION_BYTES_MAX."""
    data = msgspec.msgpack.encode(decision)
    if len(data) > DECISION_BYTES_MAX:
        raise Invalid(
            f"a decision of {len(data)} bytes; the limit is {DECISION_BYTES_MAX}", hint="Change less at once."
        )
    return data


def decode_decision(data: bytes) -> Decision | None:
    """Read a log entry; None for a kind of decision that only newer programs know.

    Raises :class:`Damaged`, never anything else.
    """
    try:
        if len(data) > DECISION_BYTES_MAX:
            raise Damaged(f"a decision of {len(data)} bytes; the limit is {DECISION_BYTES_MAX}")
        if _tags.decode(data).type not in _KNOWN:
            return None
        return _decoder.decode(data)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as cause:
        raise Damaged(f"bytes that are no decision: {cause}", hint="Update this till.") from cause


class Agreed(msgspec.Struct, frozen=True):
    """What the log adds up to: equal on every till that has applied the same entries."""

    operations: Annotated[tuple[str, ...], Meta(max_length=OPERATIONS_KEPT_MAX)] = ()  # done, the newest last
    cut: Vector = {}
    folded: Vector = {}
    epoch: int = 0  # of the newest decision about those
    grants: Annotated[dict[str, RightsGranted], Meta(max_length=GRANTS_KEPT_MAX)] = {}  # by product, the last one

    def after(self, decision: Decision) -> Agreed:
        """Give what is agreed after one more decision; one that was taken before changes nothing."""
        if decision.op_id in self.operations:
            return self
        operations = (*self.operations, decision.op_id)[-OPERATIONS_KEPT_MAX:]
        match decision:
            case CutDecided():
                return msgspec.structs.replace(self, operations=operations, cut=_later(self.cut, decision.vector))
            case FoldDecided():
                folded, epoch = _later(self.folded, decision.finals), max(self.epoch, decision.epoch)
                return msgspec.structs.replace(self, operations=operations, folded=folded, epoch=epoch)
            case SettingsDecided():
                return msgspec.structs.replace(self, operations=operations)
            case RightsGranted():
                return msgspec.structs.replace(self, operations=operations, grants=self._with(decision))

    def _with(self, grant: RightsGranted) -> dict[str, RightsGranted]:
        """Give the grants with one more, if it counts; of too many products the one that came first goes."""
        last = self.grants.get(grant.sku)
        if grant.before != ("" if last is None else last.op_id):
            return self.grants
        grants = {sku: each for sku, each in self.grants.items() if sku != grant.sku}
        if len(grants) >= GRANTS_KEPT_MAX:
            del grants[next(iter(grants))]
        return {**grants, grant.sku: grant}

    def grown(self, cut: Mapping[str, int]) -> dict[str, int]:
        """Give what of a cut goes beyond the agreed one: the log need not name again who was gone years ago."""
        return {actor: seq for actor, seq in cut.items() if seq > self.cut.get(actor, 0)}

    def to_bytes(self) -> bytes:
        """Encode for a snapshot."""
        return msgspec.msgpack.encode(self)

    @classmethod
    def from_bytes(cls, data: bytes) -> Agreed:
        """Read a snapshot; an empty one is the beginning. Raises :class:`Damaged`."""
        if not data:
            return cls()
        try:
            return msgspec.msgpack.decode(data, type=cls)
        except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as cause:
            raise Damaged(f"bytes that are no agreement: {cause}", hint="Let this till rejoin.") from cause


def _later(one: Mapping[str, int], other: Mapping[str, int]) -> dict[str, int]:
    """Join two vectors: a cut never goes back."""
    return {actor: max(one.get(actor, 0), other.get(actor, 0)) for actor in one.keys() | other.keys()}


def voters_wanted(members: int) -> int:
    """Give how many of so many tills should vote: the largest odd number that is not above them, at most VOTERS_MAX."""
    within = max(1, min(members, VOTERS_MAX))
    return within - 1 + within % 2


class Belonging(NamedTuple):
    """Who is a till of the store and who was, as far as this till has heard; its list may be older than others'."""

    members: frozenset[str] = frozenset()
    revoked: frozenset[str] = frozenset()


def next_change(conf: ConfState, me: NodeId, known: Belonging, caught_up: Collection[NodeId]) -> ConfChange | None:
    """Give the one next change that brings the group closer to the list of tills, or None when it is as it should be.

    ``caught_up`` are those that answer and lack nothing. Who was revoked goes first, then newcomers come in to listen,
    then the number of voters is put right. Somebody who stands on no list known here stays: the list may be old.
    """
    everyone = set(conf.voters) | set(conf.learners)
    gone = sorted(str(node) for node in everyone if node in known.revoked and node != me)
    if gone:
        return ConfChange(ConfChangeType.REMOVE, gone[0])
    new = sorted(actor for actor in known.members - known.revoked if actor not in everyone)
    if new:
        return ConfChange(ConfChangeType.ADD_LEARNER, new[0])
    wanted = voters_wanted(len(everyone))
    if len(conf.voters) < wanted:
        ready = sorted(str(node) for node in conf.learners if node in caught_up)
        return ConfChange(ConfChangeType.ADD_VOTER, ready[0]) if ready else None
    if len(conf.voters) > wanted:
        spare = sorted(str(node) for node in conf.voters if node != me)
        # Who is slow or silent loses the vote first; nobody is lost, it only listens from now on.
        spare.sort(key=lambda node: node in caught_up)
        return ConfChange(ConfChangeType.ADD_LEARNER, spare[0])
    return None
