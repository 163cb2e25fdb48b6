"""What connections keep of the books between transactions, and how they hear that it has changed.

Products, offers, settings and the open shift are read with every scan and change a few times a day; sales come all the
time. So a connection keeps them, not until anything is committed, but until an event that touches them is.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import apsw

from tillmesh.adapters.sqlite.database import one
from tillmesh.kernel.envelope import Envelope

KEPT: Final = frozenset({
    "products_changed", "customers_changed", "customers_sealed", "customer_erased",
    "people_changed", "settings_changed", "shift_opened", "shift_closed",
    "promotions_changed", "price_lists_changed", "prices_changed", "gift_cards_changed",
})  # fmt: skip
_NAME: Final = "kept"
_MARK: Final = (
    "INSERT INTO meta (name, value) VALUES (?, randomblob(16)) ON CONFLICT (name) DO UPDATE SET value = excluded.value"
)


def changes_kept(events: Iterable[Envelope]) -> bool:
    """Say whether any of these events changes what connections keep."""
    return any(event.type in KEPT for event in events)


def mark(db: apsw.Connection) -> None:
    """Say, within the transaction that makes it so, that what connections keep has changed."""
    db.execute(_MARK, (_NAME,))


def state(db: apsw.Connection) -> bytes:
    """Give what differs as soon as this transaction sees other things than were kept before; empty at first."""
    return one(db, "SELECT value FROM meta WHERE name = ?", (_NAME,)) or b""
