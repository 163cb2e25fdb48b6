"""Prices from a time on, and promotions: planned at head office, sent to stores and groups, taken back, exported."""

import csv
import http.client
import io
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.laws.hub_world import sealed
from tests.services.hub.office import PASSWORD, RunningOffice, enrolled, running
from tillmesh.adapters.wan.bundle import Bundle
from tillmesh.adapters.wan.client import HubClient
from tillmesh.kernel.codec import decode
from tillmesh.kernel.envelope import Envelope, Head
from tillmesh.shop.events import Change, PricesChanged, ProductsChanged, PromotionsChanged, SettingsChanged, Value
from tillmesh.sync.messages import Mark, runs_of
from tillmesh.sync.upload import MEDIA, Batch, read_answer, write_batch

pytestmark = [pytest.mark.slow, pytest.mark.service]
A = "tilla.aaaaaaaa"
ZONES = {"vienna": ("EUR", "Europe/Vienna"), "lisbon": ("EUR", "Europe/Lisbon"), "london": ("GBP", "Europe/London")}


class Chain:
    """Head office with three stores, and what each of them would fetch."""

    def __init__(self, office: RunningOffice, bundles: dict[str, Bundle]) -> None:
        self.office, self.bundles = office, bundles
        self.heads: dict[str, Head] = {}

    def upload(self, store: str, events: list[Envelope]) -> Any:
        client = HubClient(self.office.stores_url, self.bundles[store])
        head = self.heads[store]
        reply = client.upload(write_batch(Batch(store, 1, A, {A: Mark(head.seq, head.hash)}, runs_of(events))), MEDIA)
        client.close()
        assert reply.status == 200, reply.body
        return read_answer(reply.body)

    def sent(self, store: str, kind: str, body: type[Any]) -> list[Change]:
        """Give the changes of one kind that head office has for a store, oldest first."""
        items = [item for run in self.upload(store, []).updates for item in run.items if item.type == kind]
        return [change for item in items for change in decode(item.body, body).changes]


@pytest.fixture(scope="module")
def chain(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chain]:
    with opened_chain(tmp_path_factory.mktemp("offers") / "hub") as made:
        assert made.office.call("PUT", "/groups/euro", {"stores": ["vienna", "lisbon"]})[0] == 200
        yield made


@contextmanager
def opened_chain(folder: Path) -> Iterator[Chain]:
    """Run head office with stores that have told it their clock, their currency, and that they sell tea."""
    bundles = {store: enrolled(folder, store) for store in ZONES}
    with running(folder) as office:
        chain = Chain(office, bundles)
        for store, (currency, zone) in ZONES.items():
            fields: dict[str, Value] = {"name": store.title(), "currency": currency, "time_zone": zone}
            setting = sealed(
                Head(A), SettingsChanged(changes=(Change(key="store", fields=fields),), by="ann"), 1, store
            )
            tea = Change(key="tea", fields={"name": "Green tea", "price_minor": 300})
            known = Head(A, 1, setting.hash)
            product = sealed(known, ProductsChanged(changes=(tea,), by="ann"), 2, store)
            chain.heads[store] = Head(A, 2, product.hash)
            chain.upload(store, [setting, product])
        yield chain


def test_a_planned_price_begins_by_each_stores_own_clock_and_is_known_beforehand(chain: Chain) -> None:
    body = {"sku": "tea", "price_minor": 250, "from": "2031-01-02T08:00", "groups": ["euro"]}
    status, said = chain.office.call("POST", "/prices", body)
    assert (status, {row["store"] for row in said["stores"]}) == (200, {"vienna", "lisbon"})
    vienna, lisbon = (chain.sent(store, "prices_changed", PricesChanged)[-1] for store in ("vienna", "lisbon"))
    assert (vienna.key, vienna.fields["price_minor"]) == ("|1925103600000|tea", 250)  # 7:00 UTC
    assert lisbon.key == "|1925107200000|tea", "an hour later there"
    assert 250 not in [change.fields["price_minor"] for change in chain.sent("london", "prices_changed", PricesChanged)]
    (plan,) = [one for one in chain.office.call("GET", "/prices")[1]["prices"] if one["price_minor"] == 250]
    assert (plan["state"], plan["name"], plan["chosen"], plan["stores"]) == ("planned", "Green tea", "euro", 2)
    assert chain.office.call("DELETE", f"/prices/{plan['id']}")[0] == 200
    assert chain.sent("vienna", "prices_changed", PricesChanged)[-1].fields["price_minor"] is None
    assert chain.office.call("DELETE", f"/prices/{plan['id']}")[0] == 409
    (plan,) = [one for one in chain.office.call("GET", "/prices")[1]["prices"] if one["price_minor"] == 250]
    assert plan["state"] == "withdrawn"
    actions = {one["action"] for one in chain.office.call("GET", "/audit?q=tea")[1]["audit"]}
    assert {"price_planned", "price_withdrawn"} <= actions


def test_what_makes_no_sense_is_not_sent(chain: Chain) -> None:
    call = chain.office.call
    good = {"sku": "tea", "price_minor": 250, "from": "2031-01-02T08:00", "groups": ["euro"]}
    assert call("POST", "/prices", good | {"groups": []})[0] == 422, "pounds and euros"
    assert call("POST", "/prices", good | {"sku": "nothing"})[0] == 404
    assert call("POST", "/prices", good | {"until": "2030-01-01T00:00"})[0] == 422
    assert call("POST", "/prices", good | {"from": "soon"})[0] == 422
    assert call("DELETE", "/prices/999")[0] == 404
    assert call("POST", "/promotions", {"promotion_id": "x", "name": "X", "kind": "percent"})[0] == 422
    assert (
        call("POST", "/promotions", {"promotion_id": "x", "name": "X", "kind": "amount", "amount_minor": 50})[0] == 422
    )
    assert call("POST", "/promotions/nothing/end")[0] == 404


def test_a_promotion_is_sent_to_a_group_changed_there_and_ended(chain: Chain) -> None:
    call = chain.office.call
    promotion = {"promotion_id": "tea-week", "name": "Tea week", "kind": "percent", "percent": "20", "skus": ["tea"]}
    assert call("POST", "/promotions", promotion | {"groups_of_stores": ["euro"]})[0] == 200
    sent = chain.sent("lisbon", "promotions_changed", PromotionsChanged)[-1]
    assert (sent.key, sent.fields["rate_ppm"], sent.fields["active"]) == ("tea-week", 200_000, True)
    assert chain.sent("london", "promotions_changed", PromotionsChanged) == []
    status, said = call("POST", "/promotions", promotion | {"percent": "25", "stores": ["london"]})
    assert (status, len(said["stores"])) == (200, 3), "those that have it get the change too"
    (shown,) = [one for one in call("GET", "/promotions")[1]["promotions"] if one["promotion_id"] == "tea-week"]
    assert (shown["state"], shown["percent"], shown["stores"]) == ("sent", "25", 3)
    assert call("POST", "/promotions/tea-week/end")[0] == 200
    assert all(chain.sent(s, "promotions_changed", PromotionsChanged)[-1].fields == {"active": False} for s in ZONES)
    assert call("POST", "/promotions/tea-week/end")[0] == 409


def in_words(chain: Chain, what: str, language: str) -> list[str]:
    """Export something for a reader of a language; give its lines."""
    connection = http.client.HTTPConnection("127.0.0.1", chain.office.port, timeout=30)
    path = f"/api/v1/{what}?format=csv&language={language}"
    connection.request("GET", path, headers={"Authorization": f"Bearer {chain.office.token}"})
    text = connection.getresponse().read().decode()
    connection.close()
    return text.splitlines()


def test_offers_are_exported_for_a_spreadsheet_and_changed_by_buyers_only(chain: Chain) -> None:
    chain.office.call(
        "POST", "/prices", {"sku": "tea", "price_minor": 199, "from": "2032-01-01T00:00", "stores": ["london"]}
    )
    connection = http.client.HTTPConnection("127.0.0.1", chain.office.port, timeout=30)
    connection.request("GET", "/api/v1/prices?format=csv", headers={"Authorization": f"Bearer {chain.office.token}"})
    answer = connection.getresponse()
    rows = list(csv.DictReader(io.StringIO(answer.read().decode())))
    connection.close()
    assert answer.headers["Content-Type"].startswith("text/csv")
    assert ("tea", "1.99", "GBP", "planned") in [(r["sku"], r["price"], r["currency"], r["state"]) for r in rows]
    promotion = {"promotion_id": "sheet", "name": "Sheet", "kind": "percent", "percent": "12.5", "stores": ["vienna"]}
    assert chain.office.call("POST", "/promotions", promotion)[0] == 200
    german, french = in_words(chain, "prices", "de-DE"), in_words(chain, "promotions", "fr-FR")
    assert german[0].startswith("\ufeffArtikelnummer;Name;Preis;Währung;Gilt ab;Bis;Filialen;Stand;")
    assert any(row.startswith("tea;") and ";1,99;GBP;2032-01-01T00:00;;london;Geplant;" in row for row in german)
    assert french[0].startswith("\ufeffNuméro;Nom;")
    assert any(row.startswith("sheet;Sheet;Pourcentage sur des articles;12,5;") for row in french)
    vera = {"name": "vera", "role": "viewer", "password": PASSWORD}
    assert chain.office.call("POST", "/people", vera)[0] == 200
    token = chain.office.call("POST", "/session", {"user": "vera", "password": PASSWORD}, token="")[1]["token"]
    assert chain.office.call("GET", "/promotions", token=token)[0] == 200
    assert chain.office.call("POST", "/prices", {"sku": "tea", "price_minor": 1}, token=token)[0] == 403
    assert chain.office.call("POST", "/promotions/tea-week/end", token=token)[0] == 403


def test_the_audit_log_says_what_its_stores_are_called_and_finds_them_by_that_name(chain: Chain) -> None:
    call = chain.office.call
    renamed = SettingsChanged(changes=(Change(key="store", fields={"name": "Danube corner"}),), by="ann")
    event = sealed(chain.heads["vienna"], renamed, 3, "vienna")
    chain.heads["vienna"] = Head(A, event.seq, event.hash)
    chain.upload("vienna", [event])
    body = {"sku": "tea", "price_minor": 333, "from": "2033-01-02T08:00", "groups": ["euro"]}
    assert call("POST", "/prices", body)[0] == 200
    said = call("GET", "/audit?q=danube")[1]
    assert (said["audit"][0]["action"], said["stores"]["vienna"]) == ("price_planned", "Danube corner")
    assert [one["id"] for one in said["audit"]] == sorted({one["id"] for one in said["audit"]}, reverse=True)
    older = call("GET", f"/audit?q=danube&limit=1&before={said['audit'][0]['id']}")[1]["audit"]
    assert older == said["audit"][1:2]
