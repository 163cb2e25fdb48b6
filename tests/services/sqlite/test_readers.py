"""Readers keep what they looked up until an event changes it, and see that event at once, whoever wrote it."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tillmesh.adapters.sqlite import replica
from tillmesh.adapters.sqlite.ledger import log
from tillmesh.adapters.sqlite.store import Reader
from tillmesh.shop.events import Change, Payment
from tillmesh.terminal.bootstrap import Opened, open_terminal
from tillmesh.till.commands import CartOperation, ChangeRecords, EditCart, OpenShift, PayCart, Who

OWNER = Who(user_id="owner", role="manager")


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[Opened]:
    opened = open_terminal(tmp_path / "till")
    yield opened
    opened.close()


@pytest.fixture
def reader(opened: Opened) -> Iterator[Reader]:
    reader = opened.reader()
    yield reader
    reader.close()


def set_price(opened: Opened, price_minor: int) -> None:
    change = Change(key="milk", fields={"name": "Milk", "price_minor": price_minor})
    opened.writer.execute(opened.till, OWNER, ChangeRecords(entity="product", changes=(change,)), price_minor)


def price(reader: Reader) -> int | None:
    product = reader.read(lambda _, books: books.product("milk"))
    return None if product is None else product.price_minor


def test_a_reader_sees_each_new_price_as_soon_as_it_is_committed(opened: Opened, reader: Reader) -> None:
    assert price(reader) is None
    for price_minor in range(100, 120):
        set_price(opened, price_minor)
        assert price(reader) == price(reader) == price_minor


def test_a_reader_sees_a_new_name_of_the_store_as_soon_as_it_is_committed(opened: Opened, reader: Reader) -> None:
    before = reader.read(lambda _, books: books.store().name)
    change = Change(key="store", fields={"name": before + " and sons"})
    opened.writer.execute(opened.till, OWNER, ChangeRecords(entity="setting", changes=(change,)), 1)
    assert reader.read(lambda _, books: books.store().name) == before + " and sons"


def asked_of(reader: Reader) -> list[str]:
    """Note from now on what a reader asks its database."""
    asked: list[str] = []

    def trace(_: object, sql: str, __: object) -> bool:
        asked.append(sql)
        return True

    reader.db.exec_trace = trace
    return asked


def test_a_reader_asks_the_database_once_until_a_product_changes(opened: Opened, reader: Reader) -> None:
    set_price(opened, 100)
    price(reader)
    asked = asked_of(reader)
    assert price(reader) == 100
    assert [sql for sql in asked if "product" in sql] == []
    set_price(opened, 101)
    assert price(reader) == 101
    assert [sql for sql in asked if "product" in sql]


def test_a_sale_and_a_cart_change_nothing_that_a_reader_keeps(opened: Opened, reader: Reader) -> None:
    set_price(opened, 100)
    opened.writer.execute(opened.till, OWNER, OpenShift(float_minor=0), 200)
    price(reader)
    asked = asked_of(reader)
    add = CartOperation(op_id="one", op="add", line_id="l", sku="milk")
    opened.writer.execute(opened.till, OWNER, EditCart(cart_id="cart", operations=(add,)), 201)
    paid = PayCart(cart_id="cart", payments=(Payment(method="cash", amount_minor=100),))
    opened.writer.execute(opened.till, OWNER, paid, 202)
    assert price(reader) == 100
    assert [sql for sql in asked if "product" in sql] == []
    assert reader.read(lambda _, books: books.stock_milli("milk")) == -1_000, "what changes all the time is never kept"


def test_a_price_of_another_till_is_seen_by_whoever_reads_and_by_whoever_sells(tmp_path: Path) -> None:
    with (
        closing(open_terminal(tmp_path / "a", store="s")) as here,
        closing(open_terminal(tmp_path / "b", store="s")) as other,
    ):
        set_price(here, 100)
        with closing(here.reader()) as reader:
            assert price(reader) == here.writer.books.product("milk").price_minor == 100  # type: ignore[union-attr]
            set_price(other, 300)
            replica.merge(here.writer, here.till, list(log(other.writer.db)), 400)
            assert price(reader) == here.writer.books.product("milk").price_minor == 300  # type: ignore[union-attr]


def test_a_reader_looks_anew_when_the_tables_were_made_anew(opened: Opened, reader: Reader) -> None:
    set_price(opened, 100)
    opened.writer.db.execute("UPDATE product SET price_minor = 1")
    assert price(reader) == 1
    with opened.writer.transaction():
        opened.writer.ledger.rebuild()
    assert price(reader) == 100
