"""Head office killed in the middle of whatever it does, or out of disk: what it acknowledged is there, once."""

import os
import random
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from tests.faults.small_disk import small_disk
from tests.laws.hub_world import sale, sealed
from tests.ports import free_ports
from tests.servers import ON_SERVERS, Servers, configured
from tests.services.hub.office import enrolled
from tillmesh.adapters.wan.bundle import Bundle
from tillmesh.adapters.wan.client import HubClient, Reply, Unreachable
from tillmesh.hub.bootstrap import EMBEDDED, open_hub
from tillmesh.hub.commands import rebuild_master
from tillmesh.kernel.envelope import Envelope, Head
from tillmesh.sync.messages import Mark, runs_of
from tillmesh.sync.upload import MEDIA, Batch, read_answer, read_state, write_batch

A = "tilla.aaaaaaaa"
EVENTS, KILLS, WAIT_S = 3_000, 4, 90.0


def history() -> list[Envelope]:
    events: list[Envelope] = []
    head = Head(A)
    for number in range(1, EVENTS + 1):
        events.append(sealed(head, sale(number, number), number, "one"))
        head = Head(A, number, events[-1].hash)
    return events


def start(data_dir: Path, port: int, config: Path | None = None) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "tillmesh", "hub", "--data-dir", str(data_dir), "--port", str(port),
         "--stores-port", str(port + 1), *(["--config", str(config)] if config else [])],
    )  # fmt: skip


def state(client: HubClient) -> dict[str, int]:
    """Ask until there is an answer."""
    end = time.monotonic() + WAIT_S
    while True:
        try:
            return dict(read_state(client.state().body).acked)
        except Unreachable:
            assert time.monotonic() < end, "head office did not come back"
            time.sleep(0.05)


def send(client: HubClient, events: list[Envelope], acked: int, size: int) -> Reply:
    part = events[acked : acked + size]
    heads = {A: Mark(events[-1].seq, events[-1].hash)}
    return client.upload(write_batch(Batch("one", 1, A, heads, runs_of(part))), MEDIA)


def upload(client: HubClient, events: list[Envelope], acked: int, size: int) -> int:
    """Send one batch; give what was acknowledged, or what was before if no answer came."""
    try:
        reply = send(client, events, acked, size)
    except Unreachable:
        return acked
    if reply.status == 503 and reply.problem()["kind"] == "away":  # a server that is slow to wake is no failure
        return acked
    assert reply.status == 200, reply.body
    return read_answer(reply.body).acked[A]


@pytest.mark.slow
@pytest.mark.service
@pytest.mark.timeout(400)
@pytest.mark.parametrize("kept", ["in files", pytest.param("on servers", marks=ON_SERVERS)])
def test_head_office_that_is_killed_in_mid_batch_again_and_again_has_everything_once(
    request: pytest.FixtureRequest, tmp_path: Path, kept: str
) -> None:
    settings, config = EMBEDDED, None
    if kept == "on servers":
        servers: Servers = request.getfixturevalue("servers")
        settings = servers.room()
        config = configured(settings, tmp_path)
    bundle: Bundle = enrolled(tmp_path, "one", settings)
    events, port, rng = history(), free_ports(2), random.Random(11)
    client = HubClient(f"https://127.0.0.1:{port + 1}", bundle)
    process = start(tmp_path, port, config)
    acked = 0
    try:
        for _ in range(KILLS):
            resumed = state(client).get(A, 0)
            assert resumed >= acked, "head office lost what it had acknowledged"
            acked = resumed
            killer = threading.Timer(rng.uniform(0.0, 0.3), os.kill, (process.pid, signal.SIGKILL))
            killer.start()
            while process.poll() is None and acked < EVENTS:
                acked = upload(client, events, acked, rng.randrange(20, 200))
            killer.join()
            process.wait(timeout=30)
            process = start(tmp_path, port, config)
        acked = state(client).get(A, 0)
        while acked < EVENTS:
            acked = upload(client, events, acked, 500)
    finally:
        client.close()
        process.kill()
        process.wait()
    opened = open_hub(tmp_path, settings)
    reading = opened.reading()
    (shown,) = reading.stores()
    reading.close()
    opened.close()
    assert (shown.events, shown.sales, shown.revenue_minor) == (EVENTS, EVENTS, EVENTS * (EVENTS + 1) // 2)
    assert rebuild_master(tmp_path, settings)["same"] is True


@pytest.mark.slow
@pytest.mark.service
@pytest.mark.timeout(400)
def test_a_full_disk_at_head_office_acknowledges_nothing_and_heals_when_there_is_room(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", "64m") as disk:
        folder = disk.place / "hub"
        bundle: Bundle = enrolled(folder, "one")
        events, port = history(), free_ports(2)
        client = HubClient(f"https://127.0.0.1:{port + 1}", bundle)
        process = start(folder, port)
        try:
            assert state(client) == {}
            acked = upload(client, events, 0, 100)
            disk.fill()
            reply = send(client, events, acked, 50)
            while reply.status == 200:  # what the files have room for already
                acked = read_answer(reply.body).acked[A]
                assert acked < EVENTS, "the disk is not full"
                reply = send(client, events, acked, 50)
            assert (reply.status, reply.problem()["kind"]) == (507, "disk-full")
            disk.clear()
            assert state(client) == {A: acked}
            while acked < EVENTS:
                acked = upload(client, events, acked, 500)
        finally:
            client.close()
            process.terminate()
            process.wait(timeout=60)
        assert rebuild_master(folder)["same"] is True
