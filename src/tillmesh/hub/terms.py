"""Forget a store's term: the way out when no leader of the store is believed any more.

Whoever holds a store's credentials may claim a term that no honest leader reaches. Revoking the credentials makes
such a claim void by itself; this does it for a store whose credentials stay.
"""

from __future__ import annotations

from tillmesh.hub.bootstrap import Opened
from tillmesh.kernel.errors import NotFound


def forget_term(opened: Opened, store: str, now_ms: int, *, by: str = "system") -> int:
    """Begin another generation of a store's credentials: the next term that it names is its first. Gives its number."""
    opened.service.catch_up()
    held = opened.service.held(store)
    if not held.heads:
        raise NotFound(f"head office holds nothing of a store {store[:64]!r}", hint="Look at the list of stores.")
    begun = opened.office.begin_generation(store, held.generation)
    opened.office.audit(now_ms, by, "term_forgotten", store, f"term {held.term}, generation {begun} begins")
    return begun
