"""Tells head office how models do at every till of the store: counts only, through the leader, kept until they arrived.

A till says at once which version runs, and each quarter of an hour how the model did if anybody asked it. What people
showed or said to a model never leaves the till.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Final

import msgspec
from msgspec import Meta

from tillmesh.edge.drift import Counts, report_of
from tillmesh.kernel.limits import (
    MODEL_REPORTS_BYTES_MAX,
    MODEL_REPORTS_KEPT_MAX,
    MODEL_REPORTS_MAX,
    MODEL_REPORTS_PASSED_MAX,
)
from tillmesh.sync.model_messages import Passed, ReportKey, Told, key_of
from tillmesh.sync.model_orders import Report, Reports
from tillmesh.terminal.ai import Ai
from tillmesh.terminal.driver import now_ms, steady_ms
from tillmesh.terminal.errands import Errands
from tillmesh.terminal.model_office import Office
from tillmesh.terminal.model_post import ModelPost

log = logging.getLogger(__name__)
FILE: Final = "reports.json"
LOOK_S: Final = 1.0
EVERY_MS: Final = 15 * 60_000
TELL_MS: Final = 15_000  # to the leader, as long as it has not said that head office has them
FAILED_MS: Final = 60_000
Kept = Annotated[list[Report], Meta(max_length=MODEL_REPORTS_KEPT_MAX)]
Counted = Callable[[], dict[str, tuple[int, Counts, list[float]]]]  # model -> version that runs, counts, last times


@dataclass(slots=True)
class _Window:
    version: int
    start_ms: int
    counts: Counts


class ModelReports:
    """One till's reports, and at the leader those of the others. Lives on the event loop."""

    def __init__(
        self,
        models: Path,
        post: ModelPost,
        office: Office | None,
        counted: Counted,
        clock: Callable[[], int] = now_ms,
        *,
        again_ms: int = FAILED_MS,
    ) -> None:
        self._file, self._post, self._office, self._counted, self._clock = models / FILE, post, office, counted, clock
        self._again_ms = again_ms  # after head office gave no answer
        self._windows: dict[str, _Window] = {}
        self._own: dict[ReportKey, Report] = {}
        self._passed: dict[tuple[str, ReportKey], Report] = {}  # of others, at the leader
        self._told_ms: int | None = None
        self._not_before_ms = 0
        self._errands = Errands("reports of models")
        post.on_told, post.on_passed = self._told, self._arrived

    def start(self) -> None:
        """Begin."""
        self._errands.run(self._run())

    async def stop(self) -> None:
        """Close what is counted, and keep it."""
        await self._errands.stop()
        self.count(closing=True)
        await asyncio.to_thread(self._keep)

    @property
    def waiting(self) -> int:
        """How many reports of this till have not arrived at head office."""
        return len(self._own)

    async def _run(self) -> None:
        for report in await asyncio.to_thread(self._read):
            self._own[key_of(report)] = report
        while True:
            if self.count():
                await asyncio.to_thread(self._keep)
            await self._send()
            await asyncio.sleep(LOOK_S)

    def count(self, *, closing: bool = False) -> bool:
        """Close the windows that are over; says whether there is something new to report."""
        now, fresh = self._clock(), False
        for name, (version, counts, latencies) in self._counted().items():
            held = self._windows.get(name)
            # A version may be given up for the one before it between two looks: then only the count tells.
            is_new = held is None or (held.version, held.counts.given_up) != (version, counts.given_up)
            if held is not None and not is_new:
                asked = counts.asked - held.counts.asked
                is_over = closing or not 0 <= now - held.start_ms < EVERY_MS
                if not (is_over and asked > 0):
                    if is_over and not closing:
                        held.start_ms = now  # nobody asked: the next stretch begins
                    continue
            if held is not None and held.version and counts.asked > held.counts.asked:
                answered = latencies[-(counts.asked - held.counts.asked) :]
                window = min(held.start_ms, now), now
                self._add(report_of(self._post.terminal, (name, held.version), window, (held.counts, counts), answered))
                fresh = True
            if version and is_new:
                self._add(report_of(self._post.terminal, (name, version), (now, now), (counts, counts), ()))
                fresh = True
            self._windows[name] = _Window(version, now, counts)
        return fresh

    def _add(self, report: Report) -> None:
        self._own[key_of(report)] = report
        while len(self._own) > MODEL_REPORTS_KEPT_MAX:  # without internet for long: the newest say most
            del self._own[next(iter(self._own))]
        self._told_ms = None

    # On their way -----------------------------------------------------------------------------------------------

    async def _send(self) -> None:
        if self._office is not None and self._office.speaks():
            await self._hand_in(self._office)
        elif self._own and (leader := self._post.leader()):
            now = steady_ms()
            if self._told_ms is None or now - self._told_ms >= TELL_MS:
                self._told_ms = now
                self._post.tell(leader, Told(list(self._own.values())))

    async def _hand_in(self, office: Office) -> None:
        batch = [(self._post.terminal, key) for key in self._own] + list(self._passed)
        batch = batch[:MODEL_REPORTS_MAX]
        if not batch or steady_ms() < self._not_before_ms or office.is_busy():
            return
        reports = [self._own[key] if who == self._post.terminal else self._passed[who, key] for who, key in batch]
        body = msgspec.json.encode(Reports(reports))
        while len(body) > MODEL_REPORTS_BYTES_MAX:
            batch, reports = batch[: len(batch) // 2], reports[: len(reports) // 2]
            body = msgspec.json.encode(Reports(reports))
        taken = await office.report(body)
        if taken is None:
            self._not_before_ms = steady_ms() + self._again_ms
            return
        if not taken:
            log.warning("%d reports of models are let fall", len(batch))
        arrived: dict[str, list[ReportKey]] = {}
        for who, key in batch:
            arrived.setdefault(who, []).append(key)
            self._passed.pop((who, key), None)
        for who, keys in arrived.items():
            if who == self._post.terminal:
                await self._forget(keys)
            else:
                self._post.tell(who, Passed(keys[:MODEL_REPORTS_KEPT_MAX]))

    def _told(self, terminal: str, told: Told) -> None:
        """Another till tells: it is passed on if this one speaks to head office; nobody speaks for anybody else."""
        if self._office is None or not self._office.speaks():
            return
        for report in told.reports:
            if report.terminal == terminal and len(self._passed) < MODEL_REPORTS_PASSED_MAX:
                self._passed[terminal, key_of(report)] = report

    def _arrived(self, terminal: str, passed: Passed) -> None:
        if terminal == self._post.leader():
            self._errands.run(self._forget(passed.reports))

    async def _forget(self, keys: list[ReportKey]) -> None:
        for key in keys:
            self._own.pop(key, None)
        await asyncio.to_thread(self._keep)

    # The disk ---------------------------------------------------------------------------------------------------

    def _read(self) -> list[Report]:
        try:
            return msgspec.json.decode(self._file.read_bytes(), type=Kept)
        except (msgspec.DecodeError, OSError, UnicodeDecodeError):
            return []  # statistics: nothing else is lost with them

    def _keep(self) -> None:
        with suppress(OSError):  # a full disk is for sales
            self._file.parent.mkdir(parents=True, exist_ok=True)
            half = self._file.with_suffix(".new")
            half.write_bytes(msgspec.json.encode(list(self._own.values())))
            half.replace(self._file)


def counted(ai: Ai | None) -> Counted:
    """Count what a till's models do, if it has any."""

    def count() -> dict[str, Any]:
        found: dict[str, Any] = {}
        if ai is None:
            return found
        for name in ai.shelf.names():
            tally = ai.tally(name)
            standing = ai.shelf.standing(name)
            counts = tally.counts()._replace(given_up=standing.failed)
            found[name] = (standing.version, counts, list(tally.latencies_ms))
        return found

    return count
