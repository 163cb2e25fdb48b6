"""Head office whose event log or master database goes away: stores come back later, and all is there once."""

import os
import random
import signal
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.laws.hub_world import sale, sealed
from tests.servers import ON_SERVERS, Servers, configured
from tests.services.hub.office import PASSWORD, USER, RunningOffice, enrolled, running
from tillmesh.adapters.wan.client import HubClient, Reply
from tillmesh.hub.bootstrap import open_hub
from tillmesh.hub.commands import rebuild_master
from tillmesh.hub.settings import Settings
from tillmesh.hub.stack.processes import Server
from tillmesh.kernel.envelope import Envelope, Head
from tillmesh.sync.messages import Mark, runs_of
from tillmesh.sync.upload import MEDIA, Batch, read_answer, write_batch

pytestmark = list(ON_SERVERS)
A = "tilla.aaaaaaaa"
EVENTS, WAIT_S = 1_200, 200.0


class Shop:
    """A store with a day's sales to upload, and the head office that it uploads to."""

    def __init__(self, folder: Path, room: Settings) -> None:
        self.folder, self.room = folder, room
        self.config = configured(room, folder)
        self.bundle = enrolled(folder / "hub", "one", room)
        self.events: list[Envelope] = []
        head = Head(A)
        for number in range(1, EVENTS + 1):
            self.events.append(sealed(head, sale(number, number), number, "one"))
            head = Head(A, number, self.events[-1].hash)
        self.acked = 0

    def send(self, client: HubClient, size: int) -> Reply:
        """Send one batch, and note what was acknowledged."""
        part = self.events[self.acked : self.acked + size]
        heads = {A: Mark(EVENTS, self.events[-1].hash)}
        reply = client.upload(write_batch(Batch("one", 1, A, heads, runs_of(part))), MEDIA)
        if reply.status == 200:
            acked = read_answer(reply.body).acked[A]
            assert acked >= self.acked, "head office lost what it had acknowledged"
            self.acked = acked
        return reply

    def finish(self, client: HubClient) -> None:
        """Send until all of it is acknowledged, as often as it takes."""
        until(lambda: self.send(client, 150).status in {200, 503} and self.acked == EVENTS)

    def check(self) -> None:
        """Everything is there once, in the log as in the tables."""
        opened = open_hub(self.folder / "hub", self.room)
        reading = opened.reading()
        (shown,) = reading.stores()
        reading.close()
        opened.close()
        assert (shown.events, shown.sales, shown.revenue_minor) == (EVENTS, EVENTS, EVENTS * (EVENTS + 1) // 2)
        assert rebuild_master(self.folder / "hub", self.room)["same"] is True


def until(happens: Callable[[], bool], pause_s: float = 0.1) -> None:
    """Try until it happens."""
    end = time.monotonic() + WAIT_S
    while not happens():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(pause_s)


@pytest.fixture
def shop(servers: Servers, tmp_path: Path) -> Iterator[Shop]:
    yield Shop(tmp_path, servers.room(patient=False))
    servers.up()


def health(office: RunningOffice) -> dict[str, Any]:
    said: dict[str, Any] = office.call("GET", "/health")[1]
    return said


@pytest.mark.parametrize(("name", "part"), [("kafka", "event_log"), ("postgres", "master")])
def test_a_server_that_is_stopped_costs_patience_and_nothing_else(
    servers: Servers, shop: Shop, name: str, part: str
) -> None:
    server: Server = getattr(servers, name)
    with running(shop.folder / "hub", shop.config) as office:
        client = HubClient(office.stores_url, shop.bundle, timeout_s=WAIT_S)
        assert shop.send(client, 200).status == 200
        assert (health(office)["ok"], office.call("GET", "/ready")[0]) == (True, 200)
        server.stop()
        reply = shop.send(client, 200)
        assert (reply.status, reply.problem()["kind"], reply.problem()["part"]) == (503, "away", part)
        assert reply.retry_after_s >= 1
        assert shop.acked == 200
        said = health(office)
        assert (said["ok"], said["trouble"]["kind"]) == (False, "away")
        assert "away" in said["trouble"]["detail"]
        assert office.call("GET", "/ready")[0] == 503
        servers.up()
        until(lambda: bool(health(office)["ok"]))  # without a batch, and without a person
        shop.finish(client)
        client.close()
    shop.check()


@pytest.mark.parametrize("name", ["kafka", "postgres"])
def test_a_server_that_crashes_in_mid_batch_loses_and_doubles_nothing(servers: Servers, shop: Shop, name: str) -> None:
    server: Server = getattr(servers, name)
    rng = random.Random(name)
    with running(shop.folder / "hub", shop.config) as office:
        client = HubClient(office.stores_url, shop.bundle, timeout_s=WAIT_S)
        for _ in range(2):
            assert server.pid is not None
            killer = threading.Timer(rng.uniform(0.0, 0.2), os.kill, (server.pid, signal.SIGKILL))
            killer.start()
            until(lambda: shop.send(client, rng.randrange(1, 20)).status == 503, pause_s=0.0)
            killer.join()
            server.kill()
            servers.up()
            until(lambda: shop.send(client, 1).status == 200)
        shop.finish(client)
        client.close()
    shop.check()


def test_head_office_starts_while_its_servers_are_away_and_catches_up(servers: Servers, shop: Shop) -> None:
    servers.postgres.stop()
    with running(shop.folder / "hub", shop.config, sign_in=False) as office:
        assert office.call("POST", "/session", {"user": USER, "password": PASSWORD})[0] == 503
        client = HubClient(office.stores_url, shop.bundle, timeout_s=WAIT_S)
        until(lambda: not health(office)["ok"])
        assert shop.send(client, 10).status == 503
        servers.up()
        shop.finish(client)
        client.close()
    shop.check()
