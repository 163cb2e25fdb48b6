"""The real program under test: started as a process, sold in over HTTP, killed and started again."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from tests.faults.checker import Attempt, History
from tests.faults.corner_shop import PINS, basket, total_minor
from tests.ports import free_port

READY_S = 60.0
ANSWER_S = 30.0


@dataclass(slots=True)
class Answer:
    """What came back over HTTP."""

    status: int
    body: Any


def until(what: Callable[[], object], why: str, seconds: float = READY_S) -> Any:
    """Ask again and again until the answer is true, and give it; the pause keeps two cores usable, nothing more.

    A till that begins anew may hang up on who asks: that is "not yet".
    """
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        with contextlib.suppress(ConnectionError):
            found = what()
            if found:
                return found
        time.sleep(0.02)
    raise AssertionError(f"not within {seconds:g} s: {why}")


@dataclass(slots=True)
class Program:
    """``tillmesh terminal`` on a data directory; ``said`` collects what it writes to standard error."""

    shop: Path
    port: int = field(default_factory=free_port)
    environment: dict[str, str] = field(default_factory=dict)
    log_folder: Path | None = None  # where it goes when the folder of the data directory can't take it
    arguments: tuple[str, ...] = ()  # more of the command line
    process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()

    @property
    def pid(self) -> int:
        assert self.process is not None
        return self.process.pid

    @property
    def log(self) -> Path:
        """Where standard error goes: beside the data directory, which may be full or read-only."""
        return (self.log_folder or self.shop.parent) / f"{self.shop.name}.log"

    def said(self) -> str:
        return self.log.read_text() if self.log.exists() else ""

    def start(self) -> None:
        """Start it and wait until it answers, well or not."""
        self._launch()
        until(self._answers, "the till answers")

    def _launch(self) -> None:
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(self.command(), stderr=log, env={**os.environ, **self.environment})

    def command(self) -> list[str]:
        """Give the words that start it."""
        command = [sys.executable, "-m", "tillmesh", "terminal", "--data-dir", str(self.shop), "--port", str(self.port)]
        return [*command, *self.arguments]

    def connection(self) -> http.client.HTTPConnection:
        """Give a connection for one call."""
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=ANSWER_S)

    def _answers(self) -> bool:
        assert self.process is not None
        if self.process.poll() == -signal.SIGSEGV and "LD_PRELOAD" in self.environment and not self.said():
            self._launch()  # Guess: libfaketime, seen once at a start and never without it.
            return False
        assert self.process.poll() is None, (self.process.returncode, self.said())
        try:
            self.get("/state")
        except OSError:
            return False
        return True

    def kill(self) -> None:
        """kill -9, if it still runs."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()

    def stop(self) -> int:
        """Ask it to stop and give its exit status."""
        assert self.process is not None
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(ANSWER_S)

    def died(self) -> int:
        """Wait for its death and give the exit status."""
        assert self.process is not None
        return self.process.wait(ANSWER_S)

    def call(self, method: str, path: str, body: Any = None, token: str = "") -> Answer:
        """Make one call of the API; raises OSError when no answer comes."""
        raw = None if body is None else json.dumps(body).encode()
        return self.send(method, path, raw, "application/json", token)

    def send(self, method: str, path: str, raw: bytes | None, media: str, token: str = "") -> Answer:
        """Send a body as it is; raises OSError when no answer comes."""
        connection = self.connection()
        headers = {"Content-Type": media, **({"Authorization": f"Bearer {token}"} if token else {})}
        try:
            connection.request(method, f"/api/v1{path}", raw, headers)
            response = connection.getresponse()
            answer = response.read()
            return Answer(response.status, json.loads(answer) if answer else None)
        except http.client.HTTPException as cause:
            raise ConnectionError("the till hung up") from cause
        finally:
            connection.close()

    def get(self, path: str, token: str = "") -> Answer:
        return self.call("GET", path, None, token)

    def metrics(self) -> str:
        """Give what Prometheus would be told."""
        connection = self.connection()
        try:
            connection.request("GET", "/api/v1/metrics")
            return connection.getresponse().read().decode()
        finally:
            connection.close()

    def sign_in(self, user: str = "maya") -> str:
        """Sign somebody in and give their token."""
        answer = self.call("POST", "/session", {"pin": PINS[user]})
        assert answer.status == 201, answer
        return str(answer.body["token"])

    def sell(self, token: str, history: History, cart_id: str, number: int) -> Answer | None:
        """Sell the n-th basket and note what the cashier is told; None when no answer came."""
        lines = [{"sku": line.sku, "quantity": line.quantity_milli // 1000} for line in basket(number)]
        cash = -(-total_minor(number) // 500) * 500
        order = {"cart_id": cart_id, "lines": lines, "payments": [{"method": "cash", "amount_minor": cash}]}
        try:
            answer = self.call("POST", "/sales", order, token)
        except OSError:
            history.note(Attempt(cart_id, "unknown"))
            return None
        history.note(_told(cart_id, answer))
        return answer


def _told(cart_id: str, answer: Answer) -> Attempt:
    body = answer.body
    match answer.status:
        case 200 | 201:
            assert body["durable"] is True
            return Attempt(cart_id, "ok", body["sale_id"], body["receipt_number"], body["total_minor"])
        case status if status >= 500 and status != 507:
            return Attempt(cart_id, "unknown")  # an I/O error: what is on the disk shows later
        case _:
            return Attempt(cart_id, "fail")
