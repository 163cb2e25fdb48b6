"""``tillmesh doctor --before-upgrade``: put the database back as it was before an upgrade changed its tables.

An older program can then go on from it, as another incarnation: the other tills give back what was sold since, this
till's own sales too. What no other till holds stands in the quarantine.
"""

from __future__ import annotations

import os
import shutil
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from tillmesh.adapters.host.anchor import Anchor
from tillmesh.adapters.host.keys import sync_directory
from tillmesh.adapters.host.quarantine import put_away, settled
from tillmesh.adapters.sqlite.store import FILE
from tillmesh.adapters.sqlite.upgrade_copy import kept_copy
from tillmesh.kernel.errors import NotFound, StorageFailed

_HINT: Final = "Install the newer program again, or get the data from the other tills: tillmesh doctor --restore."


def go_back(data_dir: Path) -> str:
    """Put the present database away and the copy in its place, and say what was done; the till must not run."""
    if not data_dir.is_dir():
        raise NotFound(f"{data_dir} holds no till", hint="Name the data directory of a terminal.")
    with closing(Anchor.beside(data_dir)) as anchor:
        if not anchor.lock():
            raise StorageFailed(f"a program has {data_dir} open", hint="Stop the till first.")
        found = kept_copy(data_dir)
        if found is None:
            raise NotFound(f"{data_dir} holds no copy from before an upgrade", hint=_HINT)
        copy, version = found
        # Interrupted from here on, the next start finds no database and asks the other tills for everything.
        folder = put_away(data_dir, FILE, datetime.now(UTC).date().isoformat(), "an upgrade was taken back")
        half = data_dir / f"going-back-{FILE}"
        shutil.copyfile(copy, half)
        with half.open("rb") as held:
            os.fsync(held.fileno())
        half.chmod(0o600)
        half.rename(data_dir / FILE)
        sync_directory(data_dir)
        settled(data_dir)
    return f"the database is the one of version {version} again; the newer one is kept in {folder}"
