"""The print outbox in SQLite: jobs are stored with the sale, in one transaction, and worked off here."""

from __future__ import annotations

from typing import Any, Final

import apsw

from tillmesh.adapters.sqlite.database import one, storage_errors, write
from tillmesh.shop.receipt import Mark
from tillmesh.till.printing import ERROR_CHARS_MAX, PrintJob

_JOB: Final = "SELECT job_id, kind, ref, copy, attempts, created_ms FROM print_job"
_DRAWER: Final = f"{_JOB} WHERE state = 'waiting' AND kind = 'drawer' AND next_at_ms <= ? ORDER BY job_id LIMIT 1"
_OLDEST: Final = f"{_JOB} WHERE state = 'waiting' AND kind <> 'drawer' ORDER BY job_id LIMIT 1"
# A paper waits for the one before it; a drawer waits for nobody.
_DUE: Final = (
    "SELECT min(due) FROM (SELECT min(next_at_ms) AS due FROM print_job WHERE state = 'waiting' AND kind = 'drawer' "
    "UNION ALL SELECT * FROM (SELECT next_at_ms FROM print_job WHERE state = 'waiting' AND kind <> 'drawer' "
    "ORDER BY job_id LIMIT 1))"
)


class SqlitePrintJobs:
    """Fulfils ``till.printing.PrintJobs`` on the writer's connection."""

    def __init__(self, db: apsw.Connection) -> None:
        self._db = db

    def claim(self, now_ms: int) -> PrintJob | None:
        """Take the next job and mark it as printing: a due drawer, else the oldest other job if it is due."""
        with storage_errors():
            row = self._db.execute(_DRAWER, (now_ms,)).fetchone() or self._db.execute(_OLDEST).fetchone()
        if row is None or self._next_at_ms(row[0]) > now_ms:
            return None
        with write(self._db) as tx:
            tx.execute("UPDATE print_job SET state = 'printing', attempts = attempts + 1 WHERE job_id = ?", row[:1])
        return _job(row, attempt=1)

    def _next_at_ms(self, job_id: int) -> int:
        return int(one(self._db, "SELECT next_at_ms FROM print_job WHERE job_id = ?", (job_id,)))

    def done(self, job_id: int) -> None:
        """Note that a job was printed."""
        self._set("state = 'done', error = ''", (job_id,))

    def retry(self, job_id: int, error: str, next_at_ms: int, mark: Mark) -> None:
        """Let a job wait for another attempt."""
        bindings = (error[:ERROR_CHARS_MAX], next_at_ms, int(mark), job_id)
        self._set("state = 'waiting', error = ?, next_at_ms = ?, copy = ?", bindings)

    def give_up(self, job_id: int, error: str) -> None:
        """Note that a job will not be printed any more."""
        self._set("state = 'failed', error = ?", (error[:ERROR_CHARS_MAX], job_id))

    def _set(self, assignments: str, bindings: tuple[str | int, ...]) -> None:
        with write(self._db) as tx:
            tx.execute(f"UPDATE print_job SET {assignments} WHERE job_id = ?", bindings)  # noqa: S608 - our own words

    def interrupted(self) -> tuple[PrintJob, ...]:
        """List the jobs that were being printed when the program stopped."""
        with storage_errors():
            rows = self._db.execute(f"{_JOB} WHERE state = 'printing' ORDER BY job_id").fetchall()
        return tuple(_job(row) for row in rows)

    def waiting(self) -> int:
        """Count the jobs that still want to be printed."""
        with storage_errors():
            return int(one(self._db, "SELECT count(*) FROM print_job WHERE state IN ('waiting', 'printing')"))

    def due_ms(self) -> int | None:
        """Say when ``claim`` can next give a job, or None while none waits."""
        with storage_errors():
            due = one(self._db, _DUE)
        return None if due is None else int(due)

    def forget(self, before_ms: int) -> None:
        """Delete finished jobs that were created before a time."""
        with write(self._db) as tx:
            tx.execute("DELETE FROM print_job WHERE state IN ('done', 'failed') AND created_ms < ?", (before_ms,))


def _job(row: tuple[Any, ...], *, attempt: int = 0) -> PrintJob:
    job_id, kind, ref, copy, attempts, created_ms = row
    return PrintJob(job_id, kind, ref, Mark(copy), attempts + attempt, created_ms)
