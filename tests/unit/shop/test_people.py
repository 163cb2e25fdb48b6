"""Who may do what: every role with every action."""

import pytest

from tillmesh.kernel.errors import Invalid
from tillmesh.shop.people import LEAST, Action, Limits, Role, least, may_approve, needs, role

CASHIER, SUPERVISOR, MANAGER = Role
LIMITS = Limits(discount_limit_ppm=100_000, refund_limit_minor=2_000)

ALONE = {
    CASHIER: "sell park open_shift close_shift reprint change_customer receive_stock",
    SUPERVISOR: "discount refund price_override void open_drawer cash_move discard_parked "
    "count_stock adjust_stock see_expected_cash see_reports see_people teach_product settle_card",
    MANAGER: "refund_without_receipt change_product change_person change_setting see_audit resolve_oversell "
    "change_offer erase_customer",
}


def test_the_matrix_names_every_action_once() -> None:
    assert sorted(" ".join(ALONE.values()).split()) == sorted(Action)
    assert set(LEAST) == set(Action)


@pytest.mark.parametrize("who", Role)
@pytest.mark.parametrize("action", Action)
def test_each_role_may_do_what_its_row_and_the_rows_above_say(who: Role, action: Action) -> None:
    own = [lowest for lowest, actions in ALONE.items() if action in actions.split()]
    order = list(Role)
    alone = order.index(who) >= order.index(own[0])
    assert needs(action, who, LIMITS) == (None if alone else own[0])


def test_a_cashier_gives_ten_percent_alone_and_no_more() -> None:
    assert needs(Action.DISCOUNT, CASHIER, LIMITS, discount_ppm=100_000) is None
    assert needs(Action.DISCOUNT, CASHIER, LIMITS, discount_ppm=100_001) == SUPERVISOR
    assert needs(Action.DISCOUNT, SUPERVISOR, LIMITS, discount_ppm=1_000_000) is None


def test_a_cashier_refunds_twenty_alone_and_no_more() -> None:
    assert needs(Action.REFUND, CASHIER, LIMITS, refund_minor=2_000) is None
    assert needs(Action.REFUND, CASHIER, LIMITS, refund_minor=2_001) == SUPERVISOR


def test_a_limit_of_one_thing_opens_nothing_else() -> None:
    assert least(Action.VOID, LIMITS, discount_ppm=0, refund_minor=0) == SUPERVISOR


@pytest.mark.parametrize("action", Action)
def test_nobody_below_a_supervisor_approves_anything(action: Action) -> None:
    assert not may_approve(CASHIER, action)
    assert may_approve(MANAGER, action)


def test_a_supervisor_can_not_approve_what_is_the_managers() -> None:
    assert may_approve(SUPERVISOR, Action.VOID)
    assert not may_approve(SUPERVISOR, Action.REFUND_WITHOUT_RECEIPT)


def test_a_role_nobody_has_is_refused() -> None:
    with pytest.raises(Invalid) as caught:
        role("owner")
    assert caught.value.hint == "Roles are cashier, supervisor, manager."
