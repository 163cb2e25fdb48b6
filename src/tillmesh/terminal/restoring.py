"""Wait while the other tills give a fresh database its data back; then say what is gone for good, by number."""

from __future__ import annotations

import asyncio
import logging
import socket
from typing import Final

from tillmesh.adapters.sqlite.identity import series
from tillmesh.adapters.sqlite.restoration import Missing, Restoring, end_restoring, missing
from tillmesh.kernel.errors import TillmeshError
from tillmesh.kernel.limits import NOTE_CHARS_MAX
from tillmesh.terminal.bootstrap import SYSTEM
from tillmesh.terminal.driver import Driver
from tillmesh.terminal.mesh import Mesh
from tillmesh.terminal.out_of_order import OutOfOrder
from tillmesh.terminal.web.serving import serving
from tillmesh.till.commands import Note

LOOK_S: Final = 0.2
LINGER_S: Final = 5.0  # guess: the other tills are found by then, and one of them may know a little more
log = logging.getLogger(__name__)


class GettingBack(TillmeshError):
    """The database is new, and the other tills have not given all of its data back yet."""

    status = 503
    kind = "restoring"
    title = "This till is getting its data back"


async def restore(driver: Driver, mesh: Mesh | None, members: int, listening: socket.socket) -> None:
    """Serve a page that says how far it is until this till holds what the linked ones hold; then tell what lacks.

    ``members`` is how many other terminals the store has. One of them is enough; the others get a moment to be found.
    """
    what = driver.opened.restoring
    if what is None:
        return
    page = OutOfOrder(_waiting(what, {}))
    log.warning("restoring: %s", what.why)
    async with serving(page, listening):
        await _caught_up(mesh, members, what, page)
    await _finish(driver, what, sorted(mesh.exchange.behind()) if mesh is not None else [])


async def _caught_up(mesh: Mesh | None, members: int, what: Restoring, page: OutOfOrder) -> None:
    loop = asyncio.get_running_loop()
    since: float | None = None  # when this till first held all that the linked ones hold
    while True:
        behind = mesh.exchange.behind() if mesh is not None else {}
        page.error = _waiting(what, behind)
        if behind and all(count == 0 for count in behind.values()):
            since = loop.time() if since is None else since
            if len(behind) >= members or loop.time() - since >= LINGER_S:
                return
        else:
            since = None
        await asyncio.sleep(LOOK_S)


def _waiting(what: Restoring, behind: dict[str, int | None]) -> GettingBack:
    if not behind:
        hint = "Switch another till of this store on, and see that this one is on the network. It goes on by itself."
        return GettingBack(f"{what.why}; no other till is in reach to give the data back", hint=hint)
    lacking = max((count for count in behind.values() if count is not None), default=0)
    names = " and ".join(sorted(behind))
    return GettingBack(f"{what.why}; {lacking} events are still to come from {names}", hint="It goes on by itself.")


async def _finish(driver: Driver, what: Restoring, peers: list[str]) -> None:
    gone = await driver.read(lambda db, _: missing(db, what))
    told = describe(what, gone, peers)
    await driver.do(SYSTEM, Note(action="restored", subject=driver.identity.actor, detail=told))
    await driver.on_writer(end_restoring)
    opened = driver.opened
    opened.notices = (*opened.notices, ("restored", told))
    opened.restoring = None
    log.warning("restored: %s", told)


def describe(what: Restoring, gone: Missing | None, peers: list[str]) -> str:
    """Say what happened and what is gone, in words for a manager."""
    kept = f" (kept in {what.folder})" if what.folder else ""
    others = " and ".join(peers)
    if gone is None:
        told = f"{what.why}{kept}; everything came back from {others}"
    else:
        told = f"{what.why}{kept}; {_lost(gone)} were committed here and are held by none of {others}"
    return told[:NOTE_CHARS_MAX]


def _lost(gone: Missing) -> str:
    events = f"events {gone.first} to {gone.last} of {gone.actor}"
    if not gone.receipts_first:
        return events
    first, last = (f"{series(gone.actor)}-{number:06d}" for number in (gone.receipts_first, gone.receipts_last))
    return f"receipts {first} to {last} ({events})"
