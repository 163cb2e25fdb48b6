"""Flagged acts on one till: kept with their reasons, reviewed by managers, and never acted upon."""

import pytest

from tests.unit.till.shop_till import CASHIER, MANAGER, SUPERVISOR, Shop, line
from tillmesh.adapters.sqlite import flagged
from tillmesh.edge.acts import Act
from tillmesh.kernel.errors import Invalid, NotAllowed, NotFound
from tillmesh.shop import events as e
from tillmesh.till import commands as c
from tillmesh.till.audit_text import describe

SYSTEM = c.Who(user_id="system", role="manager")
REASON = e.FlagReason(code="given_share", weight_milli=1_200, value_milli=400)


def flag(shop: Shop, event: str, who: c.Who = SYSTEM) -> str:
    command = c.FlagAct(
        event=event, kind="sale", person="cara", score_ppm=420_000, level="medium", reasons=(REASON,), model="fraud 1"
    )
    return str(shop.do(command, who).reply)


def test_a_flag_keeps_score_and_reasons_and_changes_nothing_else(shop: Shop) -> None:
    sale = shop.sell(line("mug"))
    stock = shop.books.stock_milli("mug")
    body = shop.read(flag(shop, sale), e.ActFlagged)
    assert (body.event, body.score_ppm, body.reasons) == (sale, 420_000, (REASON,))
    assert shop.books.stock_milli("mug") == stock
    assert shop.types()[-1] == "act_flagged"


@pytest.mark.parametrize("who", [CASHIER, SUPERVISOR, MANAGER])
def test_nobody_flags_a_colleague_by_hand(shop: Shop, who: c.Who) -> None:
    sale = shop.sell(line("mug"))
    with pytest.raises(NotAllowed):
        flag(shop, sale, who)


def test_what_did_not_happen_here_is_not_flagged(shop: Shop) -> None:
    with pytest.raises(NotFound):
        flag(shop, "k3m7qx2p.4f9a2c77-9999")


def test_a_manager_says_what_it_was_and_the_latest_word_counts(shop: Shop) -> None:
    first, second = (flag(shop, shop.sell(line("mug"), cart_id=cart)) for cart in ("one", "two"))
    shop.do(c.ReviewFlag(flag=first, verdict="follow_up", reason="Look at the camera"), MANAGER)
    shop.do(c.ReviewFlag(flag=first, verdict="fine"), MANAGER)
    found = flagged.flags(shop.books)
    assert (found["open"], [one["flag_id"] for one in found["flags"]]) == (1, [second, first])
    assert found["flags"][1]["review"]["verdict"] == "fine"
    assert found["flags"][0]["review"] is None
    assert found["flags"][0]["reasons"] == [{"code": "given_share", "weight": 1.2, "value": 0.4}]
    assert found["flags"][0]["total_minor"] == 1_250


@pytest.mark.parametrize("who", [CASHIER, SUPERVISOR])
def test_only_managers_review(shop: Shop, who: c.Who) -> None:
    one = flag(shop, shop.sell(line("mug")))
    with pytest.raises(NotAllowed):
        shop.do(c.ReviewFlag(flag=one, verdict="fine"), who)


def test_a_verdict_nobody_knows_and_a_flag_that_is_none_are_refused(shop: Shop) -> None:
    sale = shop.sell(line("mug"))
    with pytest.raises(Invalid):
        shop.do(c.ReviewFlag(flag=flag(shop, sale), verdict="guilty"), MANAGER)
    with pytest.raises(NotFound):
        shop.do(c.ReviewFlag(flag=sale, verdict="fine"), MANAGER)


def test_a_review_stands_in_the_audit_log_in_words(shop: Shop) -> None:
    one = flag(shop, shop.sell(line("mug")))
    reply = shop.do(c.ReviewFlag(flag=one, verdict="follow_up", reason="Twice this week"), MANAGER).reply
    event = shop.books.event(str(reply))
    assert event is not None
    words = describe(shop.books, event)
    assert (words["action"], words["reason"], words["by"]) == ("flag_reviewed", "Twice this week", "mona")
    assert words["words"][0]["verdict"] == "follow_up"


def test_the_past_is_read_as_the_acts_it_was(shop: Shop) -> None:
    sale = shop.sell(line("mug"))
    shop.do(c.VoidSale(sale_id=sale, reason="mistake"), approved=("void",))
    shop.do(c.OpenDrawer(reason="change"), SUPERVISOR)
    acts = flagged.past_acts(shop.books, 0, 100)
    assert [one.kind for one in acts] == ["sale", "void", "drawer"]
    void: Act = acts[1]
    assert (void.cashier, void.own_sale, void.since_sale_ms) == ("cara", True, 1_000)
    assert flagged.past_acts(shop.books, 0, 1) == acts[-1:]
