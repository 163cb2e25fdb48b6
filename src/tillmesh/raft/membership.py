"""Changes of membership, one node at a time: chapter 4 of the thesis, effective when applied (DESIGN.md)."""

from __future__ import annotations

from tillmesh.kernel.errors import Invalid
from tillmesh.kernel.limits import RAFT_ID_CHARS_MAX, RAFT_MEMBERS_MAX
from tillmesh.raft import leading
from tillmesh.raft.errors import ProposalDropped
from tillmesh.raft.messages import ConfChange, ConfChangeType, ConfState, EntryType, Role, members
from tillmesh.raft.state import Raft
from tillmesh.raft.wire import encode


def changed(conf: ConfState, change: ConfChange) -> ConfState:
    """Give the configuration after a change; the last voter stays."""
    voters, learners = set(conf.voters) - {change.node}, set(conf.learners) - {change.node}
    match change.type:
        case ConfChangeType.ADD_VOTER:
            voters.add(change.node)
        case ConfChangeType.ADD_LEARNER:
            learners.add(change.node)
        case ConfChangeType.REMOVE:
            pass
    return ConfState(voters=members(voters), learners=members(learners)) if voters else conf


def propose(raft: Raft, change: ConfChange) -> None:
    """Append a change, if the one before it is applied and an entry of our own term is committed.

    Without the second condition two leaders could change an old configuration in ways that do not overlap (Ongaro,
    raft-dev 2015, "bug in single-server membership changes").
    """
    if raft.log.applied < raft.pending_conf_index:
        raise ProposalDropped(
            f"entry {raft.pending_conf_index} must be applied before the next change of membership; "
            f"applied is {raft.log.applied}",
            hint="Ask again in a moment.",
        )
    if change.type is not ConfChangeType.REMOVE and change.node not in raft.tracker.progress:
        _check_newcomer(raft, change)
    if change.type is not ConfChangeType.ADD_VOTER and set(raft.tracker.voters) == {change.node}:
        raise ProposalDropped(
            f"node {change.node} is the last voter: without it nothing could be agreed", hint="Admit another first."
        )
    leading.append(raft, [(encode(change), EntryType.CONF_CHANGE)])
    raft.pending_conf_index = raft.log.last_index()


def _check_newcomer(raft: Raft, change: ConfChange) -> None:
    if not change.node or (isinstance(change.node, str) and len(change.node) > RAFT_ID_CHARS_MAX):
        raise Invalid(
            f"{change.node!r} is no id of a node; ids have 1 to {RAFT_ID_CHARS_MAX} characters",
            hint="Use the terminal's id.",
        )
    if len(raft.tracker.progress) >= RAFT_MEMBERS_MAX:
        raise Invalid(f"the group has {RAFT_MEMBERS_MAX} members, its limit", hint="Remove retired terminals first.")


def apply(raft: Raft, change: ConfChange) -> ConfState:
    """Let a committed change take effect; a leader that is no voter any more steps down."""
    conf = changed(raft.tracker.conf_state(), change)
    raft.tracker.adopt(conf, next_index=raft.log.last_index() + 1)
    if raft.role is not Role.LEADER:
        return conf
    if raft.id not in raft.tracker.voters:
        raft.become_follower(raft.term, None)
        return conf
    if raft.transferee not in raft.tracker.voters:
        raft.transferee = None
    leading.advance_commit(raft)  # A smaller majority may be there already.
    leading.broadcast(raft)  # A newcomer is greeted at once.
    return conf
