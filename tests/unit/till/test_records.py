"""Products, people and settings: changed field by field, never so that the shop can't go on."""

import pytest

from tests.unit.till.shop_till import CASHIER, MANAGER, ORIGIN, Shop, add, cash, line
from tillmesh.adapters.sqlite.store import Origin
from tillmesh.kernel.errors import Conflict, Invalid, TooLarge
from tillmesh.kernel.limits import PRODUCTS_PER_EVENT_MAX
from tillmesh.shop import events as e
from tillmesh.till import commands as c


def change(entity: str, key: str, **fields: e.Value) -> c.ChangeRecords:
    return c.ChangeRecords(entity=entity, changes=(e.Change(key=key, fields=fields),))


def test_a_field_that_is_not_named_stays_as_it_was(shop: Shop) -> None:
    shop.do(change("product", "mug", price_minor=1_300), MANAGER)
    mug = shop.books.product("mug")
    assert mug is not None
    assert (mug.price_minor, mug.name, mug.barcodes) == (1_300, "Enamel mug", ("5012345678900",))


def test_a_new_price_is_charged_from_the_next_sale_on(shop: Shop) -> None:
    shop.sell(cart_id="before")
    shop.do(change("product", "mug", price_minor=1_300), MANAGER)
    sale = shop.do(c.CloseSale(cart_id="after", lines=(line(),), payments=cash(1_300))).reply
    assert shop.read(sale, e.SaleClosed).total_minor == 1_300


def test_a_change_that_is_rolled_back_is_not_believed(shop: Shop) -> None:
    commands: list[tuple[c.Who, c.Command]] = [
        (MANAGER, change("product", "mug", price_minor=1)),
        (MANAGER, c.OpenShift(float_minor=0)),
        (MANAGER, c.CloseShift(counted_minor=-1)),
    ]
    before = shop.till.head
    with pytest.raises(Conflict):
        shop.writer.execute_all(shop.till, commands, shop.clock_ms)
    mug = shop.books.product("mug")
    assert mug is not None
    assert mug.price_minor == 1_250
    assert shop.till.head == before
    assert shop.sell()


def test_the_last_manager_stays(shop: Shop) -> None:
    for fields in ({"role": "cashier"}, {"active": False}):
        with pytest.raises(Conflict, match="last manager"):
            shop.do(change("person", "mona", **fields), MANAGER)
    shop.do(change("person", "sam", role="manager"), MANAGER)
    assert shop.do(change("person", "mona", active=False), MANAGER).events


def test_two_managers_do_not_demote_each_other_in_one_go(shop: Shop) -> None:
    shop.do(change("person", "sam", role="manager"), MANAGER)
    both = tuple(e.Change(key=key, fields={"role": "cashier"}) for key in ("sam", "mona"))
    with pytest.raises(Conflict, match="last manager"):
        shop.do(c.ChangeRecords(entity="person", changes=both), MANAGER)


def test_no_two_people_share_a_pin(shop: Shop) -> None:
    shop.do(change("person", "cara", pin_tag="c0ffee"), MANAGER)
    with pytest.raises(Conflict, match="PIN"):
        shop.do(change("person", "sam", pin_tag="c0ffee"), MANAGER)
    assert shop.do(change("person", "cara", pin_tag="c0ffee"), MANAGER).events


def test_the_currency_stays_once_something_was_sold(shop: Shop) -> None:
    shop.set_store(currency="GBP")
    shop.sell()
    with pytest.raises(Conflict, match="currency"):
        shop.set_store(currency="EUR")
    shop.set_store(currency="GBP", name="Corner shop")


def test_a_tax_rate_that_products_need_is_not_taken_away(shop: Shop) -> None:
    with pytest.raises(Conflict, match="'reduced'"):
        shop.set_store(tax_rates=["standard=200000", "zero=0"])
    shop.do(change("product", "milk", tax_code="zero"), MANAGER)
    shop.set_store(tax_rates=["standard=200000", "zero=0"])


def test_records_of_an_unknown_kind_and_endless_lists_are_refused(shop: Shop) -> None:
    with pytest.raises(Invalid, match="not a kind of record"):
        shop.do(change("dragon", "smaug", name="Smaug"), MANAGER)
    with pytest.raises(Invalid, match="0 characters"):
        shop.do(change("customer", "", name="Nobody"))
    many = tuple(e.Change(key=str(number), fields={"name": "x"}) for number in range(PRODUCTS_PER_EVENT_MAX + 1))
    with pytest.raises(TooLarge):
        shop.do(c.ChangeRecords(entity="product", changes=many), MANAGER)


def test_a_customer_stands_on_the_sale(shop: Shop) -> None:
    shop.do(change("customer", "ada", name="Ada"), CASHIER)
    shop.ops(add("1"), c.CartOperation(op_id="who", op="customer", customer_id="ada"))
    sale = shop.do(c.PayCart(cart_id="cart-1", payments=cash(1_250))).reply
    assert shop.read(sale, e.SaleClosed).customer_id == "ada"


def test_a_price_written_by_a_clock_ten_years_ahead_can_be_changed_again_at_once(shop: Shop) -> None:
    ten_years_ms = 10 * 365 * 86_400_000
    at, shop.clock_ms = shop.clock_ms, shop.clock_ms + ten_years_ms
    shop.do(change("product", "mug", price_minor=99), MANAGER)
    other = Shop(Origin(store=ORIGIN.store, terminal="m2aaaaaa", actor="m2aaaaaa.11111111"))
    other.clock_ms = at
    other.writer.ledger.append_foreign(shop.log())
    other.do(change("product", "mug", price_minor=1_300), MANAGER)
    mug = other.books.product("mug")
    assert mug is not None
    assert mug.price_minor == 1_300
    other.do(change("product", "mug", price_minor=1_400), MANAGER)
    again = other.books.product("mug")
    assert again is not None
    assert again.price_minor == 1_400, "and again, by clocks that are right"
