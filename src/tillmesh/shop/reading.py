"""Events of anybody as records, as far as this program can read them."""

from __future__ import annotations

from tillmesh.kernel.codec import Record, decode
from tillmesh.kernel.envelope import Envelope
from tillmesh.kernel.errors import TillmeshError
from tillmesh.shop.cart import Cart
from tillmesh.shop.events import CartParked, SaleClosed, SaleRefunded, SaleVoided, known


def read_event(event: Envelope) -> Record | None:
    """Give what stands in an event; None if a newer program wrote it, or a hostile one so that nobody can read it.

    Whether it can be read depends on its bytes alone, so all tills of one version set aside the same events.
    """
    kind = known(event.type, event.version)
    if kind is None:
        return None
    try:
        body = decode(event.body, kind)
        if isinstance(body, CartParked):
            decode(body.cart, Cart)  # whoever lists parked carts reads all of them
    except TillmeshError:
        return None
    return body


def receipt_ms(body: Record) -> int:
    """Say when a receipt was made, by the wall clock of its till (ms UTC)."""
    match body:
        case SaleClosed():
            return body.closed_at_ms
        case SaleRefunded():
            return body.refunded_at_ms
        case SaleVoided():
            return body.voided_at_ms
        case _:
            raise AssertionError(f"{type(body).__name__} has no receipt")
