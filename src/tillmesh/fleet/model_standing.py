"""How the versions of a model do on the tills: which tills run them, how sure they are, how often they are wrong."""

from __future__ import annotations

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
Heard = Sequence[tuple[str, Report]]  # each with its store


class Running(Struct, frozen=True):
    """A till and the version that it runs."""

    store: str
    terminal: str
    version: int
    heard_ms: int


class Standing(Struct, frozen=True, kw_only=True):
    """How one version does."""

    version: int
    running: tuple[Running, ...] = ()
    verdict: Verdict = Verdict()
    first: Sum = Sum()
    now: Sum = Sum()


def look(versions: Sequence[Published], heard: Heard, now_ms: int) -> list[Standing]:
    """Say how every version does that is in the registry or on a till, the latest first."""
    running = who_runs(heard, now_ms)
    given = {one.version: reference_of(one.manifest) for one in versions}
    named = {*given, *(report.version for _, report in heard)}
    found = []
    for version in sorted(named, reverse=True):
        reports = [report for _, report in heard if report.version == version]
        first, now = _compared(reports, given.get(version), now_ms)
        tills = tuple(one for one in running if one.version == version)
        found.append(Standing(version=version, running=tills, verdict=judge(first, now), first=first, now=now))
    return found


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
        if report.window_end > now_ms - RUNS_MS and (known is None or report.window_end > known.heard_ms):
            latest[key] = Running(store, report.terminal, report.version, report.window_end)
    return [latest[key] for key in sorted(latest)]


def why_halt(rollout: Rollout, heard: Heard) -> str:
    """Say in words why a roll-out should stop: the tills that try a version do worse than the others.

    Only stores that are to try it have a say in how it does: no other one stops, or speeds, what it was not asked.
    """
    canary = summed(
        report
        for store, report in heard
        if report.version == rollout.challenger and (not rollout.stores or store in rollout.stores)
    )
    others = summed(report for _, report in heard if report.version < rollout.challenger)
    return ", ".join(canary_does_worse(canary, others))
