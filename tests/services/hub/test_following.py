"""Offers follow the stores of a group: who joins has them, who leaves has them no more."""

from collections.abc import Iterator

import pytest

from tests.services.hub.test_offers import Chain, opened_chain
from tillmesh.shop.events import Change, PricesChanged, PromotionsChanged

pytestmark = [pytest.mark.slow, pytest.mark.service]
WEEK = {
    "promotion_id": "week", "name": "Green week", "kind": "percent", "percent": "10", "skus": ["tea"],
}  # fmt: skip


@pytest.fixture(scope="module")
def chain(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chain]:
    """Stores in Vienna and Lisbon (euros) and in London (pounds), all with tea."""
    with opened_chain(tmp_path_factory.mktemp("following") / "hub") as made:
        yield made


def group(chain: Chain, *stores: str, name: str = "mine") -> dict[str, int]:
    status, said = chain.office.call("PUT", f"/groups/{name}", {"stores": list(stores)})
    assert status == 200, said
    offers: dict[str, int] = said["offers"]
    return offers


def prices(chain: Chain, store: str) -> list[Change]:
    return chain.sent(store, "prices_changed", PricesChanged)


def active(chain: Chain, store: str, promotion_id: str) -> bool | None:
    """Whether a promotion runs in a store; None if it never heard of it."""
    changes = chain.sent(store, "promotions_changed", PromotionsChanged)
    said = [change.fields["active"] for change in changes if change.key == promotion_id]
    return bool(said[-1]) if said else None


def where(chain: Chain, path: str, key: str, value: object) -> int:
    (found,) = [one for one in chain.office.call("GET", f"/{path}")[1][path] if one[key] == value]
    stores: int = found["stores"]
    return stores


def test_a_price_and_a_promotion_go_to_a_store_that_joins_and_leave_with_one_that_leaves(chain: Chain) -> None:
    assert group(chain, "vienna") == {"joined": 0, "left": 0, "without": 0}
    planned = {"sku": "tea", "price_minor": 251, "from": "2031-01-02T08:00", "groups": ["mine"]}
    assert chain.office.call("POST", "/prices", planned)[0] == 200
    assert chain.office.call("POST", "/promotions", WEEK | {"groups_of_stores": ["mine"]})[0] == 200
    assert (active(chain, "vienna", "week"), active(chain, "lisbon", "week")) == (True, None)
    assert group(chain, "vienna", "lisbon", "london") == {"joined": 3, "left": 0, "without": 1}
    joined = prices(chain, "lisbon")[-1]
    assert (joined.key, joined.fields["price_minor"]) == ("|1925107200000|tea", 251), "by the clock in Lisbon"
    assert prices(chain, "london") == [], "euros mean nothing there"
    assert (active(chain, "lisbon", "week"), active(chain, "london", "week")) == (True, True)
    assert (where(chain, "prices", "price_minor", 251), where(chain, "promotions", "promotion_id", "week")) == (2, 3)
    assert group(chain, "lisbon") == {"joined": 0, "left": 3, "without": 0}
    gone = prices(chain, "vienna")[-1]
    assert (gone.key, gone.fields["price_minor"]) == ("|1925103600000|tea", None)
    assert (active(chain, "vienna", "week"), active(chain, "london", "week")) == (False, False)
    assert (where(chain, "prices", "price_minor", 251), where(chain, "promotions", "promotion_id", "week")) == (1, 1)
    assert group(chain, "lisbon", "vienna") == {"joined": 2, "left": 0, "without": 0}
    assert prices(chain, "vienna")[-1].fields["price_minor"] == 251, "who comes back has it again"
    said = chain.office.call("GET", "/audit?q=offer_followed")[1]["audit"]
    assert any("to lisbon, london" in one["detail"] for one in said)
    assert any("from london, vienna" in one["detail"] for one in said)


def test_who_was_named_or_is_in_another_group_of_the_offer_keeps_it(chain: Chain) -> None:
    group(chain, "vienna", "lisbon", name="a")
    group(chain, "lisbon", name="b")
    half = WEEK | {"promotion_id": "half", "groups_of_stores": ["a", "b"], "stores": ["vienna"]}
    assert chain.office.call("POST", "/promotions", half)[0] == 200
    assert group(chain, "london", name="a") == {"joined": 1, "left": 0, "without": 0}
    assert [active(chain, store, "half") for store in ("vienna", "lisbon", "london")] == [True, True, True]
    assert group(chain, name="b") == {"joined": 0, "left": 1, "without": 0}
    assert [active(chain, store, "half") for store in ("vienna", "lisbon", "london")] == [True, False, True]
    changed = half | {"groups_of_stores": ["b"], "stores": [], "percent": "20"}
    assert chain.office.call("PUT", "/groups/b", {"stores": ["lisbon"]})[1]["offers"]["joined"] == 1
    assert chain.office.call("POST", "/promotions", changed)[0] == 200
    assert group(chain, "lisbon", name="b") == {"joined": 0, "left": 0, "without": 0}, "a change takes it from nobody"
    assert [active(chain, store, "half") for store in ("vienna", "lisbon", "london")] == [True, True, True]


def test_what_is_over_taken_back_or_for_all_stores_follows_nobody(chain: Chain) -> None:
    group(chain, "vienna", name="c")
    past = {"sku": "tea", "price_minor": 253, "from": "2020-01-01T08:00", "until": "2020-02-01T08:00"}
    assert chain.office.call("POST", "/prices", past | {"groups": ["c"]})[0] == 200
    ended = WEEK | {"promotion_id": "ended", "groups_of_stores": ["c"]}
    assert chain.office.call("POST", "/promotions", ended)[0] == 200
    assert chain.office.call("DELETE", "/groups/c")[0] == 409, "a promotion is for it"
    assert chain.office.call("POST", "/promotions/ended/end")[0] == 200
    assert chain.office.call("POST", "/promotions", WEEK | {"promotion_id": "every"})[0] == 200
    assert group(chain, "vienna", "lisbon", name="c") == {"joined": 0, "left": 0, "without": 1}
    assert group(chain, name="c") == {"joined": 0, "left": 1, "without": 0}
    assert active(chain, "lisbon", "ended") is None
    assert active(chain, "vienna", "every") is True
    assert chain.office.call("DELETE", "/groups/c")[0] == 204


def test_a_product_that_comes_later_gets_its_price_when_head_office_looks_again(chain: Chain) -> None:
    group(chain, "vienna", "lisbon", name="d")
    jam = {"sku": "jam", "name": "Jam", "price_minor": 400}
    assert chain.office.call("POST", "/catalogue", {"products": [jam], "stores": ["vienna"]})[0] == 200
    planned = {"sku": "jam", "price_minor": 390, "groups": ["d"]}
    assert chain.office.call("POST", "/prices", planned)[0] == 200
    assert where(chain, "prices", "price_minor", 390) == 1
    assert chain.office.call("POST", "/catalogue", {"products": [jam], "stores": ["lisbon"]})[0] == 200
    assert group(chain, "vienna", "lisbon", name="d") == {"joined": 1, "left": 0, "without": 0}
    here, there = prices(chain, "vienna")[-1], prices(chain, "lisbon")[-1]
    assert (there.key, there.fields["price_minor"]) == (here.key, 390), "since it was planned, not since it came"
