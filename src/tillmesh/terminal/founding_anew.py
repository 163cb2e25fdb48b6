"""``tillmesh store recover --new-authority``: all tills that issue are lost for good, so one that is left begins to.

Nobody can give it the key that is lost: it makes the store's authority anew. The tills that there were, living or not,
are on its first list as revoked, so that what they sold counts and no certificate of theirs opens anything. The living
ones join again with a code and their data. An operator's act, never automatic; whoever does it wrongly has shut this
one till out of its store, and nothing else: no other till believes an authority that it did not join.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Final

from tillmesh.adapters.host.keys import sync_directory
from tillmesh.kernel.errors import Conflict
from tillmesh.terminal import provisioning
from tillmesh.terminal.provisioning import FOLDER, ISSUER

BEFORE: Final = "store.before"  # what the till knew of its store, while the new authority is being made


def is_begun(data_dir: Path) -> bool:
    """Say whether a run was cut off; the next one goes on where it stopped."""
    return (data_dir / BEFORE).exists()


def found_anew(data_dir: Path, store: str, actor: str, now_s: int) -> None:
    """Make this till, which is not running, the first one of a new authority of its store."""
    folder, before = data_dir / FOLDER, data_dir / BEFORE
    if is_begun(data_dir) and provisioning.certificate_in(data_dir) is None:
        shutil.rmtree(folder, ignore_errors=True)  # half of one, that nobody has heard of
        before.rename(folder)
    elif not is_begun(data_dir) and (data_dir / "keys" / ISSUER).exists():
        raise Conflict("this till issues certificates", hint="Leave out --new-authority, and take new tills in here.")
    if not is_begun(data_dir):
        known = provisioning.membership_in(data_dir, store)
        folder.rename(before)
        sync_directory(data_dir)
        provisioning.found(data_dir, store, actor, max(now_s, known.as_of_s), known.members)
    shutil.rmtree(before)
