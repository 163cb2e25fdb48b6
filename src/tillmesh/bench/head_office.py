"""Head office as a process to measure: started with enrolled stores, asked, weighed, stopped."""

from __future__ import annotations

import http.client
import json
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from tillmesh.adapters.wan.bundle import Bundle, read_bundle
from tillmesh.bench.ports import free_ports
from tillmesh.bench.serving import TICKS_PER_S, cpu_s
from tillmesh.fleet.people import OfficeRole
from tillmesh.hub.bootstrap import EMBEDDED, enrol_store, open_hub
from tillmesh.hub.running import now_ms
from tillmesh.hub.settings import Settings
from tillmesh.hub.web.people import make_person
from tillmesh.kernel.errors import Conflict

USER: Final = "bench"
PASSWORD: Final = "measure it twice"  # noqa: S105 - of a head office that lives for minutes
READY_S: Final = 60.0
OPEN_HANDED: Final = "[limits]\nuploads_burst = 100000\nuploads_per_s = 10000\nwaiting_max = 10000\n"


class Office:
    """A head office that runs."""

    def __init__(self, port: int, pid: int) -> None:
        self._port, self._pid = port, pid
        self._token = ""
        self.stores_url = f"https://127.0.0.1:{port + 1}"

    def call(self, method: str, path: str, body: object = None) -> Any:
        """Ask as an administrator."""
        data = self._ask(method, path, body)
        return json.loads(data) if data else None

    def sign_in(self) -> None:
        """Sign in, to be allowed to ask."""
        self._token = str(self.call("POST", "/session", {"user": USER, "password": PASSWORD})["token"])

    def counted(self, name: str) -> float:
        """Give a number that head office counts for Prometheus; labels belong to the name."""
        for line in self._ask("GET", "/metrics").decode().splitlines():
            if line.startswith(f"{name} "):
                return float(line.rpartition(" ")[2])
        return 0.0

    def cpu_s(self) -> float:
        """Give the CPU that the process has used."""
        return cpu_s(self._pid)

    def spent_s(self, before: float) -> float:
        """Give the CPU used since then; at least one tick of the system's clock, which counts in no smaller steps."""
        return max(self.cpu_s() - before, 1 / TICKS_PER_S)

    def memory_mb(self) -> float:
        """Give the resident memory of the process."""
        return resident_mb(self._pid)

    def _ask(self, method: str, path: str, body: object = None) -> bytes:
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=120)
        headers = {"Content-Type": "application/json", "Authorization": f"Bearer {self._token}"}
        try:
            connection.request(method, "/api/v1" + path, None if body is None else json.dumps(body), headers)
            answer = connection.getresponse()
            data = answer.read()
        finally:
            connection.close()
        if not 200 <= answer.status < 300:
            raise Conflict(f"{method} {path} answered {answer.status}: {data[:200]!r}", hint="See head office's log.")
        return data


def resident_mb(pid: int) -> float:
    """Give the resident memory of a process. Source: proc(5), status."""
    for line in Path(f"/proc/{pid}/status").read_text("ascii").splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1e3
    return 0.0


def enrolled(data_dir: Path, stores: Sequence[str], settings: Settings = EMBEDDED) -> dict[str, Bundle]:
    """Make a head office that knows these stores, and somebody who may ask."""
    opened = open_hub(data_dir, settings)
    try:
        opened.office.put_person(make_person(USER, OfficeRole.ADMIN, PASSWORD))
        return {store: read_bundle(enrol_store(opened, store, now_ms())) for store in stores}
    finally:
        opened.close()


@contextmanager
def running(data_dir: Path, settings: str = OPEN_HANDED, *, port: int = 0) -> Iterator[Office]:
    """Run head office until it answers; nothing of it stays."""
    config = data_dir.with_suffix(".toml")
    config.write_text(settings, "utf-8")
    port = port or free_ports(2)
    command = [sys.executable, "-m", "tillmesh", "hub", "--data-dir", str(data_dir), "--config", str(config)]
    command += ["--port", str(port), "--stores-port", str(port + 1)]
    with data_dir.with_suffix(".log").open("wb") as log:
        process = subprocess.Popen(command, stderr=log)  # noqa: S603 - our own program
    office = Office(port, process.pid)
    try:
        _wait(office, process, data_dir.with_suffix(".log"))
        yield office
    finally:
        process.terminate()
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait(office: Office, process: subprocess.Popen[bytes], log: Path) -> None:
    end = time.monotonic() + READY_S
    while time.monotonic() < end:
        if process.poll() is not None:
            break
        try:
            office.sign_in()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise Conflict(f"head office did not start: {log.read_text('utf-8')[-500:]}", hint="Try again.")
