"""Make one more till of a store whose first till is at hand in another directory of this machine."""

from __future__ import annotations

import time
from itertools import islice
from pathlib import Path
from typing import Final

from tillmesh.adapters.host.keys import secret, write_file
from tillmesh.adapters.sqlite import replica
from tillmesh.adapters.sqlite.store import log
from tillmesh.kernel.limits import SYNC_EVENTS_PER_BATCH_MAX
from tillmesh.shop.events import Change
from tillmesh.terminal import provisioning
from tillmesh.terminal.bootstrap import SYSTEM, Opened, open_terminal
from tillmesh.till.commands import ChangeRecords, OpenShift, Who

PEPPER: Final = "pepper.key"


def join_here(first_dir: Path, data_dir: Path, *, number: int, float_minor: int, by: Who) -> str:
    """Make till ``number`` in ``data_dir`` with everything the first one knows and an open shift; give its id.

    The first till must not be running. It becomes the store's issuer if it is not one already.
    """
    now_ms = time.time_ns() // 1_000_000
    first = open_terminal(first_dir)
    try:
        origin = first.origin
        if not (first_dir / provisioning.FOLDER).exists():
            provisioning.found(first_dir, origin.store, origin.actor, now_ms // 1000)
        write_file(data_dir / "keys" / PEPPER, secret(first_dir, PEPPER, create=False))
        opened = open_terminal(data_dir, store=origin.store)
        try:
            _learn(opened, first, now_ms)
            change = Change(key=opened.origin.terminal, fields={"name": f"Till {number}", "number": number})
            opened.writer.execute_all(
                opened.till,
                [
                    (SYSTEM, ChangeRecords(entity="setting", changes=(change,))),
                    (by, OpenShift(float_minor=float_minor)),
                ],
                now_ms,
            )
            opened.anchor.remember(opened.till.head)
        finally:
            opened.close()
        provisioning.enrol(first_dir, data_dir, origin.store, opened.origin.actor, now_ms // 1000)
        return opened.origin.terminal
    finally:
        first.close()


def _learn(opened: Opened, first: Opened, now_ms: int) -> None:
    """Take over the whole log of the first till, verified like anything that comes over a link."""
    events = log(first.writer.db)
    while batch := list(islice(events, SYNC_EVENTS_PER_BATCH_MAX)):
        replica.merge(opened.writer, opened.till, batch, now_ms)
