"""Groups of stores: those of a region, a format or an owner, which are changed and looked at together."""

from __future__ import annotations

from typing import Any, Final

import msgspec

from tillmesh.fleet.office import Office
from tillmesh.fleet.people import OfficeRole
from tillmesh.hub.following import end_of, follow
from tillmesh.hub.web.api import Call, Context
from tillmesh.hub.web.office_calls import by, chosen_stores
from tillmesh.kernel.errors import Conflict, Invalid, NotFound, TooLarge
from tillmesh.kernel.limits import KEY_CHARS_MAX, STORE_GROUPS_MAX, STORES_PER_GROUP_MAX


class GroupBody(msgspec.Struct):
    """Which stores are in a group; the list takes the place of the one before."""

    stores: list[str]


async def groups(context: Context) -> dict[str, Any]:
    """List the groups with their stores."""
    found = await context.hub.ask(lambda office: office.groups())
    shops = await context.hub.read(lambda reading: reading.shops())
    names = {shop.store: shop.name for shop in shops}
    return {
        "groups": [
            {"name": name, "stores": [{"store": store, "name": names.get(store, store)} for store in stores]}
            for name, stores in found.items()
        ],
        "stores": [{"store": shop.store, "name": shop.name} for shop in shops],
    }


async def put_group(context: Context, body: GroupBody) -> dict[str, Any]:
    """Make a group, or change which stores are in it."""
    name = check_name(context.path("name"))
    if len(body.stores) > STORES_PER_GROUP_MAX:
        raise TooLarge(f"{len(body.stores)} stores; a group holds {STORES_PER_GROUP_MAX}", hint="Make two groups.")
    stores = await context.hub.read(lambda reading: chosen_stores(reading, body.stores) if body.stores else [])

    def put(office: Office) -> None:
        if name not in (known := office.groups()) and len(known) >= STORE_GROUPS_MAX:
            raise TooLarge(f"there are {len(known)} groups of stores already", hint="Remove one first.")
        office.put_group(name, stores)

    await context.hub.ask(put)
    await context.note("group_changed", name, ", ".join(stores)[:500])
    moved = await follow(context.hub, context.services.clock(), by(context))
    return {"name": name, "stores": sorted(stores), "offers": moved._asdict()}


async def remove_group(context: Context) -> None:
    """Forget a group that no offer follows; its stores stay as they are."""
    name = context.path("name")
    now, zones = context.services.clock(), {shop.time_zone for shop in await context.hub.read(lambda r: r.shops())}
    planned = [
        plan
        for plan in await context.hub.ask(lambda office: office.following())
        if name in plan.whom.groups and not 0 < end_of(plan, zones) <= now
    ]
    if planned:
        raise Conflict(
            f"{len(planned)} prices or promotions were planned for {name[:60]!r}",
            hint="Take them back first, or let the group be without stores.",
        )
    if not await context.hub.ask(lambda office: office.remove_group(name)):
        raise NotFound(f"no group of stores is called {name[:60]!r}", hint="Look at the list of groups.")
    await context.note("group_removed", name)


def check_name(name: str) -> str:
    """Give the name of a group back if it is one."""
    text = " ".join(name.split())
    if not 1 <= len(text) <= KEY_CHARS_MAX or not text.isprintable():
        raise Invalid(f"{name[:60]!r} is no name", hint=f"Use 1 to {KEY_CHARS_MAX} printable characters.")
    return text


CALLS: Final = [
    Call("GET", "/groups", groups, "Groups of stores"),
    Call("PUT", "/groups/{name}", put_group, "Make or change a group", body=GroupBody, role=OfficeRole.BUYER),
    Call("DELETE", "/groups/{name}", remove_group, "Remove a group", role=OfficeRole.BUYER, status=204),
]
