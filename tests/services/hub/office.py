"""A head office that runs as a process, for tests that knock at its doors."""

import http.client
import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from tests.ports import free_ports
from tillmesh.adapters.wan.bundle import Bundle, read_bundle
from tillmesh.hub.bootstrap import EMBEDDED
from tillmesh.hub.enrolling import prepare
from tillmesh.hub.settings import Settings

USER, PASSWORD = "ann", "a long enough password"
READY_S = 60.0


class RunningOffice:
    """Where it is, and how to ask it."""

    def __init__(self, data_dir: Path, port: int) -> None:
        self.data_dir, self.port = data_dir, port
        self.stores_url = f"https://127.0.0.1:{port + 1}"
        self.token = ""
        self.process: subprocess.Popen[bytes] | None = None

    def call(self, method: str, path: str, body: object = None, token: str | None = None) -> tuple[int, Any]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        shown = self.token if token is None else token
        headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {shown}"} if shown else {})
        connection.request(method, "/api/v1" + path, None if body is None else json.dumps(body), headers)
        answer = connection.getresponse()
        data = answer.read()
        connection.close()
        return answer.status, json.loads(data) if data else None


def enrolled(data_dir: Path, store: str, settings: Settings = EMBEDDED) -> Bundle:
    """Enrol a store at a head office that is not running."""
    return read_bundle(prepare(data_dir, store, USER, PASSWORD, settings=settings))


@contextmanager
def running(
    data_dir: Path, config: Path | None = None, *, port: int = 0, log: IO[bytes] | None = None, sign_in: bool = True
) -> Iterator[RunningOffice]:
    """Run head office until it answers; nothing of it outlives the test. What it logs goes into ``log``."""
    port = port or free_ports(2)
    process = subprocess.Popen(
        [sys.executable, "-m", "tillmesh", "hub", "--data-dir", str(data_dir), "--port", str(port),
         "--stores-port", str(port + 1), *(["--config", str(config)] if config else [])],
        stderr=log,
    )  # fmt: skip
    office = RunningOffice(data_dir, port)
    office.process = process
    try:
        until = time.monotonic() + READY_S
        ready = False
        while not ready:
            assert process.poll() is None, "head office ended"
            assert time.monotonic() < until, "head office did not answer"
            try:
                if sign_in:
                    office.token = office.call("POST", "/session", {"user": USER, "password": PASSWORD})[1]["token"]
                ready = office.call("GET", "/health")[0] == 200
            except OSError:
                time.sleep(0.05)
        yield office
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(timeout=30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
