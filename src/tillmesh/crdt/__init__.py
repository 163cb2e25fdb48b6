"""Values that merge: whatever arrives, in whatever order and however often, all tills end with the same."""

from tillmesh.crdt.bounded_counter import BoundedCounter
from tillmesh.crdt.causal_context import CausalContext, Dot
from tillmesh.crdt.g_counter import GCounter
from tillmesh.crdt.lww import LWWMap, LWWRegister
from tillmesh.crdt.or_set import Element, ORSet
from tillmesh.crdt.pn_counter import Column, PNCounter
from tillmesh.crdt.replicated import Replicated
from tillmesh.crdt.stamp import UNSET, Stamp
from tillmesh.crdt.values import Value
from tillmesh.crdt.version_vector import Missing, VersionVector

__all__ = [
    "UNSET",
    "BoundedCounter",
    "CausalContext",
    "Column",
    "Dot",
    "Element",
    "GCounter",
    "LWWMap",
    "LWWRegister",
    "Missing",
    "ORSet",
    "PNCounter",
    "Replicated",
    "Stamp",
    "Value",
    "VersionVector",
]
