"""Two sync services behind Envoy: whoever takes a call, events count once, and one that is killed loses nothing."""

import json
import random
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from functools import partial
from operator import le
from pathlib import Path

import pytest

from tests.laws.hub_world import sale, sealed
from tests.servers import ON_SERVERS, Servers, configured
from tests.services.hub.gateway import TILL, Door, batch, door, sales, until
from tests.services.hub.test_gateway import calls
from tillmesh.adapters.wan.bundle import Bundle
from tillmesh.adapters.wan.client import HubClient, Reply, Unreachable
from tillmesh.hub.commands import rebuild_master
from tillmesh.hub.settings import read_settings
from tillmesh.kernel.envelope import Head
from tillmesh.shop.events import Change, ProductsChanged
from tillmesh.sync.upload import MEDIA, read_answer, read_state

pytestmark = [pytest.mark.slow, pytest.mark.service, pytest.mark.timeout(400)]
FAST = "[limits]\nuploads_burst = 100000\nuploads_per_s = 10000\n"
EVENTS, STORES, KILLS, MORE = 400, 3, 3, 60


class Second:
    """A further sync service in the data directory of head office."""

    def __init__(self, made: Door, port: int) -> None:
        self._command = [
            sys.executable, "-m", "tillmesh", "hub", "sync", "--data-dir", str(made.office.data_dir),
            "--config", str(made.config), "--stores-port", str(port),
        ]  # fmt: skip
        self.port = port
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self.process = process = subprocess.Popen(self._command)

        def taken() -> bool:
            assert process.poll() is None, "the second service ended"
            with socket.socket() as knock:
                knock.settimeout(5)
                return knock.connect_ex(("127.0.0.1", self.port)) == 0

        until(taken, bool, "the second service takes no connections")

    def kill(self, how: signal.Signals = signal.SIGKILL) -> None:
        if self.process is not None:
            self.process.send_signal(how)
            self.process.wait(timeout=60)
            self.process = None


@contextmanager
def with_second(folder: Path, *, alone: bool = False, more: str = "") -> Iterator[tuple[Door, Second]]:
    """Head office with Envoy and a second service; ``alone``: Envoy knows only that one."""
    with ExitStack() as stack:
        made = stack.enter_context(door("envoy", folder, limits=FAST, second=True, alone=alone, more=more))
        second = Second(made, made.office.port + 3)
        second.start()
        try:
            yield made, second
        finally:
            second.kill()


def test_a_store_that_another_service_serves_is_seen_at_head_office_and_hears_of_its_prices(tmp_path: Path) -> None:
    with with_second(tmp_path, alone=True) as (made, second):
        bundle = made.enrol()
        store, client = bundle.store, made.client(bundle)
        tea = ProductsChanged(changes=(Change(key="tea", fields={"name": "Tea", "price_minor": 250}),), by="ann")
        first = sealed(Head(TILL), tea, 1, store)
        events = [first, sealed(Head(TILL, 1, first.hash), sale(2, 250), 2, store)]
        assert client.upload(batch(store, events), MEDIA).status == 200
        bell = HubClient(f"https://127.0.0.1:{made.port}", bundle, timeout_s=120)
        with ThreadPoolExecutor(1) as listening:
            rung = listening.submit(until, lambda: bell.news(0).body, lambda body: b"true" in body, "nobody rings")
            status, said = made.office.call("PATCH", "/catalogue/tea", {"price_minor": 260})
            assert (status, [one["store"] for one in said["stores"]]) == (200, [store])
            assert json.loads(rung.result()) == {"news": True}
        bell.close()
        answer = read_answer(client.upload(batch(store, events), MEDIA).body)
        assert sum(len(run.items) for run in answer.updates) == 1

        def shown() -> dict[str, object]:
            _, overview = made.office.call("GET", "/overview")
            return next(one for one in overview["stores"] if one["store"] == store)

        until(shown, lambda one: one["online"] is True, "head office does not see that the store is there")
        second.kill(signal.SIGTERM)


class Store(threading.Thread):
    """A leader that uploads its whole log, batch after batch, and notes what it was answered."""

    def __init__(self, made: Door, bundle: Bundle, seed: int) -> None:
        super().__init__(daemon=True)
        self.bundle, self._random = bundle, random.Random(seed)
        self._client = made.client(bundle)
        self.acked, self.statuses, self.failed = 0, set[int](), ""
        self.allowed = 0  # events, until the second service is killed and back once more

    def run(self) -> None:
        events = sales(self.bundle.store, EVENTS)
        try:
            while self.acked < EVENTS:
                if self.acked >= self.allowed:
                    time.sleep(0.02)
                    continue
                part = events[self.acked : self.acked + self._random.randrange(5, 40)]
                reply = self._sent(batch(self.bundle.store, part))
                self.statuses.add(reply.status)
                if reply.status != 200:
                    time.sleep(0.1)
                    continue
                acked = read_answer(reply.body).acked[TILL]
                assert acked >= self.acked, "what was acknowledged is gone"
                self.acked = acked
        except Exception as error:  # noqa: BLE001 - a thread of the test
            self.failed = repr(error)

    def _sent(self, what: bytes) -> Reply:
        try:
            return self._client.upload(what, MEDIA)
        except Unreachable:
            return Reply(0, b"")


def _uploaded(stores: list[Store]) -> int:
    return sum(store.acked for store in stores)


def _serves(made: Door, asking: HubClient, second: Second) -> None:
    """Wait until Envoy gives calls to the second service."""
    service = f"127.0.0.1:{second.port}"

    def served() -> int:
        assert asking.state().status in {200, 503}
        return sum(call["service"] == service for call in calls(made))

    before = served()
    until(served, lambda count: count > before, "the second service gets no calls")


@pytest.mark.parametrize("kept", ["on files", pytest.param("on servers", marks=ON_SERVERS)])
def test_a_service_that_is_killed_in_mid_upload_loses_nothing_doubles_nothing_and_no_store_stops(
    kept: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    more = ""
    if kept == "on servers":
        servers: Servers = request.getfixturevalue("servers")
        more = configured(servers.room(), tmp_path / "room").read_text("ascii")
    with with_second(tmp_path, more=more) as (made, second):
        stores = [Store(made, made.enrol(), seed) for seed in range(STORES)]
        asking = made.client(stores[0].bundle)
        for store in stores:
            store.start()
        for number in range(1, KILLS + 1):
            _serves(made, asking, second)
            aim = EVENTS * number // (KILLS + 1)
            for store in stores:
                store.allowed = aim + MORE
            until(partial(_uploaded, stores), partial(le, STORES * aim), "all stand still")
            second.kill()
            second.start()
        for store in stores:
            store.allowed = EVENTS
        for store in stores:
            store.join(timeout=120)
        assert [(store.acked, store.failed) for store in stores] == [(EVENTS, "")] * STORES
        assert set[int]().union(*(store.statuses for store in stores)) <= {0, 200, 503}
        _, said = made.office.call("GET", "/stores")
        found = {one["store"]: (one["events"], one["sales"], one["revenue_minor"]) for one in said["stores"]}
        assert {store.bundle.store: (EVENTS, EVENTS, EVENTS * 100) for store in stores}.items() <= found.items()
        assert dict(read_state(asking.state().body).acked) == {TILL: EVENTS}
        settings, data_dir = read_settings(made.config), made.office.data_dir
    assert rebuild_master(data_dir, settings)["same"] is True
