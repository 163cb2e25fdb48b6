"""A real till process with a data directory of its own, to be frozen, killed and started again."""

from __future__ import annotations

import http.client
import json
import shutil
import signal
from pathlib import Path
from typing import Any

from tests.ports import free_port
from tillmesh.demo.build import build
from tillmesh.demo.processes import Child, stop_all, wait_ready
from tillmesh.demo.shop_data import MANAGER
from tillmesh.kernel.errors import Conflict
from tillmesh.terminal.driver import now_ms
from tillmesh.terminal.offline import OfflineTill


class TillProcess:
    """One till: its address stays the same through every restart, as a browser expects."""

    def __init__(self, data_dir: Path, *options: str) -> None:
        self.child = Child(n=1, data_dir=data_dir, port=free_port(), log=data_dir.with_suffix(".log"), extra=options)
        self._token = ""
        self.start()

    @property
    def url(self) -> str:
        return self.child.url

    @property
    def log(self) -> str:
        return self.child.log.read_text("utf-8", "replace")

    def start(self) -> None:
        self.child.start()
        wait_ready(self.child)
        self._token = ""

    def kill(self) -> None:
        """Stop as in a power cut."""
        self.child.kill()

    def freeze(self) -> None:
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self._signal(signal.SIGCONT)

    def close(self) -> None:
        if self.child.alive:
            self.thaw()
        stop_all([self.child])

    def ask(self, path: str, method: str = "GET", body: object = None) -> Any:
        """Call the API as the manager, beside the browser: what does the till itself say?"""
        if not self._token:
            self._token = self._call("/session", "POST", {"pin": MANAGER.pin}, {})["token"]
        return self._call(path, method, body, {"Authorization": f"Bearer {self._token}"})

    def without_offers(self) -> None:
        """Switch the demo shop's promotions off, for those who add prices up themselves."""
        for one in self.ask("/promotions")["promotions"]:
            self.ask(f"/promotions/{one['promotion_id']}", "PATCH", {"active": False})

    def sales(self) -> list[dict[str, Any]]:
        """The newest sales first."""
        found: list[dict[str, Any]] = self.ask("/sales?limit=50")["sales"]
        return found

    def _call(self, path: str, method: str, body: object, headers: dict[str, str]) -> Any:
        connection = http.client.HTTPConnection("127.0.0.1", self.child.port, timeout=30)
        try:
            sent = None if body is None else json.dumps(body)
            connection.request(method, "/api/v1" + path, sent, {"Content-Type": "application/json", **headers})
            answer = connection.getresponse()
            text = answer.read().decode()
        finally:
            connection.close()
        if not 200 <= answer.status < 300:
            raise Conflict(f"{method} {path} answered {answer.status}: {text[:300]}")
        return json.loads(text) if text else None

    def _signal(self, number: signal.Signals) -> None:
        assert self.child.process is not None
        self.child.process.send_signal(number)


def build_shop(place: Path) -> Path:
    """Build the demo shop once; tests copy it."""
    build(place, lambda data_dir: OfflineTill(data_dir, hurried=True), now_ms=now_ms())
    return place


def copy_shop(shop: Path, place: Path) -> Path:
    """Copy a shop that was closed properly; the copy is a till of its own at its first start."""
    return Path(shutil.copytree(shop, place))
