"""``tillmesh doctor --rebuild``: make everything that is read from the log anew, with the till stopped."""

from __future__ import annotations

import time
from contextlib import closing
from pathlib import Path

from tillmesh.adapters.sqlite.database import DatabaseDamaged, one
from tillmesh.adapters.sqlite.restoration import end_restoring
from tillmesh.terminal.bootstrap import Opened, open_terminal
from tillmesh.terminal.provisioning import has_others
from tillmesh.terminal.recovering import GiveUp
from tillmesh.terminal.restoring import report, take_carts, take_over
from tillmesh.till.commands import Note, Who

SYSTEM = Who(user_id="system", role="manager")


def rebuild(data_dir: Path, *, key_file: Path | None = None) -> str:
    """Project the whole log again in one transaction, note that in the audit log, and say what was done.

    A database that is damaged is put away, and what can be read of its log goes into a fresh one.
    """
    try:
        with closing(open_terminal(data_dir, key_file=key_file)) as opened:
            return _project(opened)
    except DatabaseDamaged as cause:
        damage = GiveUp(cause.detail, alone=True)
        with closing(open_terminal(data_dir, key_file=key_file, recover=True, damage=damage)) as opened:
            return _read_out(opened)


def _project(opened: Opened) -> str:
    with opened.writer.transaction():
        count = opened.writer.ledger.rebuild()
    opened.writer.books.forget()
    told = f"{count} events projected again"
    _note(opened, "rebuilt", told)
    return told


def _read_out(opened: Opened) -> str:
    """Take over what the damaged database still gives; in a store of several tills the others give the rest."""
    what = opened.restoring
    assert what is not None
    take_over(opened)
    take_carts(opened)
    count = int(one(opened.writer.db, "SELECT coalesce(sum(seq), 0) FROM version_vector"))
    told = f"{count} events read out of the damaged database; {report(opened, what, [])}"
    if has_others(opened.data_dir, opened.origin.store, opened.origin.actor):
        return f"{told}; start the till, and the others give back what they have"
    _note(opened, "restored", told)
    end_restoring(opened.writer.db)
    return told


def _note(opened: Opened, action: str, told: str) -> None:
    note = Note(action=action, subject=opened.origin.actor, detail=told[:500])
    outcome = opened.writer.execute(opened.till, SYSTEM, note, time.time_ns() // 1_000_000)
    opened.anchor.remember(outcome.head, opened.till.receipts)
