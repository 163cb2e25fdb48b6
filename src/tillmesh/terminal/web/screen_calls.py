"""Whether a page is on the screen of this till: it says so again and again, and who watches the screen asks.

A crashed or stuck page can't say that it is. What is on a paired device is not this till's screen.
"""

from __future__ import annotations

from typing import Any

from tillmesh.terminal.driver import steady_ms
from tillmesh.terminal.web.api import Call, Context

HEARD = "screen_heard_ms"


async def here(context: Context) -> None:
    """Take down that the page on this machine's screen lives."""
    if context.request.url.scheme == "http":  # paired devices come over TLS
        context.services.extra[HEARD] = steady_ms()


async def silence(context: Context) -> Any:
    """Say for how many whole seconds no page on this machine has said that it lives; null: none ever has."""
    heard_ms = context.services.extra.get(HEARD)
    return {"silent_s": None if heard_ms is None else (steady_ms() - heard_ms) // 1000}


CALLS = [
    Call("PUT", "/screen", here, "The page on the screen lives", role=None, status=204),
    Call("GET", "/screen", silence, "For how long the screen has been silent", role=None),
]
