"""Tickets: no till sells one more than it has rights for, and rights follow the goods, the refunds and the lost."""

from collections.abc import Iterator
from random import Random

import pytest
from msgspec import structs

from tests.unit.till.shop_till import CASHIER, GOODS, MANAGER, ORIGIN, SUPERVISOR, Shop, add, cash, line
from tillmesh.adapters.sqlite.identity import till_of as till_of_disk
from tillmesh.adapters.sqlite.reporting import state_parts
from tillmesh.adapters.sqlite.store import Origin
from tillmesh.kernel.errors import Conflict, NotAllowed, NotFound
from tillmesh.kernel.limits import GRANTS_KEPT_MAX
from tillmesh.shop import events as e
from tillmesh.shop.events import RightsIssued, RightsMoved, RightsReleased
from tillmesh.till import commands as c
from tillmesh.till.agreement import Agreed, RightsGranted
from tillmesh.till.desk import Company
from tillmesh.till.escrow import NoRights, lacking
from tillmesh.till.granting import unheld
from tillmesh.till.money_conflicts import open_conflicts

TICKET = 1_250


def mark(shop: Shop, sku: str = "mug", *, limited: bool = True) -> None:
    change = e.Change(key=sku, fields={"hard_limited": limited})
    shop.do(c.ChangeRecords(entity="product", changes=(change,)), MANAGER)


def receive(shop: Shop, pieces: int) -> None:
    shop.do(c.ReceiveStock(sku="mug", quantity_milli=pieces * 1_000))


def own(shop: Shop, sku: str = "mug") -> int:
    """Give how many whole pieces a till may sell, as it knows itself."""
    return shop.books.rights(sku).rights(shop.till.identity.actor) // 1_000


def give(shop: Shop, to: Shop, pieces: int, by: str = "cara") -> object:
    actor = to.till.identity.actor
    return shop.do(c.HandRights(sku="mug", to=actor, quantity_milli=pieces * 1_000, by=by), MANAGER).reply


def till_of(first: Shop, number: int) -> Shop:
    """Another till of the store, which holds everything the first one does."""
    name = f"t{number}aaaaaa"
    other = Shop(Origin(store=ORIGIN.store, terminal=name, actor=f"{name}.1111111{number}"))
    hear(other, first)
    return other.open()


def hear(one: Shop, other: Shop) -> None:
    with one.writer.transaction():
        one.writer.ledger.append_foreign(other.log())
    one.books.forget()


def apart(*tills: Shop) -> None:
    """Nobody hears anybody."""
    together(*tills)
    for till in tills:
        till.till.company = Company(others=till.till.company.others, members=till.till.company.members, leads=False)


def together(*tills: Shop) -> None:
    """All hear all; the first one leads."""
    for till in tills:
        others = tuple(one.till.identity.terminal for one in tills if one is not till)
        members = tuple(one.till.identity.actor for one in tills)
        till.till.company = Company(others=others, heard=others, members=members, leads=till is tills[0])


@pytest.fixture
def tickets(shop: Shop) -> Shop:
    """A till with ten tickets (they look like mugs) that are hard-limited."""
    mark(shop)
    receive(shop, 10)
    return shop


@pytest.fixture
def two(tickets: Shop) -> Iterator[tuple[Shop, Shop]]:
    """Two tills apart: seven tickets may be sold at the first, three at the second."""
    other = till_of(tickets, 2)
    give(tickets, other, 3)
    hear(other, tickets)
    apart(tickets, other)
    yield tickets, other
    other.writer.close()


def test_two_tills_apart_sell_every_ticket_and_not_one_more(two: tuple[Shop, Shop]) -> None:
    sold = 0
    for till in two:
        for number in range(12):
            try:
                till.sell(line("mug"), cart_id=f"{till.till.identity.terminal}-{number}")
                sold += 1
            except NoRights:
                assert own(till) == 0
    assert sold == 10
    for _ in range(2):
        hear(*two)
        hear(*two[::-1])
    assert two[0].books.stock_milli("mug") == 0
    assert two[0].books.rights("mug").value == 0
    assert state_parts(two[0].writer.db) == state_parts(two[1].writer.db)


def test_a_refusal_says_where_the_others_are_and_at_the_end_that_it_is_sold_out(two: tuple[Shop, Shop]) -> None:
    first, second = two
    with pytest.raises(NoRights, match="this till may sell 3; other tills hold") as refused:
        second.sell(line("mug", 4), cart_id="many")
    assert refused.value.members() == {
        "sku": "mug", "here": "3", "elsewhere": [{"terminal_id": ORIGIN.terminal, "quantity": "7"}],
    }  # fmt: skip
    assert second.books.stock_milli("mug") == 10_000, "nothing of the refused sale is there"
    first.sell(line("mug", 7), cart_id="a")
    second.sell(line("mug", 3), cart_id="b")
    hear(second, first)
    with pytest.raises(NoRights, match="no other till holds any"):
        second.sell(line("mug"), cart_id="c")


def test_a_cart_warns_before_anybody_pays(two: tuple[Shop, Shop]) -> None:
    second = two[1]
    second.ops(add("a"), add("b"))
    cart, _ = second.books.cart("cart-1") or pytest.fail("no cart")
    assert lacking(second.books, second.till.identity, cart) == []
    second.ops(add("c", quantity="2"))
    cart, _ = second.books.cart("cart-1") or pytest.fail("no cart")
    ((product, wanted, here),) = lacking(second.books, second.till.identity, cart)
    assert (product.sku, wanted, here) == ("mug", 4_000, 3_000)
    with pytest.raises(NoRights):
        second.do(c.PayCart(cart_id="cart-1", payments=cash(4 * TICKET)))
    assert second.books.cart("cart-1") is not None


def test_a_right_is_taken_when_the_sale_closes_and_comes_back_with_the_refund_or_the_void(tickets: Shop) -> None:
    sale = tickets.sell(line("mug", 2), line("milk"))
    assert own(tickets) == 8
    assert tickets.read(sale, e.SaleClosed).limited == ("mug",)
    wanted = (c.WantedRefund(line=0, quantity_milli=1_000),)
    tickets.do(c.RefundSale(sale_id=sale, lines=wanted, reason="ill", refund_key="r"), MANAGER)
    assert own(tickets) == 9
    broken = (c.WantedRefund(line=0, quantity_milli=1_000, restock=False),)
    tickets.do(c.RefundSale(sale_id=sale, lines=broken, reason="torn", refund_key="s"), MANAGER)
    assert own(tickets) == 9, "a torn ticket is not sold again"
    again = tickets.sell(line("mug", 9), cart_id="all")
    tickets.do(c.VoidSale(sale_id=again, reason="mistake"), SUPERVISOR)
    assert own(tickets) == 9


def test_a_sale_taken_back_at_two_tills_apart_gives_its_right_back_once(two: tuple[Shop, Shop]) -> None:
    first, second = two
    sale = first.sell(line("mug"))
    hear(second, first)
    for till in two:
        till.do(c.VoidSale(sale_id=sale, reason="mistake"), SUPERVISOR)
    assert [own(till) for till in two] == [7, 3]
    hear(first, second)
    hear(second, first)
    together(first, second)
    assert first.books.stock_milli("mug") == 11_000, "as two people said; the doubled void is on the list of conflicts"
    assert first.books.rights("mug").value == 10_000
    assert unheld(first.books, "mug") == 0, "what is in stock twice is nobody's to give out"
    (found,) = open_conflicts(first.books)
    first.do(c.SettleMoneyConflict(conflict_id=found.conflict_id, reason="eleven lie here"), MANAGER)
    assert unheld(first.books, "mug") == 1_000


def test_a_sale_taken_back_in_touch_at_two_tills_at_once_gives_its_right_back_once(two: tuple[Shop, Shop]) -> None:
    first, second = two
    third = till_of(first, 3)
    sale = first.sell(line("mug"))
    for till in (second, third):
        hear(till, first)
        together(first, second, third)
        till.do(c.VoidSale(sale_id=sale, reason="mistake"), SUPERVISOR)
    for till in (second, third):
        hear(first, till)
    assert first.books.rights("mug").value == 9_000, "nobody has its right yet"
    assert first.books.stock_milli("mug") == 11_000
    assert unheld(first.books, "mug") == 1_000
    third.writer.close()


def test_two_tills_that_both_lead_for_an_instant_give_the_same_goods_out_once(shop: Shop) -> None:
    receive(shop, 6)
    mark(shop)
    other = till_of(shop, 2)
    together(shop, other)
    agreed = Agreed()
    wanted = [
        RightsGranted(op_id=f"g{place}", sku="mug", actor=till.till.identity.actor, quantity_milli=6_000,
                      after=till.till.head.seq)
        for place, till in enumerate((shop, other))
    ]  # fmt: skip
    for each in wanted:
        agreed = agreed.after(each)
    assert agreed.grants == {"mug": wanted[0]}, "the second had not seen the first, so it is void on every till"
    for till, each in zip((shop, other), wanted, strict=True):
        if agreed.grants["mug"] == each:
            till.do(c.IssueRights(sku="mug", grant=each.op_id, granted_milli=6_000, granted_after=each.after), MANAGER)
    hear(other, shop)
    assert (other.books.rights("mug").value, other.books.stock_milli("mug")) == (6_000, 6_000)
    later = structs.replace(wanted[1], op_id="g2", before="g0")
    assert agreed.after(later).grants == {"mug": later}
    assert Agreed.from_bytes(agreed.to_bytes()) == agreed, "whoever joins from a snapshot knows it too"
    for number in range(GRANTS_KEPT_MAX + 5):
        agreed = agreed.after(structs.replace(wanted[0], op_id=f"m{number}", sku=f"many-{number}"))
    assert len(agreed.grants) == GRANTS_KEPT_MAX
    other.writer.close()


def test_what_was_agreed_is_carried_out_though_it_is_nothing_by_then(shop: Shop) -> None:
    """Whoever leads next waits for it; goods that were sold or unmarked meanwhile must not make it wait for ever."""
    mark(shop)
    agreed = c.IssueRights(sku="mug", grant="g1", granted_milli=5_000)
    assert shop.read(shop.do(agreed, MANAGER).reply, RightsIssued).quantity_milli == 0
    assert shop.books.is_carried_out(shop.till.identity.actor, 0, "g1")
    assert own(shop) == 0


def test_goods_come_in_with_their_rights_and_are_not_counted_up(two: tuple[Shop, Shop]) -> None:
    first, second = two
    receive(second, 5)
    assert (own(first), own(second)) == (7, 8)
    with pytest.raises(Conflict, match="can't be counted up"):
        first.do(c.CountStock(sku="mug", quantity_milli=11_000), SUPERVISOR)
    with pytest.raises(Conflict, match="can't be counted up"):
        first.do(c.AdjustStock(sku="mug", quantity_milli=1_000, reason="found"), SUPERVISOR)
    first.do(c.CountStock(sku="mug", quantity_milli=8_000), SUPERVISOR)
    assert own(first) == 5, "a count lowers what its own till may sell"
    with pytest.raises(NoRights):
        first.do(c.CountStock(sku="mug", quantity_milli=1_000), SUPERVISOR)
    first.do(c.AdjustStock(sku="mug", quantity_milli=-2_000, reason="torn"), SUPERVISOR)
    assert own(first) == 3


def test_without_the_mark_everything_is_as_it_was(shop: Shop) -> None:
    sale = shop.sell(line("mug", 3))
    assert shop.read(sale, e.SaleClosed).limited == ()
    assert shop.books.stock_milli("mug") == -3_000
    assert shop.books.rights("mug").holders() == {}
    shop.do(c.CountStock(sku="mug", quantity_milli=9_000), SUPERVISOR)


def test_goods_that_were_there_before_the_mark_are_given_out_where_the_store_is_led(shop: Shop) -> None:
    receive(shop, 6)
    mark(shop)
    with pytest.raises(NoRights):
        shop.sell(line("mug"))
    other = till_of(shop, 2)
    apart(shop, other)
    issue = c.IssueRights(sku="mug", reason="the first show")
    with pytest.raises(Conflict, match="not all tills are heard"):
        shop.do(issue, MANAGER)
    together(shop, other)
    with pytest.raises(Conflict, match="another till leads"):
        other.do(issue, MANAGER)
    with pytest.raises(NotAllowed):
        shop.do(issue, CASHIER)
    with pytest.raises(Conflict, match="the store has not agreed"):
        shop.do(issue, MANAGER)
    agreed = c.IssueRights(sku="mug", reason="the first show", by="ruth", grant="g1", granted_milli=9_000)
    given = shop.read(shop.do(agreed, MANAGER).reply, RightsIssued)
    assert (given.quantity_milli, given.grant, own(shop)) == (6_000, "g1", 6), "no more than nobody held"
    assert shop.do(agreed, MANAGER).events == (), "carried out again, it is done already"
    assert shop.do(issue, MANAGER).events == (), "asked again, there is nothing left to give out"
    other.writer.close()


def test_what_a_till_sold_before_it_heard_of_the_mark_is_taken_out_again(shop: Shop) -> None:
    receive(shop, 6)
    other = till_of(shop, 2)
    mark(shop)
    shop.do(c.IssueRights(sku="mug"), MANAGER)
    other.sell(line("mug", 2))
    hear(shop, other)
    taken = shop.read(shop.do(c.IssueRights(sku="mug"), MANAGER).reply, RightsIssued)
    assert (taken.quantity_milli, own(shop), shop.books.stock_milli("mug")) == (-2_000, 4, 4_000)
    other.writer.close()


def test_a_product_that_is_marked_again_has_the_rights_that_are_left(tickets: Shop) -> None:
    mark(tickets, limited=False)
    tickets.sell(line("mug", 12))
    assert own(tickets) == -2
    mark(tickets)
    receive(tickets, 3)
    assert own(tickets) == 1
    assert tickets.books.stock_milli("mug") == 1_000


def test_what_is_found_while_the_mark_is_off_is_nobodys_right(tickets: Shop) -> None:
    mark(tickets, limited=False)
    tickets.do(c.AdjustStock(sku="mug", quantity_milli=5_000, reason="found"), SUPERVISOR)
    tickets.do(c.AdjustStock(sku="mug", quantity_milli=-1_000, reason="torn"), SUPERVISOR)
    mark(tickets)
    assert own(tickets) == 9, "what is torn takes its right with it, what is found brings none"


def test_a_till_hands_on_half_of_its_own_unless_somebody_waits_over_there(two: tuple[Shop, Shop]) -> None:
    first, second = two
    moved = first.read(give(first, second, 100, by=""), RightsMoved)
    assert moved.quantity_milli == 3_000
    first.read(give(first, second, 100), RightsMoved)
    assert own(first) == 0
    assert give(first, second, 1) is None
    assert own(second) == 3, "what is on its way counts when it is here"
    hear(second, first)
    assert own(second) == 10


def test_rights_of_a_lost_till_are_taken_over_by_a_manager_who_was_warned(two: tuple[Shop, Shop]) -> None:
    first, second = two
    lost = second.till.identity.actor
    take = c.ReleaseRights(sku="mug", holder=lost, reason="stolen from the counter")
    together(first, second)
    with pytest.raises(Conflict, match="belongs to the store"):
        first.do(take, MANAGER)
    first.till.company = Company(members=(first.till.identity.actor,))
    with pytest.raises(Conflict, match="may have sold some"):
        first.do(take, MANAGER)
    sure = c.ReleaseRights(sku="mug", holder=lost, reason="stolen from the counter", accept_risk=True)
    with pytest.raises(NotAllowed):
        first.do(sure, SUPERVISOR)
    took = first.read(first.do(sure, MANAGER).reply, RightsReleased)
    assert (took.quantity_milli, own(first)) == (3_000, 10)
    with pytest.raises(NotFound):
        first.do(sure, MANAGER)


def restart(till: Shop) -> None:
    """Start a till anew from what is on its disk, among the same others."""
    company, origin = till.till.company, Origin(ORIGIN.store, till.till.identity.terminal, till.till.identity.actor)
    till.till = till_of_disk(till.writer, origin, till.clock_ms)
    till.till.company = company


@pytest.mark.slow
def test_three_tills_over_any_partition_restart_and_repetition_sell_what_came_in(tickets: Shop) -> None:
    """Seeded walks: sell, hand on, receive, refund, hear each other in part, hear it all again, start anew."""
    tills = [tickets, till_of(tickets, 2), till_of(tickets, 3)]
    draw, sales, received = Random(20_261_126), dict[str, int](), 10
    apart(*tills)
    for step in range(600):
        till, other = draw.sample(tills, 2)
        match draw.choice(["sell", "sell", "sell", "hand", "hear", "hear", "refund", "receive", "restart"]):
            case "sell":
                pieces = draw.randint(1, 3)
                try:
                    sales[till.sell(line("mug", pieces), cart_id=f"s{step}")] = pieces
                except NoRights:
                    assert own(till) < pieces
            case "hand":
                give(till, other, draw.randint(1, 5), draw.choice(["", "cara"]))
            case "hear":
                hear(till, other)
            case "receive" if draw.random() < 0.2:
                received += 2
                receive(till, 2)
            case "refund" if sales:
                sale = draw.choice(sorted(sales))
                if till.books.event(sale) is not None and sale.startswith(till.till.identity.actor):
                    till.do(c.VoidSale(sale_id=sale, reason="mistake"), SUPERVISOR)
                    del sales[sale]
            case "restart":
                restart(till)
            case _:
                pass
        assert sum(sales.values()) <= received
    for one in tills:
        for other in tills:
            if one is not other:
                hear(one, other)
    assert tills[0].books.stock_milli("mug") == 1_000 * (received - sum(sales.values())) >= 0
    assert tills[0].books.rights("mug").value == tills[0].books.stock_milli("mug")
    assert len({str(state_parts(one.writer.db)) for one in tills}) == 1
    for one in tills[1:]:
        one.writer.close()


def test_practice_needs_no_rights(shop: Shop) -> None:
    mark(shop)
    training = e.Change(key=ORIGIN.terminal, fields={"training": True})
    shop.do(c.ChangeRecords(entity="setting", changes=(training,)), MANAGER)
    assert shop.sell(line("mug"))
    assert GOODS["mug"]["price_minor"] == TICKET
