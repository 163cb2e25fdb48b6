"""One contract for both doors, head office's own and Envoy: who is let in, and what is refused with which status.

Whatever is refused is logged, and nothing of it is stored.
"""

import http.client
import socket
import ssl
from base64 import b64decode
from collections.abc import Callable
from urllib.parse import quote

import msgspec
import pytest
import zstandard

from tests.pictures import jpeg
from tests.services.hub.gateway import Door, batch, sales, until
from tests.services.hub.office import enrolled
from tillmesh.adapters.wan.bundle import Bundle, read_bundle
from tillmesh.adapters.wan.certificates import serial_of, ssl_context
from tillmesh.adapters.wan.client import Reply
from tillmesh.kernel.limits import UPLOAD_BYTES_MAX, UPLOAD_UNPACKED_BYTES_MAX
from tillmesh.shop.pictures import cleaned, picture_of
from tillmesh.sync.office_pictures import MEDIA as PICTURE
from tillmesh.sync.recovery import read_estate, read_page
from tillmesh.sync.upload import MEDIA, Batch, read_answer, write_batch

pytestmark = [pytest.mark.slow, pytest.mark.service, pytest.mark.xdist_group("gateway"), pytest.mark.timeout(300)]
HOST = "127.0.0.1"


def refusal(reply: Reply) -> tuple[int, object]:
    return reply.status, reply.problem().get("kind")


def test_a_store_uploads_in_parts_and_again_and_every_event_counts_once(any_door: Door) -> None:
    bundle = any_door.enrol()
    client, events = any_door.client(bundle), sales(bundle.store, 20)
    replies = [client.upload(batch(bundle.store, part), MEDIA) for part in (events[:10], events, events)]
    assert [reply.status for reply in replies] == [200, 200, 200]
    assert [list(read_answer(reply.body).acked.values()) for reply in replies] == [[10], [20], [20]]
    assert any_door.events(bundle.store) == 20


def test_pictures_have_calls_of_their_own_and_too_many_of_them_take_no_sale_its_turn(any_door: Door) -> None:
    bundle, photo = any_door.enrol(), cleaned(jpeg(40, 40))
    client, sha256 = any_door.client(bundle), picture_of(photo).sha256
    assert client.bring_picture(sha256, photo, PICTURE).status == 204
    assert client.picture(sha256).body == photo
    replies = [client.picture(sha256) for _ in range(60)]
    assert {reply.status for reply in replies} == {200, 429}
    assert all(reply.retry_after_s >= 1 for reply in replies if reply.status == 429)
    assert client.upload(batch(bundle.store, sales(bundle.store, 1)), MEDIA).status == 200


def end_of(door: Door, context: ssl.SSLContext) -> bytes:
    """Knock, and give what came back; nothing if the door was closed."""
    try:
        with socket.create_connection((HOST, door.port), 60) as raw, context.wrap_socket(raw) as secure:
            secure.sendall(b"GET /api/v1/stores/first/sync/state HTTP/1.1\r\nHost: x\r\n\r\n")
            return secure.recv(100)
    except (ssl.SSLError, ConnectionError):
        return b""


def test_without_a_certificate_of_this_head_office_nobody_gets_a_word_out(
    any_door: Door, tmp_path_factory: pytest.TempPathFactory
) -> None:
    blind = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    blind.check_hostname, blind.verify_mode = False, ssl.CERT_NONE
    strange = ssl_context("client", enrolled(tmp_path_factory.mktemp("strange"), "first").identity)
    strange.verify_mode = ssl.CERT_NONE
    old = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    old.check_hostname, old.verify_mode = False, ssl.CERT_NONE
    old.maximum_version = ssl.TLSVersion.TLSv1_2
    assert [end_of(any_door, context) for context in (blind, strange, old)] == [b"", b"", b""]
    with socket.create_connection((HOST, any_door.port), 60) as plain:
        plain.sendall(b"GET /api/v1/stores/first/sync/state HTTP/1.1\r\nHost: x\r\n\r\n")
        assert not plain.recv(100).startswith(b"HTTP/1.1 200")


@pytest.mark.parametrize(
    ("tamper", "expected"),
    [
        (lambda one, _: msgspec.structs.replace(one, api_key="guessed"), (401, "key-refused")),
        (lambda one, _: msgspec.structs.replace(one, api_key=""), (401, "key-refused")),
        (lambda one, _: msgspec.structs.replace(one, api_key=one.api_key + "x"), (401, "key-refused")),
        (lambda one, two: msgspec.structs.replace(one, api_key=two.api_key), (403, "not-allowed")),
        (lambda one, two: msgspec.structs.replace(one, store=two.store), (403, "not-allowed")),
        (lambda one, two: msgspec.structs.replace(two, store=one.store, api_key=one.api_key), (403, "not-allowed")),
    ],
    ids=["guessed", "none", "nearly", "another store's key", "another store's address", "only the key is right"],
)
def test_a_key_opens_only_with_its_own_certificate_and_only_the_own_store(
    any_door: Door, tamper: Callable[[Bundle, Bundle], Bundle], expected: tuple[int, str]
) -> None:
    one, two = any_door.enrol(), any_door.enrol()
    client = any_door.client(tamper(one, two))
    assert refusal(client.state()) == expected
    for store in (one.store, two.store):
        assert refusal(client.upload(batch(store, sales(store, 3)), MEDIA)) == expected
    assert [any_door.events(store) for store in (one.store, two.store)] == [0, 0]
    until(any_door.logged, lambda said: expected[1] in said, "the refusal is not logged")
    for secret in (one.api_key, two.api_key):
        assert secret not in any_door.logged()


def test_a_batch_of_another_store_is_refused(any_door: Door) -> None:
    one, two = any_door.enrol(), any_door.enrol()
    reply = any_door.client(one).upload(batch(two.store, sales(two.store, 3)), MEDIA)
    assert refusal(reply) == (403, "not-allowed")
    assert any_door.events(two.store) == 0


def test_what_a_caller_says_about_its_certificate_is_not_believed(any_door: Door) -> None:
    one, two = any_door.enrol(), any_door.enrol()
    pem = ssl.DER_cert_to_PEM_cert(two.certificate)
    client = any_door.client(msgspec.structs.replace(one, store=two.store, api_key=two.api_key))
    client._headers["X-Forwarded-Client-Cert"] = f'Hash={"0" * 64};Cert="{quote(pem)}"'
    assert client.state().status == 403
    own = any_door.client(one)
    own._headers["X-Forwarded-Client-Cert"] = client._headers["X-Forwarded-Client-Cert"]
    assert own.state().status == 200


def test_a_revoked_certificate_is_refused_on_the_open_connection_and_a_newer_one_goes_on(any_door: Door) -> None:
    old = any_door.enrol()
    new, client = any_door.enrol(old.store), any_door.client(old)
    assert client.upload(batch(old.store, sales(old.store, 2)), MEDIA).status == 200
    serial = serial_of(old.certificate).hex()
    assert any_door.office.call("DELETE", f"/stores/{old.store}/credentials/{serial}")[0] == 204
    reply = client.upload(batch(old.store, sales(old.store, 3)), MEDIA)
    assert refusal(reply) == (403, "certificate-refused")
    assert any_door.client(new).upload(batch(old.store, sales(old.store, 2)), MEDIA).status == 200
    assert any_door.office.call("DELETE", f"/stores/{old.store}/credentials")[0] == 200
    assert refusal(any_door.client(new).state()) == (403, "certificate-refused")
    assert any_door.events(old.store) == 2


def test_an_expired_certificate_is_refused_by_name(any_door: Door) -> None:
    client = any_door.client(any_door.expired)
    reply = client.state()
    assert refusal(reply) == (403, "certificate-refused")
    assert "expired" in str(reply.problem()["detail"])


def test_bombs_oversized_bodies_and_wrong_types_are_refused_and_nothing_is_stored(any_door: Door) -> None:
    bundle = any_door.enrol()
    store, client = bundle.store, any_door.client(bundle)
    good = batch(store, sales(store, 1))
    packed = zstandard.ZstdCompressor(level=3, write_content_size=False).compress(bytes(1 << 30))
    bombs = [good[:3] + b"\x01" + size.to_bytes(4, "big") + packed for size in (1_000, UPLOAD_UNPACKED_BYTES_MAX)]
    bad = [b"x" * (UPLOAD_BYTES_MAX + 1), *bombs, good[:3] + b"\x01" + b"\xff" * 4 + packed, b"nonsense", b""]
    said = [client.upload(sent, MEDIA).status for sent in bad]
    assert said == [413, 400, 400, 400, 400, 400]
    assert refusal(client.upload(good, "application/json")) == (415, "unsupported-media-type")
    assert refusal(client.upload(good, "")) == (415, "unsupported-media-type")
    assert any_door.events(store) == 0
    assert client.upload(good, MEDIA).status == 200


def test_a_body_without_an_end_stops_at_the_limit(any_door: Door) -> None:
    bundle = any_door.enrol()
    context = ssl_context("client", bundle.identity)
    connection = http.client.HTTPSConnection(HOST, any_door.port, timeout=60, context=context)
    connection.putrequest("POST", f"/api/v1/stores/{bundle.store}/sync")
    for name, value in (("X-Api-Key", bundle.api_key), ("Content-Type", MEDIA), ("Transfer-Encoding", "chunked")):
        connection.putheader(name, value)
    connection.endheaders()
    part = b"10000\r\n" + bytes(65_536) + b"\r\n"
    try:
        for _ in range(16 * UPLOAD_BYTES_MAX // 65_536):
            connection.send(part)
        with connection.getresponse() as said:
            assert said.status == 413
    except (ConnectionError, ssl.SSLError):
        pass  # closed while more was sent
    finally:
        connection.close()
    assert any_door.client(bundle).state().status == 200
    assert any_door.events(bundle.store) == 0


def test_a_store_has_nothing_else_to_call(any_door: Door) -> None:
    bundle = any_door.enrol()
    client = any_door.client(bundle)
    headers = dict(client._headers)
    for path in ("/api/v1/stores", "/api/v1/people", "/metrics", "/", "/api/v1/overview"):
        assert client._call("GET", path, None, headers).status == 404


def test_a_log_is_given_back_only_to_whom_an_administrator_permitted_it(any_door: Door) -> None:
    usual = any_door.enrol()
    client, events = any_door.client(usual), sales(usual.store, 12)
    assert client.upload(batch(usual.store, events), MEDIA).status == 200
    for reply in (client.estate(), client.page(""), client.claim(b'{"authority": "", "lists": [""]}')):
        assert refusal(reply) == (403, "not-allowed")
    status, said = any_door.office.call("POST", f"/stores/{usual.store}/recovery")
    assert status == 200, said
    permitted = any_door.client(read_bundle(b64decode(said["bundle"])))
    until(lambda: permitted.state().status, lambda status: status == 200, "the permitted machine is not let in")
    estate = read_estate(permitted.estate().body)
    assert (estate.store, [mark.seq for mark in estate.heads.values()]) == (usual.store, [12])
    page = read_page(permitted.page("").body)
    assert (page.whole, [(run.first, len(run.items)) for run in page.runs]) == (True, [(1, 12)])
    assert read_page(permitted.page(page.place).body).runs == []
    assert refusal(permitted.page("log:x")) == (422, "invalid")
    assert refusal(client.page("")) == (403, "not-allowed")


def test_models_and_reports_on_them_pass_the_same_door(any_door: Door) -> None:
    one, two = any_door.enrol(), any_door.enrol()
    client, report = any_door.client(one), {"terminal": "till1", "name": "voice", "version": 1, "window_start": 1}
    body = msgspec.json.encode({"reports": [report | {"window_end": 2}]})
    for store, status in ((one.store, 200), (two.store, 403)):
        path = f"/api/v1/stores/{store}/models"
        assert client._call("POST", path + "/reports", body, {"Content-Type": "application/json"}).status == status
        reply = client._call("GET", path + "/voice/1", None, {})
        assert reply.status == (404 if status == 200 else status)
        assert "stores call nothing else" not in str(reply.problem()["detail"])
    reply = client._call("GET", f"/api/v1/stores/{one.store}/models/../../people", None, {})
    assert reply.status in (403, 404)


def test_a_store_that_goes_on_and_on_waits_and_no_other_does(any_door: Door) -> None:
    loud, quiet = any_door.enrol(), any_door.enrol()
    client, empty = any_door.client(loud), write_batch(Batch(loud.store, 1, "tilla.aaaaaaaa", {}, []))
    reply = until(lambda: client.upload(empty, MEDIA), lambda reply: reply.status != 200, "nothing slows it down")
    assert refusal(reply) == (429, "too-many")
    assert 1 <= reply.retry_after_s <= 60
    assert any_door.client(quiet).upload(batch(quiet.store, sales(quiet.store, 2)), MEDIA).status == 200
    assert client.state().status == 200  # only uploads are counted


def test_who_sends_a_byte_now_and_then_is_hung_up_on_and_nobody_waits_for_it(any_door: Door) -> None:
    bundle = any_door.enrol()
    context = ssl_context("client", bundle.identity)
    head = f"POST /api/v1/stores/{bundle.store}/sync HTTP/1.1\r\nHost: x\r\nX-Api-Key: {bundle.api_key}\r\n"
    body = f"{head}Content-Type: {MEDIA}\r\nContent-Length: 100000\r\n\r\nsome"
    slow = []
    for begun in (head, body):
        slow.append(context.wrap_socket(socket.create_connection((HOST, any_door.port), 120)))
        slow[-1].sendall(begun.encode())
    assert any_door.client(bundle).upload(batch(bundle.store, sales(bundle.store, 1)), MEDIA).status == 200
    for held in slow:
        try:
            said = held.recv(1_000)
            assert said == b"" or said.startswith(b"HTTP/1.1 408 ")
        except (ConnectionError, ssl.SSLError):
            pass
        held.close()
    assert any_door.events(bundle.store) == 1
