"""Groups of stores: a change goes to those that are in it, and to nobody else."""

from collections.abc import Iterator

import pytest

from tests.laws.hub_world import sealed
from tests.services.hub.office import PASSWORD, RunningOffice, enrolled, running
from tillmesh.adapters.wan.client import HubClient
from tillmesh.kernel.envelope import Head
from tillmesh.shop.events import Change, ProductsChanged
from tillmesh.sync.messages import Mark, runs_of
from tillmesh.sync.upload import MEDIA, Batch, write_batch

pytestmark = [pytest.mark.slow, pytest.mark.service]
A = "tilla.aaaaaaaa"
STORES = ("one", "two", "three")


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningOffice]:
    """Head office with three stores that sell tea."""
    folder = tmp_path_factory.mktemp("groups") / "hub"
    bundles = {store: enrolled(folder, store) for store in STORES}
    with running(folder) as found:
        for store, bundle in bundles.items():
            tea = Change(key="tea", fields={"name": "Green tea", "price_minor": 300})
            event = sealed(Head(A), ProductsChanged(changes=(tea,), by="ann"), 1, store)
            client = HubClient(found.stores_url, bundle)
            batch = Batch(store, 1, A, {A: Mark(1, event.hash)}, runs_of([event]))
            assert client.upload(write_batch(batch), MEDIA).status == 200
            client.close()
        yield found


def groups(office: RunningOffice) -> dict[str, list[str]]:
    found = office.call("GET", "/groups")[1]["groups"]
    return {one["name"]: [store["store"] for store in one["stores"]] for one in found}


def prices(office: RunningOffice) -> dict[str, int]:
    return {one["store"]: one["price_minor"] for one in office.call("GET", "/products/tea")[1]["stores"]}


def test_a_price_for_a_group_is_changed_in_its_stores_only(office: RunningOffice) -> None:
    assert office.call("PUT", "/groups/North%20coast", {"stores": ["one", "three"]})[0] == 200
    assert groups(office)["North coast"] == ["one", "three"]
    before = prices(office)["two"]
    status, said = office.call("PATCH", "/catalogue/tea", {"price_minor": 311, "groups": ["North coast"]})
    assert (status, [row["store"] for row in said["stores"]]) == (200, ["one", "three"])
    assert prices(office) == {"one": 311, "two": before, "three": 311}
    both = {"price_minor": 322, "groups": ["North coast"], "stores": ["two"]}
    assert len(office.call("PATCH", "/catalogue/tea", both)[1]["stores"]) == 3
    jam = {"sku": "jam", "name": "Jam", "price_minor": 400}
    said = office.call("POST", "/catalogue", {"products": [jam], "groups": ["North coast"]})[1]
    assert [row["store"] for row in said["stores"]] == ["one", "three"]


def test_a_group_is_changed_and_removed_and_all_of_it_is_audited(office: RunningOffice) -> None:
    for stores in (["two"], ["two", "one"]):
        assert office.call("PUT", "/groups/city", {"stores": stores})[0] == 200
    assert groups(office)["city"] == ["one", "two"]
    assert office.call("DELETE", "/groups/city")[0] == 204
    assert "city" not in groups(office)
    assert office.call("DELETE", "/groups/city")[0] == 404
    entries = office.call("GET", "/audit?q=city")[1]["audit"]
    assert [(one["action"], one["detail"]) for one in entries] == [
        ("group_removed", ""), ("group_changed", "two, one"), ("group_changed", "two"),
    ]  # fmt: skip


def test_a_group_that_is_not_there_or_is_empty_changes_nothing(office: RunningOffice) -> None:
    before = prices(office)
    assert office.call("PATCH", "/catalogue/tea", {"price_minor": 1, "groups": ["nobody"]})[0] == 404
    assert office.call("PUT", "/groups/empty", {"stores": []})[0] == 200
    assert office.call("PATCH", "/catalogue/tea", {"price_minor": 1, "groups": ["empty"]})[0] == 422
    assert office.call("PATCH", "/catalogue/tea", {"price_minor": 1, "groups": "empty"})[0] == 422
    assert office.call("PUT", "/groups/strange", {"stores": ["nowhere"]})[0] == 404
    assert office.call("PUT", "/groups/%20", {"stores": []})[0] == 422
    assert prices(office) == before


def test_who_only_looks_changes_no_group(office: RunningOffice) -> None:
    vera = {"name": "vera", "role": "viewer", "password": PASSWORD}
    assert office.call("POST", "/people", vera)[0] == 200
    token = office.call("POST", "/session", {"user": "vera", "password": PASSWORD}, token="")[1]["token"]
    assert office.call("GET", "/groups", token=token)[0] == 200
    assert office.call("PUT", "/groups/hers", {"stores": ["one"]}, token=token)[0] == 403
    assert office.call("DELETE", "/groups/hers", token=token)[0] == 403
