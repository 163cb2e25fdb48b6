"""Events of anybody as records, as far as this program can read them."""

from __future__ import annotations

from tillmesh.kernel.codec import Record, decode
from tillmesh.kernel.envelope import Envelope
from tillmesh.kernel.errors import TillmeshError
from tillmesh.shop.events import known


def read_event(event: Envelope) -> Record | None:
    """Give what stands in an event; None if a newer program wrote it, or a hostile one so that nobody can read it."""
    kind = known(event.type, event.version)
    if kind is None:
        return None
    try:
        return decode(event.body, kind)
    except TillmeshError:
        return None
