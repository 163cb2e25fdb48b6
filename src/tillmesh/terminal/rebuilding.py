"""``tillmesh doctor --rebuild``: make everything that is read from the log anew, with the till stopped."""

from __future__ import annotations

import time
from pathlib import Path

from tillmesh.terminal.bootstrap import open_terminal
from tillmesh.till.commands import Note, Who

SYSTEM = Who(user_id="system", role="manager")


def rebuild(data_dir: Path, *, key_file: Path | None = None) -> int:
    """Project the whole log again in one transaction, note that in the audit log, and give the number of events."""
    opened = open_terminal(data_dir, key_file=key_file)
    try:
        with opened.writer.transaction():
            count = opened.writer.ledger.rebuild()
        opened.writer.books.forget()
        note = Note(action="rebuilt", subject=opened.origin.actor, detail=f"{count} events projected again")
        outcome = opened.writer.execute(opened.till, SYSTEM, note, time.time_ns() // 1_000_000)
        opened.anchor.remember(outcome.head, opened.till.receipts)
        return count
    finally:
        opened.close()
