"""What the first new till of a store calls that lost all of its tills: what there is, the log, and whom to believe."""

from __future__ import annotations

from typing import Any, Final

from starlette.responses import Response

from tillmesh.adapters.web.bodies import JSON
from tillmesh.fleet.recovering import page_of, read_place
from tillmesh.hub import recovery
from tillmesh.hub.web.api import Call, Context
from tillmesh.hub.web.store_calls import asking
from tillmesh.kernel.envelope import Head
from tillmesh.kernel.ids import is_office, terminal_of
from tillmesh.sync.recovery import MEDIA, Claim, write_estate, write_page


async def estate(context: Context) -> Response:
    """Say what head office holds of a store that is to be recovered."""
    store, serial, _ = await asking(context)
    hub, now = context.hub, context.services.clock()
    found, held = await hub.write(lambda: recovery.estate(hub.opened, store, serial, now))
    tills = sorted({terminal_of(actor) for actor in held.heads if not is_office(actor)})
    names = await hub.read(lambda reading: {str(till): dict(reading.setting(store, till)) for till in tills})
    heard = dict(hub.contact(store).has)
    return Response(write_estate(recovery.named(found, heard, names)), media_type=JSON)


async def events(context: Context) -> Response:
    """Give a page of the store's log behind a place; it says where to go on."""
    store, serial, _ = await asking(context)
    hub, now, after = context.hub, context.services.clock(), read_place(context.query("after"))
    tills = await hub.write(lambda: recovery.vouching(hub.opened, store, serial, now))
    stretch = await hub.stretch(store, after)

    def vouch(head: Head) -> bytes | None:
        return recovery.vouch(hub.opened, store, head, tills)

    return Response(write_page(page_of(store, stretch, vouch)), media_type=MEDIA)


async def claim(context: Context, body: Claim) -> dict[str, Any]:
    """Believe the recovered store's new authority, and refuse its older certificates and keys."""
    store, serial, _ = await asking(context)
    hub, now = context.hub, context.services.clock()
    gone = await hub.write(lambda: recovery.claim(hub.opened, store, serial, body, now))
    return {"store": store, "refused": gone}


CALLS: Final = [
    Call("GET", "/stores/{store_id}/recovery", estate, "What there is of a store to recover", role=None),
    Call("GET", "/stores/{store_id}/events", events, "A page of a store's log", role=None, query=("after",),
         gives=(MEDIA,)),
    Call("POST", "/stores/{store_id}/recovery", claim, "Name a recovered store's authority", body=Claim, role=None),
]  # fmt: skip
