"""Head office's own name as an author of events, and what its people may do."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from tillmesh.kernel.ids import OFFICE, ActorId, mint_actor


class OfficeRole(StrEnum):
    """What somebody at head office may do; each covers those before it."""

    VIEWER = "viewer"  # reads sales and reports
    BUYER = "buyer"  # changes products and prices
    ADMIN = "admin"  # people, stores, keys and certificates


_RANK: Final = {role: rank for rank, role in enumerate(OfficeRole)}


def covers(role: str, needed: OfficeRole) -> bool:
    """Say whether a role covers what is needed; an unknown one covers nothing."""
    try:
        return _RANK[OfficeRole(role)] >= _RANK[needed]
    except ValueError:
        return False


def mint_office(entropy: bytes) -> ActorId:
    """Name a new incarnation of head office from at least 5 bytes of entropy."""
    return mint_actor(OFFICE, entropy)
