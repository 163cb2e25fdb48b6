"""Readers keep what they looked up while nobody commits, and see every commit at once."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tillmesh.adapters.sqlite.store import Reader
from tillmesh.shop.events import Change
from tillmesh.terminal.bootstrap import Opened, open_terminal
from tillmesh.till.commands import ChangeRecords, Who

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


def test_a_reader_asks_the_database_once_while_nobody_commits(opened: Opened, reader: Reader) -> None:
    set_price(opened, 100)
    price(reader)
    asked: list[str] = []

    def trace(_: object, sql: str, __: object) -> bool:
        asked.append(sql)
        return True

    reader.db.exec_trace = trace
    assert price(reader) == 100
    assert [sql for sql in asked if "product" in sql] == []
    set_price(opened, 101)
    assert price(reader) == 101
    assert [sql for sql in asked if "product" in sql]
