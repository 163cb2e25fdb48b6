"""Pictures of products: put one to a product, show one."""

from __future__ import annotations

from typing import Any

from starlette.responses import Response

from tillmesh.adapters.web.images import HASH, image
from tillmesh.adapters.web.problems import answer
from tillmesh.kernel.errors import NotFound
from tillmesh.kernel.limits import PICTURE_UPLOAD_BYTES_MAX
from tillmesh.shop.events import Change
from tillmesh.shop.people import Role
from tillmesh.shop.pictures import MEDIA
from tillmesh.terminal.pictures import Pictures
from tillmesh.terminal.web.api import ANY, Call, Context
from tillmesh.terminal.web.record_calls import product_view
from tillmesh.till.commands import ChangeRecords


def _pictures(context: Context) -> Pictures:
    """Give the shelf of the real till: those who practise see the same goods."""
    found: Pictures = context.services.extra["pictures"]
    return found


async def put_picture(context: Context, body: bytes) -> Any:
    """Give a product a picture: JPEG or WebP, at most 320 pixels a side and 24 KiB. Metadata is taken out of it."""
    sku = context.path("sku")
    if await context.driver.look(lambda books: books.product(sku)) is None:
        raise NotFound(f"no product {sku[:40]!r}", hint="Search by name, or add the product.")
    picture = await _pictures(context).add(body)
    change = Change(key=sku, fields={"image": picture.reference})
    await context.do(ChangeRecords(entity="product", changes=(change,)))
    return await context.driver.look(lambda books: product_view(books, sku))


async def show_picture(context: Context) -> Response:
    """Show a picture; one that another till still has is fetched from there, and the pages are told by an event."""
    sha256 = context.path("sha256")
    found = await _pictures(context).load(sha256) if HASH.fullmatch(sha256) else None
    if found is None:
        response = answer(NotFound("this picture is not on this till", hint="It comes when another till has it."))
        response.headers["Cache-Control"] = "no-store"
        return response
    return image(*found)


CALLS = [
    Call(
        "PUT", "/products/{sku}/image", put_picture, "Give a product a picture", bytes, role=Role.MANAGER, media=ANY,
        bytes_max=PICTURE_UPLOAD_BYTES_MAX, takes_room=True,
    ),
    Call("GET", "/pictures/{sha256}", show_picture, "Show a picture of a product", gives=tuple(MEDIA.values())),
]  # fmt: skip
