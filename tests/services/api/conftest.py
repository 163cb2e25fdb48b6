"""Tills for the tests of the HTTP side: one shared, others fresh."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.services.api.process import Running, running
from tests.services.api.shop import Loop, Shop


@pytest.fixture(scope="session")
def loop() -> Iterator[Loop]:
    loop = Loop()
    yield loop
    loop.close()


@pytest.fixture(scope="session")
def shop(loop: Loop, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    """A till that many tests share: each brings products and carts of its own, and leaves the settings as they are."""
    shop = Shop(loop, tmp_path_factory.mktemp("shop") / "till")
    shop.product("tea", barcodes=["4006381333931"])
    shop.product("rice", name="Basmati rice", unit="kg", price_minor=399)
    yield shop
    shop.close()


@pytest.fixture
def fresh(loop: Loop, tmp_path: Path) -> Iterator[Callable[[], Shop]]:
    """Make tills of one's own."""
    made: list[Shop] = []

    def make(open_shift: bool = True) -> Shop:
        made.append(Shop(loop, tmp_path / f"till-{len(made)}", open_shift=open_shift))
        return made[-1]

    yield make
    for shop in made:
        shop.close()


@pytest.fixture(scope="session")
def till(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """The program itself on a loopback port."""
    with running(tmp_path_factory.mktemp("program")) as till:
        yield till
