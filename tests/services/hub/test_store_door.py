"""The door for stores: certificate, key and address must agree; what is too large or hostile stays outside."""

import socket
import ssl
from collections.abc import Iterator

import msgspec
import pytest
import zstandard

from tests.laws.hub_world import sale, sealed
from tests.pictures import jpeg, webp
from tests.services.hub.office import RunningOffice, enrolled, running
from tillmesh.adapters.wan.bundle import Bundle
from tillmesh.adapters.wan.certificates import ssl_context
from tillmesh.adapters.wan.client import HubClient, Unreachable
from tillmesh.kernel.envelope import Envelope, Head
from tillmesh.kernel.limits import PICTURE_BYTES_MAX, UPLOAD_BYTES_MAX, UPLOAD_UNPACKED_BYTES_MAX
from tillmesh.shop.pictures import cleaned, picture_of
from tillmesh.sync.messages import Mark, runs_of
from tillmesh.sync.office_pictures import MEDIA as PICTURE
from tillmesh.sync.office_pictures import Which, read_held
from tillmesh.sync.upload import MEDIA, Batch, read_answer, read_state, write_batch

pytestmark = [pytest.mark.slow, pytest.mark.service]
A = "tilla.aaaaaaaa"


class Doors:
    """Head office with some stores, and a stranger's head office."""

    def __init__(self, office: RunningOffice, stores: dict[str, Bundle], strange: Bundle) -> None:
        self.office, self.stores, self.strange = office, stores, strange
        self.clients: list[HubClient] = []

    def client(self, bundle: Bundle) -> HubClient:
        self.clients.append(HubClient(self.office.stores_url, bundle))
        return self.clients[-1]


@pytest.fixture(scope="module")
def doors(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Doors]:
    folder = tmp_path_factory.mktemp("hub")
    stores = {name: enrolled(folder / "hub", name) for name in ("one", "two", "three", "four")}
    strange = enrolled(folder / "strange", "one")
    with running(folder / "hub") as office:
        doors = Doors(office, stores, strange)
        yield doors
        for client in doors.clients:
            client.close()


def sales(store: str, count: int, actor: str = A, first: int = 1, total: int = 100) -> list[Envelope]:
    events: list[Envelope] = []
    head = Head(actor)
    for number in range(first, first + count):
        events.append(sealed(head, sale(number, total), number, store))
        head = Head(actor, events[-1].seq, events[-1].hash)
    return events


def batch(store: str, events: list[Envelope], term: int = 1, sender: str = A) -> bytes:
    ends = {event.actor: event for event in events}
    heads = {actor: Mark(event.seq, event.hash) for actor, event in ends.items()}
    return write_batch(Batch(store, term, sender, heads, runs_of(events)))


def test_a_store_uploads_and_head_office_shows_what_it_sold(doors: Doors) -> None:
    client = doors.client(doors.stores["one"])
    assert read_state(client.state().body).acked == {}
    events = sales("one", 20)
    reply = client.upload(batch("one", events[:10]), MEDIA)
    assert (reply.status, read_answer(reply.body).acked) == (200, {A: 10})
    assert read_answer(client.upload(batch("one", events), MEDIA).body).acked == {A: 20}
    gap = read_answer(client.upload(batch("one", [sales("one", 30)[25]]), MEDIA).body)
    assert (gap.acked, gap.wanted) == ({A: 20}, {A: 20})
    status, said = doors.office.call("GET", "/stores/one/sales?limit=100")
    assert status == 200
    assert sum(sold["total_minor"] for sold in said["sales"]) == 2_000
    assert doors.office.call("GET", "/stores/one/sales", token="")[0] == 401
    assert doors.office.call("GET", "/stores/nowhere/sales")[0] == 404


def test_an_older_term_is_refused_by_name(doors: Doors) -> None:
    client = doors.client(doors.stores["three"])
    assert client.upload(batch("three", sales("three", 1), term=5), MEDIA).status == 200
    reply = client.upload(batch("three", sales("three", 2), term=4), MEDIA)
    assert (reply.status, reply.problem()["kind"], reply.problem()["term"]) == (409, "older-term", 5)


def test_a_fork_is_fenced_and_named_and_the_others_go_on(doors: Doors) -> None:
    client = doors.client(doors.stores["two"])
    forked, other = "tillf.ffffffff", "tillo.oooooooo"
    assert client.upload(batch("two", sales("two", 3, forked), term=6), MEDIA).status == 200
    reply = client.upload(batch("two", sales("two", 3, forked, total=999), term=6), MEDIA)
    assert (reply.status, reply.problem()["kind"], reply.problem()["actor"]) == (409, "fork", forked)
    more = client.upload(batch("two", sales("two", 4, forked), term=6), MEDIA)
    assert (more.status, more.problem()["kind"]) == (409, "fork")
    good = client.upload(batch("two", sales("two", 2, other), term=6), MEDIA)
    assert read_answer(good.body).acked[other] == 2
    _, said = doors.office.call("GET", "/stores")
    assert [shown["fenced"] for shown in said["stores"] if shown["store"] == "two"] == [[forked]]


def answered(host: str, port: int, context: ssl.SSLContext) -> bytes:
    """Ask over TLS, and give what came back; nothing if head office hung up."""
    try:
        with socket.create_connection((host, port)) as raw, context.wrap_socket(raw) as secure:
            secure.sendall(b"GET /api/v1/stores/one/sync/state HTTP/1.1\r\nHost: x\r\n\r\n")
            return secure.recv(100)
    except (ssl.SSLError, ConnectionError):
        return b""


def test_nobody_knocks_without_a_certificate_or_with_one_of_another_head_office(doors: Doors) -> None:
    with pytest.raises(Unreachable):  # it does not trust us, we do not trust it
        doors.client(doors.strange).state()
    host, port = "127.0.0.1", doors.office.port + 1
    blind = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    blind.check_hostname, blind.verify_mode = False, ssl.CERT_NONE
    strange = ssl_context("client", doors.strange.identity)
    strange.verify_mode = ssl.CERT_NONE
    for context in (blind, strange):
        assert answered(host, port, context) == b""
    status, said = doors.office.call("POST", "/stores/one/sync")
    assert (status, said["kind"]) == (403, "certificate-refused")


def test_a_key_serves_only_with_the_certificate_that_it_came_with(doors: Doors) -> None:
    crossed = msgspec.structs.replace(doors.stores["one"], api_key=doors.stores["two"].api_key)
    assert doors.client(crossed).state().status == 403
    guessed = msgspec.structs.replace(doors.stores["one"], api_key="guessed")
    assert doors.client(guessed).state().status == 401
    elsewhere = msgspec.structs.replace(doors.stores["one"], store="two")
    assert doors.client(elsewhere).state().status == 403
    foreign = doors.client(doors.stores["one"]).upload(batch("two", sales("two", 1)), MEDIA)
    assert foreign.status == 403


def test_bombs_and_oversized_batches_are_refused(doors: Doors) -> None:
    client = doors.client(doors.stores["four"])
    assert client.upload(b"x" * (UPLOAD_BYTES_MAX + 1), MEDIA).status == 413
    good = batch("four", sales("four", 1))
    packed = zstandard.ZstdCompressor(level=3, write_content_size=False).compress(bytes(1 << 30))
    for size in (1_000, UPLOAD_UNPACKED_BYTES_MAX):
        bomb = good[:3] + b"\x01" + size.to_bytes(4, "big") + packed
        assert client.upload(bomb, MEDIA).status == 400
    assert client.upload(good[:3] + b"\x01" + b"\xff" * 4 + packed, MEDIA).status == 400
    assert client.upload(b"nonsense", MEDIA).status == 400
    assert client.upload(good, "application/json").status == 415
    assert client.state().status == 200


def test_a_store_brings_its_own_pictures_and_gets_those_of_no_other_store(doors: Doors) -> None:
    photo = cleaned(jpeg(40, 40))
    named = picture_of(photo)
    one, two = doors.client(doors.stores["one"]), doors.client(doors.stores["two"])
    asked = msgspec.json.encode(Which([named.sha256, "0" * 64]))
    assert one.picture(named.sha256).status == 404
    assert one.bring_picture(named.sha256, photo, PICTURE).status == 204
    assert one.bring_picture(named.sha256, photo, PICTURE).status == 204, "again is no news"
    assert one.picture(named.sha256).body == photo
    assert read_held(one.which_pictures(asked).body) == {named.sha256}
    assert read_held(two.which_pictures(asked).body) == set()
    assert two.picture(named.sha256).status == 404
    crossed = doors.client(msgspec.structs.replace(doors.stores["two"], store="one"))
    said = (
        crossed.which_pictures(asked),
        crossed.picture(named.sha256),
        crossed.bring_picture("0" * 64, photo, PICTURE),
    )
    assert [reply.status for reply in said] == [403, 403, 403]


@pytest.mark.parametrize(
    ("data", "media", "status"),
    [
        (jpeg(40, 40) + b"<script>", PICTURE, 422),
        (b"<svg/>", PICTURE, 422),
        (bytes(PICTURE_BYTES_MAX + 1), PICTURE, 413),
        (cleaned(jpeg(40, 40)), "image/jpeg", 415),
        (cleaned(webp()), PICTURE, 422),
    ],
    ids=["tail", "svg", "large", "media", "hash"],
)
def test_what_is_no_picture_of_that_name_stays_outside(doors: Doors, data: bytes, media: str, status: int) -> None:
    store = doors.client(doors.stores["three"])
    assert store.bring_picture("1" * 64, data, media).status == status
    assert store.picture("1" * 64).status == 404
