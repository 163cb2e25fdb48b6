"""Oversold products: what is open with ranked answers, and the answer that a person gives."""

from __future__ import annotations

from typing import Any

import msgspec

from tillmesh.adapters.sqlite.books import Books
from tillmesh.kernel.errors import NotFound
from tillmesh.shop.people import Role
from tillmesh.terminal.web.api import Call, Context
from tillmesh.till import oversell_views
from tillmesh.till.commands import ResolveOversell
from tillmesh.till.oversells import open_oversells


class ResolveBody(msgspec.Struct):
    """What is done about an oversell: back_order, void or adjust; ``sale_id`` names the sale to void."""

    action: str
    sale_id: str = ""
    reason: str = ""
    approval: str = ""


async def list_conflicts(context: Context) -> Any:
    """List oversold products with ranked answers, what was answered lately, and what customers wait for."""
    now_ms = context.now_ms()
    return await context.driver.look(lambda books: oversell_views.conflicts(books, now_ms))


async def resolve(context: Context, body: ResolveBody) -> Any:
    """Answer an oversell as the person who asks."""
    conflict_id = context.path("id")
    sku = await context.driver.look(lambda books: _sku_of(books, conflict_id))
    command = ResolveOversell(
        conflict_id=conflict_id, sku=sku, action=body.action, sale_id=body.sale_id, reason=body.reason
    )
    outcome = await context.do(command, body.approval)
    event_id = str(outcome.reply)
    return await context.driver.look(lambda books: oversell_views.resolved(books, sku, event_id))


def _sku_of(books: Books, conflict_id: str) -> str:
    """Find the product of an oversell, open or answered."""
    for one in open_oversells(books):
        if one.conflict_id == conflict_id:
            return one.sku
    for noted in books.newest_resolutions():
        if getattr(noted.body, "conflict_id", "") == conflict_id:
            return noted.body.sku
    raise NotFound(f"no oversell {conflict_id[:40]!r}", hint="The stock may be right again: look at the list anew.")


CALLS = [
    Call("GET", "/conflicts", list_conflicts, "Oversold products", role=Role.SUPERVISOR),
    Call("POST", "/conflicts/{id}/resolve", resolve, "Answer an oversell", ResolveBody),
]
