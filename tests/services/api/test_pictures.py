"""Pictures of products through the API: put, shown, replaced, taken off, and nothing else is taken for one."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from tests.pictures import jpeg, webp
from tests.services.api.shop import Shop
from tillmesh.kernel.limits import PICTURE_UPLOAD_BYTES_MAX
from tillmesh.shop.pictures import cleaned, picture_of, read_reference


def put(shop: Shop, sku: str, data: bytes, role: str = "manager") -> httpx.Response:
    return shop.call("PUT", f"/products/{sku}/image", role=role, content=data)


def pictured(shop: Shop, sku: str, data: bytes) -> Any:
    shop.product(sku)
    answer = put(shop, sku, data)
    assert answer.status_code == 200, answer.text
    return answer.json()


def shown(shop: Shop, image: str) -> httpx.Response:
    return shop.call("GET", f"/pictures/{image[:64]}", role="cashier")


@pytest.mark.parametrize(("data", "media"), [(jpeg(), "image/jpeg"), (webp(), "image/webp")], ids=["jpeg", "webp"])
def test_a_product_shows_the_picture_it_was_given(shop: Shop, data: bytes, media: str) -> None:
    product = pictured(shop, "pictured-mug", data)
    assert read_reference(product["image"]) == picture_of(cleaned(data))
    answer = shown(shop, product["image"])
    assert answer.status_code == 200
    assert answer.content == cleaned(data)
    assert answer.headers["content-type"] == media
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["cache-control"] == "private, max-age=31536000, immutable"
    assert answer.headers["content-security-policy"] == "default-src 'none'; sandbox"
    assert shop.ok("GET", "/catalogue")["images"]["pictured-mug"] == product["image"]


def test_a_picture_is_replaced_and_taken_off(shop: Shop) -> None:
    first = pictured(shop, "replaced-mug", jpeg())
    second = pictured(shop, "replaced-mug", jpeg(colour=(1, 200, 3)))
    assert first["image"] != second["image"]
    assert shop.ok("PATCH", "/products/replaced-mug", {"image": ""})["image"] == ""
    assert "replaced-mug" not in shop.ok("GET", "/catalogue")["images"]
    assert shop.ok("PATCH", "/products/replaced-mug", {"image": first["image"]})["image"] == first["image"]


def test_each_size_of_a_shirt_has_the_picture_of_the_shirt(shop: Shop) -> None:
    shirt = pictured(shop, "pictured-shirt", jpeg())
    made = shop.ok("POST", "/products/pictured-shirt/variants", {"options": ["Size=S,M"]})["made"]
    assert [one["image"] for one in made] == [shirt["image"]] * 2


def test_the_customers_display_is_told_the_pictures_of_a_basket(shop: Shop) -> None:
    mug = pictured(shop, "basket-mug", jpeg())
    ops = [{"op_id": str(n), "op": "add", "line_id": str(n), "sku": sku} for n, sku in enumerate(("basket-mug", "tea"))]
    shop.ok("POST", "/carts/picture-cart/ops", {"ops": ops})
    assert shop.ok("GET", "/carts/picture-cart")["images"] == {"basket-mug": mug["image"]}


@pytest.mark.parametrize(
    ("data", "status"),
    [
        (b"", 422),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", 422),
        (jpeg() + b"<script>alert(1)</script>", 422),
        (jpeg(400, 300), 422),
        (bytes(PICTURE_UPLOAD_BYTES_MAX + 1), 413),
    ],
    ids=["nothing", "drawing", "page behind a photo", "too many pixels", "too many bytes"],
)
def test_what_is_no_small_picture_is_refused_and_changes_nothing(shop: Shop, data: bytes, status: int) -> None:
    shop.product("plain-mug")
    assert put(shop, "plain-mug", data).status_code == status
    assert shop.ok("GET", "/products/plain-mug")["image"] == ""


def test_only_a_manager_gives_pictures_and_only_to_products(shop: Shop) -> None:
    shop.product("locked-mug")
    assert put(shop, "locked-mug", jpeg(), role="supervisor").status_code == 403
    assert put(shop, "no-such-mug", jpeg()).status_code == 404


@pytest.mark.parametrize("name", ["ab" * 32, "..%2f..%2fkeys", "x" * 64])
def test_a_picture_that_is_not_here_is_not_remembered_as_missing(shop: Shop, name: str) -> None:
    answer = shown(shop, name)
    assert answer.status_code == 404
    assert answer.headers["cache-control"] == "no-store"


def test_nobody_sees_pictures_without_signing_in(shop: Shop) -> None:
    mug = pictured(shop, "secret-mug", jpeg())
    assert shop.call("GET", f"/pictures/{mug['image'][:64]}", role=None).status_code == 401
