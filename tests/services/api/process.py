"""A till as it runs in a shop: the program in a process of its own, on a loopback port, with its log in a file."""

import contextlib
import http.client
import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.ports import free_port
from tests.services.api.shop import NAMES, PINS, Json
from tillmesh.shop.events import Change
from tillmesh.terminal.offline import OfflineTill
from tillmesh.terminal.web.session_calls import SYSTEM
from tillmesh.till.commands import ChangeRecords, OpenShift

WAIT_S = 30.0


@dataclass(frozen=True)
class Running:
    """A running till."""

    port: int
    data_dir: Path
    log: Path

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def call(
        self, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None
    ) -> tuple[int, dict[str, str], bytes]:
        """Send a request as it is, with the path unchanged and only the headers given."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=WAIT_S)
        with contextlib.closing(connection):
            sent = {} if headers is None else dict(headers)
            if isinstance(body, dict):
                body = json.dumps(body).encode()
                sent.setdefault("Content-Type", "application/json")
            connection.request(method, path, body, sent)
            answer = connection.getresponse()
            return answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read()

    def sign_in(self, role: str) -> str:
        status, _, body = self.call("POST", "/api/v1/session", {"pin": PINS[role]})
        assert status == 201, body
        return str(json.loads(body)["token"])

    def get(self, path: str, token: str = "") -> Json:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        status, _, body = self.call("GET", path, headers=headers)
        assert status == 200, body
        found: Json = json.loads(body)
        return found


def furnish(data_dir: Path) -> None:
    """Make a till with people, two products and an open shift."""
    till = OfflineTill(data_dir, hurried=True)
    now = time.time_ns() // 1_000_000
    people = tuple(
        Change(key=role, fields={"name": NAMES[role], "role": role, "pin_tag": till.pin_tag(pin), "active": True})
        for role, pin in PINS.items()
    )
    products = (
        Change(key="tea", fields={"name": "Green tea", "price_minor": 250, "barcodes": ["4006381333931"]}),
        Change(key="rice", fields={"name": "Basmati rice", "price_minor": 399, "unit": "kg"}),
    )
    till.do(SYSTEM, ChangeRecords(entity="person", changes=people), now)
    till.do(SYSTEM, ChangeRecords(entity="product", changes=products), now)
    till.do(SYSTEM, OpenShift(float_minor=0), now)
    till.close()


@contextlib.contextmanager
def running(folder: Path, *options: str) -> Iterator[Running]:
    """Run a furnished till; stop it by its id."""
    till = Running(free_port(), folder / "till", folder / "log.txt")
    furnish(till.data_dir)
    command = [sys.executable, "-m", "tillmesh", "terminal", "--data-dir", str(till.data_dir), "--port", str(till.port)]
    command += options
    with till.log.open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log)
        try:
            _wait(till, process)
            yield till
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(WAIT_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _wait(till: Running, process: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + WAIT_S
    while time.monotonic() < end:
        assert process.poll() is None, till.log.read_text()
        with contextlib.suppress(OSError):
            if till.call("GET", "/api/v1/health")[0] == 200:
                return
    raise AssertionError(f"the till does not answer: {till.log.read_text()}")
