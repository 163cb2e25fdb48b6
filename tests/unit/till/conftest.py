"""The shops that the tests of the till's use cases start with."""

from collections.abc import Iterator

import pytest

from tests.unit.till.shop_till import Shop


@pytest.fixture
def closed_shop() -> Iterator[Shop]:
    """A furnished shop before anybody opened a shift."""
    shop = Shop().furnish()
    yield shop
    shop.writer.close()


@pytest.fixture
def shop(closed_shop: Shop) -> Shop:
    """A furnished shop with 100.00 in the drawer."""
    return closed_shop.open()
