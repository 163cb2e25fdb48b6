"""How models do at each till reaches head office through the leader: counts only, once, and after a day without it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest

from tests.services.ai.air import Office, until
from tests.services.mesh.memory_links import Post, connect, open_post
from tillmesh.adapters.inference.tally import Tally
from tillmesh.edge.drift import Counts, report_of
from tillmesh.kernel.limits import MODEL_CONFIDENCE_BINS, MODEL_REASONS_MAX, MODEL_REPORTS_KEPT_MAX
from tillmesh.sync.model_messages import Told
from tillmesh.terminal.ai import P99_MS_MAX, TIMED_MIN, troubles
from tillmesh.terminal.model_post import ModelPost
from tillmesh.terminal.model_reports import EVERY_MS, ModelReports
from tillmesh.terminal.models_by_air import ByAir

pytestmark = [pytest.mark.service, pytest.mark.slow]


def run(scene: Callable[[], Coroutine[Any, Any, None]]) -> None:
    asyncio.run(asyncio.wait_for(scene(), 100))


class Counted:
    """A till of which only the counts of its models are of interest, and its clock."""

    def __init__(self, post: Post, office: Office | None) -> None:
        self.tally, self.version, self.given_up, self.now_ms = Tally(), 1, 0, 1_000_000
        folder = post.opened.data_dir / "models"
        self.post = ModelPost(
            folder, post.opened.origin.store, post.opened.till.identity.terminal, lambda: None, post.mesh
        )
        self.reports = ModelReports(folder, self.post, office, self._count, lambda: self.now_ms, again_ms=10)

    def _count(self) -> dict[str, tuple[int, Counts, list[float]]]:
        counts = self.tally.counts()._replace(given_up=self.given_up)
        return {"fruit": (self.version, counts, list(self.tally.latencies_ms))}

    def ask(self, sure: float, ms: float) -> None:
        self.tally.asked += 1
        self.tally.answered += 1
        self.tally.sure(sure)
        self.tally.latencies_ms.append(ms)

    async def start(self) -> None:
        await self.post.start()
        self.reports.start()

    async def stop(self) -> None:
        await self.reports.stop()
        await self.post.stop()


def test_what_is_reported_is_what_happened_in_between() -> None:
    tally = Tally(asked=10, answered=8, fallbacks=Tally().fallbacks, confirmed=3)
    tally.fallbacks.update({"deadline": 2})
    before = tally.counts()
    for sure in (0.97, 1.0, 0.31):
        tally.sure(sure)
    tally.asked += 4
    tally.confirmed += 2
    tally.fallbacks["crash"] += 1
    report = report_of("till1", ("fruit", 2), (5, 9), (before, tally.counts()), [30.0, 10.0, 20.0])
    assert (report.asked, report.fallbacks, report.confirmed, report.corrected) == (4, {"crash": 1}, 2, 0)
    assert (report.confidence_histogram[-1], report.confidence_histogram[6], sum(report.confidence_histogram)) == (
        2,
        1,
        3,
    )
    assert (report.p50_ms, report.p95_ms) == (20.0, 30.0)


def test_reasons_beyond_what_a_report_holds_are_added_up() -> None:
    reasons = {f"reason_{'x' * n}": n for n in range(1, MODEL_REASONS_MAX + 3) if n < 13} | {
        chr(97 + n): 100 for n in range(25)
    }
    report = report_of("till1", ("fruit", 2), (5, 9), (Counts(), Counts(fallbacks=reasons)), [])
    assert len(report.fallbacks) == MODEL_REASONS_MAX
    assert sum(report.fallbacks.values()) == sum(reasons.values())
    assert len(report.confidence_histogram) == MODEL_CONFIDENCE_BINS


def test_a_first_answer_that_waited_for_its_model_is_no_trouble_and_a_hundred_slow_ones_are() -> None:
    tally = Tally(asked=1, answered=1)
    tally.latencies_ms.append(2 * P99_MS_MAX)
    assert troubles(tally) == []
    tally.latencies_ms.extend([2 * P99_MS_MAX] * TIMED_MIN)
    assert troubles(tally) == ["one answer in a hundred took 600 ms or more."]


def test_every_till_s_reports_arrive_once_and_through_the_leader(tmp_path: Path) -> None:
    async def scene() -> None:
        first = open_post(tmp_path / "till-0")
        second = open_post(tmp_path / "till-1", first.opened.origin.store)
        for post in (first, second):
            (await post.start()).lead(first.opened.till.identity.terminal)
        office = Office(first.opened.origin.store)
        leader, other = Counted(first, office), Counted(second, None)
        office.is_there = False
        for till in (leader, other):
            await till.start()
        connect(first, second)
        await until(lambda: other.reports.waiting == leader.reports.waiting == 1)
        for _ in range(3):
            other.ask(0.9, 12.0)
        other.now_ms += EVERY_MS
        await until(lambda: other.reports.waiting == 2)
        assert office.reports == []
        await other.stop()  # what has not arrived is still there after a restart
        again = Counted(second, None)
        again.version = 2
        await again.start()
        await until(lambda: again.reports.waiting == 3)
        office.is_there = True
        await until(lambda: again.reports.waiting == leader.reports.waiting == 0)
        mine, theirs = leader.post.terminal, again.post.terminal
        told = sorted((report.terminal == mine, report.version, report.asked) for report in office.reports)
        assert told == [(False, 1, 0), (False, 1, 3), (False, 2, 0), (True, 1, 0)]
        assert {report.terminal for report in office.reports} == {mine, theirs}
        # Nobody speaks for another till.
        forged = report_of(mine, ("fruit", 9), (1, 2), (Counts(), Counts(asked=5)), [])
        assert again.post.tell(mine, Told([forged]))
        again.version = 3
        await until(lambda: any(report.version == 3 for report in office.reports))
        assert not any(report.version == 9 for report in office.reports)
        for till in (leader, again):
            await till.stop()
        for post in (first, second):
            await post.stop()

    run(scene)


def test_a_leader_without_models_passes_on_what_the_others_say(tmp_path: Path) -> None:
    async def scene() -> None:
        first = open_post(tmp_path / "till-0")
        second = open_post(tmp_path / "till-1", first.opened.origin.store)
        for post in (first, second):
            (await post.start()).lead(first.opened.till.identity.terminal)
        office = Office(first.opened.origin.store)
        leader, other = ByAir(first.driver, None, first.mesh, office, lambda: None), Counted(second, None)
        await leader.start()
        await other.start()
        connect(first, second)
        await until(lambda: [report.terminal for report in office.reports] == [other.post.terminal])
        await until(lambda: other.reports.waiting == 0)
        await other.stop()
        await leader.stop()
        for post in (first, second):
            await post.stop()

    run(scene)


def test_a_version_that_came_and_was_given_up_between_two_looks_is_reported_at_once(tmp_path: Path) -> None:
    async def scene() -> None:
        post = open_post(tmp_path / "till-0")
        till = Counted(post, None)
        assert till.reports.count()
        till.now_ms += 1
        assert not till.reports.count()
        till.given_up = 2
        assert till.reports.count()
        assert not till.reports.count()
        await till.reports.stop()
        await post.stop()

    run(scene)


def test_a_till_that_is_offline_for_long_keeps_the_newest_reports(tmp_path: Path) -> None:
    async def scene() -> None:
        post = open_post(tmp_path / "till-0")
        till = Counted(post, None)
        for version in range(1, 2 * MODEL_REPORTS_KEPT_MAX):
            till.version = version
            till.reports.count()
        assert till.reports.waiting == MODEL_REPORTS_KEPT_MAX
        await till.reports.stop()
        await post.stop()

    run(scene)
