"""Security requirement S11: other sites in the same browser, and other programs on the LAN,
get nothing from this till."""

import contextlib
import http.cookies
import json
import socket
import time

import pytest

from tests.services.api.process import Running
from tests.services.api.shop import PINS, Shop

pytestmark = [pytest.mark.slow, pytest.mark.service]
API = "/api/v1"


def signed_in(till: Running) -> dict[str, str]:
    """Give the headers of a page of the till itself, with its cookie."""
    _, headers, _ = till.call("POST", f"{API}/session", {"pin": PINS["manager"]})
    cookie = headers["set-cookie"].partition(";")[0]
    return {"Cookie": cookie, "Origin": till.url, "Sec-Fetch-Site": "same-origin", "Content-Type": "application/json"}


SALE = {
    "cart_id": "forged", "lines": [{"sku": "tea", "quantity": 1}], "payments": [{"method": "card", "amount_minor": 250}]
}  # fmt: skip


@pytest.mark.parametrize(
    "forged",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://["},
        {"Origin": ""},
        {"Origin": "http://127.0.0.1"},
        {"Origin": "http://127.0.0.1:1"},
        {"Host": "evil.example"},
        {"Host": "evil.example:{port}", "Origin": "http://evil.example:{port}"},
        {"Host": "127.0.0.1.evil.example", "Origin": "http://127.0.0.1.evil.example"},
        {"Host": ""},
        {"Host": "[::1]:{port}"},
        {"Sec-Fetch-Site": "cross-site", "Origin": None},
        {"Sec-Fetch-Site": "same-site", "Origin": None},
        {"Content-Type": "text/plain", "Origin": None, "Sec-Fetch-Site": None},
        {"Content-Type": "application/x-www-form-urlencoded", "Origin": None, "Sec-Fetch-Site": None},
        {"Content-Type": "multipart/form-data; boundary=x", "Origin": None, "Sec-Fetch-Site": None},
    ],
)  # fmt: skip
def test_a_forged_request_with_the_right_cookie_sells_nothing(till: Running, forged: dict[str, str | None]) -> None:
    headers = signed_in(till) | {
        name: value.format(port=till.port) for name, value in forged.items() if value is not None
    }
    for name in (name for name, value in forged.items() if value is None):
        del headers[name]
    before = till.get(f"{API}/state-hash")
    status, answer, body = till.call("POST", f"{API}/sales", json.dumps(SALE).encode(), headers)
    assert status in {403, 415}, body
    assert answer["content-type"] == "application/problem+json"
    assert "access-control-allow-origin" not in answer
    assert till.get(f"{API}/state-hash") == before


def test_the_own_page_may_do_what_the_forged_ones_may_not(till: Running) -> None:
    headers = signed_in(till)
    status, _, body = till.call("POST", f"{API}/sales", json.dumps(SALE | {"cart_id": "own"}).encode(), headers)
    assert status == 201, body
    local = {"Host": f"localhost:{till.port}", "Origin": f"http://localhost:{till.port}"}
    status, _, _ = till.call("GET", f"{API}/session", headers=headers | local)
    assert status == 200


def raw(till: Running, request: str, seconds: float = 3.0) -> str:
    """Send bytes as they are and give what comes back until the other side is silent."""
    with socket.create_connection(("127.0.0.1", till.port), timeout=seconds) as connection:
        with contextlib.suppress(ConnectionError):  # it may hang up before it has heard all
            connection.sendall(request.encode("latin-1"))
        found = b""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            try:
                part = connection.recv(65_536)
            except (TimeoutError, ConnectionResetError):
                break
            if not part:
                break
            found += part
            if b"\r\n\r\n" in found and b"retry:" in found:
                break
        return found.decode("latin-1")


@pytest.mark.parametrize("forged", ["Origin: https://evil.example", "Sec-Fetch-Site: cross-site"])
def test_live_events_are_refused_to_other_sites(till: Running, forged: str) -> None:
    cookie = signed_in(till)["Cookie"]
    request = f"GET {API}/events HTTP/1.1\r\nHost: 127.0.0.1:{till.port}\r\nCookie: {cookie}\r\n"
    assert "403 Forbidden" in raw(till, f"{request}{forged}\r\nConnection: close\r\n\r\n")
    rebound = request.replace("Host: 127.0.0.1", "Host: evil.example")
    assert "403 Forbidden" in raw(till, f"{rebound}Connection: close\r\n\r\n")
    own = raw(till, f"{request}Origin: {till.url}\r\n\r\n")
    assert "200 OK" in own
    assert "text/event-stream" in own
    assert "401 Unauthorized" in raw(
        till, f"GET {API}/events HTTP/1.1\r\nHost: 127.0.0.1:{till.port}\r\nConnection: close\r\n\r\n"
    )


STATE, SALES, HERE = "GET /api/v1/state HTTP/1.1\r\n", "POST /api/v1/sales HTTP/1.1\r\n", "Host: 127.0.0.1\r\n"
LAST = "Connection: close\r\n\r\n"
BROKEN = {
    "no host": STATE + LAST,
    "two hosts": STATE + "Host: a\r\n" + HERE + LAST,
    "negative length": SALES + HERE + "Content-Length: -5\r\n\r\n",
    "two lengths": SALES + HERE + "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "long path": "GET /" + "a" * 100_000 + " HTTP/1.1\r\n" + HERE + "\r\n",
    "long header": "GET / HTTP/1.1\r\n" + HERE + "X-A: " + "b" * 200_000 + "\r\n\r\n",
    "endless header": "GET / HTTP/1.1\r\n" + HERE + "X-A: " + "b" * 200_000,
    "endless trailer": SALES + HERE + "Transfer-Encoding: chunked\r\n\r\n0\r\nX-A: " + "b" * 200_000,
    "tiny chunks": SALES + HERE + "Transfer-Encoding: chunked\r\n\r\n" + "1\r\n \r\n" * 50_000,
    "tls": "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    "proxy": "GET http://evil.example/api/v1/state HTTP/1.1\r\nHost: evil.example\r\n" + LAST,
}


@pytest.mark.parametrize("request_", BROKEN.values(), ids=BROKEN.keys())
def test_broken_requests_end_and_the_till_goes_on(till: Running, request_: str) -> None:
    answer = raw(till, request_, seconds=2.0)
    assert not answer.startswith("HTTP/1.1 2"), answer[:200]
    assert " 500 " not in answer[:30]
    assert till.get(f"{API}/health")["checks"]


def test_the_cookie_is_for_this_till_and_its_pages_alone(till: Running) -> None:
    _, headers, body = till.call("POST", f"{API}/session", {"pin": PINS["cashier"]})
    (cookie,) = http.cookies.SimpleCookie(headers["set-cookie"]).values()
    assert cookie.key == "tillmesh_session"
    assert cookie["httponly"]
    assert cookie["samesite"].lower() == "strict"
    assert cookie["path"] == "/"
    assert not cookie["domain"]
    assert json.loads(body)["token"] == cookie.value
    assert len(cookie.value) >= 43, "256 bits"


@pytest.mark.parametrize("path", ["/", f"{API}/state", f"{API}/nothing", "/static/nothing.js", f"{API}/sales"])
def test_every_answer_says_what_a_page_may_do(till: Running, path: str) -> None:
    _, headers, _ = till.call("GET", path)
    policy = headers["content-security-policy"]
    assert "default-src 'self'" in policy
    assert "unsafe" not in policy
    for part in ("object-src 'none'", "base-uri 'none'", "form-action 'none'", "frame-ancestors"):
        assert part in policy
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["cross-origin-resource-policy"] == "same-origin"
    assert "server" not in headers


@pytest.mark.parametrize(
    "path",
    [
        "/static/../app.py", "/static/..%2fapp.py", "/static/%2e%2e/app.py", "/static/%2e%2e%2f%2e%2e%2fapi.py",
        "/static/..\\app.py", "/static//etc/passwd", "/static/%2fetc%2fpasswd", "/static/....//app.py", "/static/%00",
        "/static/../../../../../../../../etc/passwd", "/../pyproject.toml", "/static/index.html/../../app.py",
        "/static/",
        "/static/pages", "/static/pages/", "/.env", "/till.db",
    ],
)  # fmt: skip
def test_no_path_leads_out_of_the_pages(till: Running, path: str) -> None:
    status, headers, body = till.call("GET", path)
    assert status in {404, 405}, (status, body[:200])
    assert b"import" not in body
    assert b"root:" not in body
    assert headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(
    "target",
    ["../receipts/", "/etc/passwd", "/dev/sda", "/dev/../etc/passwd", "/dev/usb/../../etc/x", "C:\\x", "a/../../b",
    "//x/y",
     "receipts/\x00", "\\\\server\\share", "/dev/mem", "/proc/self/mem", "file:///etc/passwd"],
)  # fmt: skip
def test_a_printer_file_stays_in_the_tills_own_folder(shop: Shop, target: str) -> None:
    before = shop.ok("GET", "/settings")["terminal"]
    answer = shop.call("PATCH", "/settings", {"terminal": {"printer_kind": "file", "printer_target": target}})
    assert answer.status_code == 422, answer.text
    assert shop.ok("GET", "/settings")["terminal"] == before


@pytest.mark.parametrize(
    "target",
    ["http://169.254.169.254/latest", "printer:0", "printer:65536", "a b:9100", "x@y:9100", "printer:9100/path",
    "", "gopher://x",
     "printer:9100\r\nSLAVEOF x", "[::1", "0x7f.1:22/../"],
)  # fmt: skip
def test_a_network_printer_is_a_host_and_a_port_and_nothing_else(shop: Shop, target: str) -> None:
    answer = shop.call("PATCH", "/settings", {"terminal": {"printer_kind": "network", "printer_target": target}})
    assert answer.status_code == 422, answer.text


def test_only_a_manager_points_the_printer_somewhere(shop: Shop) -> None:
    for role in ("cashier", "supervisor"):
        answer = shop.call("PATCH", "/settings", {"terminal": {"printer_kind": "none"}}, role=role)
        assert answer.status_code == 403
