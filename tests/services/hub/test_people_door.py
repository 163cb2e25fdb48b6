"""The door for people: who may do what, products for chosen stores, certificates that are revoked at once."""

import http.client
from base64 import b64decode
from collections.abc import Iterator

import pytest

from tests.laws.hub_world import sale, sealed
from tests.services.hub.office import PASSWORD, USER, RunningOffice, enrolled, running
from tillmesh.adapters.wan.bundle import Bundle, read_bundle
from tillmesh.adapters.wan.client import HubClient, Reply
from tillmesh.kernel.envelope import Head
from tillmesh.shop.events import Change, ProductsChanged
from tillmesh.sync.messages import Mark, runs_of
from tillmesh.sync.upload import MEDIA, Batch, read_answer, write_batch

pytestmark = [pytest.mark.slow, pytest.mark.service]
A = "tilla.aaaaaaaa"


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningOffice]:
    """Head office with two stores that have sold something."""
    folder = tmp_path_factory.mktemp("hub")
    stores = {name: enrolled(folder, name) for name in ("one", "two")}
    with running(folder) as running_office:
        for name, bundle in stores.items():
            client = HubClient(running_office.stores_url, bundle)
            assert upload(client, name, A).status == 200
            client.close()
        yield running_office


def upload(client: HubClient, store: str, actor: str) -> Reply:
    tea = ProductsChanged(changes=(Change(key="tea", fields={"name": "Tea", "price_minor": 250}),), by="ann")
    first = sealed(Head(actor), tea, 1, store)
    second = sealed(Head(actor, 1, first.hash), sale(2, 250), 2, store)
    heads = {actor: Mark(2, second.hash)}
    return client.upload(write_batch(Batch(store, 1, actor, heads, runs_of([first, second]))), MEDIA)


def fresh_bundle(office: RunningOffice, store: str) -> Bundle:
    status, said = office.call("POST", f"/stores/{store}/credentials", {})
    assert status == 200, said
    return read_bundle(b64decode(said["bundle"]))


def test_each_role_may_do_its_part_and_no_more(office: RunningOffice) -> None:
    for name, role in (("vera", "viewer"), ("bob", "buyer")):
        status, said = office.call("POST", "/people", {"name": name, "role": role, "password": PASSWORD})
        assert (status, said["role"]) == (200, role)
    tokens = {
        name: office.call("POST", "/session", {"user": name, "password": PASSWORD})[1]["token"]
        for name in ("vera", "bob")
    }
    asked = [("GET", "/stores", None), ("PATCH", "/catalogue/tea", {"price_minor": 260}), ("GET", "/audit", None)]
    found = {name: [office.call(*call, token=token)[0] for call in asked] for name, token in tokens.items()}
    assert found == {"vera": [200, 403, 403], "bob": [200, 200, 403]}
    assert office.call("GET", "/audit", token="")[0] == 401
    _, said = office.call("GET", "/audit")
    assert ("bob", "product_changed", "tea") in [(row["by"], row["action"], row["subject"]) for row in said["audit"]]
    assert office.call("DELETE", "/people/vera")[0] == 204
    assert office.call("GET", "/stores", token=tokens["vera"])[0] == 401
    assert office.call("DELETE", f"/people/{USER}")[0] == 409


def test_wrong_passwords_cost_time(office: RunningOffice) -> None:
    found = [office.call("POST", "/session", {"user": "mallory", "password": "guess"})[0] for _ in range(7)]
    assert found[:5] == [401] * 5
    assert 429 in found[5:]


def test_a_product_is_added_to_the_chosen_store_only_and_travels_signed(office: RunningOffice) -> None:
    jam = {"sku": "jam", "name": "Jam", "price_minor": 400}
    status, said = office.call("POST", "/catalogue", {"products": [jam], "stores": ["two"]})
    assert (status, [row["store"] for row in said["stores"]]) == (200, ["two"])
    assert office.call("POST", "/catalogue", {"products": [jam], "stores": ["nowhere"]})[0] == 404
    assert office.call("POST", "/catalogue", {"products": [{"sku": "x"}]})[0] == 422
    assert office.call("PATCH", "/catalogue/nothing", {"price_minor": 1})[0] == 404
    bundle = fresh_bundle(office, "two")
    client = HubClient(office.stores_url, bundle)
    updates = read_answer(upload(client, "two", A).body).updates
    assert {run.actor for run in updates} == {bundle.office}
    assert all(len(run.signature) == 64 for run in updates)
    assert any(b"jam" in item.body for run in updates for item in run.items)
    client.close()
    assert [row["sku"] for row in office.call("GET", "/stores/two/products?q=jam")[1]["products"]] == ["jam"]
    assert office.call("GET", "/stores/one/products?q=jam")[1]["products"] == []


def test_a_revoked_store_is_out_at_once_and_a_new_bundle_lets_it_in_again(office: RunningOffice) -> None:
    old = fresh_bundle(office, "one")
    client = HubClient(office.stores_url, old)
    assert client.state().status == 200
    status, said = office.call("DELETE", "/stores/one/credentials")
    assert (status, said["revoked"] >= 2) == (200, True)
    assert client.state().status == 403
    client.close()
    client = HubClient(office.stores_url, fresh_bundle(office, "one"))
    assert client.state().status == 200
    client.close()
    assert office.call("DELETE", "/stores/nowhere/credentials")[0] == 404
    assert office.call("POST", "/stores/Not A Store/credentials".replace(" ", "%20"), {})[0] == 422


def test_reports_name_their_stores_and_days(office: RunningOffice) -> None:
    status, said = office.call("GET", "/reports/days?from=1970-01-01&to=1970-01-02&stores=one")
    assert status == 200
    assert {row["store"] for row in said["days"]} <= {"one"}
    assert office.call("GET", "/reports/days?stores=nowhere")[0] == 404
    assert office.call("GET", "/reports/products?from=2026-02-30")[0] == 422
    assert office.call("GET", "/reports/days?from=2026-02-02&to=2026-01-01")[0] == 422
    assert {row["store"] for row in office.call("GET", "/reports/stores")[1]["stores"]} == {"one", "two"}


def test_what_is_counted_is_there_for_prometheus(office: RunningOffice) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", office.port, timeout=30)
    connection.request("GET", "/api/v1/metrics")
    text = connection.getresponse().read().decode()
    connection.close()
    assert 'tillmesh_hub_batches_total{status="200"}' in text
    assert "tillmesh_hub_events_total" in text


def test_what_is_not_there_is_a_problem_document(office: RunningOffice) -> None:
    status, said = office.call("GET", "/nothing")
    assert (status, said["kind"]) == (404, "not-found")
    assert {one["name"] for one in office.call("GET", "/models")[1]["models"]} >= {"fraud", "recognition", "voice"}
    assert office.call("POST", "/session", {"user": 1})[0] == 422
