"""The first person of a new till: whoever stands before it says who they are, once, while nobody is known."""

from __future__ import annotations

import msgspec
from starlette.responses import Response

from tillmesh.adapters.sqlite import listings
from tillmesh.kernel.errors import Conflict
from tillmesh.kernel.limits import NAME_CHARS_MAX
from tillmesh.shop.events import Change
from tillmesh.shop.people import Role
from tillmesh.terminal.web.api import Call, Context
from tillmesh.terminal.web.session_calls import SYSTEM, PinBody, is_new, sign_in
from tillmesh.till.commands import ChangeRecords
from tillmesh.till.desk import checked_text


class OwnerBody(msgspec.Struct):
    """Who it is, and the PIN from now on."""

    name: str
    pin: str


async def begin(context: Context, body: OwnerBody) -> Response:
    """Make the first person, a manager, and sign them in; refused as soon as anybody is known."""
    services = context.services
    name = checked_text(body.name, "name", least=1, most=NAME_CHARS_MAX)
    async with services.pins.turn():  # two at once: the second finds the first
        if not await is_new(context):
            raise Conflict("somebody is known here already", hint="Sign in with your PIN, or ask a manager.")
        tag = await services.pins.tag(body.pin)
        person = Change(
            key=listings.new_id(), fields={"name": name, "role": str(Role.MANAGER), "pin_tag": tag, "active": True}
        )
        await services.driver.do(SYSTEM, ChangeRecords(entity="person", changes=(person,), source="first"))
    return await sign_in(context, PinBody(body.pin))


CALLS = [Call("POST", "/owner", begin, "Make the first person of a new till", OwnerBody, role=None, status=201)]
