"""The 20 numbers: what each says, that they always are numbers, and that what comes later judges nothing."""

import math
import re
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from tests.unit.edge.acts import DAY, HOUR, MINUTE, NOON, act, closed, line, refunded
from tillmesh.edge.acts import Act, act_of
from tillmesh.edge.features import COUNT, EXCESS_MAX, NAMES, Memory
from tillmesh.kernel.limits import FRAUD_CASHIERS_MAX, FRAUD_TIES_MAX
from tillmesh.shop import events as e

PAGE = Path(__file__).parents[3] / "docs" / "reference" / "fraud-features.md"


def named(memory: Memory, one: Act) -> dict[str, float]:
    return dict(zip(NAMES, memory.features(one), strict=True))


def busy_shop(days: int = 20, voids: int = 0) -> Memory:
    """A shop in which cara and otto sell 20 times a day; cara voids so many of hers on every other day."""
    memory = Memory()
    for day in range(days, 0, -1):
        for hour in range(9, 19):
            for cashier in ("cara", "otto"):
                memory.learn(act(at=NOON - day * DAY - 12 * HOUR + hour * HOUR, cashier=cashier))
        for number in range(voids if day % 2 else 0):
            memory.learn(act("void", at=NOON - day * DAY + 8 * HOUR + number * MINUTE))
    return memory


def test_there_are_twenty_and_the_page_explains_each_of_them_in_order() -> None:
    assert COUNT == 20
    rows = re.findall(r"^\| \d+ \| `(\w+)` \|", PAGE.read_text("utf-8"), re.MULTILINE)
    assert tuple(rows) == NAMES


def test_a_sale_is_read_with_what_was_given_away() -> None:
    body = closed(line(), line(charged=500), line(off=300, cart_off=100), customer_id="k1")
    one = act_of(body, NOON, 12)
    assert one is not None
    assert (one.kind, one.list_minor, one.given_minor, one.cheaper_minor) == ("sale", 3_000, 900, 500)
    assert (one.deepest_ppm, one.lines, one.cash_minor, one.ties) == (500_000, 3, 2_100, ("customer:k1",))


def test_a_refund_knows_whose_sale_it_answers_and_what_did_not_come_back() -> None:
    sale = closed(line(), cashier="cara", closed_at_ms=NOON - 5 * MINUTE)
    one = act_of(refunded(restock=False), NOON, 12, sale)
    assert one is not None
    assert (one.own_sale, one.since_sale_ms, one.kept_minor, one.has_receipt) == (True, 5 * MINUTE, 1_000, True)
    without = act_of(
        refunded(sale_id="", payments=(e.Payment(method="gift_card", amount_minor=1_000, reference="G1"),)), NOON, 12
    )
    assert without is not None
    assert (without.own_sale, without.since_sale_ms, without.has_receipt, without.ties) == (
        False,
        -1,
        False,
        ("card:G1",),
    )


def test_only_the_drawer_among_audit_entries_is_an_act() -> None:
    opened = e.Audited(action="drawer_opened", subject="t", detail="change", by="cara")
    assert act_of(opened, NOON, 12) == Act(kind="drawer", cashier="cara", at_ms=NOON, hour=12)
    assert act_of(e.Audited(action="receipt_reprinted", subject="t", detail="", by="cara"), NOON, 12) is None


def test_more_voids_than_usual_stand_out_and_the_same_for_a_colleague_does_not() -> None:
    memory = busy_shop()
    usual = named(memory, act())["void_excess"]
    for minute in range(4):
        memory.learn(act("void", at=NOON + minute * MINUTE))
    later = NOON + 10 * MINUTE
    assert named(memory, act("void", at=later))["void_excess"] > usual + 3
    assert named(memory, act("sale", at=later, cashier="otto"))["void_excess"] < 1


def test_who_always_voids_more_is_usual_for_himself() -> None:
    careless, careful = busy_shop(40, voids=2), busy_shop(40)
    afternoon = NOON + 4 * HOUR
    for memory in (careless, careful):
        memory.learn(act("void", at=afternoon - HOUR))
    again = act("void", at=afternoon)
    assert named(careless, again)["void_excess"] < named(careful, again)["void_excess"]


def shop_of_three(days: int, *voids: int) -> Memory:
    """A shop of cara, otto and ida, who sell ten times a day and void so many each, every day."""
    memory = Memory()
    for day in range(days, 0, -1):
        for cashier, count in zip(("cara", "otto", "ida"), voids, strict=True):
            for number in range(10):
                memory.learn(act(at=NOON - day * DAY + number * 20 * MINUTE, cashier=cashier))
            for number in range(count):
                memory.learn(act("void", at=NOON - day * DAY + number * HOUR, cashier=cashier))
    return memory


def test_who_voids_for_weeks_does_not_become_usual_beside_others_who_void_less() -> None:
    again = act("void", at=NOON + 4 * HOUR)
    among_her_like, above_the_others = shop_of_three(40, 3, 3, 3), shop_of_three(40, 3, 1, 1)
    assert named(among_her_like, again)["void_excess"] < 2
    assert named(above_the_others, again)["void_excess"] > 2.5
    assert named(above_the_others, act("void", at=NOON + 4 * HOUR, cashier="ida"))["void_excess"] < 2


def test_a_supervisor_who_voids_for_all_is_not_compared_with_those_who_never_do() -> None:
    again = act("void", at=NOON + 4 * HOUR)
    assert named(shop_of_three(40, 3, 0, 0), again)["void_excess"] < 2
    assert named(shop_of_three(40, 3, 3, 0), again)["void_excess"] < 2


def test_who_reduces_prices_for_weeks_stands_out_beside_others_who_reduce_less() -> None:
    memory = Memory()
    for day in range(40, 0, -1):
        for number in range(10):
            for cashier, off in (("cara", 400), ("otto", 20)):
                at = NOON - day * DAY + number * 20 * MINUTE
                memory.learn(act(at=at, cashier=cashier, given_minor=off, total_minor=2_000 - off))
    cara, otto = (
        named(memory, act(at=NOON, cashier=cashier, given_minor=20, total_minor=1_980))["given_excess"]
        for cashier in ("cara", "otto")
    )
    assert cara > 0.1 > 0.05 > otto


def test_the_same_card_again_is_a_tie_and_fades() -> None:
    memory = busy_shop()
    gift = act("refund", ties=("card:G1",), gift_minor=2_000)
    assert named(memory, gift)["tie"] == 0
    memory.learn(gift)
    soon, late = act(at=NOON + HOUR, ties=("card:G1",)), act(at=NOON + 90 * DAY, ties=("card:G1",))
    assert named(memory, soon)["tie"] > 0.6
    assert named(memory, late)["tie"] < 0.05


def test_a_reduced_sale_and_a_rare_hour_stand_out() -> None:
    memory = busy_shop()
    reduced = act(given_minor=1_000, total_minor=1_000, deepest_ppm=500_000)
    assert named(memory, reduced)["given_share"] == 0.5
    assert named(memory, reduced)["given_excess"] > named(memory, act())["given_excess"]
    assert named(memory, act(at=NOON + 14 * HOUR))["odd_hour"] > 2 > named(memory, act())["odd_hour"]


def test_an_act_is_judged_by_what_was_before_it_and_asking_changes_nothing() -> None:
    memory = busy_shop()
    before = memory.features(act("void"))
    assert memory.features(act("void")) == before
    memory.learn(act("void"))
    assert memory.features(act("void")) != before


HOSTILE = st.builds(
    Act,
    kind=st.sampled_from(["sale", "refund", "void", "drawer", "dance"]),
    cashier=st.text(max_size=3),
    at_ms=st.integers(-(2**63), 2**63 - 1),
    hour=st.integers(0, 23),
    total_minor=st.integers(-(10**18), 10**18),
    list_minor=st.integers(-(10**18), 10**18),
    given_minor=st.integers(-(10**18), 10**18),
    cheaper_minor=st.integers(-(10**18), 10**18),
    deepest_ppm=st.integers(0, 10**9),
    lines=st.integers(-5, 10**6),
    cash_minor=st.integers(-(10**18), 10**18),
    gift_minor=st.integers(-(10**18), 10**18),
    since_sale_ms=st.integers(-(2**63), 2**63),
    kept_minor=st.integers(-(10**18), 10**18),
    ties=st.lists(st.text(max_size=2), max_size=3).map(tuple),
)


@given(st.lists(HOSTILE, min_size=1, max_size=6))
def test_whatever_an_event_says_the_features_are_finite_and_bounded(acts: list[Act]) -> None:
    memory = Memory()
    for one in acts:
        features = memory.features(one)
        assert len(features) == COUNT
        assert all(math.isfinite(value) and abs(value) <= EXCESS_MAX for value in features)
        memory.learn(one)


def test_the_memory_is_bounded_however_many_people_and_cards_there_are() -> None:
    memory = Memory()
    for number in range(FRAUD_CASHIERS_MAX + 5):
        memory.learn(act(cashier=f"p{number}"))
    for number in range(FRAUD_TIES_MAX + 5):
        memory.learn(act("refund", cashier="last", at=NOON + number, ties=(f"card:{number}",)))
    assert len(memory._people) <= FRAUD_CASHIERS_MAX
    assert len(memory._people["last"].ties) <= FRAUD_TIES_MAX
