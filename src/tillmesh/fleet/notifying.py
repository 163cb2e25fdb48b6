"""What other programs are told of what stores sold: messages, their signatures, and when to try again. Pure.

A message holds events of one store in order. It may come twice, so receivers remember ``event_id``; it never skips one.
"""

from __future__ import annotations

import hmac
from collections.abc import Iterable, Iterator
from hashlib import sha256
from typing import Any, Final

import msgspec

from tillmesh.fleet.ports import Entry
from tillmesh.kernel.codec import Record, decode
from tillmesh.kernel.envelope import Envelope
from tillmesh.kernel.errors import TillmeshError
from tillmesh.kernel.hlc import physical_ms
from tillmesh.kernel.ids import terminal_of
from tillmesh.kernel.limits import WEBHOOK_EVENTS_MAX
from tillmesh.kernel.times import rfc3339
from tillmesh.shop.events import KINDS

# What others may be told of: sales and money, never people.
TOLD: Final = (
    "sale_closed", "sale_refunded", "sale_voided", "shift_opened", "shift_closed", "cash_moved", "stock_received",
    "stock_counted", "stock_adjusted",
)  # fmt: skip
FIRST_WAIT_S: Final = 1.0
LONGEST_WAIT_S: Final = 3_600.0
SIGNATURE: Final = "Tillmesh-Signature"


def messages(entry: Entry, *, events: Iterable[str], stores: Iterable[str]) -> Iterator[bytes]:
    """Give what an entry of the event log is to a receiver that wants these events of these stores (none: all).

    What can't be read is told nobody: a till that lies, or a newer one, must not keep all else from a receiver.
    """
    wanted, only = frozenset(events), frozenset(stores)
    if only and entry.store not in only:
        return
    found = [event for event in entry.events if event.type in wanted and event.type in TOLD]
    for first in range(0, len(found), WEBHOOK_EVENTS_MAX):
        part = [told for event in found[first : first + WEBHOOK_EVENTS_MAX] if (told := _told(event)) is not None]
        if part:
            yield msgspec.json.encode({"store": entry.store, "events": part})


def _told(event: Envelope) -> dict[str, Any] | None:
    try:
        body = decode(event.body, KINDS[event.type])
    except TillmeshError:
        return None
    return {
        "event_id": event.id,
        "terminal": terminal_of(event.actor),
        "sequence": event.seq,
        "type": event.type,
        "at": rfc3339(physical_ms(event.hlc)),
        "body": _plain(body),
    }


def _plain(value: object) -> Any:
    """Give a body as JSON has it: records by the names of their fields, as the source code documents them."""
    if isinstance(value, Record):
        return {name: _plain(getattr(value, name)) for name in value.__struct_fields__}
    if isinstance(value, tuple | list):
        return [_plain(one) for one in value]
    if isinstance(value, dict):
        return {str(key): _plain(one) for key, one in value.items()}
    if isinstance(value, bytes):
        return value.hex()
    return value


def signature(secret: bytes, body: bytes, at_s: int) -> str:
    """Sign a body as of a second since 1970; the receiver computes the same and refuses what is older than it likes."""
    digest = hmac.new(secret, f"{at_s}.".encode() + body, sha256).hexdigest()
    return f"t={at_s},v1={digest}"


def wait_s(failures: int, draw: float) -> float:
    """Say how long to wait after so many failures in a row (from 1); ``draw`` in [0, 1) spreads receivers out."""
    longest = min(LONGEST_WAIT_S, FIRST_WAIT_S * float(2 ** min(failures - 1, 20)))
    return longest * (0.5 + draw / 2)
