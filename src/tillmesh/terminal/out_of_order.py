"""The page of a till that can't open its data: it says so in plain words until it can, instead of dying over and over.

A cashier in front of a till that does not answer waits; one in front of "use another till" walks over. A supervisor
that restarts a dead program would hide the cause in a log; this way the cause is on the screen and in GET /health.
"""

from __future__ import annotations

import asyncio
import html
import logging
import socket
from collections.abc import Callable
from typing import Final

import msgspec
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from tillmesh.adapters.web.problems import problem
from tillmesh.adapters.web.serving import serving
from tillmesh.adapters.web.speaking import HEADER, known, say, spoken
from tillmesh.kernel.errors import TillmeshError
from tillmesh.terminal.bootstrap import Opened

RETRY_S: Final = 5.0  # how soon a mended disk is noticed; guess
log = logging.getLogger(__name__)

SPOKEN_LAST: Final = "tillmesh.language"  # the cookie in which the pages keep their language, before the port
STATE: Final = "Out of order"
ADVICE: Final = "Use another till"
_PAGE: Final = """<!doctype html>
<html lang="{language}"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>{state}</title><style>
:root {{ color-scheme: light dark; font: 1.25rem/1.5 system-ui, sans-serif; }}
body {{ min-height: 90vh; margin: 0; display: grid; place-content: center; }}
main {{ max-width: 40rem; padding: 1.5rem; overflow-wrap: anywhere; }} h1 {{ line-height: 1.15; }}
</style></head>
<body><main role="alert"><h1>{advice}</h1><p>{title}{colon} {detail}.</p><p>{hint}</p></main><script>
let shown; // Looks again by itself, and is painted anew for another page alone: nobody is read to in mid-sentence.
setInterval(async () => {{
  const answer = await fetch(location.href, {{ cache: "no-store" }}).catch(() => null);
  const page = answer && (answer.status === 503 ? await answer.text() : "open");
  if (page === "open" || (page && shown && page !== shown)) location.reload();
  shown = page || shown;
}}, {every_ms});
</script></body></html>
"""


async def open_when_possible(open_it: Callable[[], Opened], listening: socket.socket) -> Opened:
    """Open the data directory; while it can't be opened, tell everyone who asks why, and try again now and then."""
    try:
        return open_it()
    except TillmeshError as error:
        told = error
    log.error("this till is out of order: %s. %s", told.detail, told.hint)
    page = OutOfOrder(told)
    async with serving(page, listening):
        while True:
            await asyncio.sleep(RETRY_S)
            try:
                return await asyncio.to_thread(open_it)
            except TillmeshError as error:
                if error.detail != page.error.detail:
                    log.error("this till is out of order: %s. %s", error.detail, error.hint)  # noqa: TRY400
                page.error = error


class OutOfOrder:
    """Answers everything with 503 and the reason: a problem document to programs, a page to people."""

    def __init__(self, error: TillmeshError) -> None:
        self.error = error

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] == "http":
            app: ASGIApp = self._answer(Request(scope))
            await app(scope, receive, send)

    def _answer(self, request: Request) -> Response:
        error = self.error
        headers = {"Retry-After": str(int(RETRY_S)), "Cache-Control": "no-store"}
        language = _language_of(request)
        spoken.set(language)
        if request.url.path.startswith("/api/"):
            check = {
                "check": "database",
                "ok": False,
                "text": f"{say(error.detail, language)}. {say(error.hint, language)}",
            }
            body = {**problem(error), "status": 503, "ok": False, "checks": [check]}
            return Response(msgspec.json.encode(body), 503, headers, "application/problem+json")
        texts = {"title": error.title, "detail": error.detail, "hint": error.hint, "state": STATE, "advice": ADVICE}
        words = {name: html.escape(say(text, language).rstrip(".")) for name, text in texts.items()}
        words["hint"] += "." if words["hint"] else ""
        words["colon"] = "\u00a0:" if language == "fr" else ":"
        return HTMLResponse(_PAGE.format(language=language, every_ms=int(RETRY_S * 1_000), **words), 503, headers)


def _language_of(request: Request) -> str:
    """Give what this screen spoke last, as the store's settings can't be read; one that never spoke has the browser's.

    Cookies are those of a host with all its ports, and several tills may be on one: the port is part of the name.
    """
    kept = request.cookies.get(f"{SPOKEN_LAST}{request.url.port or ''}")
    asked = request.headers.get(HEADER) or kept or request.headers.get("accept-language", "").partition(",")[0]
    return known(asked.partition(";")[0])
