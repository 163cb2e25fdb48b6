"""The door for people: head office's page, who is signed in, how the stores stand."""

import http.client
import io
import zipfile
from base64 import b64decode
from collections.abc import Iterator

import pytest

from tests.laws.hub_world import sale, sealed
from tests.services.hub.office import RunningOffice, enrolled, running
from tillmesh.adapters.wan.bundle import read_bundle
from tillmesh.adapters.wan.certificates import serial_of
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


def fetched(office: RunningOffice, path: str, token: str = "") -> tuple[int, str, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", office.port, timeout=30)
    connection.request("GET", path, headers={"Authorization": f"Bearer {token}"} if token else {})
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
    for language, head, end in (
        ("", "kind,what,sales,net,tax,currency", ",0,0.00,0.00,EUR"),
        ("&language=de-DE", "\ufeffTeil;Bezeichnung;Verkäufe;Umsatz;", ";0;0,00;0,00;EUR"),
    ):
        rows = fetched(office, f"/api/v1/reports/sales?format=csv{language}", office.token)[2].decode().splitlines()
        assert rows[0].startswith(head)
        assert rows[1].endswith(end)


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


def test_one_key_of_a_store_is_revoked_and_the_other_goes_on(office: RunningOffice) -> None:
    first = read_bundle(b64decode(office.call("POST", "/stores/second/credentials", {})[1]["bundle"]))
    other = read_bundle(b64decode(office.call("POST", "/stores/second/credentials", {})[1]["bundle"]))
    mine = [one for one in office.call("GET", "/credentials")[1]["credentials"] if one["store"] == "second"]
    assert [one["revoked"] for one in mine] == [None, None]
    serial = serial_of(first.certificate).hex()
    assert office.call("DELETE", f"/stores/corner/credentials/{serial}")[0] == 404, "it is another store's"
    assert office.call("DELETE", f"/stores/second/credentials/{serial}")[0] == 204
    assert office.call("DELETE", f"/stores/second/credentials/{serial}")[0] == 404
    for bundle, status in ((first, 403), (other, 200)):
        client = HubClient(office.stores_url, bundle)
        assert client.state().status == status
        client.close()
    (entry,) = office.call("GET", "/audit?q=key_revoked&limit=5")[1]["audit"]
    assert (entry["by"], entry["subject"], entry["detail"]) == ("ann", "second", serial[-12:])


def test_a_changed_role_ends_the_sessions_of_that_person(office: RunningOffice) -> None:
    vera = {"name": "vera", "role": "viewer", "password": "a long enough password"}
    assert office.call("POST", "/people", vera)[0] == 200
    token = office.call("POST", "/session", {"user": "vera", "password": vera["password"]}, token="")[1]["token"]
    assert office.call("GET", "/credentials", token=token)[0] == 403
    assert office.call("PATCH", "/people/vera", {"role": "buyer"})[1] == {"name": "vera", "role": "buyer"}
    assert office.call("GET", "/overview", token=token)[0] == 401
    assert office.call("PATCH", "/people/vera", {"role": "queen"})[0] == 422
    assert office.call("PATCH", "/people/nobody", {"role": "buyer"})[0] == 404
    assert office.call("PATCH", "/people/ann", {"role": "viewer"})[0] == 409, "nobody takes the own rights"


def test_older_entries_of_the_audit_log_come_page_by_page(office: RunningOffice) -> None:
    for _ in range(2):
        assert office.call("POST", "/stores/third/credentials", {})[0] == 200
    newest = office.call("GET", "/audit?limit=1")[1]
    older = office.call("GET", f"/audit?limit=1&before={newest['before']}")[1]
    assert older["audit"][0]["id"] < newest["audit"][0]["id"]
    assert office.call("GET", "/audit?before=x")[0] == 422
    assert office.call("GET", "/audit?q=nobody-did-this")[1] == {"audit": [], "before": None, "stores": {}}


def test_every_call_is_described_where_programs_look_for_it(office: RunningOffice) -> None:
    status, found = office.call("GET", "/openapi.json", token="none")
    assert (status, found["openapi"], found["info"]["title"]) == (200, "3.1.0", "tillmesh head office")
    assert {"get", "patch"} <= set(found["paths"]["/api/v1/people"]) | set(found["paths"]["/api/v1/people/{name}"])
    assert [one["name"] for one in found["paths"]["/api/v1/reports/sales"]["get"]["parameters"]][:2] == ["from", "to"]
    names = [one["operationId"] for path in found["paths"].values() for one in path.values()]
    assert len(names) == len(set(names))


def test_books_of_stores_are_given_as_an_archive_to_who_is_signed_in(office: RunningOffice) -> None:
    def given(query: str, token: str) -> tuple[int, bytes]:
        connection = http.client.HTTPConnection("127.0.0.1", office.port, timeout=30)
        connection.request("GET", f"/api/v1/books?{query}", None, {"Authorization": f"Bearer {token}"})
        answer = connection.getresponse()
        found = answer.status, answer.read()
        connection.close()
        return found

    asked = "from=2026-01-01&to=2026-01-31"
    status, data = given(f"{asked}&format=datev&stores=corner", office.token)
    assert status == 200, data
    with zipfile.ZipFile(io.BytesIO(data)) as pack:
        assert pack.namelist() == ["stores.csv"], "nothing was sold then"
        assert b"corner,corner,2026-01-01,2026-01-31" in pack.read("stores.csv")
    assert [given(f"{asked}{more}", token)[0] for more, token in (
        ("", "nobody"), ("&stores=nobody", office.token), ("&format=xls", office.token),
    )] == [401, 404, 422]  # fmt: skip
    assert given("from=2026-01-01&to=9000-01-01", office.token)[0] == 422
