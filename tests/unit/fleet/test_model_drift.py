"""When head office says that a model drifts, and when a roll-out is stopped."""

import random

import msgspec
import pytest

from tillmesh.fleet.drift import Sum, canary_does_worse, judge, lowest_rate, psi, split_reference, summed
from tillmesh.fleet.model_standing import look, who_runs, why_halt
from tillmesh.fleet.models import Rollout
from tillmesh.sync.model_orders import Report

DAY = 86_400_000
SURE = [0] * 12 + [2, 3, 5, 8, 12, 20, 30, 20]
UNSURE = [5, 10, 15, 15, 12, 10, 8, 6, 5, 4, 3, 2, 2, 1, 1, 1, 0, 0, 0, 0]


def report(
    at_day: int, version: int = 1, terminal: str = "till1", *, histogram: list[int] = SURE, corrected: int = 2,
    confirmed: int = 38, late: int = 1, p95_ms: float = 20,
) -> Report:  # fmt: skip
    return Report(
        terminal=terminal, name="voice", version=version, window_start=at_day * DAY, window_end=at_day * DAY + DAY,
        asked=100, fallbacks={"deadline": late} if late else {}, confirmed=confirmed, corrected=corrected,
        confidence_histogram=histogram, p95_ms=p95_ms,
    )  # fmt: skip


def drawn(shape: list[int], count: int, seed: int) -> list[int]:
    counts = [0] * len(shape)
    for bin_ in random.Random(seed).choices(range(len(shape)), shape, k=count):
        counts[bin_] += 1
    return counts


@pytest.mark.parametrize("seed", range(20))
def test_chance_alone_is_no_drift(seed: int) -> None:
    first = Sum(asked=500, confidences=tuple(drawn(SURE, 500, seed)))
    now = Sum(asked=200, confidences=tuple(drawn(SURE, 200, seed + 1_000)))
    assert judge(first, now).state == "fine"


def test_answers_that_are_less_sure_than_at_first_are_drift_and_want_a_new_version() -> None:
    verdict = judge(summed([report(0)] * 5), summed([report(9, histogram=UNSURE)] * 2))
    assert (verdict.state, verdict.reasons, verdict.retrain_wanted) == ("drift", ("confidence",), True)
    assert verdict.psi is not None
    assert verdict.psi > 0.25
    assert psi(SURE, SURE) == 0


def test_more_corrections_and_more_late_answers_are_drift_only_beyond_chance() -> None:
    first = summed([report(0)] * 5)
    assert judge(first, summed([report(9, corrected=14, confirmed=26)] * 2)).reasons == ("corrections",)
    assert judge(first, summed([report(9, late=12)] * 3)).reasons == ("fallbacks",)
    assert judge(first, summed([report(9, corrected=4, confirmed=36, late=3)])).reasons == ()
    assert lowest_rate(1, 1) < 0.25
    assert lowest_rate(500, 1_000) > 0.46


def test_too_few_answers_say_nothing() -> None:
    few = summed([report(9, histogram=[1] + [0] * 19, corrected=3, confirmed=2)])
    assert judge(summed([report(0)]), few).state == "unknown"
    assert judge(Sum(), Sum()).psi is None


def test_the_first_answers_are_what_later_ones_are_compared_with() -> None:
    reports = [report(day) for day in range(10)]
    first, later = split_reference(reports[::-1])
    assert [one.window_start // DAY for one in first] == [0, 1, 2, 3, 4]
    assert len(later) == 5


def test_a_canary_that_does_worse_in_any_way_stops_the_roll_out() -> None:
    old = [("one", report(day, 1)) for day in range(3)]
    for worse, why in (
        ({"corrected": 16, "confirmed": 24}, "corrections"), ({"late": 15}, "fallbacks"), ({"p95_ms": 400}, "slow"),
    ):  # fmt: skip
        new = [("two", report(day, 2, "till9", **worse)) for day in range(3)]  # type: ignore[arg-type]
        said = f"{why}; reports of two"
        assert why_halt(Rollout(champion=1, challenger=2), [("two", of) for _, of in [*old, *new]]) == said
        assert why_halt(Rollout(champion=1, challenger=2, stores=("two",)), [*old, *new]) == said
        assert why_halt(Rollout(champion=1, challenger=2), [*old, *new]) == ""  # one store's word, of two
        assert why_halt(Rollout(champion=1, challenger=2, stores=("one",)), [*old, *new]) == ""  # nobody asked it
    fine = [("two", report(day, 2, "till9", p95_ms=38)) for day in range(3)]
    assert why_halt(Rollout(champion=1, challenger=2), [*old, *fine]) == ""
    assert canary_does_worse(Sum(), Sum()) == ()


def test_one_store_that_lies_stops_no_roll_out_to_several_and_who_stops_one_is_named() -> None:
    old = [("one", report(day, 1)) for day in range(3)]
    lies = [("liar", report(day, 2, corrected=40, confirmed=0, late=99, p95_ms=9_000)) for day in range(3)]
    fine = [(store, report(day, 2)) for day in range(3) for store in ("two", "three")]
    worse = [("four", report(day, 2, corrected=16, confirmed=24)) for day in range(3)]
    tried = Rollout(champion=1, challenger=2, stores=("liar", "two", "three", "four"))
    assert why_halt(tried, [*old, *lies]) == ""
    assert why_halt(tried, [*old, *lies, *fine]) == ""
    assert why_halt(tried, [*old, *lies, *worse]).endswith("; reports of liar, four")
    without = Rollout(champion=1, challenger=2, stores=("two", "three"))
    assert why_halt(without, [*old, *lies, *worse, *fine]) == ""


def test_a_till_runs_what_it_said_last_unless_it_said_so_long_ago() -> None:
    heard = [("one", report(0)), ("one", report(1, 2)), ("two", report(1)), ("one", report(-9, 1, "till2"))]
    assert [(one.store, one.terminal, one.version) for one in who_runs(heard, 2 * DAY)] == [
        ("one", "till1", 2), ("two", "till1", 1),
    ]  # fmt: skip
    looked = look((), heard, 2 * DAY)
    assert [(one.version, len(one.running)) for one in looked] == [(2, 1), (1, 1)]


def gave_up(terminal: str, version: int, at_day: int = 9) -> Report:
    """What a till says that went back from a version: the one before it runs."""
    now = at_day * DAY
    return Report(
        terminal=terminal, name="voice", version=version - 1, window_start=now, window_end=now, given_up=version
    )


def test_a_version_that_tills_went_back_from_is_drift_and_stops_its_roll_out() -> None:
    closing = msgspec.structs.replace(report(8, 2, "till1"), given_up=2)  # it ends as the next stretch begins
    heard = [("corner", one) for one in (closing, gave_up("till1", 2), report(8, 2, "till2"))]
    tried, before = look([], heard, 9 * DAY)
    assert [one.terminal for one in tried.given_up] == ["till1"]
    assert [one.terminal for one in tried.running] == ["till2"]
    assert [one.terminal for one in before.running] == ["till1"]
    assert (tried.verdict.state, tried.verdict.reasons) == ("drift", ("given_up",))
    assert before.verdict.reasons == ()
    assert why_halt(Rollout(champion=1, challenger=2), heard) == "given_up; reports of corner"
    assert why_halt(Rollout(champion=1, challenger=2, stores=("market",)), heard) == ""


def test_one_till_of_many_that_went_back_is_its_own_trouble() -> None:
    heard = [("corner", gave_up("till0", 2)), *(("corner", report(8, 2, f"till{n}")) for n in range(1, 40))]
    tried = look([], heard, 9 * DAY)[0]
    assert (len(tried.given_up), tried.verdict.reasons) == (1, ())
    assert why_halt(Rollout(champion=1, challenger=2), heard) == ""
