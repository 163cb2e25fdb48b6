"""The idempotency keys that receipts answered: their text stands in the event, a fold of it in the table."""

from __future__ import annotations

from hashlib import sha256

from tillmesh.kernel.codec import decode
from tillmesh.kernel.envelope import Envelope
from tillmesh.shop.events import SaleClosed, SaleRefunded


def request_key(text: str) -> int:
    """Fold an idempotency key into a signed 64-bit integer; whoever finds a row compares the full key."""
    return int.from_bytes(sha256(text.encode()).digest()[:8], "big", signed=True)


def key_of(event: Envelope) -> str:
    """Give the idempotency key that an event answered."""
    match event.type:
        case "sale_closed":
            return decode(event.body, SaleClosed).cart_id
        case "sale_refunded":
            return "refund:" + decode(event.body, SaleRefunded).refund_key
        case _:
            return ""
