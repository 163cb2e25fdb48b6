"""What is weighed at the till, through the API: the scale's word counts, and what somebody typed is marked."""

from collections.abc import Callable, Iterator

import pytest

from tests.services.api.shop import Json, Shop
from tests.services.simulated_devices import TcpScale
from tillmesh.shop.events import SaleClosed


@pytest.fixture
def scale() -> Iterator[TcpScale]:
    with TcpScale() as scale:
        yield scale


@pytest.fixture
def till(fresh: Callable[[], Shop], scale: TcpScale) -> Shop:
    shop = fresh()
    shop.product("apples", name="Apples", unit="kg", price_minor=399)
    shop.product("saffron", name="Saffron", unit="g", price_minor=900)
    shop.product("tea")
    shop.ok("PATCH", "/settings", {"terminal": {"scale_kind": "mettler8217", "scale_target": scale.address}})
    return shop


def weighed(till: Shop, scale: TcpScale, grams: int) -> int:
    """Put something on the scale and give the number of the reading that the page is shown."""
    scale.put(grams)

    def look() -> int | None:
        shown: Json = till.ok("GET", "/scale?seen=0&price=399", role="cashier")
        return shown["number"] if (shown["state"], shown["grams"]) == ("stable", grams) else None

    return till.wait_for(look, 60)


def add(till: Shop, sku: str = "apples", **more: object) -> Json:
    op = {"op_id": f"op-{sku}", "op": "add", "sku": sku, "line_id": "1", **more}
    shown: Json = till.ok("POST", f"/carts/cart-{sku}/ops", {"ops": [op]}, role="cashier")
    return shown


def pay(till: Shop, total: int, sku: str = "apples") -> SaleClosed:
    sale = till.ok("POST", f"/carts/cart-{sku}/pay", {"payments": [{"method": "cash", "amount_minor": total}]})
    body = till.body(sale["event_id"])
    assert isinstance(body, SaleClosed)
    return body


@pytest.mark.slow
def test_the_weight_on_the_scale_less_the_bag_is_sold_whatever_the_page_says(till: Shop, scale: TcpScale) -> None:
    number = weighed(till, scale, 520)
    line = add(till, reading=number, tare_g=20, quantity="99")["lines"][0]
    assert (line["quantity"], line["total_minor"], line["weighed"]) == ("0.5", 200, "scale")
    sold = pay(till, 200).lines[0]
    assert (sold.quantity_milli, sold.weighed, sold.tare_milli) == (500, "scale", 20)


@pytest.mark.slow
def test_what_is_sold_by_the_gram_is_weighed_too(till: Shop, scale: TcpScale) -> None:
    assert add(till, "saffron", reading=weighed(till, scale, 3))["lines"][0]["quantity"] == "3"


@pytest.mark.slow
def test_a_weight_typed_beside_a_scale_is_marked_and_a_piece_is_not(till: Shop, scale: TcpScale) -> None:
    assert add(till, quantity="0.25")["lines"][0]["weighed"] == "hand"
    assert pay(till, 100).lines[0].weighed == "hand"
    assert add(till, "tea")["lines"][0]["weighed"] == ""
    line = add(till, "saffron", reading=weighed(till, scale, 30))["lines"][0]
    over = {"op_id": "over", "op": "set_quantity", "line_id": line["line_id"], "quantity": "31"}
    assert till.ok("POST", "/carts/cart-saffron/ops", {"ops": [over]})["lines"][0]["weighed"] == "hand"


@pytest.mark.slow
def test_a_reading_that_the_till_does_not_hold_sells_nothing(till: Shop, scale: TcpScale) -> None:
    weighed(till, scale, 520)
    answer = add(till, reading=7)
    assert not answer["lines"]
    assert answer["rejected"][0]["problem"]["hint"] == "Weigh it again."
    again = add(till, "tea", reading=weighed(till, scale, 80))
    assert "not sold by weight" in again["rejected"][0]["problem"]["detail"]


@pytest.mark.slow
def test_a_bag_alone_is_no_sale(till: Shop, scale: TcpScale) -> None:
    answer = add(till, reading=weighed(till, scale, 20), tare_g=20)
    assert "nothing is on the scale" in answer["rejected"][0]["problem"]["detail"]


def test_a_till_without_a_scale_says_so_and_marks_nothing(shop: Shop) -> None:
    assert shop.ok("GET", "/scale", role="cashier")["state"] == "off"
    op = {"op_id": "typed", "op": "add", "sku": "rice", "line_id": "1", "quantity": "0.5"}
    assert shop.ok("POST", "/carts/typed-rice/ops", {"ops": [op]})["lines"][0]["weighed"] == ""
