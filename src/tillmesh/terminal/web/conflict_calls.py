"""What tills did without hearing of each other: goods sold too often, money taken or given back twice."""

from __future__ import annotations

from typing import Any

import msgspec

from tillmesh.adapters.sqlite.books import Books
from tillmesh.kernel.errors import NotFound
from tillmesh.kernel.limits import PAGE_ROWS_MAX
from tillmesh.shop.people import Role
from tillmesh.terminal.web.api import Call, Context
from tillmesh.till import money_conflicts, oversell_views
from tillmesh.till.commands import ResolveOversell, SettleMoneyConflict
from tillmesh.till.oversells import open_oversells


class ResolveBody(msgspec.Struct):
    """What is done about an oversell: back_order, void or adjust; ``sale_id`` names the sale to void."""

    action: str
    sale_id: str = ""
    reason: str = ""
    approval: str = ""


async def list_conflicts(context: Context) -> Any:
    """List oversold products with ranked answers, and money that was taken or given back twice."""
    now_ms = context.now_ms()

    def query(books: Books) -> dict[str, Any]:
        money = [money_conflicts.shown(books, one) for one in money_conflicts.open_conflicts(books)[:PAGE_ROWS_MAX]]
        return {**oversell_views.conflicts(books, now_ms), "money": money}

    return await context.driver.look(query)


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


class SettleBody(msgspec.Struct):
    """How it ended: money given back, a mistake of the count, ..."""

    reason: str
    approval: str = ""


async def settle_money(context: Context, body: SettleBody) -> Any:
    """Say how it ended that money was taken or given back twice; nothing is voided or refunded by this."""
    outcome = await context.do(SettleMoneyConflict(conflict_id=context.path("id"), reason=body.reason), body.approval)
    return {"event_id": str(outcome.reply)}


CALLS = [
    Call("GET", "/conflicts", list_conflicts, "Oversold products", role=Role.SUPERVISOR),
    Call("POST", "/conflicts/{id}/resolve", resolve, "Answer an oversell", ResolveBody),
    Call("POST", "/conflicts/money/{id}/settle", settle_money, "Settle money taken or given back twice", SettleBody),
]
