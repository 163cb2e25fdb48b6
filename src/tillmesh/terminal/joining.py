"""Make one more till of a store whose first till is at hand in another directory of this machine."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

import msgspec

from tillmesh.adapters.host.keys import secret, write_file
from tillmesh.adapters.sqlite import replica
from tillmesh.kernel.envelope import Envelope, Head
from tillmesh.kernel.limits import SYNC_BATCH_BYTES_MAX, SYNC_EVENTS_PER_BATCH_MAX
from tillmesh.shop.events import Change
from tillmesh.sync.messages import Span
from tillmesh.sync.signatures import SignedHead
from tillmesh.terminal import provisioning
from tillmesh.terminal.bootstrap import SYSTEM, Opened, open_terminal
from tillmesh.terminal.signing import Signatures
from tillmesh.till.commands import ChangeRecords, OpenShift, Who

PEPPER: Final = "pepper.key"


def store_of(data_dir: Path) -> str:
    """Give the id of the store that the till in a data directory belongs to; it must not be running."""
    opened = open_terminal(data_dir)
    try:
        return opened.origin.store
    finally:
        opened.close()


def join_here(
    first_dir: Path, data_dir: Path, *, number: int, float_minor: int, by: Who, at_ms: int | None = None
) -> str:
    """Make till ``number`` in ``data_dir`` with everything the first one knows and an open shift; give its id.

    The first till must not be running. It becomes the store's issuer if it is not one already. All of it happens as of
    ``at_ms``, or now.
    """
    now_ms = time.time_ns() // 1_000_000 if at_ms is None else at_ms
    first = open_terminal(first_dir)
    try:
        origin = first.origin
        if not (first_dir / provisioning.FOLDER).exists():
            provisioning.found(first_dir, origin.store, origin.actor, now_ms // 1000)
        write_file(data_dir / "keys" / PEPPER, secret(first_dir, PEPPER, create=False))
        opened = open_terminal(data_dir, store=origin.store)
        try:
            learn(opened, first, now_ms)
            change = Change(key=opened.origin.terminal, fields={"name": f"Till {number}", "number": number})
            opened.writer.execute_all(
                opened.till,
                [
                    (SYSTEM, ChangeRecords(entity="setting", changes=(change,))),
                    (by, OpenShift(float_minor=float_minor)),
                ],
                now_ms,
            )
            opened.anchor.remember(opened.till.head, opened.till.receipts)
        finally:
            opened.close()
        provisioning.enrol(first_dir, data_dir, origin.store, opened.origin.actor, now_ms // 1000)
        return opened.origin.terminal
    finally:
        first.close()


def learn(opened: Opened, first: Opened, now_ms: int) -> None:
    """Take over what another till holds, verified like anything that comes over a link, as far as it is signed."""
    signatures = Signatures(first.data_dir, first.origin.store)
    db, books = first.writer.db, first.writer.books
    for head in replica.heads(db).values():
        at = Head(head.actor)
        while at.seq < head.seq:
            span = Span(head.actor, at.seq + 1, head.seq)
            events, signed = replica.load_signed(
                db, books, [span], signatures, events_max=SYNC_EVENTS_PER_BATCH_MAX, bytes_max=SYNC_BATCH_BYTES_MAX
            )
            if not events:
                break
            end = Head(head.actor, events[-1].seq, events[-1].hash)
            vouched = SignedHead(end, signed[head.actor, end.seq])
            replica.merge(opened.writer, opened.till, list(_chained(at, events)), now_ms, [vouched])
            at = end


def _chained(head: Head, events: Iterable[Envelope]) -> Iterator[Envelope]:
    """Fill in the previous hashes, which a stretch of the log is read without."""
    for event in events:
        yield msgspec.structs.replace(event, prev_hash=head.hash)
        head = Head(event.actor, event.seq, event.hash)
