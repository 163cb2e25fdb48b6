"""Pairing other devices with this till, and letting them go."""

from __future__ import annotations

import base64
import io
from typing import Any

import msgspec
import segno
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from tillmesh.kernel.errors import Conflict, NotFound
from tillmesh.kernel.times import rfc3339
from tillmesh.shop.people import Role
from tillmesh.terminal.office_door import DEVICE, DEVICE_S, OFFICE, OfficeDoor
from tillmesh.terminal.web.api import Call, Context, Services
from tillmesh.till import views
from tillmesh.till.commands import Note
from tillmesh.till.desk import checked_text


class PairBody(msgspec.Struct):
    """The code on the till's screen, and what to call this device."""

    code: str
    name: str = ""


def _door(services: Services) -> OfficeDoor:
    door: OfficeDoor | None = services.extra.get("office")
    if door is None:
        raise Conflict("this till is closed to other devices", hint="Start it with --office-port.")
    return door


async def shown(context: Context) -> Any:
    """Show whether the door is open, where, and which devices are paired."""
    door: OfficeDoor | None = context.services.extra.get("office")
    if door is None:
        return {"open": False, "urls": [], "fingerprint": "", "devices": []}
    people = {one.paired_by for one in door.devices}
    names = await context.driver.look(lambda books: {one: views.person(books, one)["name"] for one in people})
    return {
        "open": True,
        "urls": door.urls,
        "fingerprint": door.authority.fingerprint,
        "devices": [
            {"device_id": one.device_id, "name": one.name, "paired_at": rfc3339(one.paired_ms),
             "paired_by": names[one.paired_by]}
            for one in door.devices
        ],
    }  # fmt: skip


async def code(context: Context) -> tuple[int, Any]:
    """Show a code at this till for one device. Not to be had through the door itself."""
    door = _door(context.services)
    if context.request.scope.get(OFFICE):
        raise Conflict("a code is shown at the till itself", hint="Go to the till.")
    made = door.show_code(context.signed_in().user_id)
    url = f"{door.urls[0]}/"
    picture = io.BytesIO()
    segno.make_qr(url).save(picture, kind="svg", scale=5, border=2)
    return 201, {
        "code": made.digits,
        "url": url,
        "fingerprint": door.authority.fingerprint,
        "expires_in_ms": made.until_ms - context.now_ms(),
        "qr": "data:image/svg+xml;base64," + base64.b64encode(picture.getvalue()).decode(),
    }


async def pair(context: Context, body: PairBody) -> Response:
    """Let this device in; only through the door."""
    door = _door(context.services)
    if not context.request.scope.get(OFFICE):
        raise NotFound("nothing to pair here", hint="Open the address that the till shows, on the other device.")
    name = checked_text(body.name or "Device", "name", least=1, most=40)
    device, secret = await door.pair(body.code.strip().replace(" ", ""), name)
    from tillmesh.terminal.web.session_calls import SYSTEM

    await context.driver.do(SYSTEM, Note(action="device_paired", subject=device.device_id, detail=name))
    response = Response(msgspec.json.encode({"device_id": device.device_id}), 201, media_type="application/json")
    response.set_cookie(DEVICE, secret, DEVICE_S, httponly=True, samesite="strict", secure=True)
    return response


async def remove(context: Context) -> None:
    """Let a device in no more."""
    found = await _door(context.services).remove(context.path("device_id"))
    if found is not None:
        await context.do(Note(action="device_removed", subject=found.device_id, detail=found.name))


def certificate_route(services: Services) -> Route:
    """Give the certificate of the till's authority, for a device to install."""

    async def certificate(request: Request) -> Response:  # noqa: ARG001
        door: OfficeDoor | None = services.extra.get("office")
        if door is None:
            return Response(status_code=404)
        headers = {"Content-Disposition": 'attachment; filename="tillmesh.crt"'}
        return Response(door.authority.certificate, media_type="application/x-x509-ca-cert", headers=headers)

    return Route("/office-ca.crt", certificate)


CALLS = [
    Call("GET", "/office", shown, "Which other devices use this till", role=Role.MANAGER),
    Call("POST", "/office/codes", code, "Show a code for another device", role=Role.MANAGER, status=201),
    Call("POST", "/office/pair", pair, "Pair this device", PairBody, role=None, status=201),
    Call("DELETE", "/office/devices/{device_id}", remove, "Remove a device", role=Role.MANAGER, status=204),
]
