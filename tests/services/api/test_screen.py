"""The page on the screen of a till says that it lives, and whoever watches the screen can ask."""

from tests.services.api.shop import HOST, Shop
from tillmesh.terminal.web.api import PREFIX
from tillmesh.terminal.web.screen_calls import HEARD


def test_a_till_says_for_how_long_its_screen_has_been_silent(shop: Shop) -> None:
    shop.services.extra.pop(HEARD, None)
    assert shop.ok("GET", "/screen") == {"silent_s": None}
    assert shop.call("PUT", "/screen", role=None).status_code == 204
    assert shop.ok("GET", "/screen")["silent_s"] >= 0
    shop.services.extra[HEARD] -= 3_600_000
    assert shop.ok("GET", "/screen")["silent_s"] >= 3_600


def test_a_page_on_another_device_is_not_taken_for_the_screen_of_this_till(shop: Shop) -> None:
    shop.services.extra.pop(HEARD, None)
    answer = shop.loop.run(shop.client.put(f"https://{HOST}{PREFIX}/screen"))
    assert answer.status_code == 204
    assert shop.ok("GET", "/screen") == {"silent_s": None}
