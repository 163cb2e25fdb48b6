"""Pictures of products: a store brings what head office lacks and gets what it lacks itself; people look at them."""

from __future__ import annotations

from typing import Final

from starlette.responses import Response

from tillmesh.adapters.web.images import HASH, image
from tillmesh.fleet.pictures import take
from tillmesh.hub.web.api import Call, Context
from tillmesh.hub.web.store_calls import admitted_as
from tillmesh.kernel.errors import NotFound
from tillmesh.kernel.limits import OFFICE_PICTURES_QUESTION_BYTES_MAX, PICTURE_BYTES_MAX
from tillmesh.shop.pictures import MEDIA as IMAGES
from tillmesh.sync.office_pictures import MEDIA, Held, Which


async def which(context: Context, asked: Which) -> Held:
    """Say which pictures head office has of those that the store's products name."""
    store, now = await _admitted(context), context.services.clock()
    found = await context.hub.pictures.ask(lambda shelf: shelf.held(store, asked.sha256s, now))
    return Held(sorted(found))


async def bring(context: Context, data: bytes) -> None:
    """Keep a picture for the store."""
    store, now, sha256 = await _admitted(context), context.services.clock(), context.path("sha256")
    await context.hub.pictures.ask(lambda shelf: take(shelf, store, sha256, data, now))


async def get(context: Context) -> Response:
    """Give a picture back to the store that brought it."""
    return await _picture(context, await _admitted(context))


async def show(context: Context) -> Response:
    """Show a picture of a store's product to somebody at head office."""
    return await _picture(context, context.path("store_id"))


async def _admitted(context: Context) -> str:
    """Give the store that calls, by its certificate, unless it calls too often."""
    store = (await admitted_as(context)).store
    context.services.pictures.admit(store, context.services.clock())
    return store


async def _picture(context: Context, store: str) -> Response:
    sha256 = context.path("sha256")
    found = None
    if HASH.fullmatch(sha256):
        found = await context.hub.pictures.ask(lambda shelf: shelf.load(store, sha256))
    if found is None:
        raise NotFound("head office has no such picture of this store", hint="It comes from a till that has it.")
    return image(*found)


_AT: Final = "/stores/{store_id}/pictures/{sha256}"
FOR_STORES: Final = [
    Call("POST", "/stores/{store_id}/pictures", which, "Which pictures head office has of a store", body=Which,
         role=None, bytes_max=OFFICE_PICTURES_QUESTION_BYTES_MAX),
    Call("PUT", _AT, bring, "Keep a picture of a store's product", body=bytes, role=None, media=MEDIA,
         bytes_max=PICTURE_BYTES_MAX),
    Call("GET", _AT, get, "A picture of a store's product", role=None, gives=tuple(IMAGES.values())),
]  # fmt: skip
CALLS: Final = [
    Call("GET", _AT, show, "A picture of a store's product", gives=tuple(IMAGES.values())),
]
