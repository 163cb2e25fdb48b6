"""A model from its pipeline to the stores and back: published, tried in one store, reported on, halted, taken back."""

import http.client
import json
import subprocess
import sys
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import msgspec
import pytest

from tests.alert_replay import Asked, Replay
from tests.services.hub.office import PASSWORD, USER, RunningOffice, enrolled, running
from tests.services.hub.test_store_door import batch, sales
from tillmesh.adapters.inference.shelf import read_folder
from tillmesh.adapters.wan.bundle import Bundle
from tillmesh.adapters.wan.client import HubClient, Reply
from tillmesh.edge.bundle import open_bundle, pack, unpack
from tillmesh.hub.running import now_ms
from tillmesh.learn.shipping import SHIPPED, ship, shipped_keys
from tillmesh.sync.model_orders import Kind, Order, orders_digest, read_order
from tillmesh.sync.upload import MEDIA, Answer, Batch, read_answer, write_batch

pytestmark = [pytest.mark.slow, pytest.mark.service, pytest.mark.timeout(300)]
NAME, OTHER, DRIFTING = "barcode", "fraud", "voice"  # a test each: they move what all stores run
STORES = ("one", "two")


def publish(office: RunningOffice, folder: Path, *, damaged: bool = False) -> tuple[int, Any]:
    """Put a signed bundle into the registry through the door for people."""
    packed = bytearray(pack(read_folder(folder)))
    packed[-1] ^= int(damaged)
    signer = next(iter(shipped_keys(folder.parent)))
    line = http.client.HTTPConnection("127.0.0.1", office.port, timeout=60)
    headers = {"Authorization": f"Bearer {office.token}", "Content-Type": "application/vnd.tillmesh.model"}
    line.request("POST", f"/api/v1/models?signer={signer}", packed, headers)
    answer = line.getresponse()
    said = json.loads(answer.read())
    line.close()
    return answer.status, said


def made(version: int, name: str, out: Path) -> Path:
    """Make a later version of a model that ships, as its pipeline would: signed with a key of its own."""
    bundle = open_bundle(read_folder(SHIPPED / name), shipped_keys())
    return ship(msgspec.structs.replace(bundle.manifest, version=version), bundle.files, out)


class Chain:
    """Head office, two stores, and a folder in which new versions are made."""

    def __init__(self, office: RunningOffice, stores: dict[str, Bundle], folder: Path) -> None:
        self.office, self.stores, self.folder = office, stores, folder
        self.clients = {store: HubClient(office.stores_url, bundle) for store, bundle in stores.items()}

    def make(self, version: int, name: str = NAME) -> Path:
        return made(version, name, self.folder / f"v{version}").parent

    def models(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        where = ("--hub", f"http://127.0.0.1:{self.office.port}", "--user", USER)
        return subprocess.run(
            [sys.executable, "-m", "tillmesh", "models", arguments[0], NAME, *arguments[1:], *where],
            input=PASSWORD + "\n", capture_output=True, text=True, timeout=240, check=False,
        )  # fmt: skip

    def answer(self, store: str, known: bytes = b"") -> Answer:
        upload = write_batch(Batch(store, 1, "tilla.aaaaaaaa", {}, [], orders=known))
        reply = self.clients[store].upload(upload, MEDIA)
        assert reply.status == 200
        return read_answer(reply.body)

    def orders(self, store: str, name: str = NAME) -> list[Order]:
        told = self.answer(store).model_orders or []  # with none head office says nothing
        public = self.stores[store].office_public
        orders = [read_order(one, public, store, now_ms()) for one in told]
        return [order for order in orders if order.name == name]

    def publish(self, version: int, name: str, *, damaged: bool = False) -> tuple[int, Any]:
        return publish(self.office, self.make(version, name) / name, damaged=damaged)

    def get(self, store: str, version: int, asked: str = "") -> tuple[Reply, http.client.HTTPMessage]:
        client = self.clients[store]
        path = f"/api/v1/stores/{store}/models/{NAME}/{version}"
        assert client.state().status == 200
        assert client._connection is not None
        client._connection.request("GET", path, headers=client._headers | ({"Range": asked} if asked else {}))
        answer = client._connection.getresponse()
        return Reply(answer.status, answer.read()), answer.headers

    def metrics(self) -> list[str]:
        with urlopen(f"http://127.0.0.1:{self.office.port}/api/v1/metrics", timeout=60) as answer:
            return str(answer.read().decode()).splitlines()

    def report(self, store: str, **said: object) -> Reply:
        body = json.dumps({"reports": [said]}).encode()
        return self.clients[store]._call(
            "POST", f"/api/v1/stores/{store}/models/reports", body, {"Content-Type": "application/json"}
        )


@pytest.fixture(scope="module")
def chain(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chain]:
    folder = tmp_path_factory.mktemp("hub")
    stores = {store: enrolled(folder / "hub", store) for store in STORES}
    with running(folder / "hub") as office:
        chain = Chain(office, stores, folder)
        for store, client in chain.clients.items():
            assert client.upload(batch(store, sales(store, 3)), MEDIA).status == 200
        yield chain
        for client in chain.clients.values():
            client.close()


def test_a_version_is_tried_in_one_store_comes_to_all_and_is_taken_back(chain: Chain) -> None:
    assert chain.orders("one") == []
    out = chain.make(2)
    ended = chain.models("publish", "--out", str(out), "--canary", "one", "--share", "40")
    assert ended.returncode == 0, ended.stderr
    published = json.loads(ended.stdout)
    assert (published["version"], published["known_answer"], published["rollout"]["stage"]) == (2, "given", "canary")

    old, tried = chain.orders("one")
    assert (old.version, old.share, old.kind) == (1, 100, Kind.RUN)  # what came with the program, to go back to
    assert (tried.version, tried.share, tried.sha256) == (2, 40, published["sha256"])
    assert [order.version for order in chain.orders("two")] == [1]
    told = chain.answer("one")
    assert told.model_versions[NAME] == "2"
    assert chain.answer("one", orders_digest(told.model_orders or [])).model_orders is None
    assert chain.answer("one", orders_digest([])).model_orders == told.model_orders

    whole, headers = chain.get("one", 2)
    assert (whole.status, len(whole.body), headers["ETag"]) == (200, tried.size, f'"{tried.sha256}"')
    assert sha256(whole.body).hexdigest() == tried.sha256
    assert open_bundle(unpack(whole.body), shipped_keys(out)).manifest.version == 2
    first, _ = chain.get("one", 2, "bytes=0-99")
    rest, headers = chain.get("one", 2, "bytes=100-")
    assert (first.status, rest.status, headers["Content-Range"]) == (
        206,
        206,
        f"bytes 100-{tried.size - 1}/{tried.size}",
    )
    assert first.body + rest.body == whole.body
    assert chain.get("one", 2, f"bytes={tried.size}-")[0].status == 416
    assert [chain.get(*of)[0].status for of in (("two", 2), ("one", 3), ("one", 1))] == [404, 404, 200]

    status, _ = chain.office.call("POST", f"/models/{NAME}/activate", {"version": 2})
    assert status == 200
    assert [(o.version, o.share, o.kind) for o in chain.orders("two")] == [(2, 100, Kind.RUN)]
    back = chain.models("rollback", "--to", "1")
    assert back.returncode == 0, back.stderr
    for store in STORES:
        (order,) = chain.orders(store)
        assert (order.version, order.share, order.kind) == (1, 100, Kind.ROLLBACK)
        assert order.serial > tried.serial
    _, audit = chain.office.call("GET", f"/audit?q={NAME}")
    assert [(one["by"], one["action"]) for one in audit["audit"]] == [
        (USER, action) for action in ("model_rolled_back", "model_activated", "model_activated", "model_published")
    ]
    status, said = chain.publish(1, NAME)
    assert (status, said["detail"]) == (409, f"{NAME} 1 is not later than 2, which is here already")


def test_a_canary_that_people_correct_more_often_halts_the_roll_out_by_itself(chain: Chain, tmp_path: Path) -> None:
    ships = open_bundle(read_folder(SHIPPED / OTHER), shipped_keys()).manifest.version
    assert chain.publish(7, OTHER)[0] == 201
    status, said = chain.office.call("POST", f"/models/{OTHER}/activate", {"version": 7, "stores": ["one"]})
    assert (status, said["stage"]) == (200, "canary")
    now = now_ms()
    common = {"name": OTHER, "window_start": now - 60_000, "window_end": now, "asked": 200, "confirmed": 0}
    common |= {"confidence_histogram": [*[0] * 19, 200], "p50_ms": 1, "p95_ms": 2}
    replay, asked = Replay(), Asked("office", chain.office.port, "office", "")
    replay.take(asked)
    fine = chain.report("two", terminal="till3", version=ships, **common | {"confirmed": 95, "corrected": 5})
    assert (fine.status, json.loads(fine.body)) == (200, {"accepted": 1})
    assert chain.office.call("GET", f"/models/{OTHER}")[1]["stage"] == "canary"
    bad = chain.report("one", terminal="till1", version=7, **common | {"confirmed": 60, "corrected": 40})
    assert bad.status == 200
    said = chain.office.call("GET", f"/models/{OTHER}")[1]
    assert (said["stage"], said["halted"]) == ("halted", "corrections; reports of one")
    assert {(till["store"], till["terminal"], till["version"]) for till in said["tills"]} == {
        ("one", "till1", 7), ("two", "till3", ships),
    }  # fmt: skip
    assert [order.version for order in chain.orders("one", OTHER)] == [ships]
    counted = chain.metrics()
    assert f'tillmesh_hub_model_halted{{name="{OTHER}"}} 1.0' in counted
    assert f'tillmesh_hub_model_tills{{name="{OTHER}",version="7"}} 1.0' in counted
    entry = chain.office.call("GET", "/audit?q=model_halted")[1]["audit"][0]
    assert (entry["by"], entry["detail"]) == ("system", "version 7: corrections; reports of one")
    replay.take(asked)
    assert chain.office.call("POST", f"/models/{OTHER}/rollback", {"version": ships})[0] == 200
    replay.take(asked)
    replay.judge(tmp_path / "alerts", [(), {"RolloutHalted"}, ()])


def test_a_model_that_is_less_and_less_sure_raises_an_alert_until_the_tills_run_another(
    chain: Chain, tmp_path: Path
) -> None:
    replay, asked, now = Replay(), Asked("office", chain.office.port, "office", ""), now_ms()
    sure, unsure = [*[0] * 19, 200], [0, 0, 0, 200, *[0] * 16]

    def report(at_ms: int, version: int, answers: list[int]) -> None:
        said = {"name": DRIFTING, "terminal": "till1", "version": version, "asked": 200, "p50_ms": 1, "p95_ms": 2}
        said |= {"window_start": at_ms - 60_000, "window_end": at_ms, "confidence_histogram": answers}
        assert chain.report("two", **said).status == 200

    for minutes in (40, 30, 20):
        report(now - minutes * 60_000, 1, sure)
    replay.take(asked)
    report(now - 60_000, 1, unsure)
    replay.take(asked)
    report(now, 2, sure)
    replay.take(asked)
    replay.judge(tmp_path / "alerts", [(), {"ModelDrift"}, ()])


def test_only_administrators_move_models_and_reports_are_bounded(chain: Chain) -> None:
    for name, role in (("vera", "viewer"), ("bob", "buyer")):
        person = {"name": name, "role": role, "password": PASSWORD}
        assert chain.office.call("POST", "/people", person)[0] == 200
        token = chain.office.call("POST", "/session", {"user": name, "password": PASSWORD})[1]["token"]
        assert chain.office.call("GET", "/models", token=token)[0] == 200
        for path, body in (("activate", {"version": 2}), ("rollback", {"version": 1}), ("halt", {})):
            assert chain.office.call("POST", f"/models/{NAME}/{path}", body, token=token)[0] == 403
    assert chain.office.call("GET", "/models/nothing")[0] == 404
    assert chain.office.call("POST", "/models/voice/activate", {"version": 1})[0] == 404
    ahead = {"terminal": "till1", "name": NAME, "version": 1, "window_start": 0, "window_end": now_ms() + 86_400_000}
    assert chain.report("one", **ahead).status == 422
    assert chain.report("one", **ahead | {"name": "../up"}).status == 409
    status, said = chain.publish(9, "voice", damaged=True)
    assert (status, said["kind"]) == (409, "model-refused")
