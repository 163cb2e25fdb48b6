"""The scale of this till, for the page that weighs."""

from __future__ import annotations

from typing import Any

from tillmesh.terminal.web.api import Call, Context


async def show(context: Context) -> Any:
    """Say what lies on the scale: at once when that is not what was seen, else after a moment."""
    return await context.services.extra["scale"].ask(_number(context, "seen"), _number(context, "price"))


def _number(context: Context, name: str) -> int:
    text = context.query(name)
    return int(text) if text.isascii() and text.isdigit() and len(text) < 16 else 0


CALLS = [Call("GET", "/scale", show, "What lies on the scale", query=("seen", "price"))]
