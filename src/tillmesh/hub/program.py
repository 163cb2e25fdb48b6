"""Head office as a process: a door for people, a door for stores, and a clean stop."""

from __future__ import annotations

import asyncio
import logging
import resource
import signal
import socket
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeVar

from tillmesh.adapters.host.settling import settle_memory
from tillmesh.adapters.lan.door import Door
from tillmesh.adapters.wan.certificates import ssl_context
from tillmesh.adapters.web.guard import Guard
from tillmesh.adapters.web.pages import page_routes
from tillmesh.adapters.web.serving import server_for
from tillmesh.fleet.throttle import Throttle
from tillmesh.hub.bootstrap import open_hub
from tillmesh.hub.following import keep_following
from tillmesh.hub.gateway import Gateway
from tillmesh.hub.notifying import Notifier
from tillmesh.hub.running import Hub
from tillmesh.hub.settings import Envoy, Limits, Settings
from tillmesh.hub.web import (
    access_calls,
    admin_calls,
    book_calls,
    catalogue_calls,
    group_calls,
    model_calls,
    offer_calls,
    office_calls,
    overview_calls,
    picture_calls,
    recovery_calls,
    report_calls,
    sales_calls,
    store_calls,
)
from tillmesh.hub.web.api import Services, application
from tillmesh.hub.web.describing import described
from tillmesh.hub.web.people import People
from tillmesh.kernel.errors import Conflict

S = TypeVar("S", bound=socket.socket)
log = logging.getLogger(__name__)
PORT: Final = 8080
# Who has shown no certificate yet; guess: as many stores behind one gateway as may knock at once after an outage.
STRANGERS_PER_ADDRESS_MAX: Final = 256
STRANGERS_MAX: Final = 512
FILES: Final = 8_192  # that may be open: a connection each of thousands of stores; systems give 1,024
YOUNG_OBJECTS_MAX: Final = 200_000  # a batch of 1,000 sales makes 50,000: walking them took a fifth of the CPU
FOR_STORES: Final = [*store_calls.CALLS, *recovery_calls.CALLS, *picture_calls.FOR_STORES]
FOR_PEOPLE: Final = described(
    [
        *office_calls.CALLS,
        *overview_calls.CALLS,
        *catalogue_calls.CALLS,
        *picture_calls.CALLS,
        *group_calls.CALLS,
        *offer_calls.CALLS,
        *model_calls.CALLS,
        *report_calls.CALLS,
        *sales_calls.CALLS,
        *book_calls.CALLS,
        *admin_calls.CALLS,
        *access_calls.CALLS,
        *store_calls.REFUSED_CALLS,
    ]
)
STATIC: Final = Path(__file__).parent / "web" / "static"
STORES_FROM: Final = 100  # stores knock at PORT + 100 unless told otherwise


DEFAULT_LIMITS: Final = Limits()
EMBEDDED: Final = Settings()


@dataclass(frozen=True, slots=True)
class Options:
    """How head office is started."""

    data_dir: Path
    bind: str = "127.0.0.1"
    port: int = PORT
    stores_port: int = 0  # 0: PORT + STORES_FROM
    limits: Limits = DEFAULT_LIMITS
    settings: Settings = EMBEDDED  # of what head office is made


def serve(options: Options) -> None:
    """Run head office until SIGINT or SIGTERM."""
    asyncio.run(_serve(options))


def serve_stores(options: Options) -> None:
    """Run one more sync service beside head office until SIGINT or SIGTERM: a door for stores, nothing else."""
    asyncio.run(_serve_stores(options))


async def _serve_stores(options: Options) -> None:
    for_stores = _door(options)
    hub = Hub(open_hub(options.data_dir, options.settings, beside=True))
    people = People(hub)
    services = Services(
        hub,
        people,
        throttle=Throttle(options.limits.uploads_burst, options.limits.uploads_per_s),
        asking=Throttle(options.limits.asks_burst, options.limits.asks_per_s),
        pictures=Throttle(options.limits.pictures_burst, options.limits.pictures_per_s),
        behind_gateway=isinstance(options.settings.gateway, Envoy),
    )
    server = server_for(
        application(FOR_STORES, services),
        ssl_context("server", hub.opened.door),
        request_s=options.limits.request_s,
        let_in=for_stores.proved,
    )
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, setattr, server, "should_exit", True)
    background = [
        asyncio.create_task(work) for work in (hub.watch(), hub.share_contacts(), hub.watch_models())
    ]  # fmt: skip
    try:
        await server.serve(sockets=[for_stores])
    finally:
        await _ended(background)
        people.close()
        hub.close()


async def _serve(options: Options) -> None:
    for_people = _listen(options.bind, options.port)
    for_stores = _door(options)
    opened = open_hub(options.data_dir, options.settings)
    hub = Hub(opened, options.limits.waiting_max)
    people = People(hub)
    limits = options.limits
    gateway, hooks = options.settings.gateway, options.settings.webhook
    services = Services(
        hub,
        people,
        throttle=Throttle(limits.uploads_burst, limits.uploads_per_s),
        asking=Throttle(limits.asks_burst, limits.asks_per_s),
        pictures=Throttle(limits.pictures_burst, limits.pictures_per_s),
        behind_gateway=isinstance(gateway, Envoy),
    )
    hosts = {"127.0.0.1", "localhost", options.bind}
    servers = [
        server_for(Guard(application(FOR_PEOPLE, services, page_routes(STATIC)), hosts, "head office")),
        server_for(
            application(FOR_STORES, services),
            ssl_context("server", opened.door),
            request_s=options.limits.request_s,
            let_in=for_stores.proved,
        ),
    ]

    def stop() -> None:
        for server in servers:
            server.should_exit = True

    settle_memory(YOUNG_OBJECTS_MAX)
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop)
    tasks = (hub.feed_analytics(), hub.watch(), hub.watch_models(), keep_following(hub))
    background = [asyncio.create_task(task) for task in tasks]
    if opened.shared:
        background.append(asyncio.create_task(hub.share_contacts()))
    notifiers = [Notifier(hook, opened.data_dir, opened.feed, opened.master.position()) for hook in hooks]
    for notifier in notifiers:
        notifier.start()
    if isinstance(gateway, Envoy):
        background.append(asyncio.create_task(Gateway(options.data_dir, options.settings).keep_up(hub)))
    try:
        await asyncio.gather(*(s.serve(sockets=[at]) for s, at in zip(servers, (for_people, for_stores), strict=True)))
    finally:
        await _ended(background)
        await asyncio.gather(*(asyncio.to_thread(notifier.stop) for notifier in notifiers))
        people.close()
        hub.close()


async def _ended(background: list[asyncio.Task[None]]) -> None:
    for task in background:
        task.cancel()
    await asyncio.gather(*background, return_exceptions=True)


def _door(options: Options) -> Door:
    """Open the door for stores: whoever shows no certificate is one of a few, whoever does may be one of many."""
    family = socket.AF_INET6 if ":" in options.bind else socket.AF_INET
    # Behind a gateway all stores come from one address: how often is for its limits to say.
    door = Door(family, _turned_away, per_address=STRANGERS_PER_ADDRESS_MAX, in_all=STRANGERS_MAX, hurried=False)
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(FILES, most) if most >= 0 else FILES, most))
    return _bound(door, options.bind, options.stores_port or options.port + STORES_FROM)


def _turned_away(why: str, address: str) -> None:
    log.debug("a visitor from %s was turned away: %s", address, why)


def _listen(bind: str, port: int) -> socket.socket:
    """Open a listening socket."""
    family = socket.AF_INET6 if ":" in bind else socket.AF_INET
    # Named as TCP, asyncio switches Nagle's algorithm off: an answer in two writes would wait 40 ms for the second.
    return _bound(socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP), bind, port)


def _bound(listening: S, bind: str, port: int) -> S:
    """Give a socket its address, saying clearly when the port is taken."""
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((bind, port))
    except OSError as cause:
        listening.close()
        raise Conflict(f"{bind}:{port} can't be used ({cause.strerror})", hint="Choose another --port.") from cause
    return listening
