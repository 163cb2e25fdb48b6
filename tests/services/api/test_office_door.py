"""Other devices on the shop's network: paired once with a code, over TLS; forged and unpaired requests get nothing."""

import json
import socket
import ssl
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from http.client import HTTPSConnection
from typing import Any

import pytest

from tests.ports import free_port
from tests.services.api.shop import PINS, Json, Shop
from tillmesh.adapters.lan.door import STRANGERS_PER_ADDRESS_MAX
from tillmesh.kernel.limits import OFFICE_CODE_MS
from tillmesh.terminal.office_door import DEVICE, OfficeDoor

HOST = "127.0.0.1"


class Tablet:
    """A device that speaks TLS with the till, and trusts its authority."""

    def __init__(self, door: OfficeDoor) -> None:
        self.door = door
        self.tls = ssl.create_default_context(cadata=door.authority.certificate.decode())
        self.cookies: dict[str, str] = {}
        self.token = ""

    def ask(self, method: str, path: str, body: object = None, **headers: str) -> tuple[int, dict[str, str], Any]:
        line = HTTPSConnection(HOST, self.door.port, timeout=30, context=self.tls)
        sent = {"Content-Type": "application/json"} if body is not None else {}
        if self.cookies:
            sent["Cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        if self.token:
            sent["Authorization"] = f"Bearer {self.token}"
        try:
            line.request(method, path, None if body is None else json.dumps(body), sent | headers)
            answer = line.getresponse()
            text = answer.read()
        finally:
            line.close()
        is_json = "json" in (answer.getheader("content-type") or "")
        return answer.status, dict(answer.getheaders()), json.loads(text) if is_json and text else text

    def api(self, method: str, path: str, body: object = None, **headers: str) -> tuple[int, Any]:
        status, _, found = self.ask(method, f"/api/v1{path}", body, **headers)
        return status, found

    def pair(self, code: str) -> int:
        status, headers, _ = self.ask("POST", "/api/v1/office/pair", {"code": code, "name": "Back room"})
        if status == 201:
            cookie = headers["set-cookie"]
            assert all(word in cookie for word in ("HttpOnly", "Secure", "SameSite=strict"))
            name, _, value = cookie.partition(";")[0].partition("=")
            self.cookies[name] = value
        return status

    def sign_in(self, role: str) -> int:
        status, found = self.api("POST", "/session", {"pin": PINS[role]})
        if status == 201:
            self.token = found["token"]
        return status


@pytest.fixture
def till(fresh: Callable[[], Shop]) -> Iterator[Shop]:
    shop = fresh()
    shop.product("tea")

    async def open_door() -> OfficeDoor:
        door = await OfficeDoor.open(shop.driver, HOST, free_port(), [HOST])
        door._clock = shop.clock
        door.serve(shop.services.extra["app"])
        return door

    door = shop.services.extra["office"] = shop.loop.run(open_door())
    shop.wait_for(lambda: door._server.started or None)
    yield shop
    shop.loop.run(shop.services.extra["office"].stop())


@pytest.fixture
def tablet(till: Shop) -> Tablet:
    return Tablet(till.services.extra["office"])


def shown_code(till: Shop) -> str:
    made: Json = till.ok("POST", "/office/codes", {})
    assert made["qr"].startswith("data:image/svg+xml;base64,")
    assert made["url"].startswith(f"https://{HOST}:")
    return str(made["code"])


def test_a_paired_tablet_works_as_the_back_office_until_it_is_removed(till: Shop, tablet: Tablet) -> None:
    assert b'id="pair"' in tablet.ask("GET", "/")[2]
    assert tablet.pair(shown_code(till)) == 201
    assert b'id="app"' in tablet.ask("GET", "/")[2]
    assert tablet.api("GET", "/products")[0] == 401
    assert tablet.sign_in("cashier") == 403
    assert tablet.sign_in("manager") == 201
    assert tablet.api("PATCH", "/products/tea", {"price_minor": 275})[0] == 200
    assert till.ok("GET", "/products/tea")["price_minor"] == 275
    (device,) = till.ok("GET", "/office")["devices"]
    assert (device["name"], device["paired_by"]) == ("Back room", "Mona")
    till.ok("DELETE", f"/office/devices/{device['device_id']}")
    assert tablet.api("GET", "/products")[0] == 403
    assert b'id="pair"' in tablet.ask("GET", "/")[2]
    actions = [one["action"] for one in till.ok("GET", "/audit")["entries"]]
    assert actions[:1] == ["device_removed"]
    assert "device_paired" in actions


@pytest.mark.parametrize(
    "forged",
    [
        {"Host": "evil.example"},
        {"Host": "localhost:{port}"},
        {"Origin": "https://evil.example"},
        {"Origin": "http://127.0.0.1:{port}x"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Content-Type": "text/plain"},
        {"Content-Type": "application/x-www-form-urlencoded"},
    ],
)
def test_a_forged_request_of_a_paired_tablet_changes_nothing(
    till: Shop, tablet: Tablet, forged: dict[str, str]
) -> None:
    assert tablet.pair(shown_code(till)) == 201
    assert tablet.sign_in("manager") == 201
    before = till.state_hash()
    headers = {name: value.format(port=tablet.door.port) for name, value in forged.items()}
    status, answer, body = tablet.ask("PATCH", "/api/v1/products/tea", {"price_minor": 1}, **headers)
    assert status in {403, 415}, body
    assert "access-control-allow-origin" not in answer
    assert till.state_hash() == before


def test_a_device_that_was_not_paired_gets_the_page_that_asks_and_nothing_else(till: Shop, tablet: Tablet) -> None:
    tablet.token = till.tokens["manager"]  # stolen from the till's own page
    for cookies in ({}, {DEVICE: "made-up"}, {DEVICE: ""}):
        tablet.cookies = dict(cookies)
        for path in ("/products", "/state", "/events", "/health", "/metrics"):
            assert tablet.api("GET", path)[0] == 403, path
        for path in ("/display", "/static/app.js", "/static/css/../app.js", "/static/css/..%2fapp.js"):
            assert tablet.ask("GET", path)[0] == 403, path
        assert tablet.api("POST", "/session", {"pin": PINS["manager"]})[0] == 403
    assert tablet.ask("GET", "/office-ca.crt")[2] == tablet.door.authority.certificate
    assert tablet.ask("GET", "/static/pair.js")[0] == 200
    assert tablet.api("POST", "/office/codes", {})[0] == 403


def test_three_wrong_codes_end_it_and_a_code_serves_once_and_for_two_minutes(till: Shop, tablet: Tablet) -> None:
    code = shown_code(till)
    wrong = "0" * 8 if code != "0" * 8 else "1" * 8
    assert [tablet.pair(wrong) for _ in range(3)] == [403] * 3
    assert tablet.pair(code) == 403  # the fourth try comes too late
    code = shown_code(till)
    till.clock.ahead_ms += OFFICE_CODE_MS + 1
    assert tablet.pair(code) == 403
    code = shown_code(till)
    assert tablet.pair(code) == 201
    assert Tablet(tablet.door).pair(code) == 403


def test_codes_are_shown_at_the_till_alone_and_by_managers(till: Shop, tablet: Tablet) -> None:
    assert till.call("POST", "/office/codes", {}, role="supervisor").status_code == 403
    assert till.call("POST", "/office/pair", {"code": "1" * 8}, role=None).status_code == 404
    assert tablet.pair(shown_code(till)) == 201
    assert tablet.sign_in("manager") == 201
    assert tablet.api("POST", "/office/codes", {})[0] == 409


def test_the_door_speaks_tls_alone_and_vouches_for_its_own_addresses(till: Shop, tablet: Tablet) -> None:
    with socket.create_connection((HOST, tablet.door.port), timeout=30) as plain:
        plain.sendall(b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        assert b"200 OK" not in plain.recv(4_096)
    stranger = HTTPSConnection(HOST, tablet.door.port, timeout=30, context=ssl.create_default_context())
    with pytest.raises(ssl.SSLCertVerificationError):
        stranger.request("GET", "/")
    raw = socket.create_connection((HOST, tablet.door.port), timeout=30)
    with pytest.raises(ssl.SSLCertVerificationError), raw:
        tablet.tls.wrap_socket(raw, server_hostname="localhost")


def test_a_websocket_of_another_site_is_refused_like_everything_else(till: Shop, tablet: Tablet) -> None:
    assert tablet.pair(shown_code(till)) == 201
    asked = {"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13"}
    asked["Sec-WebSocket-Key"] = "dGhlIHNhbXBsZSBub25jZQ=="
    assert tablet.ask("GET", "/api/v1/events", None, Origin="https://evil.example", **asked)[0] == 403


def test_a_till_without_the_door_says_so(fresh: Callable[[], Shop]) -> None:
    shop = fresh()
    assert shop.ok("GET", "/office")["open"] is False
    assert shop.call("POST", "/office/codes", {}).status_code == 409
    assert shop.call("GET", "/../office-ca.crt", role=None).status_code in {403, 404}


def test_a_crowd_at_the_door_for_other_devices_stops_neither_sales_nor_a_device_that_is_in(
    till: Shop, tablet: Tablet
) -> None:
    """Each connection is a file, and a process may open so many: whoever took all of them stopped the till."""
    assert tablet.pair(shown_code(till)) == 201
    tablet.door._server.config.timeout_keep_alive = 600  # however slow this machine is
    line = HTTPSConnection(HOST, tablet.door.port, timeout=30, context=tablet.tls)
    cookie = {"Cookie": "; ".join(f"{name}={value}" for name, value in tablet.cookies.items())}
    with closing(line), ExitStack() as crowd:
        line.request("GET", "/", headers=cookie)
        assert b'id="app"' in line.getresponse().read()
        strangers = [
            socket.create_connection((HOST, tablet.door.port), 30) for _ in range(3 * STRANGERS_PER_ADDRESS_MAX)
        ]
        for stranger in strangers:
            crowd.enter_context(stranger)
        turned_away = strangers[STRANGERS_PER_ADDRESS_MAX:]
        assert [stranger.recv(1) for stranger in turned_away] == [b""] * len(turned_away)
        assert till.ok("GET", "/products/tea")["sku"] == "tea"
        line.request("GET", "/", headers=cookie)
        assert b'id="app"' in line.getresponse().read()
    till.wait_for(lambda: not tablet.door._listening._strangers or None)
    assert tablet.ask("GET", "/")[0] == 200
