"""The audit log, in the language of whoever reads it."""

from __future__ import annotations

from typing import Any

from tillmesh.adapters.sqlite import listings
from tillmesh.adapters.sqlite.books import Books
from tillmesh.adapters.web.speaking import say, spoken
from tillmesh.kernel.hlc import TIMESTAMP_MAX
from tillmesh.kernel.limits import PAGE_ROWS_MAX, SEARCH_CHARS_MAX
from tillmesh.kernel.times import rfc3339
from tillmesh.shop.people import Role
from tillmesh.terminal.web.api import Call, Context
from tillmesh.terminal.web.languages import words_of_actions
from tillmesh.till.audit_text import describe


async def audit(context: Context) -> Any:
    """List the audit log, newest first, filtered by a text: ``words`` are codes with values, for a page to say."""
    limit, text = context.limit(100, PAGE_ROWS_MAX), context.query("q")[:SEARCH_CHARS_MAX].casefold()
    before = context.query("before")
    position = int(before) if before.isascii() and before.isdigit() and len(before) < 20 else TIMESTAMP_MAX
    language = spoken.get()
    names = words_of_actions(language)

    def query(books: Books) -> dict[str, Any]:
        entries: list[dict[str, Any]] = []
        reached = position
        more = False
        for _ in range(20):  # A search looks through at most 20 pages at once.
            page = listings.audit(books, before_hlc=reached, limit=500 if text else limit)
            for entry in page:
                reached = entry.event.hlc
                shown = {"id": entry.event.id, "position": str(reached), "at": rfc3339(entry.at_ms)}
                shown |= describe(books, entry.event)
                shown["detail"] = say(shown["detail"], language)
                if text in " ".join(map(str, (*shown.values(), names.get(shown["action"], "")))).casefold():
                    entries.append(shown)
                if len(entries) == limit:
                    return {"entries": entries, "before": str(reached)}
            more = bool(page)
            if not more or not text:
                break
        return {"entries": entries, "before": str(reached) if more else None}

    return await context.driver.look(query)


CALLS = [Call("GET", "/audit", audit, "Audit log", role=Role.MANAGER, query=("q", "before", "limit"))]
