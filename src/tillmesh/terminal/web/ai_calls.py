"""What the page asks models, and how they are. A model that fails is a fallback in the answer, never an error."""

from __future__ import annotations

from typing import Any

from tillmesh.adapters.web.problems import NotAvailable
from tillmesh.kernel.errors import NotFound
from tillmesh.terminal.ai import Ai, NoAnswer
from tillmesh.terminal.web.api import Call, Context


def ai_of(context: Context) -> Ai:
    """Give this till's models; raises :class:`NotAvailable` on a till that was started without."""
    ai: Ai | None = context.services.extra.get("ai")
    if ai is None:
        raise NotAvailable("this till runs no models", hint="Scan the barcode or search by name.")
    return ai


async def status(context: Context) -> Any:
    """Say how every model of this till is."""
    ai: Ai | None = context.services.extra.get("ai")
    return {"enabled": False, "worker": {"running": False}, "models": []} if ai is None else ai.status()


async def load(context: Context) -> Any:
    """Load a model before it is asked, so that the first answer comes in time."""
    ai, name = ai_of(context), context.path("name")
    if name not in ai.shelf.names():
        raise NotFound(f"this till has no model {name[:40]!r}", hint="See /ai/status.")
    try:
        await ai.runner.load(name)
    except NoAnswer as none:
        return {"loaded": False, "reason": none.reason, "detail": none.detail}
    return {"loaded": True, "reason": "", "detail": ""}


CALLS = [
    Call("GET", "/ai/status", status, "How the models of this till are"),
    Call("POST", "/ai/models/{name}/load", load, "Load a model before it is asked"),
]
