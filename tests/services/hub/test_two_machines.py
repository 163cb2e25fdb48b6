"""Two head offices that have nothing in common but hub.toml, as on two machines: what one does counts at both."""

import json
import subprocess
import sys
from base64 import b64decode
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from pathlib import Path
from typing import NamedTuple

import msgspec
import pytest

from tests.laws.hub_world import sealed
from tests.servers import ON_SERVERS, Servers, configured
from tests.services.hub.gateway import TILL, batch, sales, until
from tests.services.hub.office import PASSWORD, USER, RunningOffice, enrolled, running
from tests.services.hub.test_models import made, publish
from tillmesh.adapters.envoy.configuration import ADMISSION, CONFIGURATION, file_of
from tillmesh.adapters.wan.bundle import Bundle, read_bundle
from tillmesh.adapters.wan.client import HubClient
from tillmesh.edge.bundle import open_bundle, unpack
from tillmesh.fleet.models import Rollout
from tillmesh.fleet.office import hashed
from tillmesh.fleet.people import OfficeRole
from tillmesh.hub.bootstrap import open_hub
from tillmesh.hub.commands import add_person
from tillmesh.hub.enrolling import prepare
from tillmesh.hub.keys import CARRIED
from tillmesh.hub.settings import PostgresTables, Settings, SqliteRegistry
from tillmesh.kernel.envelope import Head
from tillmesh.kernel.errors import Conflict, Invalid
from tillmesh.kernel.ids import is_office
from tillmesh.learn.shipping import shipped_keys
from tillmesh.shop.events import Change, ProductsChanged
from tillmesh.sync.upload import MEDIA, read_answer

pytestmark = list(ON_SERVERS)
SECRET = "thirty-two characters or more of it"


def with_secret(room: Settings, secret: str = SECRET) -> Settings:
    assert isinstance(room.master, PostgresTables)
    return msgspec.structs.replace(room, master=msgspec.structs.replace(room.master, secret=secret))


class Pair(NamedTuple):
    """Two head offices, and a store that one of them enrolled."""

    here: RunningOffice
    there: RunningOffice
    bundle: Bundle
    settings: Settings


@pytest.fixture(scope="module")
def pair(servers: Servers, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    place = tmp_path_factory.mktemp("machines")
    settings = with_secret(servers.room())
    config = configured(settings, place)
    bundle = enrolled(place / "here", "corner", settings)
    with ExitStack() as stack:
        here = stack.enter_context(running(place / "here", config))
        there = stack.enter_context(running(place / "there", config))
        yield Pair(here, there, bundle, settings)


def client(office: RunningOffice, bundle: Bundle) -> HubClient:
    return HubClient(office.stores_url, bundle, timeout_s=120)


def test_a_key_issued_at_one_is_honoured_and_once_revoked_refused_by_the_other_at_once(pair: Pair) -> None:
    said = pair.here.call("POST", "/stores/market/credentials", {})[1]
    bundle = read_bundle(b64decode(said["bundle"]))
    knocking = client(pair.there, bundle)
    assert knocking.state().status == 200
    (serial,) = [
        one["serial"] for one in pair.there.call("GET", "/credentials")[1]["credentials"] if one["store"] == "market"
    ]
    assert pair.here.call("DELETE", f"/stores/market/credentials/{serial}")[0] == 204
    refused = knocking.state()
    assert (refused.status, refused.problem()["kind"]) == (403, "certificate-refused")
    knocking.close()


def test_who_signs_in_at_one_is_signed_in_at_the_other_and_a_lost_right_is_lost_at_both(pair: Pair) -> None:
    vera = {"name": "vera", "role": "buyer", "password": PASSWORD}
    assert pair.here.call("POST", "/people", vera)[0] == 200
    token = pair.there.call("POST", "/session", {"user": "vera", "password": PASSWORD}, token="")[1]["token"]
    assert pair.here.call("GET", "/session", token=token)[1] == {"user": "vera", "role": "buyer"}
    assert pair.there.call("PATCH", "/people/vera", {"role": OfficeRole.VIEWER})[0] == 200
    assert pair.here.call("GET", "/session", token=token)[0] == 401
    assert "person_changed" in {one["action"] for one in pair.here.call("GET", "/audit?q=vera")[1]["audit"]}


def test_a_price_changed_at_one_is_pushed_by_the_other_and_both_write_one_chain(pair: Pair) -> None:
    tea = ProductsChanged(changes=(Change(key="tea", fields={"name": "Tea", "price_minor": 250}),), by="ann")
    events = [sealed(Head(TILL), tea, 1, "corner")]
    knocking = client(pair.there, pair.bundle)
    assert knocking.upload(batch("corner", events), MEDIA).status == 200
    bell = client(pair.there, pair.bundle)
    with ThreadPoolExecutor(1) as listening:
        rung = listening.submit(until, lambda: bell.news(0).body, lambda body: b"true" in body, "nobody rings")
        status, said = pair.here.call("PATCH", "/catalogue/tea", {"price_minor": 260})
        assert (status, said["stores"]) == (200, [{"store": "corner", "seq": 1}])
        assert json.loads(rung.result()) == {"news": True}
    bell.close()
    with ThreadPoolExecutor(2) as both:  # two people at two machines, again and again at the same moment
        changed = [
            both.submit(office.call, "PATCH", "/catalogue/tea", {"price_minor": 300 + number})
            for number in range(6)
            for office in (pair.here, pair.there)
        ]
        seqs = sorted(one["seq"] for done in changed for one in done.result()[1]["stores"])
    assert seqs == list(range(2, 14)), "each change is one more event of one chain"
    answer = read_answer(knocking.upload(batch("corner", events), MEDIA).body)
    (run,) = answer.updates
    assert is_office(run.actor)
    assert (run.first, len(run.items)) == (1, 13)
    knocking.close()


def test_what_the_store_sells_through_one_is_shown_by_the_other(pair: Pair) -> None:
    said = pair.there.call("POST", "/stores/kiosk/credentials", {})[1]
    bundle = read_bundle(b64decode(said["bundle"]))
    knocking = client(pair.here, bundle)
    assert knocking.upload(batch("kiosk", sales("kiosk", 5)), MEDIA).status == 200
    knocking.close()
    shown = {one["store"]: one["sales"] for one in pair.there.call("GET", "/stores")[1]["stores"]}
    assert shown["kiosk"] == 5

    def online() -> bool:
        stores = pair.there.call("GET", "/overview")[1]["stores"]
        return next(bool(one["online"]) for one in stores if one["store"] == "kiosk")

    until(online, bool, "one head office does not tell the other who was here")


def test_a_gateway_on_a_third_machine_hears_of_every_key_and_of_every_key_that_is_revoked(
    pair: Pair, tmp_path: Path
) -> None:
    config = configured(pair.settings, tmp_path)
    folder = tmp_path / "third" / "gateway"
    with config.open("a", encoding="ascii") as file:
        file.write('\n[gateway]\nkind = "envoy"\nservices = ["127.0.0.1:1"]\n')
    command = [sys.executable, "-m", "tillmesh", "hub", "gateway-config", "--watch"]
    watching = subprocess.Popen([*command, "--data-dir", str(tmp_path / "third"), "--config", str(config)])

    def admitted() -> str:
        assert watching.poll() is None, "nobody keeps the gateway's files up to date"
        file = folder / file_of(ADMISSION)
        return file.read_text("ascii") if file.exists() else ""

    try:
        said = pair.there.call("POST", "/stores/stall/credentials", {})[1]
        key = hashed(read_bundle(b64decode(said["bundle"])).api_key).hex()
        until(admitted, lambda text: key in text, "the gateway does not hear of a new key")
        until((folder / CONFIGURATION).exists, bool, "Envoy's own file is not there")
        assert pair.there.call("DELETE", "/stores/stall/credentials")[0] == 200
        until(admitted, lambda text: key not in text, "the gateway does not hear of a revoked key")
        watching.terminate()
        assert watching.wait(timeout=60) == 0
    finally:
        watching.kill()
        watching.wait()


def test_services_hand_out_the_same_models_from_a_folder_that_they_share_and_say_nothing_without(
    servers: Servers, tmp_path: Path
) -> None:
    room = with_secret(servers.room())
    shared = msgspec.structs.replace(room, models=SqliteRegistry(folder=str(tmp_path / "models")))
    here, there, without = (
        open_hub(tmp_path / name, settings)
        for name, settings in (("here", shared), ("there", shared), ("without", room))
    )
    here.models.registry.note("fraud", Rollout())
    assert list(there.models.registry.rollouts()) == ["fraud"]
    assert list(without.models.registry.rollouts()) == []
    assert without.models.has_news("corner", b"orders of another") is False
    assert without.models.answer("corner", b"orders of another")[1] is None
    for each in (here, there, without):
        each.close()
    embedded = Settings(models=SqliteRegistry(folder=str(tmp_path / "models")))
    with pytest.raises(Invalid, match="no secret is"):
        open_hub(tmp_path / "alone", embedded)


def test_the_first_who_may_sign_in_is_added_once(pair: Pair, tmp_path: Path) -> None:
    add_person(tmp_path, "eve", OfficeRole.ADMIN, PASSWORD, pair.settings, first=True)
    assert "eve" not in {one["name"] for one in pair.here.call("GET", "/people")[1]["people"]}


def test_a_machine_with_another_secret_gets_nothing(pair: Pair, tmp_path: Path) -> None:
    with pytest.raises(Invalid, match="sealed with another secret"):
        open_hub(tmp_path / "stranger", with_secret(pair.settings, SECRET[::-1]))
    with pytest.raises(Invalid, match="at least 32"):
        open_hub(tmp_path / "stranger", with_secret(pair.settings, "short"))


def test_what_one_machine_kept_in_files_is_carried_over_once_and_its_stores_go_on(
    servers: Servers, tmp_path: Path
) -> None:
    bundle = enrolled(tmp_path / "hub", "old")  # all in files, as a head office of one machine begins
    alone = open_hub(tmp_path / "hub")
    actor, authority = alone.service.actor, alone.authority.certificate
    alone.close()
    room = with_secret(servers.room())
    for folder in ("hub", "hub", "another"):  # the second start finds nothing to carry; the third machine has nothing
        opened = open_hub(tmp_path / folder, room)
        assert (opened.service.actor, opened.authority.certificate) == (actor, authority)
        assert (opened.office.people(), opened.office.key_owner(bundle.api_key)) == (
            [(USER, "admin")], ("old", opened.office.issued()[0].serial),
        )  # fmt: skip
        opened.close()
    assert (tmp_path / "hub" / CARRIED).exists()
    prepare(tmp_path / "third", "other", USER, PASSWORD)  # another head office, which must not be mixed with this one
    with pytest.raises(Conflict, match="another head office"):
        open_hub(tmp_path / "third", room)


def test_a_model_that_is_published_at_one_is_handed_out_by_the_other(pair: Pair, tmp_path: Path) -> None:
    assert publish(pair.here, made(2, "barcode", tmp_path))[0] == 201
    assert pair.here.call("POST", "/models/barcode/activate", {"version": 2, "share": 50})[0] == 200
    store = "gallery"  # one that no other test has sold in
    bundle = read_bundle(b64decode(pair.here.call("POST", f"/stores/{store}/credentials", {})[1]["bundle"]))
    said = batch(store, sales(store, 1))  # the same each time: a till has one history
    with closing(client(pair.there, bundle)) as asking:

        def ordered() -> dict[str, str]:
            return dict(read_answer(asking.upload(said, MEDIA).body).model_versions)

        until(ordered, lambda versions: versions == {"barcode": "2"}, "the other machine does not know of it")
        got = asking._call("GET", f"/api/v1/stores/{store}/models/barcode/2", None, {})
    assert (got.status, open_bundle(unpack(got.body), shipped_keys(tmp_path)).manifest.version) == (200, 2)
