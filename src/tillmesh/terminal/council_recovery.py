"""Let one till decide for its store again after most voters are lost for good. An operator's act, never automatic.

The till begins a new term of office far above everything that was ever decided, as the only voter. Whoever comes back
from the old group finds a higher term and a newer snapshot, takes both over and is admitted again.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any, Final

from tillmesh.adapters.sqlite.raft_storage import SqliteRaftStorage
from tillmesh.kernel.errors import Conflict
from tillmesh.raft import ConfState, HardState, Ready, Snapshot, conf_change
from tillmesh.terminal.bootstrap import SYSTEM, Opened, open_terminal
from tillmesh.terminal.founding_anew import found_anew, is_begun
from tillmesh.terminal.provisioning import FOLDER, ISSUER
from tillmesh.till.agreement import Agreed
from tillmesh.till.commands import Note

# Whatever the lost voters still agreed on without this till lies below: authorities and terms only grow.
INDEX_LEAP: Final = 1 << 20
TERM_LEAP: Final = 1 << 10


def recover_store(data_dir: Path, *, key_file: Path | None = None, new_authority: bool = False) -> dict[str, Any]:
    """Make the till in a data directory the only voter of its store; it must not be running. Audited.

    With ``new_authority`` it issues from now on, under an authority of its own. Raises Conflict for a till that belongs
    to no store, and for a new authority where the old one's key is at hand.
    """
    if not (data_dir / FOLDER).exists() and not is_begun(data_dir):
        raise Conflict(f"{data_dir} belongs to no store", hint="A till alone needs no recovery: just start it.")
    opened = open_terminal(data_dir, key_file=key_file)
    try:
        me = opened.origin.actor
        if new_authority or is_begun(data_dir):
            found_anew(data_dir, opened.origin.store, me, int(time.time()))
        storage = SqliteRaftStorage(opened.writer.db, ConfState())
        hard = storage.initial_state()[0]
        lost = sorted(_ever_members(storage) - {me})
        term = hard.term + TERM_LEAP
        _decide_alone(storage, me, storage.last_index() + INDEX_LEAP, term, storage.snapshot().data)
        detail = f"the only voter from now on; members before: {', '.join(lost) or '-'}"
        if new_authority:
            detail = f"under a new authority; {detail}"
        note = Note(action="store_recovered", subject=me, detail=detail[:500])
        opened.writer.execute(opened.till, SYSTEM, note, time.time_ns() // 1_000_000)
        opened.anchor.remember(opened.till.head, opened.till.receipts)
        issues = (data_dir / "keys" / ISSUER).exists()
        return {"terminal_id": opened.origin.terminal, "term": term, "members_before": lost, "issues": issues}
    finally:
        opened.close()


def begin_again(opened: Opened, authority: int, term: int) -> int:
    """Make a till whose store was lost whole the only voter, far above all that was ever decided; gives its term.

    ``authority`` is the newest decision that is known from events, ``term`` what head office heard of last.
    """
    storage = SqliteRaftStorage(opened.writer.db, ConfState())
    before, held = storage.initial_state()[0], storage.snapshot()
    if before.term > term:
        return before.term  # it was done already
    _decide_alone(
        storage, opened.origin.actor, max(authority, held.index) + INDEX_LEAP, term + TERM_LEAP, Agreed().to_bytes()
    )
    return term + TERM_LEAP


def _decide_alone(storage: SqliteRaftStorage, me: str, index: int, term: int, data: bytes) -> None:
    snapshot = Snapshot(index=index, term=term, conf_state=ConfState(voters=(me,)), data=data)
    storage.save(Ready(None, HardState(term, None, index), (), snapshot, (), (), must_sync=True))


def _ever_members(storage: SqliteRaftStorage) -> set[str]:
    """Name everybody whom the snapshot and the log after it know as a member."""
    conf = storage.snapshot().conf_state
    first, last = storage.first_index(), storage.last_index()
    entries = storage.entries(first, last + 1, 2**62) if first <= last else ()
    changes = (conf_change(entry) for entry in entries)
    return {str(node) for node in (*conf.voters, *conf.learners)} | {str(each.node) for each in changes if each}
