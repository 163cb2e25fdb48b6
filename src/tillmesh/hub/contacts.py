"""When the leader of each store was here last, and what it held: of this sync service, and as others have told."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import msgspec

from tillmesh.fleet.office import Office
from tillmesh.fleet.standing import Contact
from tillmesh.fleet.syncing import Seen

TOLD_MS: Final = 30_000  # what others have told in the last seconds is read again: their clocks may differ
_VECTOR: Final = msgspec.msgpack.Decoder(tuple[dict[str, int], dict[str, int]])


class Contacts:
    """Who was here. All of it is rebuilt by the next calls of the stores."""

    def __init__(self, seen: Mapping[str, Seen]) -> None:
        self._seen = seen
        self._heard: dict[str, int] = {}  # store -> when its leader was here last, since this process started
        self._untold: set[str] = set()
        self._others: dict[str, Contact] = {}
        self._read_ms = 0

    def heard(self, store: str, now_ms: int) -> None:
        """Note that a store's leader is here."""
        self._heard[store] = now_ms
        self._untold.add(store)

    def of(self, store: str) -> Contact:
        """Give the latest contact, whoever had it."""
        own, other = self._own(store), self._others.get(store, Contact())
        latest, earlier = (own, other) if own.heard_ms >= other.heard_ms else (other, own)
        # A question brings no news of what the store holds; the last upload may have gone to another service.
        return latest if latest.has or not earlier.has else Contact(latest.heard_ms, earlier.has, earlier.tills)

    def share(self, office: Office) -> None:
        """Write down who was here since the last time, and read what other services wrote."""
        untold, self._untold = self._untold, set()
        told = []
        for store in sorted(untold):
            own = self.of(store)
            told.append((store, own.heard_ms, msgspec.msgpack.encode((own.has, own.tills))))
        office.put_contacts(told)
        for store, heard_ms, packed in office.contacts(self._read_ms - TOLD_MS):
            self._read_ms = max(self._read_ms, heard_ms)
            if heard_ms > self._others.get(store, Contact()).heard_ms:
                has, tills = _VECTOR.decode(packed)
                self._others[store] = Contact(heard_ms, has, tills)

    def _own(self, store: str) -> Contact:
        seen, heard_ms = self._seen.get(store), self._heard.get(store, 0)
        return Contact(heard_ms) if seen is None else Contact(heard_ms, seen.has, seen.tills)
