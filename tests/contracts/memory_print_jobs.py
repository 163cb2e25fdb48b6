"""The print outbox in memory: the fake that keeps the same contract as the stored one."""

from __future__ import annotations

from dataclasses import dataclass, field

import msgspec

from tillmesh.shop.receipt import Mark
from tillmesh.till.printing import JobKind, PrintJob


@dataclass
class Kept:
    job: PrintJob
    state: str = "waiting"
    next_at_ms: int = 0
    error: str = ""


@dataclass
class MemoryPrintJobs:
    """Everything the worker needs, and ``add`` for what the sale's transaction does."""

    kept: dict[int, Kept] = field(default_factory=dict)

    def add(self, kind: JobKind, ref: str, created_ms: int, mark: Mark = Mark.ORIGINAL) -> int:
        job_id = len(self.kept) + 1
        self.kept[job_id] = Kept(PrintJob(job_id, kind, ref, mark, 0, created_ms))
        return job_id

    def claim(self, now_ms: int) -> PrintJob | None:
        waiting = [each for each in self.kept.values() if each.state == "waiting"]
        drawers = [each for each in waiting if each.job.kind == "drawer" and each.next_at_ms <= now_ms]
        others = [each for each in waiting if each.job.kind != "drawer"]
        for first in [*drawers[:1], *others[:1]]:
            if first.next_at_ms <= now_ms:
                first.state = "printing"
                first.job = msgspec.structs.replace(first.job, attempts=first.job.attempts + 1)
                return first.job
        return None

    def done(self, job_id: int) -> None:
        self.kept[job_id].state = "done"

    def retry(self, job_id: int, error: str, next_at_ms: int, mark: Mark) -> None:
        kept = self.kept[job_id]
        kept.state, kept.error, kept.next_at_ms = "waiting", error, next_at_ms
        kept.job = msgspec.structs.replace(kept.job, mark=mark)

    def give_up(self, job_id: int, error: str) -> None:
        self.kept[job_id].state, self.kept[job_id].error = "failed", error

    def interrupted(self) -> tuple[PrintJob, ...]:
        return tuple(each.job for each in self.kept.values() if each.state == "printing")

    def waiting(self) -> int:
        return sum(each.state in {"waiting", "printing"} for each in self.kept.values())

    def due_ms(self) -> int | None:
        waiting = [each for each in self.kept.values() if each.state == "waiting"]
        drawers = [each.next_at_ms for each in waiting if each.job.kind == "drawer"]
        others = [each.next_at_ms for each in waiting if each.job.kind != "drawer"]
        return min([*drawers, *others[:1]], default=None)

    def forget(self, before_ms: int) -> None:
        finished = {i for i, each in self.kept.items() if each.state in {"done", "failed"}}
        for job_id in finished:
            if self.kept[job_id].job.created_ms < before_ms:
                del self.kept[job_id]
