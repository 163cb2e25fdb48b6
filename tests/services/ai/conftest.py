"""One till with models for all tests that only ask them."""

from collections.abc import Iterator

import pytest

from tests.services.ai.till import AiShop
from tests.services.api.shop import Loop


@pytest.fixture(scope="session")
def ai_shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AiShop]:
    """A till that sells tea, with the models that ship with the program."""
    loop = Loop()
    shop = AiShop(loop, tmp_path_factory.mktemp("ai-shop") / "till", "barcode", "voice")
    shop.product("tea", barcodes=["4006381333931"])
    yield shop
    shop.close()
    loop.close()
