"""Majorities: what a set of voters has decided, as pure functions.

Source: Ongaro & Ousterhout, Raft (extended version), sections 5.2 and 5.3.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from enum import Enum

from tillmesh.raft.messages import NodeId


class Poll(Enum):
    """How an election stands."""

    OPEN = "open"
    WON = "won"
    LOST = "lost"


def size(voters: Collection[NodeId]) -> int:
    """Give how many voters are a majority."""
    return len(voters) // 2 + 1


def committed(matches: Iterable[int]) -> int:
    """Give the highest index that a majority of these voters has stored; 0 without voters."""
    ordered = sorted(matches)
    return ordered[(len(ordered) - 1) // 2] if ordered else 0


def poll(voters: Collection[NodeId], votes: Mapping[NodeId, bool]) -> Poll:
    """Count the votes of those who are voters; lost as soon as a majority can't be reached any more."""
    granted = sum(votes.get(voter) is True for voter in voters)
    refused = sum(votes.get(voter) is False for voter in voters)
    need = size(voters)
    if voters and granted >= need:
        return Poll.WON
    return Poll.LOST if refused > len(voters) - need else Poll.OPEN


def heard(voters: Collection[NodeId], active: Collection[NodeId]) -> bool:
    """Say whether the active nodes hold a majority of the voters."""
    return sum(voter in active for voter in voters) >= size(voters)
