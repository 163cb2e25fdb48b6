"""Wait while the other tills give a fresh database its data back; then say what is gone for good, by number."""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import Mapping
from contextlib import suppress
from typing import Final

from tillmesh.adapters.sqlite.restoration import Missing, Restoring, end_restoring, missing
from tillmesh.adapters.sqlite.salvage import receipts_apart, salvage, salvage_carts
from tillmesh.adapters.sqlite.store import FILE
from tillmesh.adapters.web.serving import serving
from tillmesh.kernel.envelope import Head
from tillmesh.kernel.errors import TillmeshError
from tillmesh.kernel.ids import series
from tillmesh.kernel.limits import NOTE_CHARS_MAX
from tillmesh.terminal.bootstrap import SYSTEM, Opened
from tillmesh.terminal.driver import Driver, now_ms
from tillmesh.terminal.mesh import Mesh
from tillmesh.terminal.out_of_order import OutOfOrder
from tillmesh.till.commands import Note

LOOK_S: Final = 0.2
HEAR_LOST_S: Final = 15.0  # guess: what is known to be elsewhere is worth a longer wait than what may be
HEAR_S: Final = 2.0  # guess: four times what finding a till and its first words take
STALLED_S: Final = 30.0  # guess: many times what a batch takes on a busy till
LINGER_S: Final = 5.0  # guess: the other tills are found by then, and one of them may know a little more
log = logging.getLogger(__name__)


class GettingBack(TillmeshError):
    """The database is new, and the other tills have not given all of its data back yet."""

    status = 503
    kind = "restoring"
    title = "This till is getting its data"


async def hear(mesh: Mesh, within_s: float) -> None:
    """After a crash, let another till say first whether this one lost something, and give it back; but not for long.

    A disk that lied about syncing may have lost the newest sales and the note about them. Whoever sells on then takes
    their numbers a second time, and sells a cart again that was paid before.
    """
    with suppress(TimeoutError):
        async with asyncio.timeout(within_s):
            while all(count != 0 for count in mesh.exchange.behind().values()):  # noqa: ASYNC110 - of many sessions
                await asyncio.sleep(HEAR_S / 40)


async def read_old(driver: Driver, listening: socket.socket) -> None:
    """Take over what can still be read of the old database, before anybody else is asked."""
    what = driver.opened.restoring
    if what is None:
        return
    log.warning("getting data: %s", what.why)
    page = OutOfOrder(GettingBack(f"{what.why}; the old database is being read", hint="It goes on by itself."))
    async with serving(page, listening):
        await driver.on_opened(take_over)
        await driver.on_opened(take_carts)


async def restore(driver: Driver, mesh: Mesh | None, members: int, listening: socket.socket) -> None:
    """Serve a page that says how far it is until this till holds what the linked ones hold; then tell what lacks.

    ``members`` is how many other terminals the store has. One of them is enough; the others get a moment to be found.
    """
    what = driver.opened.restoring
    if what is None:
        return
    page = OutOfOrder(_waiting(what, {}))
    async with serving(page, listening):
        peers: list[str] = []
        if mesh is not None and members:
            peers = await _caught_up(mesh, members, what, page)
            # What stood behind a hole in the old database joins on now.
            mesh.grown(list((await driver.on_opened(take_over)).values()))
    if not what.former:
        await driver.on_writer(end_restoring)
        driver.opened.restoring = None
        return
    told = await driver.on_opened(lambda opened: report(opened, what, peers))
    driver.opened.lacking = await driver.read(lambda db, _: missing(db, what))
    await driver.do(SYSTEM, Note(action="restored", subject=driver.identity.actor, detail=told))
    await driver.on_writer(end_restoring)
    opened = driver.opened
    opened.notices = (*opened.notices, ("restored", told))
    opened.restoring = None
    log.warning("restored: %s", told)


def take_over(opened: Opened) -> dict[str, Head]:
    """Take over the events of the old database that join on here; gives the ends of the chains that have grown."""
    what = opened.restoring
    if what is None or not what.folder:
        return {}
    source = opened.data_dir / what.folder / FILE
    but = what.former if what.forked else ""
    grown = salvage(source, opened.key, opened.origin.store, opened.writer, but=but)
    for hlc in opened.writer.last_hlcs().values():
        opened.till.clock.observe(hlc, now_ms())
    return grown


def take_carts(opened: Opened) -> None:
    """Take over the carts that people were working on."""
    what = opened.restoring
    if what is not None and what.folder:
        salvage_carts(opened.data_dir / what.folder / FILE, opened.key, opened.writer)


def report(opened: Opened, what: Restoring, peers: list[str]) -> str:
    """Say what happened and what is gone, by number."""
    apart: list[str] = []
    if what.forked and what.folder:
        source = opened.data_dir / what.folder / FILE
        apart = receipts_apart(source, opened.key, opened.writer, what.former)
    return describe(what, missing(opened.writer.db, what), peers, apart)


async def _caught_up(mesh: Mesh, members: int, what: Restoring, page: OutOfOrder) -> list[str]:
    """Wait until this till holds what the linked ones hold, and name them."""
    loop = asyncio.get_running_loop()
    progress = Progress(members)
    while True:
        behind = mesh.exchange.behind()
        page.error = _waiting(what, behind)
        if progress.is_enough(behind, loop.time()):
            return sorted(behind)
        await asyncio.sleep(LOOK_S)


class Progress:
    """Decides when a till holds enough of what others hold to sell; a value to step."""

    def __init__(self, members: int) -> None:
        self._members = members  # other terminals of the store
        self._lowest: int | None = None  # the least that was still to come, and since when
        self._since_s = 0.0
        self._whole_s: float | None = None  # when nothing was to come for the first time

    def is_enough(self, behind: Mapping[str, int | None], now_s: float) -> bool:
        """Look at how many events each linked till holds that are not here.

        The store sells on meanwhile, so nothing is ever said to have come to rest. Tills that are not linked get
        LINGER_S to be found; what nobody can pass on (its own till has not signed it yet) is not waited for longer
        than STALLED_S.
        """
        known = [count for count in behind.values() if count is not None]
        if not known or len(known) < len(behind):
            return False
        total = sum(known)
        if self._lowest is None or total < self._lowest:
            self._lowest, self._since_s = total, now_s
        if total:
            return now_s - self._since_s >= STALLED_S
        self._whole_s = now_s if self._whole_s is None else self._whole_s
        return len(behind) >= self._members or now_s - self._whole_s >= LINGER_S


def _waiting(what: Restoring, behind: Mapping[str, int | None]) -> GettingBack:
    if not behind:
        hint = "Switch another till of this store on, and see that this one is on the network. It goes on by itself."
        return GettingBack(f"{what.why}; no other till is in reach to give it data", hint=hint)
    lacking = max((count for count in behind.values() if count is not None), default=0)
    names = ", ".join(sorted(behind))
    return GettingBack(f"{what.why}; {lacking} events are still to come from {names}", hint="It goes on by itself.")


def describe(what: Restoring, gone: Missing | None, peers: list[str], apart: list[str]) -> str:
    """Say what happened and what is gone, in words for a manager."""
    told = [f"{what.why} (kept in {what.folder})" if what.folder else what.why]
    others = ", ".join(peers)
    if gone is not None and peers:
        told.append(f"{_lost(gone)} were committed here and are held by none of {others}")
    elif gone is not None:
        told.append(f"{_lost(gone)} were committed here and can't be read any more")
    elif not apart:
        told.append(f"everything came back from {others}" if peers else "everything came back")
    if apart:
        told.append(f"receipts {apart[0]} to {apart[-1]} were sold before this was noticed, and stand there alone")
    return "; ".join(told)[:NOTE_CHARS_MAX]


def _lost(gone: Missing) -> str:
    events = f"events {gone.first} to {gone.last} of {gone.actor}"
    if not gone.receipts_first:
        return events
    first, last = (f"{series(gone.actor)}-{number:06d}" for number in (gone.receipts_first, gone.receipts_last))
    return f"receipts {first} to {last} ({events})"
