"""The outbox of print jobs: what the worker may count on, from the stored one and from the one in memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.contracts.memory_print_jobs import MemoryPrintJobs
from tillmesh.adapters.sqlite.database import connect, migrate, one, write
from tillmesh.adapters.sqlite.print_jobs import SqlitePrintJobs
from tillmesh.shop.receipt import Mark
from tillmesh.till.printing import JobKind, PrintJobs

Outbox = tuple[PrintJobs, Callable[[JobKind, str, int], int]]


@pytest.fixture(params=["memory", "sqlite"])
def outbox(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Outbox]:
    if request.param == "memory":
        memory = MemoryPrintJobs()
        yield memory, memory.add
        return
    db = connect(tmp_path / "till.db", bytes(32))
    migrate(db)

    def add(kind: JobKind, ref: str, created_ms: int) -> int:
        with write(db) as tx:
            tx.execute("INSERT INTO print_job (kind, ref, created_ms) VALUES (?, ?, ?)", (kind, ref, created_ms))
        return int(one(db, "SELECT max(job_id) FROM print_job"))

    yield SqlitePrintJobs(db), add
    db.close()


def claimed(jobs: PrintJobs, now_ms: int) -> tuple[str, str]:
    job = jobs.claim(now_ms)
    assert job is not None
    return job.kind, job.ref


def test_papers_come_in_the_order_of_the_sales(outbox: Outbox) -> None:
    jobs, add = outbox
    add("sale", "a", 1)
    add("refund", "b", 2)
    assert [claimed(jobs, 5), claimed(jobs, 5)] == [("sale", "a"), ("refund", "b")]
    assert jobs.claim(5) is None


def test_drawer_goes_before_every_paper(outbox: Outbox) -> None:
    jobs, add = outbox
    add("sale", "a", 1)
    add("drawer", "b", 2)
    assert claimed(jobs, 5) == ("drawer", "b")


def test_drawer_does_not_wait_for_a_paper_that_has_to(outbox: Outbox) -> None:
    jobs, add = outbox
    sale = add("sale", "a", 1)
    jobs.claim(5)
    jobs.retry(sale, "off", 9_000, Mark.ORIGINAL)
    add("drawer", "b", 6)
    assert claimed(jobs, 7) == ("drawer", "b")


def test_paper_does_not_overtake_one_that_has_to_wait(outbox: Outbox) -> None:
    jobs, add = outbox
    first = add("sale", "a", 1)
    jobs.claim(5)
    jobs.retry(first, "off", 9_000, Mark.ORIGINAL)
    add("sale", "b", 6)
    assert jobs.claim(8_999) is None
    assert claimed(jobs, 9_000) == ("sale", "a")


def test_job_is_claimed_once_and_counts_its_attempts(outbox: Outbox) -> None:
    jobs, add = outbox
    job_id = add("sale", "a", 1)
    first = jobs.claim(5)
    assert first is not None
    assert (first.attempts, first.mark, first.created_ms) == (1, Mark.ORIGINAL, 1)
    assert jobs.claim(5) is None
    jobs.retry(job_id, "off", 5, Mark.POSSIBLE_DUPLICATE)
    second = jobs.claim(5)
    assert second is not None
    assert (second.job_id, second.attempts, second.mark) == (job_id, 2, Mark.POSSIBLE_DUPLICATE)


def test_job_that_was_being_printed_is_found_after_a_crash(outbox: Outbox) -> None:
    jobs, add = outbox
    add("sale", "a", 1)
    add("sale", "b", 2)
    jobs.claim(5)
    assert [job.ref for job in jobs.interrupted()] == ["a"]


def test_waiting_counts_what_still_wants_to_be_printed(outbox: Outbox) -> None:
    jobs, add = outbox
    ids = [add("sale", ref, 1) for ref in "abcd"]
    jobs.claim(5)
    jobs.done(ids[0])
    jobs.claim(5)
    jobs.give_up(ids[1], "nobody waits")
    jobs.claim(5)
    assert jobs.waiting() == 2


def test_due_says_when_to_look_again(outbox: Outbox) -> None:
    jobs, add = outbox
    assert jobs.due_ms() is None
    first = add("sale", "a", 1)
    add("sale", "b", 1)
    jobs.claim(5)
    jobs.retry(first, "off", 9_000, Mark.ORIGINAL)
    assert jobs.due_ms() == 9_000
    drawer = add("drawer", "c", 6)
    jobs.claim(6)
    jobs.retry(drawer, "off", 7_000, Mark.ORIGINAL)
    assert jobs.due_ms() == 7_000


def test_only_finished_jobs_are_forgotten(outbox: Outbox) -> None:
    jobs, add = outbox
    done, _, new = add("sale", "a", 1), add("sale", "b", 1), add("sale", "c", 100)
    jobs.claim(5)
    jobs.done(done)
    jobs.forget(50)
    assert jobs.waiting() == 2
    assert claimed(jobs, 200) == ("sale", "b")
    assert jobs.interrupted()[0].job_id < new
