"""One terminal as a process: open the data directory, serve, and stop cleanly."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import logging
import signal
import socket
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, TypeVar

import uvicorn

from tillmesh.adapters.host.settling import settle_memory
from tillmesh.adapters.host.supervision import Supervision
from tillmesh.adapters.sqlite.database import DatabaseDamaged
from tillmesh.adapters.sqlite.listings import audited_since
from tillmesh.adapters.web.serving import server_for
from tillmesh.kernel.envelope import Head
from tillmesh.kernel.errors import TillmeshError
from tillmesh.terminal.ai import Ai
from tillmesh.terminal.belonging import ALONE, Among, Around, join_store
from tillmesh.terminal.bootstrap import Opened, open_terminal
from tillmesh.terminal.card_desk import CardDesk
from tillmesh.terminal.driver import BEHIND, DAMAGED, FORKED, Driver, Trouble, now_ms
from tillmesh.terminal.fiscal_desk import FiscalDesk
from tillmesh.terminal.fraud import BEGIN_AFTER_S, FraudWatch, asking
from tillmesh.terminal.mailing import Mailing
from tillmesh.terminal.models_by_air import ByAir, by_air
from tillmesh.terminal.office_door import OfficeDoor, lan_addresses
from tillmesh.terminal.out_of_order import open_when_possible
from tillmesh.terminal.patrol import Patrol
from tillmesh.terminal.picture_office import at_head_office
from tillmesh.terminal.pole_desk import PoleDesk
from tillmesh.terminal.price_clock import PriceClock
from tillmesh.terminal.printing_setup import start_printing
from tillmesh.terminal.recovering import GiveUp, reads_whole
from tillmesh.terminal.restoring import HEAR_LOST_S, HEAR_S, hear, read_old, restore
from tillmesh.terminal.roomkeeping import Roomkeeping
from tillmesh.terminal.scale_desk import ScaleDesk
from tillmesh.terminal.signing import sign_heads
from tillmesh.terminal.web.api import Services
from tillmesh.terminal.web.app import build
from tillmesh.terminal.web.card_calls import telling
from tillmesh.terminal.web.live import Live
from tillmesh.terminal.web.news import tell_products
from tillmesh.terminal.web.pins import Pins
from tillmesh.terminal.web.session_calls import WRONG_PIN
from tillmesh.terminal.web.sessions import Sessions

HOUSEKEEPING_S = 5.0
T = TypeVar("T")
UNSURE_MAX = 2  # how often damage that can't be found again is let pass
log = logging.getLogger(__name__)
DAY_MS = 86_400_000


@dataclass(frozen=True, slots=True)
class Options:
    """How a terminal is started."""

    data_dir: Path
    bind: str = "127.0.0.1"
    port: int = 8081
    key_file: Path | None = None
    around: Around = ALONE
    ai: bool = True
    office_port: int = 0  # where other devices of the shop reach this till's pages over TLS; 0: nowhere
    office_bind: str = "0.0.0.0"  # noqa: S104 - all addresses, once somebody has given a port
    model_deadline_ms: int = 0  # how long people wait for a model; 0: as its manifest says


def serve(options: Options) -> None:
    """Run a terminal until SIGINT or SIGTERM."""
    asyncio.run(_serve(options))


async def _serve(options: Options) -> None:
    """Run the till, and run it anew when its database can't be gone on with."""
    unsure = 0
    supervision = Supervision()
    with listen(options.bind, options.port) as listening:
        watching = asyncio.create_task(supervision.watch(listening))
        run = _Run(options, listening, supervision)
        while (trouble := await run.run()) is not None:
            if trouble.kind == DAMAGED and unsure < UNSURE_MAX and await asyncio.to_thread(_reads_whole, options):
                log.warning("the database reads whole now; going on with it")
                unsure, trouble = unsure + 1, None
            run = _Run(options, listening, supervision, trouble)
        watching.cancel()


def _reads_whole(options: Options) -> bool:
    return reads_whole(options.data_dir, options.key_file)


class _Run:
    """One run of the till on one database; ``before`` says why the run before this one ended."""

    def __init__(
        self, options: Options, listening: socket.socket, supervision: Supervision, before: Trouble | None = None
    ) -> None:
        self._options = options
        self._listening = listening
        self._supervision = supervision
        self._before = before
        self._is_behind = False  # another till holds sales that were made here and are not here any more
        self._trouble: Trouble | None = None
        self._stop: Callable[[], object] = lambda: None

    async def run(self) -> Trouble | None:
        """Run until told to stop (None), or until the database can't be gone on with: what was found, then."""
        opened = await self._open()
        if opened is None:
            return None
        driver = Driver(opened)
        services = Services(driver, Sessions(), Pins(opened.pepper, opened.origin.store), Live())
        among: Among | None = None
        try:
            await self._unless_stopped(read_old(driver, self._listening))
            among = await join_store(services, self._options.around)
            self._look_out(driver, among)
            if (opened.crashed or self._is_behind) and among.mesh is not None and among.others():
                await self._unless_stopped(hear(among.mesh, HEAR_LOST_S if self._is_behind else HEAR_S))
            await self._unless_stopped(restore(driver, among.mesh, among.others(), self._listening))
            await self._sell(services, among)
        except asyncio.CancelledError:
            pass
        except DatabaseDamaged as cause:
            if self._trouble is None and among is not None:
                raise
            # Found before the till knew who else is there, or following from what was found already.
            self._trouble = self._trouble or Trouble(cause.detail)
        except TillmeshError as cause:
            if self._trouble is None:
                raise
            log.warning("given up meanwhile: %s", cause.detail)  # it follows from what was found already
        finally:
            driver.on_trouble = log.error
            if among is not None:
                await among.stop()
            await services.oversold.stop()
            await services.training().stop()
            with contextlib.suppress(TillmeshError):  # the disk may refuse; stopping goes on
                await driver.on_writer(lambda db: sign_heads(driver.opened, db, now_ms()))
            services.pins.close()
            driver.close()
        return self._trouble

    async def _open(self) -> Opened | None:
        options = self._options

        def open_it() -> Opened:
            # What was found is for the first try: after that the database is a fresh one, or was not given up.
            found, self._before = self._before, None
            damage, doubt = None, ""
            if found is not None and found.kind == BEHIND:
                doubt, self._is_behind = found.detail, True
            elif found is not None:
                damage = GiveUp(found.detail, forked=found.kind == FORKED)
            with self._supervision.patient():
                return open_terminal(
                    options.data_dir, key_file=options.key_file, recover=True, damage=damage, doubt=doubt
                )

        try:
            return await self._unless_stopped(open_when_possible(open_it, self._listening))
        except asyncio.CancelledError:
            return None

    async def _unless_stopped(self, work: Coroutine[Any, Any, T]) -> T:
        """Wait for something; raises CancelledError when somebody stops the program meanwhile."""
        task = asyncio.ensure_future(work)
        self._stops(task.cancel)
        if self._trouble is not None:
            task.cancel()
        return await task

    def _look_out(self, driver: Driver, among: Among) -> None:
        """Give the database up when it must be; a till that is alone sells on with a damaged one as long as it can."""
        loop = asyncio.get_running_loop()

        def tell(trouble: Trouble) -> None:
            if among.others():
                loop.call_soon_threadsafe(self._give_up, trouble)

        driver.on_trouble = tell

    async def _sell(self, services: Services, among: Among) -> None:
        await restore_pins(services)
        fiscal, cards, mailing = await _open_desks(services)
        printing = await start_printing(services.driver, services.live, signed=fiscal.signed)
        services.extra["printer"] = printing.view
        services.extra["scale"] = scale = ScaleDesk(services.driver)
        await scale.start()
        services.extra["pole"] = pole = PoleDesk(services.driver)
        await pole.start()
        services.oversold.look_at_all()
        ai = (
            Ai(self._options.data_dir, driver=services.driver, deadline_ms=self._options.model_deadline_ms)
            if self._options.ai
            else None
        )
        watch = None
        if ai is not None:
            services.extra["ai"] = ai
            services.extra["fraud"] = watch = FraudWatch(services.driver, asking(ai), after_s=BEGIN_AFTER_S)
            watch.start(now_ms())
        server = server_for(build(services, {"127.0.0.1", "localhost", self._options.bind}))
        self._stops(functools.partial(_stop, server, services))
        office = await _open_office(services, self._options)
        settle_memory()
        keeping = asyncio.create_task(_housekeeping(services.driver, services.extra["room"]))
        patrol = Patrol(services.driver)
        patrol.start()
        prices = PriceClock(services.driver, functools.partial(tell_products, services))
        prices.start()
        archiving = services.extra["archiving"]
        archiving.start()
        pictures = services.extra["pictures"]
        pictures.start()
        kept = at_head_office(services.driver, pictures, among.uplinking, self._options.around.hub_url)
        air = by_air(
            services.driver, ai, among.mesh, among.uplinking, self._options.around.hub_url, among.office_public
        )
        stocking = asyncio.create_task(_stock_up(ai, air))
        try:
            if self._trouble is None:
                await server.serve(sockets=[self._listening.dup()])
        finally:
            keeping.cancel()
            await _stop_parts(mailing, office, watch)
            await stocking
            await _stop_parts(kept, pictures, air, ai, archiving, prices, patrol, cards, pole, scale, printing, fiscal)

    def _stops(self, stop: Callable[[], object]) -> None:
        """Do this from now on when somebody stops the program, or the database is given up."""
        self._stop = stop
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, stop)

    def _give_up(self, trouble: Trouble) -> None:
        if self._trouble is None:
            log.error("this till starts anew: %s", trouble.detail)
            self._trouble = trouble
            self._stop()


async def _stock_up(ai: Ai | None, air: ByAir | None) -> None:
    """Put what ships on the shelf first: head office's orders are about what is more than that."""
    if ai is not None:
        await ai.start()
    if air is not None:
        await air.start()


class _Part(Protocol):
    async def stop(self) -> None: ...


async def _stop_parts(*parts: _Part | None) -> None:
    """Stop what is there, one after the other."""
    for part in parts:
        if part is not None:
            await part.stop()


async def _open_office(services: Services, options: Options) -> OfficeDoor | None:
    """Open the door for other devices, if the till was started with a port for it."""
    if not options.office_port:
        return None
    addresses = lan_addresses(options.office_bind)
    try:
        door = await OfficeDoor.open(services.driver, options.office_bind, options.office_port, addresses)
    except OSError as cause:
        log.warning("the door for other devices stays shut: %s", cause)
        return None
    services.extra["office"] = door
    door.serve(services.extra["app"])
    return door


async def _open_desks(services: Services) -> tuple[FiscalDesk, CardDesk, Mailing]:
    """Begin to speak with what signs receipts, what charges cards, and the server that takes mail."""
    services.training()  # what a run that was killed has left of practice goes now
    services.extra["mailing"] = mailing = Mailing(services.driver)
    mailing.start()
    services.extra["fiscal"] = fiscal = FiscalDesk(services.driver)
    services.extra["cards"] = cards = CardDesk(services.driver, telling(services.live))
    await fiscal.start()
    await cards.start()
    return fiscal, cards, mailing


async def restore_pins(services: Services) -> None:
    """Count the wrong PINs of the last day again: a restart gives no free tries."""
    since_ms = now_ms() - DAY_MS
    services.pins.restore(await services.driver.look(lambda books: audited_since(books, WRONG_PIN, since_ms)))


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


async def _housekeeping(driver: Driver, room: Roomkeeping) -> None:
    """Sign heads, keep the anchor, the reserve and other room, and look whether a refusing disk is well again."""
    signed = Head("")
    while True:
        await asyncio.sleep(HOUSEKEEPING_S)
        with contextlib.suppress(Exception):
            await driver.look_after()
        with contextlib.suppress(Exception):
            await room.look()
        with contextlib.suppress(Exception):
            if driver.opened.till.head != signed:
                await driver.on_writer(lambda db: sign_heads(driver.opened, db, now_ms()))
                signed = driver.opened.till.head
