"""One terminal as a process: open the data directory, serve, and stop cleanly."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import signal
import socket
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import uvicorn

from tillmesh.adapters.sqlite.listings import audited_since
from tillmesh.kernel.envelope import Head
from tillmesh.kernel.errors import TillmeshError
from tillmesh.terminal.belonging import ALONE, Around, join_store
from tillmesh.terminal.bootstrap import open_terminal
from tillmesh.terminal.driver import Driver, now_ms
from tillmesh.terminal.out_of_order import open_when_possible
from tillmesh.terminal.printing_setup import start_printing
from tillmesh.terminal.settling import settle_memory
from tillmesh.terminal.signing import sign_heads
from tillmesh.terminal.web.api import Services
from tillmesh.terminal.web.app import build
from tillmesh.terminal.web.live import Live
from tillmesh.terminal.web.pins import Pins
from tillmesh.terminal.web.serving import server_for
from tillmesh.terminal.web.session_calls import WRONG_PIN
from tillmesh.terminal.web.sessions import Sessions

HOUSEKEEPING_S = 5.0
DAY_MS = 86_400_000


@dataclass(frozen=True, slots=True)
class Options:
    """How a terminal is started."""

    data_dir: Path
    bind: str = "127.0.0.1"
    port: int = 8081
    key_file: Path | None = None
    around: Around = ALONE


def serve(options: Options) -> None:
    """Run a terminal until SIGINT or SIGTERM."""
    asyncio.run(_serve(options))


async def _serve(options: Options) -> None:
    listening = listen(options.bind, options.port)
    opening = asyncio.ensure_future(
        open_when_possible(lambda: open_terminal(options.data_dir, key_file=options.key_file), listening)
    )
    _on_signals(opening.cancel)
    try:
        opened = await opening
    except asyncio.CancelledError:
        return
    driver = Driver(opened)
    services = Services(driver, Sessions(), Pins(opened.pepper, opened.origin.store), Live())
    await restore_pins(services)
    printing = await start_printing(driver, services.live)
    services.extra["printer"] = printing.view
    among = await join_store(services, options.bind, options.around)
    services.oversold.look_at_all()
    server = server_for(build(services, {"127.0.0.1", "localhost", options.bind}))
    _on_signals(functools.partial(_stop, server, services))
    settle_memory()
    keeping = asyncio.create_task(_housekeeping(driver))
    try:
        await server.serve(sockets=[listening])
    finally:
        keeping.cancel()
        await among.stop()
        await services.oversold.stop()
        await printing.stop()
        with contextlib.suppress(TillmeshError):  # the disk may refuse; stopping goes on
            await driver.on_writer(lambda db: sign_heads(driver.opened, db, now_ms()))
        services.pins.close()
        driver.close()


async def restore_pins(services: Services) -> None:
    """Count the wrong PINs of the last day again: a restart gives no free tries."""
    since_ms = now_ms() - DAY_MS
    services.pins.restore(await services.driver.look(lambda books: audited_since(books, WRONG_PIN, since_ms)))


def _on_signals(stop: Callable[[], object]) -> None:
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop)


def _stop(server: uvicorn.Server, services: Services) -> None:
    services.live.close()
    server.should_exit = True


def listen(bind: str, port: int) -> socket.socket:
    """Open the listening socket, saying clearly when the port is taken."""
    family = socket.AF_INET6 if ":" in bind else socket.AF_INET
    # Named as TCP, asyncio switches Nagle's algorithm off: an answer in two writes would wait 40 ms for the second.
    listening = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((bind, port))
    except OSError as cause:
        listening.close()
        raise SystemExit(f"tillmesh: {bind}:{port} can't be used ({cause.strerror}); choose another --port") from cause
    return listening


async def _housekeeping(driver: Driver) -> None:
    """Sign heads, keep the anchor and the reserve up, and look whether a refusing disk is well again."""
    signed = Head("")
    while True:
        await asyncio.sleep(HOUSEKEEPING_S)
        with contextlib.suppress(Exception):
            await driver.look_after()
        with contextlib.suppress(Exception):
            if driver.opened.till.head != signed:
                await driver.on_writer(lambda db: sign_heads(driver.opened, db, now_ms()))
                signed = driver.opened.till.head
