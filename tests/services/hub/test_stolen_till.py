"""A till that led was stolen, with the store's bundle: what a thief claims with it, and how the store goes on."""

import json
from base64 import b64decode
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.services.hub.office import RunningOffice, enrolled, running
from tests.services.hub.test_store_door import A, batch, sales
from tillmesh.adapters.wan.bundle import Bundle, read_bundle
from tillmesh.adapters.wan.certificates import serial_of
from tillmesh.adapters.wan.client import HubClient
from tillmesh.hub.bootstrap import open_hub
from tillmesh.hub.commands import main
from tillmesh.kernel.limits import TERM_LEAP_MAX
from tillmesh.sync.upload import MEDIA, read_answer, read_batch, read_state

pytestmark = [pytest.mark.slow, pytest.mark.service]
THIEF = "tillt.tttttttt"


@pytest.fixture(scope="module")
def robbed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[RunningOffice, dict[str, Bundle]]]:
    """Head office and two stores, whose bundles are in the thief's hands."""
    hub = tmp_path_factory.mktemp("robbed") / "hub"
    stolen = {store: enrolled(hub, store) for store in ("revoked", "forgotten")}
    with running(hub) as office:
        yield office, stolen


def claim_all(office: RunningOffice, bundle: Bundle) -> None:
    """Let the thief claim what he can, after four sales of ten have come in; the leader is kept out then."""
    honest, thief = (HubClient(office.stores_url, bundle) for _ in range(2))
    store = bundle.store
    assert honest.upload(batch(store, sales(store, 4), term=7), MEDIA).status == 200
    leap = thief.upload(batch(store, [], term=2**62, sender=THIEF), MEDIA)
    assert (leap.status, leap.problem()["kind"]) == (409, "term-leap")
    assert str(TERM_LEAP_MAX) in str(leap.problem()["detail"])
    for step in range(1, 6):
        said = thief.upload(batch(store, [], term=7 + step * TERM_LEAP_MAX, sender=THIEF), MEDIA)
        assert said.status == 200
    refused = honest.upload(batch(store, sales(store, 10), term=7), MEDIA)
    assert (refused.status, refused.problem()["kind"]) == (409, "older-term")
    honest.close()
    thief.close()


def test_a_stolen_tills_claim_is_void_once_its_certificate_is_revoked_and_the_store_loses_nothing(
    robbed: tuple[RunningOffice, dict[str, Bundle]],
) -> None:
    office, bundles = robbed
    claim_all(office, bundles["revoked"])
    new = read_bundle(b64decode(office.call("POST", "/stores/revoked/credentials", {})[1]["bundle"]))
    old = serial_of(bundles["revoked"].certificate).hex()
    assert office.call("DELETE", f"/stores/revoked/credentials/{old}")[0] == 204
    honest, thief = HubClient(office.stores_url, new), HubClient(office.stores_url, bundles["revoked"])
    state = read_state(honest.state().body)
    assert (state.acked, state.term) == ({A: 4}, 0)
    taken = honest.upload(batch("revoked", sales("revoked", 10), term=7), MEDIA)
    assert (taken.status, read_answer(taken.body).acked) == (200, {A: 10})
    assert thief.upload(batch("revoked", [], term=2**62, sender=THIEF), MEDIA).status == 403
    assert honest.upload(batch("revoked", sales("revoked", 10), term=8), MEDIA).status == 200
    honest.close()
    thief.close()
    (shown,) = [one for one in office.call("GET", "/stores")[1]["stores"] if one["store"] == "revoked"]
    assert (shown["events"], shown["sales"], shown["revenue_minor"], shown["term"]) == (10, 10, 1_000, 8)


def test_an_administrator_lets_a_term_be_forgotten_and_it_is_written_down(
    robbed: tuple[RunningOffice, dict[str, Bundle]],
) -> None:
    office, bundles = robbed
    claim_all(office, bundles["forgotten"])
    assert office.call("DELETE", "/stores/nowhere/term")[0] == 404
    assert office.call("DELETE", "/stores/forgotten/term", token="guessed")[0] == 401
    assert office.call("DELETE", "/stores/forgotten/term") == (200, {"store": "forgotten", "generation": 1})
    honest = HubClient(office.stores_url, bundles["forgotten"])
    assert honest.upload(batch("forgotten", sales("forgotten", 10), term=7), MEDIA).status == 200
    honest.close()
    (written,) = office.call("GET", "/audit?q=term_forgotten")[1]["audit"]
    assert (written["by"], written["subject"]) == ("ann", "forgotten")


def test_the_command_lets_a_term_be_forgotten_while_head_office_is_not_running(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    enrolled(tmp_path / "hub", "corner")
    opened = open_hub(tmp_path / "hub")
    opened.service.take(read_batch(batch("corner", sales("corner", 1), term=9_000, sender=THIEF)), 1_000)
    opened.close()
    assert main(["forget-term", "--data-dir", str(tmp_path / "hub"), "--store", "corner"]) == 0
    assert json.loads(capsys.readouterr().out) == {"store": "corner", "generation": 1}
    opened = open_hub(tmp_path / "hub")
    generation = opened.office.generation("corner")
    assert opened.service.state("corner", generation).term == 0
    answer = opened.service.take(read_batch(batch("corner", sales("corner", 2), term=7)), 2_000, generation)
    assert answer.acked == {A: 2}
    opened.close()
