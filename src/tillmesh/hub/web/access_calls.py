"""Keys and certificates of stores one by one, and what somebody may do."""

from __future__ import annotations

from typing import Any, Final

import msgspec

from tillmesh.adapters.wan.certificates import STORE_DAYS
from tillmesh.fleet.office import Issued
from tillmesh.fleet.people import OfficeRole
from tillmesh.hub.web.api import Call, Context
from tillmesh.kernel.errors import Conflict, NotFound
from tillmesh.kernel.times import rfc3339

DAY_MS: Final = 86_400_000


class RoleBody(msgspec.Struct):
    """What somebody may do from now on."""

    role: OfficeRole


async def change_role(context: Context, body: RoleBody) -> dict[str, Any]:
    """Change what somebody may do; open sessions of that person end."""
    name = context.path("name")
    if name == context.who().name:
        raise Conflict("you can't change your own rights", hint="Let another administrator do it.")
    if not await context.hub.ask(lambda office: office.change_role(name, body.role)):
        raise NotFound(f"nobody here is called {name[:60]!r}", hint="Look at the list.")
    await context.services.people.sign_out_everywhere(name)
    await context.note("person_changed", name, body.role)
    return {"name": name, "role": body.role}


async def credentials(context: Context) -> dict[str, Any]:
    """List the certificates of stores, the newest first; each stands for the key that came with it, too."""
    found = await context.hub.ask(lambda office: office.issued())
    names = {shop.store: shop.name for shop in await context.hub.read(lambda reading: reading.shops())}
    return {"credentials": [_shown(one, names) for one in found]}


async def revoke(context: Context) -> None:
    """Revoke one certificate of a store and its key: whoever holds them uploads no more."""
    store, serial, now_ms = context.path("store_id"), context.path("serial"), context.services.clock()
    try:
        number = bytes.fromhex(serial)
    except ValueError:
        number = b""
    if not await context.hub.ask(lambda office: office.revoke_one(store, number, now_ms)):
        raise NotFound(f"the store {store[:64]!r} has no such certificate in force", hint="Look at the list.")
    await context.note("key_revoked", store, serial[-12:])


def _shown(one: Issued, names: dict[str, str]) -> dict[str, Any]:
    return {
        "serial": one.serial.hex(),
        "store": one.store,
        "name": names.get(one.store, one.store),
        "issued": rfc3339(one.issued_ms),
        "expires": rfc3339(one.issued_ms + STORE_DAYS * DAY_MS),
        "revoked": None if one.revoked_ms is None else rfc3339(one.revoked_ms),
    }


_ADMIN: Final = OfficeRole.ADMIN
CALLS: Final = [
    Call("PATCH", "/people/{name}", change_role, "Change what somebody may do", body=RoleBody, role=_ADMIN),
    Call("GET", "/credentials", credentials, "Certificates and keys of stores", role=_ADMIN),
    Call(
        "DELETE", "/stores/{store_id}/credentials/{serial}", revoke, "Revoke one certificate", role=_ADMIN, status=204
    ),
]
