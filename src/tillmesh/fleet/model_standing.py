"""How the versions of a model do on the tills: which tills run them, how sure they are, how often they are wrong."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Final

import msgspec
from msgspec import Struct

from tillmesh.edge.bundle import Manifest
from tillmesh.fleet.drift import Sum, Verdict, canary_does_worse, judge, split_reference, summed
from tillmesh.fleet.models import Published, Rollout
from tillmesh.kernel.limits import MODEL_CONFIDENCE_BINS
from tillmesh.sync.model_orders import Report

NOW_MS: Final = 7 * 86_400_000  # what counts as how it does now
RUNS_MS: Final = 2 * 86_400_000  # since when a till that said so is taken to run a version
REFERENCE: Final = "confidence_histogram"  # in a manifest's settings: how sure the model was where it was judged
GIVEN_UP: Final = "given_up"
GIVEN_UP_SHARE: Final = (
    0.05  # of the tills that took a version; Guess: one till with bad memory is not the model's fault
)
LOUDEST: Final = 20  # stores; of more than so many with bad news no one decides alone
Heard = Sequence[tuple[str, Report]]  # each with its store


class Running(Struct, frozen=True):
    """A till and the version that it runs."""

    store: str
    terminal: str
    version: int
    heard_ms: int
    since_ms: int = 0  # when the stretch of time began that it spoke of
    given_up: int = 0  # the version that failed at work there, and which it went back from by itself


class Standing(Struct, frozen=True, kw_only=True):
    """How one version does."""

    version: int
    running: tuple[Running, ...] = ()
    given_up: tuple[Running, ...] = ()  # tills that went back from it by themselves
    verdict: Verdict = Verdict()
    first: Sum = Sum()
    now: Sum = Sum()


def look(versions: Sequence[Published], heard: Heard, now_ms: int) -> list[Standing]:
    """Say how every version does that is in the registry or on a till, the latest first."""
    running = who_runs(heard, now_ms)
    given = {one.version: reference_of(one.manifest) for one in versions}
    named = {*given, *(report.version for _, report in heard), *(one.given_up for one in running if one.given_up)}
    found = []
    for version in sorted(named, reverse=True):
        reports = [report for _, report in heard if report.version == version]
        first, now = _compared(reports, given.get(version), now_ms)
        tills = tuple(one for one in running if one.version == version)
        gone = tuple(one for one in running if one.given_up == version)
        verdict = judge(first, now)
        if _is_given_up(len(gone), len(tills)):
            verdict = msgspec.structs.replace(verdict, state="drift", reasons=(GIVEN_UP, *verdict.reasons))
        found.append(
            Standing(version=version, running=tills, given_up=gone, verdict=verdict, first=first, now=now)
        )  # fmt: skip
    return found


def _is_given_up(gone: int, running: int) -> bool:
    """Say whether so many tills went back from a version by themselves that it is the version's fault."""
    return gone > 0 and gone >= GIVEN_UP_SHARE * (gone + running)


def _compared(reports: Sequence[Report], reference: Sum | None, now_ms: int) -> tuple[Sum, Sum]:
    recent = [one for one in reports if one.window_end > now_ms - NOW_MS]
    if reference is not None:
        # Of people and of time its maker knows nothing: for those the first reports are compared with.
        first, _ = map(summed, split_reference(reports))
        return msgspec.structs.replace(first, confidences=reference.confidences), summed(recent)
    early, later = split_reference(reports)
    return summed(early), summed(one for one in later if one.window_end > now_ms - NOW_MS)


def reference_of(manifest: bytes) -> Sum | None:
    """Give how sure a model was where it was judged, if its maker says so."""
    try:
        said = msgspec.json.decode(manifest, type=Manifest).settings.get(REFERENCE)
        counts = msgspec.convert(said, list[int])
    except (msgspec.DecodeError, msgspec.ValidationError):
        return None
    if len(counts) != MODEL_CONFIDENCE_BINS or min(counts) < 0:
        return None
    return Sum(confidences=tuple(counts))


def who_runs(heard: Heard, now_ms: int) -> list[Running]:
    """Give for every till that was heard of lately what it said last."""
    latest: dict[tuple[str, str], Running] = {}
    for store, report in heard:
        key = store, report.terminal
        known = latest.get(key)
        said = report.window_end, report.window_start  # who changes a version ends one stretch and begins the next
        if report.window_end > now_ms - RUNS_MS and (known is None or said > (known.heard_ms, known.since_ms)):
            latest[key] = Running(store, report.terminal, report.version, *said, report.given_up)
    return [latest[key] for key in sorted(latest)]


def why_halt(rollout: Rollout, heard: Heard) -> str:
    """Say in words why a roll-out should stop, and by whose reports: tills that try a version do worse than the others.

    Only stores that are to try it have a say in how it does: no other one stops, or speeds, what it was not asked.
    Where several may try it, no single one decides: it must do worse without the reports of any one of them, too.
    """
    found = _worse(rollout, heard)
    loudest = _loudest(rollout, heard)
    several = len(set(rollout.stores) or {store for store, _ in heard}) > 1
    if not found or (
        several and not all(_worse(rollout, [one for one in heard if one[0] != store]) for store in loudest)
    ):
        return ""
    return f"{', '.join(found)}; reports of {', '.join(loudest)}"


def _loudest(rollout: Rollout, heard: Heard) -> list[str]:
    """Name the stores with the most bad news of what is tried: without any of these it would look better."""
    found: Counter[str] = Counter()
    for store, report in heard:
        if rollout.challenger in (report.version, report.given_up) and (not rollout.stores or store in rollout.stores):
            found[store] += 1 + report.corrected + sum(report.fallbacks.values())
    return [store for store, _ in found.most_common(LOUDEST)]


def _worse(rollout: Rollout, heard: Heard) -> list[str]:
    asked = [(store, report) for store, report in heard if not rollout.stores or store in rollout.stores]
    canary = summed(report for _, report in asked if report.version == rollout.challenger)
    others = summed(report for _, report in heard if report.version < rollout.challenger)
    tills = who_runs(asked, max((report.window_end for _, report in heard), default=0))
    gone = sum(one.given_up == rollout.challenger for one in tills)
    found = [GIVEN_UP] if _is_given_up(gone, sum(one.version == rollout.challenger for one in tills)) else []
    return [*found, *canary_does_worse(canary, others)]
