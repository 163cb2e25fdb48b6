"""Whose signatures head office believes: those of tills on lists that the store's own authority signed.

The authority is named when the store is enrolled, the lists come with its uploads. A store that was enrolled without an
authority is a till that works alone; its events are believed as they come through its own certificate.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence

import msgspec

from tillmesh.adapters.lan.certificates import read_authority
from tillmesh.adapters.lan.roster import Membership
from tillmesh.fleet.office import Office
from tillmesh.kernel.errors import TillmeshError
from tillmesh.kernel.ids import is_office
from tillmesh.kernel.limits import STORE_LISTS_MAX
from tillmesh.sync.signatures import KeyNotary, Notary

log = logging.getLogger(__name__)


class Trust:
    """The lists of tills of all stores. On the writer's thread only."""

    def __init__(self, office: Office, own: bytes) -> None:
        self._office, self._own = office, own
        self._known: dict[str, tuple[bytes, Membership]] = {}  # under which authority

    def notary(self, store: str, lists: Sequence[bytes]) -> Notary | None:
        """Take in what a store says of its tills, and give who judges its signatures; None believes everything."""
        found = self._office.trust(store)
        if found is None:
            return None
        authority, kept = found
        try:
            membership = self._membership(store, authority, [*msgspec.msgpack.decode(kept, type=list[bytes]), *lists])
        except TillmeshError as refused:
            log.warning("lists of the tills of %s are not believed: %s", store, refused.detail)
            held = self._known.get(store)
            membership = held[1] if held is not None and held[0] == authority else None
        if membership is not None and (now := msgspec.msgpack.encode(membership.lists[:STORE_LISTS_MAX])) != kept:
            self._office.keep_lists(store, authority, now)
        members = membership.members if membership is not None else {}

        def key_of(actor: str) -> bytes | None:
            member = members.get(actor)
            if member is None:
                return self._own if is_office(actor) else None  # what an earlier head office here has written
            return member.sign_public

        return KeyNotary(store, key_of)

    def _membership(self, store: str, authority: bytes, lists: Sequence[bytes]) -> Membership | None:
        held, known = self._known.get(store, (b"", None))
        if known is None or held != authority:  # a store that was recovered has another one since
            if not lists:
                return None
            known = Membership(read_authority(authority), store, *lists)
            self._known[store] = authority, known
            return known
        for signed in lists:
            known.merge(signed)
        return known
