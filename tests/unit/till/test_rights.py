"""Who may do what: every action of the table tried as every role, with and without an approval."""

from collections.abc import Callable

import pytest

from tests.unit.till.shop_till import CASHIER, MANAGER, SUPERVISOR, Shop, add, cash, line
from tillmesh.kernel.errors import NotAllowed
from tillmesh.shop import events as e
from tillmesh.shop.people import LEAST, RANK
from tillmesh.till import commands as c
from tillmesh.till.oversells import open_oversell

# Selling is whoever is signed in; who sees what is the pages' and the API's business.
RIGHTS = {
    str(action): least
    for action, least in LEAST.items()
    if action not in {"sell", "park", "open_shift"} and not action.startswith("see_")
}
WHO = {"cashier": CASHIER, "supervisor": SUPERVISOR, "manager": MANAGER}


def _parked(shop: Shop) -> c.Command:
    shop.ops(add("1"), cart_id="aside")
    return c.DiscardParked(park_id=str(shop.do(c.ParkCart(cart_id="aside")).reply))


def _printed(shop: Shop) -> c.Command:
    change = e.Change(key="k3m7qx2p", fields={"printer_kind": "file"})
    shop.do(c.ChangeRecords(entity="setting", changes=(change,)), MANAGER)
    return c.Reprint(event=shop.sell())


def _change(entity: str) -> Callable[[Shop], c.Command]:
    change = e.Change(key="new", fields={"name": "New"})
    return lambda _: c.ChangeRecords(entity=entity, changes=(change,))


def _known(shop: Shop) -> c.Command:
    shop.do(_change("customer")(shop), MANAGER)
    return c.EraseCustomer(customer_id="new")


def _refund(shop: Shop) -> c.Command:
    return c.RefundSale(sale_id=shop.sell(), lines=(c.WantedRefund(line=0, quantity_milli=1000),), reason="broken")


def _oversold(shop: Shop) -> c.Command:
    shop.sell()
    open_one = open_oversell(shop.books, "mug")
    assert open_one is not None
    return c.ResolveOversell(conflict_id=open_one.conflict_id, sku="mug", action="adjust")


def _card_unknown(shop: Shop) -> c.Command:
    shop.ops(add("1"), cart_id="by-card")
    shop.do(c.AskCard(payment_id="p", cart_id="by-card", amount_minor=1))
    return c.CardSettled(payment_id="p", paid=False)


ATTEMPTS: dict[str, Callable[[Shop], c.Command]] = {
    "discount": lambda _: c.CloseSale(cart_id="x", lines=(line(discount_minor=1_000),), payments=cash(250)),
    "price_override": lambda _: c.CloseSale(cart_id="x", lines=(line(unit_price_minor=1),), payments=cash(1)),
    "void": lambda shop: c.VoidSale(sale_id=shop.sell(), reason="mistake"),
    "refund": _refund,
    "refund_without_receipt": lambda _: c.RefundWithoutReceipt(
        lines=(c.WantedRefund(sku="mug", quantity_milli=1000),), reason="gift", payments=cash(1_250)
    ),
    "open_drawer": lambda _: c.OpenDrawer(reason="change"),
    "cash_move": lambda _: c.MoveCash(amount_minor=100, reason="change"),
    "discard_parked": _parked,
    "receive_stock": lambda _: c.ReceiveStock(sku="mug", quantity_milli=1000),
    "adjust_stock": lambda _: c.AdjustStock(sku="mug", quantity_milli=-1000, reason="broken"),
    "count_stock": lambda _: c.CountStock(sku="mug", quantity_milli=1000),
    "reprint": _printed,
    "close_shift": lambda _: c.CloseShift(counted_minor=0),
    "resolve_oversell": _oversold,
    "teach_product": lambda _: c.TeachProduct(sku="mug", space="lite0-1", examples=(b"seen",)),
    "settle_card": _card_unknown,
    "change_product": _change("product"),
    "change_customer": _change("customer"),
    "change_person": _change("person"),
    "change_setting": _change("setting"),
    "change_offer": _change("promotion"),
    "erase_customer": _known,
}


def test_every_right_is_tried() -> None:
    assert ATTEMPTS.keys() == RIGHTS.keys()


@pytest.mark.parametrize("role", RANK)
@pytest.mark.parametrize("action", RIGHTS)
def test_an_action_is_for_its_least_role_and_above(shop: Shop, action: str, role: str) -> None:
    command = ATTEMPTS[action](shop)
    if RANK[role] >= RANK[RIGHTS[action]]:
        assert shop.do(command, WHO[role]).events
        return
    held = len(shop.log())
    with pytest.raises(NotAllowed) as refused:
        shop.do(command, WHO[role])
    assert (refused.value.action, refused.value.needs) == (action, RIGHTS[action])
    assert len(shop.log()) == held
    # Somebody with the right says yes, to exactly this.
    with pytest.raises(NotAllowed):
        shop.do(command, WHO[role], approved=[other for other in RIGHTS if other != action])
    assert shop.do(command, WHO[role], approved=[action]).events


@pytest.mark.parametrize("action", RIGHTS)
def test_a_role_of_a_newer_program_may_do_nothing(shop: Shop, action: str) -> None:
    command = ATTEMPTS[action](shop)
    with pytest.raises(NotAllowed):
        shop.do(command, c.Who(user_id="eve", role="wizard"))


def test_an_open_drawer_and_a_reprint_leave_a_trace(shop: Shop) -> None:
    shop.do(c.OpenDrawer(reason="change"), approved=["open_drawer"])
    noted = shop.read(shop.log()[-1].id, e.Audited)
    assert (noted.action, noted.detail, noted.by, noted.approved_by) == ("drawer_opened", "change", "cara", "sam")
