"""What evidence is worth, and from when a command is asked about or done."""

import numpy as np
import pytest

from tillmesh.edge.voice import Evidence, Heard
from tillmesh.edge.voice.decoding import confidence
from tillmesh.learn.voice.judging import Judged, false_accepts, poisson_most, score
from tillmesh.learn.voice.thresholds import ASKED_PER_HOUR, DONE_PER_HOUR, fit


def heard(gap: float, wanted: str, command: str = "total") -> Judged:
    evidence = Evidence(gap=gap, clear=-0.1, stray=gap / 5, doubt=gap)
    said = Heard(command=command, slots={}, confidence=0.0, requires_confirmation=True, words=(command,))
    return Judged(evidence=evidence, is_right=wanted == command, wanted=wanted, seconds=3.6, heard=said)


@pytest.fixture(scope="module")
def an_afternoon() -> list[Judged]:
    """500 commands that fit well, and four hours of talk that rarely does."""
    rng = np.random.default_rng(4)
    commands = [heard(float(abs(gap)), "total") for gap in rng.normal(0, 1.5, 500)]
    return commands + [heard(float(abs(gap)), "") for gap in rng.normal(12, 3, 4_000)]


def test_thresholds_keep_what_is_done_and_asked_in_an_hour_below_their_limits(an_afternoon: list[Judged]) -> None:
    by = fit(an_afternoon)
    rate = false_accepts(an_afternoon, by)
    assert rate.hours == pytest.approx(4.0)
    assert rate.done <= DONE_PER_HOUR * rate.hours
    assert rate.asked + rate.done <= ASKED_PER_HOUR * rate.hours
    assert score(an_afternoon, by).sure > 0.5


def test_what_changes_the_sale_is_done_only_above_all_that_was_no_command(an_afternoon: list[Judged]) -> None:
    changing = [heard(one.evidence.gap, "undo" if one.wanted else "", "undo") for one in an_afternoon]
    by = fit([*an_afternoon, *changing])
    assert by.certain >= by.sure >= by.accept
    assert false_accepts(changing, by).done == 0


def test_confidence_falls_with_every_kind_of_doubt(an_afternoon: list[Judged]) -> None:
    by = fit(an_afternoon)
    assert confidence(Evidence(gap=0.5, clear=-0.1, doubt=0.5), by) > confidence(
        Evidence(gap=6.0, clear=-0.1, stray=1.2, doubt=6.0), by
    )


def test_what_asks_by_itself_is_never_done_by_mistake(an_afternoon: list[Judged]) -> None:
    money = [heard(0.0, "", "pay_cash") for _ in range(100)]
    assert false_accepts(money, fit(an_afternoon)).done == 0


@pytest.mark.parametrize(("count", "most"), [(0, 3.7), (1, 5.6), (10, 18.4)])
def test_few_mistakes_tell_little_about_how_many_there_may_be(count: int, most: float) -> None:
    assert poisson_most(count) == pytest.approx(most, abs=0.2)
