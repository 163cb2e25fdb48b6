"""What systemd hears of a till: nothing before it answers, then that it lives; while it opens its data, patience."""

import asyncio
import contextlib
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from tillmesh.adapters.host.supervision import OPENING_S, Supervision

WATCHDOG_US = 60_000


@pytest.fixture
def systemd(tmp_path: Path) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as heard:
        heard.bind(str(tmp_path / "notify"))
        yield heard


def supervised(heard: socket.socket) -> Supervision:
    return Supervision({"NOTIFY_SOCKET": heard.getsockname(), "WATCHDOG_USEC": str(WATCHDOG_US)})


def test_a_till_says_that_it_is_ready_when_its_port_takes_connections_and_then_that_it_lives(
    systemd: socket.socket,
) -> None:
    async def start() -> tuple[bytes, bytes, bytes]:
        with socket.socket() as port:
            port.bind(("127.0.0.1", 0))
            watching = asyncio.create_task(supervised(systemd).watch(port))
            systemd.setblocking(False)
            await asyncio.sleep(0)
            with pytest.raises(BlockingIOError):
                systemd.recv(100)  # the port is taken, and nobody answers there
            port.listen()
            loop = asyncio.get_running_loop()
            heard = [await asyncio.wait_for(loop.sock_recv(systemd, 100), 60) for _ in range(3)]
            watching.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await watching
            return heard[0], heard[1], heard[2]

    assert asyncio.run(start()) == (b"READY=1", b"WATCHDOG=1", b"WATCHDOG=1")


def test_whoever_opens_a_large_database_is_given_hours_and_watched_closely_afterwards(systemd: socket.socket) -> None:
    with supervised(systemd).patient():
        assert systemd.recv(100) == f"WATCHDOG_USEC={OPENING_S * 1_000_000}\nWATCHDOG=1".encode()
    assert systemd.recv(100) == f"WATCHDOG_USEC={WATCHDOG_US}\nWATCHDOG=1".encode()


def test_a_till_that_systemd_did_not_start_tells_nobody_and_waits_for_nothing(systemd: socket.socket) -> None:
    alone = Supervision({})
    with alone.patient():
        alone.tell("READY=1")
    with socket.socket() as port:
        asyncio.run(alone.watch(port))
    systemd.setblocking(False)
    with pytest.raises(BlockingIOError):
        systemd.recv(100)


def test_a_supervisor_that_is_gone_stops_no_till(tmp_path: Path) -> None:
    Supervision({"NOTIFY_SOCKET": str(tmp_path / "nobody"), "WATCHDOG_USEC": "1"}).tell("READY=1")
