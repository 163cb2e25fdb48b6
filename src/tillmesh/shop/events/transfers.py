"""Events of goods on their way between stores: head office carries the news, each store moves its own stock."""

from __future__ import annotations

from typing import Final

from tillmesh.kernel.codec import Record
from tillmesh.shop.ranges import Milli, Minor, TimeMs


class TransferLine(Record):
    """How much of a product; the cost is per unit, without tax."""

    sku: str
    name: str
    quantity_milli: Milli
    cost_minor: Minor = 0


class TransferSent(Record):
    """Goods left this store for another. Named by this event's id; they are out of stock here from now on."""

    to_store: str
    from_name: str
    lines: tuple[TransferLine, ...]
    by: str
    note: str = ""
    sent_at_ms: TimeMs = 0
    key: str = ""  # the caller's idempotency key
    limited: tuple[str, ...] = ()  # skus of which rights of this till went too


class TransferComing(Record):
    """Head office says that goods are on their way to this store."""

    transfer_id: str
    from_store: str
    from_name: str
    lines: tuple[TransferLine, ...]
    note: str = ""
    sent_at_ms: TimeMs = 0


class TransferReceived(Record):
    """Goods of a transfer came in; the same ``key`` is the same delivery."""

    transfer_id: str
    from_store: str
    key: str
    lines: tuple[TransferLine, ...]
    by: str
    received_at_ms: TimeMs = 0
    limited: tuple[str, ...] = ()


class TransferClosed(Record):
    """Nothing more of a transfer is expected: ``lost`` is what never came."""

    transfer_id: str
    from_store: str
    lost: tuple[TransferLine, ...]
    by: str
    reason: str = ""
    closed_at_ms: TimeMs = 0


class TransferAnswered(Record):
    """Head office says what became of a transfer that this store has sent: ``event`` there says so."""

    transfer_id: str
    event: str
    received: tuple[TransferLine, ...] = ()
    lost: tuple[TransferLine, ...] = ()
    closed: bool = False
    reason: str = ""
    undeliverable: bool = False  # head office knows no store of that name
    store: str = ""  # which one has noted it, as head office knows; empty from a head office that did not say


class TransferTakenBack(Record):
    """Goods that no store could be found for are in stock again."""

    transfer_id: str
    lines: tuple[TransferLine, ...]
    by: str
    limited: tuple[str, ...] = ()


TRANSFER_KINDS: Final[dict[str, type[Record]]] = {
    "transfer_sent": TransferSent,
    "transfer_coming": TransferComing,
    "transfer_received": TransferReceived,
    "transfer_closed": TransferClosed,
    "transfer_answered": TransferAnswered,
    "transfer_taken_back": TransferTakenBack,
}
