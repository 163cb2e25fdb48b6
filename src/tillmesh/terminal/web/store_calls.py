"""Who belongs to the store: take new tills in with a code, and remove tills that are gone or stolen."""

from __future__ import annotations

from typing import Any

import msgspec

from tillmesh.adapters.web.problems import NotAvailable
from tillmesh.shop.people import Role
from tillmesh.terminal.web.api import Call, Context


async def open_pairing(context: Context) -> Any:
    """Show a code that takes one new terminal into the store."""
    return await _desk(context).open(context.who())


async def pairing(context: Context) -> Any:
    """Say whether a code is shown, and whether somebody joined with it."""
    return _desk(context).view()


async def close_pairing(context: Context) -> None:
    """Show no code any more."""
    await _desk(context).close()


class RevokeBody(msgspec.Struct):
    """A terminal that is lost, stolen or broken for good."""

    terminal_id: str


async def revoke(context: Context, body: RevokeBody) -> Any:
    """Remove a terminal from the store: no till talks to it any more, and it has no vote."""
    keeper = _part(context, "keeper")
    keeper.revoke(body.terminal_id)
    await keeper.write()
    keeper.note("till_revoked", body.terminal_id, f"by {context.signed_in().user_id}")
    return {"terminal_id": body.terminal_id, "members": keeper.members()}


def _desk(context: Context) -> Any:
    return _part(context, "pairing_desk")


def _part(context: Context, name: str) -> Any:
    found = context.services.extra.get(name)
    if found is None:
        hint = "Stop it, and create a store with: tillmesh store create."
        raise NotAvailable("this till works alone; it belongs to no store with others", hint=hint)
    return found


CALLS = [
    Call("POST", "/store/pairing", open_pairing, "Show a code for a new till", role=Role.MANAGER, status=201),
    Call("GET", "/store/pairing", pairing, "How pairing a new till stands", role=Role.MANAGER),
    Call("DELETE", "/store/pairing", close_pairing, "Show no code any more", role=Role.MANAGER, status=204),
    Call("POST", "/store/revoke", revoke, "Remove a till from the store", RevokeBody, role=Role.MANAGER),
]
