"""The door for people: head office's page, who is signed in, how the stores stand."""

import http.client
from collections.abc import Iterator

import pytest

from tests.laws.hub_world import sale, sealed
from tests.services.hub.office import RunningOffice, enrolled, running
from tillmesh.adapters.wan.client import HubClient
from tillmesh.kernel.envelope import Head
from tillmesh.shop.events import Change, ProductsChanged
from tillmesh.sync.messages import Mark, runs_of
from tillmesh.sync.upload import MEDIA, Batch, write_batch

pytestmark = [pytest.mark.slow, pytest.mark.service]
A = "tilla.aaaaaaaa"


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningOffice]:
    """Head office with one store whose till has sold once."""
    folder = tmp_path_factory.mktemp("pages") / "hub"
    bundle = enrolled(folder, "corner")
    with running(folder) as found:
        client = HubClient(found.stores_url, bundle)
        tea = Change(key="tea", fields={"name": "Green tea", "price_minor": 300, "department": "Drinks"})
        sold = sealed(Head(A), sale(1, 250), 1_000, "corner")
        named = sealed(Head(A, 1, sold.hash), ProductsChanged(changes=(tea,), by="ann"), 2_000, "corner")
        batch = Batch(
            "corner", 3, A, {A: Mark(3, named.hash)}, runs_of([sold, named], {}), [], {"tilla": 0, "tillb": 0}
        )
        assert client.upload(write_batch(batch), MEDIA).status == 200
        client.close()
        yield found


def fetched(office: RunningOffice, path: str) -> tuple[int, str, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", office.port, timeout=30)
    connection.request("GET", path)
    answer = connection.getresponse()
    body = answer.read()
    connection.close()
    return answer.status, answer.headers["Content-Type"], body


def test_the_page_and_all_it_needs_come_from_head_office_itself(office: RunningOffice) -> None:
    status, kind, page = fetched(office, "/")
    assert (status, kind.partition(";")[0]) == (200, "text/html")
    assert b"Head office" in page
    for path in ("app.js", "css/hub.css", "css/tokens.css", "vendor/icons.svg", "locales/en.json"):
        assert fetched(office, f"/static/{path}")[0] == 200, path
    status, kind, _ = fetched(office, "/nothing")
    assert (status, kind) == (404, "application/problem+json")


def test_a_page_learns_who_is_signed_in(office: RunningOffice) -> None:
    assert office.call("GET", "/session")[1] == {"user": "ann", "role": "admin"}
    assert office.call("GET", "/session", token="none")[0] == 401


def test_the_overview_says_who_was_heard_of_and_how_far_head_office_is_behind(office: RunningOffice) -> None:
    (store,) = office.call("GET", "/overview")[1]["stores"]
    assert (store["store"], store["term"], store["till_count"], store["online"]) == ("corner", 3, 1, True)
    assert store["behind"] == 1, "the till said that it holds three events, and sent two"
    assert store["today"] == {"sales": 0, "net_minor": 0, "tax_minor": 0}, "it sold in 1970"


def test_a_store_is_shown_with_its_tills_and_newest_receipts(office: RunningOffice) -> None:
    _, store = office.call("GET", "/stores/corner")
    assert [(till["terminal"], till["uploads"], till["events"]) for till in store["tills"]] == [("tilla", True, 2)]
    _, latest = office.call("GET", "/stores/corner/latest")
    assert [(sold["total_minor"], sold["terminal_name"]) for sold in latest["sales"]] == [(250, "tilla")]
    assert office.call("GET", "/stores/nobody")[0] == 404


def test_a_report_of_a_store_counts_what_it_sold_by_its_own_clock_and_is_there_as_csv(office: RunningOffice) -> None:
    assert office.call("GET", "/reports/sales?from=1970-01-01&to=1970-01-01")[0] == 422
    status, report = office.call("GET", "/reports/sales?stores=corner")
    assert (status, report["currency"], report["total"]["sales"], len(report["days"])) == (200, "EUR", 0, 14)
    assert [one["store"] for one in report["stores"]] == ["corner"]
    assert office.call("GET", "/reports/sales?stores=nobody")[0] == 404
    assert fetched(office, "/api/v1/reports/sales?format=csv")[0] == 401, "only for those who signed in"


def test_a_price_changed_at_head_office_is_on_its_way_until_every_till_has_it(office: RunningOffice) -> None:
    _, found = office.call("GET", "/products?q=green")
    (tea,) = found["products"]
    assert (tea["sku"], tea["prices"][0]["price_minor"], tea["stores"]) == ("tea", 300, 1)
    (at_corner,) = office.call("GET", "/products/tea")[1]["stores"]
    assert (at_corner["tills_with"], at_corner["till_count"]) == (2, 2)
    assert office.call("PATCH", "/catalogue/tea", {"price_minor": 350})[0] == 200
    (at_corner,) = office.call("GET", "/products/tea")[1]["stores"]
    assert (at_corner["price_minor"], at_corner["tills_with"], at_corner["unsent"]) == (350, 0, 1)
    assert office.call("GET", "/products/nothing")[0] == 404
