"""Head office takes an event only under the signature of the till that wrote it, whoever uploads it."""

from pathlib import Path

import pytest

from tests.laws.hub_world import sale, sealed
from tests.services.mesh.real_store import found_store
from tillmesh.adapters.wan.bundle import read_bundle
from tillmesh.fleet.ingest import Unsigned
from tillmesh.hub.bootstrap import Opened, enrol_store, open_hub
from tillmesh.kernel.envelope import Envelope, Head
from tillmesh.kernel.errors import Conflict, Invalid
from tillmesh.sync.messages import Mark, runs_of
from tillmesh.sync.upload import Answer, Batch
from tillmesh.terminal import provisioning, store_commands
from tillmesh.terminal.bootstrap import open_terminal
from tillmesh.terminal.signing import Signatures

pytestmark = pytest.mark.slow


class Store:
    """A store of two tills that is enrolled at a head office."""

    def __init__(self, folder: Path) -> None:
        self.places = found_store(folder, 2)
        origins = []
        for place in self.places:
            opened = open_terminal(place)
            origins.append(opened.origin)
            opened.close()
        self.name = origins[0].store
        self.actors = [origin.actor for origin in origins]
        self.authority = provisioning.store_authority(self.places[0])
        self.lists = list(provisioning.membership_in(self.places[0], self.name).lists)

    def sales(self, till: int, count: int) -> list[Envelope]:
        events: list[Envelope] = []
        head = Head(self.actors[till])
        for number in range(1, count + 1):
            events.append(sealed(head, sale(number, 100), number, self.name))
            head = Head(self.actors[till], number, events[-1].hash)
        return events

    def batch(self, events: list[Envelope], signature: bytes, lists: list[bytes]) -> Batch:
        end = events[-1]
        runs = runs_of(events, {(end.actor, end.seq): signature})
        return Batch(self.name, 1, self.actors[0], {end.actor: Mark(end.seq, end.hash)}, runs, lists)

    def signature(self, by: int, event: Envelope) -> bytes:
        """Sign an event's head with the key of a till; of another till's event, that is a forgery."""
        signatures = Signatures(self.places[by], self.name)
        mine = signatures._keys[self.actors[by]]
        signatures._keys[event.actor] = mine
        return signatures.sign(Head(event.actor, event.seq, event.hash))


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    return Store(tmp_path_factory.mktemp("store"))


def opened_for(store: Store, folder: Path) -> Opened:
    opened = open_hub(folder)
    enrol_store(opened, store.name, 1_800_000_000_000, store.authority)
    return opened


def acked(answer: Answer) -> dict[str, int]:
    return dict(answer.acked)


def test_what_both_tills_signed_counts_and_is_still_believed_after_a_restart(store: Store, tmp_path: Path) -> None:
    opened = opened_for(store, tmp_path)
    for till in (0, 1):
        events = store.sales(till, 3)
        batch = store.batch(events, store.signature(till, events[-1]), store.lists if till == 0 else [])
        assert acked(opened.service.take(batch, 1))[store.actors[till]] == 3
    opened.close()
    again = open_hub(tmp_path)
    events = store.sales(1, 5)
    answer = again.service.take(store.batch(events, store.signature(1, events[-1]), []), 1)
    assert acked(answer) == {store.actors[0]: 3, store.actors[1]: 5}
    again.close()


def test_a_till_that_makes_up_another_ones_sales_is_found_out(store: Store, tmp_path: Path) -> None:
    opened = opened_for(store, tmp_path)
    made_up = store.sales(0, 2)
    for signature in (store.signature(1, made_up[-1]), b"", b"x" * 64):
        with pytest.raises(Unsigned) as refused:
            opened.service.take(store.batch(made_up, signature, store.lists), 1)
        assert refused.value.members() == {"actor": store.actors[0]}
    assert opened.service.state(store.name).acked == {}
    opened.close()


def test_lists_that_the_stores_authority_did_not_sign_introduce_nobody(store: Store, tmp_path: Path) -> None:
    other = Store(tmp_path / "other")
    opened = opened_for(store, tmp_path / "hub")
    events = store.sales(0, 2)
    for lists in ([], other.lists):
        with pytest.raises(Unsigned):
            opened.service.take(store.batch(events, store.signature(0, events[-1]), lists), 1)
    assert opened.service.take(store.batch(events, store.signature(0, events[-1]), store.lists), 1).acked
    opened.close()


def test_a_till_learns_of_head_office_and_lets_the_others_know_its_key(store: Store, tmp_path: Path) -> None:
    opened = open_hub(tmp_path)
    data = enrol_store(opened, store.name, 1_800_000_000_000, store.authority)
    foreign = enrol_store(opened, "elsewhere", 1_800_000_000_000)
    opened.close()
    bundle = read_bundle(data)
    assert store_commands.head_office(store.places[1], data)["told_the_others"] is False
    assert store_commands.head_office(store.places[0], data)["told_the_others"] is True
    members = provisioning.membership_in(store.places[0], store.name).members
    assert members[bundle.office].sign_public == bundle.office_public
    assert store_commands.members(store.places[0])["revoked"] == []
    with pytest.raises(Conflict, match="elsewhere"):
        store_commands.head_office(store.places[0], foreign)
    with pytest.raises(Invalid):
        store_commands.head_office(store.places[0], b"nonsense")
