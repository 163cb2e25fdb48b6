"""Learning what theft looks like: scenarios laid into honest sales, rows by time, and scores judged without favour."""

from random import Random

import numpy as np
import pytest

from tillmesh.edge.features import COUNT, DAY_MS, HOUR_MS, NAMES
from tillmesh.edge.trees import margin
from tillmesh.learn.fraud import baselines, scenarios
from tillmesh.learn.fraud.judging import calibration_error, judge, platt
from tillmesh.learn.fraud.table import TEST, TRAIN, VALIDATE, Table, events, table
from tillmesh.learn.fraud.traffic import Basket, Line, Shop, open_shop
from tillmesh.learn.fraud.training import margins_of
from tillmesh.shop.events import SaleClosed, SaleRefunded, SaleVoided

pytestmark = pytest.mark.slow
DAYS = 120
BEGIN = 1_480_000_000_000 // DAY_MS * DAY_MS


def baskets(days: int = DAYS) -> list[Basket]:
    """Thirty baskets a day of two to five lines."""
    dice = Random(5)
    return [
        Basket(
            "corner", BEGIN + day * DAY_MS + (8 + number % 12) * HOUR_MS + number * 60_000, f"h{dice.randrange(300)}",
            tuple(Line(f"p{dice.randrange(99)}", 1, dice.randrange(50, 900)) for _ in range(dice.randrange(2, 6))),
        )
        for day in range(days)
        for number in range(30)
    ]  # fmt: skip


def robbed(seed: int = 3, only: tuple[str, ...] = ()) -> Shop:
    dice = Random(seed)
    shop = open_shop("corner", baskets(), dice)
    scenarios.lay_in(shop, dice, 40, only)
    return shop


@pytest.fixture(scope="module")
def rows() -> Table:
    return table([(robbed(), BEGIN + 60 * DAY_MS, BEGIN + 90 * DAY_MS)])


def test_every_scenario_leaves_events_and_most_acts_stay_honest(rows: Table) -> None:
    assert set(rows.scenario.tolist()) == {"", *scenarios.SCENARIOS}
    assert 0.002 < rows.y.mean() < 0.3
    assert rows.x.shape[1] == COUNT
    assert np.isfinite(rows.x).all()


def test_the_parts_follow_each_other_in_time(rows: Table) -> None:
    assert [int(part) for part in sorted(set(rows.part))] == [TRAIN, VALIDATE, TEST]
    assert (np.diff(rows.part) >= 0).all()


def test_what_comes_later_changes_no_row_before_it(rows: Table) -> None:
    shop = robbed()
    until = BEGIN + 60 * DAY_MS
    shop.did = [one for one in shop.did if one.at_ms < until]
    cut = table([(shop, until, BEGIN + 90 * DAY_MS)])
    count = int((cut.part == TRAIN).sum())
    assert (cut.x[:count] == rows.x[:count]).all()


def test_the_same_seed_gives_the_same_thefts_and_another_one_others() -> None:
    def stolen(seed: int) -> list[tuple[int, str]]:
        return [(at_ms, name) for _, at_ms, _, name in events(robbed(seed)) if name]

    assert stolen(3) == stolen(3) != stolen(4)


def test_a_voided_cash_sale_is_whole_and_comes_after_its_sale() -> None:
    found = [(body, at, sale) for body, at, sale, name in events(robbed(only=(scenarios.VOID_AFTER,))) if name]
    assert found
    for body, at_ms, sale in found:
        assert isinstance(body, SaleVoided)
        assert isinstance(sale, SaleClosed)
        assert (body.total_minor, body.payments[0].method) == (sale.total_minor, "cash")
        assert at_ms > sale.closed_at_ms


def test_refunds_onto_a_gift_card_name_the_card_that_pays_later() -> None:
    found = [body for body, _, _, name in events(robbed(only=(scenarios.GIFT_CARD,))) if name]
    given = {body.payments[0].reference for body in found if isinstance(body, SaleRefunded)}
    spent = {body.payments[0].reference for body in found if isinstance(body, SaleClosed)}
    assert spent
    assert spent <= given


def test_the_handbook_adds_up_its_points() -> None:
    book = baselines.handbook()
    row = [0.0] * COUNT
    assert margin(book, row) == 0
    for name, value in (("is_void", 1.0), ("cash_share", 1.0), ("minutes_since", 3.0), ("void_excess", 7.5)):
        row[NAMES.index(name)] = value
    assert margin(book, row) == 2.0 + 1.5 + 1.5
    assert margins_of(book, np.array([row, [0.0] * COUNT])).tolist() == [5.0, 0.0]


def test_a_regression_finds_what_is_there_to_find() -> None:
    dice = np.random.default_rng(1)
    x = dice.normal(size=(2_000, COUNT)).astype(np.float32)
    y = (x[:, 3] + x[:, 5] > 2.5).astype(np.float32)
    assert judge(y, baselines.Logistic(x, y).score(x)).pr_auc > 0.9


def test_scores_that_say_nothing_get_the_prevalence_and_ties_count_against_us() -> None:
    truth = np.array([1.0] * 10 + [0.0] * 990)
    same = judge(truth, np.zeros(1_000))
    assert (same.precision, same.recall) == (0, 0)
    perfect = judge(truth, truth)
    assert (perfect.pr_auc, perfect.precision, perfect.recall, perfect.best_precision) == (1, 1, 1, 1)


def test_calibrated_scores_mean_what_they_say() -> None:
    dice = np.random.default_rng(2)
    margins = dice.normal(-3, 2, 20_000)
    truth = (dice.random(20_000) < 1 / (1 + np.exp(-(0.5 * margins - 1)))).astype(np.float64)
    slope, offset = platt(margins, truth)
    assert slope == pytest.approx(0.5, abs=0.05)
    assert offset == pytest.approx(-1, abs=0.15)
    assert calibration_error(truth, 1 / (1 + np.exp(-(slope * margins + offset)))) < 0.01
