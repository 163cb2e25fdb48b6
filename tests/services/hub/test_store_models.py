"""A version that head office publishes runs on both tills of a real store, and goes back when it says so."""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterator, Sequence
from contextlib import closing
from itertools import count
from typing import Any, NamedTuple
from urllib.request import urlopen

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tests.services.hub.office import RunningOffice, running
from tests.services.hub.real_stores import Till, found, open_store, until
from tests.services.hub.slow_line import SlowLine
from tillmesh.adapters.inference.shelf import read_folder
from tillmesh.edge.bundle import Manifest, pack, seal
from tillmesh.terminal.ai import SHIPPED

pytestmark = [pytest.mark.slow, pytest.mark.service, pytest.mark.timeout(300)]
MODEL = "fraud"
LARGE = "recognition"
LINE_BYTES_PER_S = 32_000  # 256 kbit/s
WAITING = ("pending", "sent_to_leader", "acked_by_leader", "sent_to_hub")
SHIPS = msgspec.json.decode(read_folder(SHIPPED / MODEL).manifest, type=Manifest).version
VERSIONS = count(SHIPS + 1)
MAKER = Ed25519PrivateKey.from_private_bytes(b"m" * 32)  # nobody whom a till trusts


class Chain(NamedTuple):
    """A head office and a store of two tills."""

    office: RunningOffice
    line: SlowLine
    tills: Sequence[Till]

    def publish(self, name: str = MODEL) -> Any:
        """Publish a model that ships under a version that was never there, signed by somebody else."""
        given = read_folder(SHIPPED / name)
        manifest = msgspec.json.decode(given.manifest, type=Manifest)
        sealed = seal(msgspec.structs.replace(manifest, version=next(VERSIONS)), given.files, MAKER)
        connection = http.client.HTTPConnection("127.0.0.1", self.office.port, timeout=60)
        headers = {"Content-Type": "application/vnd.tillmesh.model", "Authorization": f"Bearer {self.office.token}"}
        signer = MAKER.public_key().public_bytes_raw().hex()
        connection.request("POST", f"/api/v1/models?signer={signer}", pack(sealed), headers)
        answer = connection.getresponse()
        said = json.loads(answer.read())
        connection.close()
        assert answer.status == 201, said
        return said

    def reason(self, till: Till) -> str:
        """Say why a till does not follow the order; nothing while it knows of none."""
        return str((self.model(till)["order"] or {}).get("reason", ""))

    def model(self, till: Till, name: str = MODEL) -> dict[str, Any]:
        """Say how a model is on a till."""
        (found,) = [model for model in till.get("/ai/status")["models"] if model["name"] == name]
        return dict(found)

    def versions(self) -> list[int]:
        return [self.model(till)["version"] for till in self.tills]

    def reported(self) -> set[tuple[str, int]]:
        """Give which till runs which version, as head office has heard."""
        said = self.office.call("GET", f"/models/{MODEL}")[1]
        return {(till["terminal"], till["version"]) for till in said["tills"]}


@pytest.fixture(scope="module")
def chain(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chain]:
    folder = tmp_path_factory.mktemp("models")
    found(folder / "shop", folder / "hub", 2)
    with (
        running(folder / "hub") as office,
        closing(SlowLine(office.port + 1)) as line,
        open_store(folder / "shop", f"https://127.0.0.1:{line.port}", models=True) as tills,
    ):
        chain = Chain(office, line, tills)
        until("both tills run what ships", lambda: chain.versions() == [SHIPS, SHIPS])
        yield chain


def test_a_published_version_runs_on_both_tills_and_goes_back_when_head_office_says_so(chain: Chain) -> None:
    version = chain.publish()["version"]
    assert chain.versions() == [SHIPS, SHIPS]  # published is not ordered
    assert chain.office.call("POST", f"/models/{MODEL}/activate", {"version": version})[0] == 200
    until("both tills run it", lambda: chain.versions() == [version, version])
    names = {till.get("/store")["terminal_id"] for till in chain.tills}
    until("head office knows", lambda: {(name, version) for name in names} <= chain.reported())
    assert {chain.model(till)["order"]["state"] for till in chain.tills} == {"runs"}
    assert chain.office.call("POST", f"/models/{MODEL}/rollback", {"version": SHIPS})[0] == 200
    until("both tills are back", lambda: chain.versions() == [SHIPS, SHIPS])
    until("head office knows that, too", lambda: {(name, SHIPS) for name in names} <= chain.reported())
    actions = [row["action"] for row in chain.tills[0].get("/audit")["entries"]]
    assert {"model_installed", "model_rolled_back"} <= set(actions)


def test_a_bundle_that_changed_at_head_office_is_not_taken_and_the_tills_say_so(chain: Chain) -> None:
    said = chain.publish()
    (blob,) = [path for path in (chain.office.data_dir / "models").rglob("*") if path.name.startswith(said["sha256"])]
    data = bytearray(blob.read_bytes())
    data[len(data) // 2] ^= 1
    blob.write_bytes(bytes(data))
    assert chain.office.call("POST", f"/models/{MODEL}/activate", {"version": said["version"]})[0] == 200
    refused = f'tillmesh_model_refused_total{{model="{MODEL}",reason="hash"}}'
    until("it is refused", lambda: any(chain.reason(till) == "hash" for till in chain.tills))
    till = next(till for till in chain.tills if chain.reason(till) == "hash")
    with urlopen(f"http://127.0.0.1:{till.program.port}/api/v1/metrics") as answer:
        assert refused in answer.read().decode()
    checks = till.get("/health")["checks"]
    assert any("is not taken" in check["text"] and not check["ok"] for check in checks), checks
    assert chain.versions() == [SHIPS, SHIPS]
    assert till.sell("by hand as ever") > 0


def test_f28_over_a_slow_line_sales_reach_head_office_before_a_model_reaches_the_shop(chain: Chain) -> None:
    def come(till: Till) -> int:
        order = chain.model(till, LARGE)["order"]
        return int(order["bytes_here"]) if order is not None and order["version"] == said["version"] else 0

    chain.line.limit(LINE_BYTES_PER_S)
    try:
        said = chain.publish(LARGE)
        before = {till.get("/raft")["term"] for till in chain.tills}
        assert chain.office.call("POST", f"/models/{LARGE}/activate", {"version": said["version"]})[0] == 200
        until("some of it has come", lambda: any(come(till) > 0 for till in chain.tills))
        taken = sum(till.sell(f"slow-{till.program.port}-{n}") for n in range(5) for till in chain.tills)
        assert taken > 0
        until("the sales are there", lambda: all(t.get("/sync")[word] == 0 for t in chain.tills for word in WAITING))
        # At this speed the model alone takes three minutes: nobody waited for it.
        assert max(come(till) for till in chain.tills) < said["bytes"]
        assert {till.get("/raft")["term"] for till in chain.tills} == before
    finally:
        chain.line.limit(None)
        chain.office.call("POST", f"/models/{LARGE}/rollback", {"version": 1})
    until("it is taken back", lambda: all(chain.model(till, LARGE)["version"] == 1 for till in chain.tills))
