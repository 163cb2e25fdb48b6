"""What every request passes: is it from this till's own pages, and what may a page do.

A page of any other site in the same browser can send requests to 127.0.0.1. The Host allow-list stops DNS rebinding,
the Origin check stops cross-site requests, JSON-only bodies force a preflight that is never granted, and the session
cookie is SameSite=Strict.
"""

from __future__ import annotations

from collections.abc import Collection
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tillmesh.adapters.web.problems import Forbidden, answer

CSP = (
    "default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; media-src 'self' blob:; "
    "connect-src 'self'; object-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'self'"
)
HEADERS = {
    "Content-Security-Policy": CSP,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(self), microphone=(self), geolocation=()",
}


class Guard:
    """ASGI middleware: Host and Origin allow-lists, and the headers of every answer."""

    def __init__(self, app: ASGIApp, hosts: Collection[str], what: str = "till") -> None:
        self._app = app
        self._what = what
        self._hosts = frozenset(hosts)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or refuse it."""
        if scope["type"] not in {"http", "websocket"}:
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)

        async def send_guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                out = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    out.setdefault(name, value)
            await send(message)

        refused = self._refuse(headers, scope["path"])
        if refused is not None:
            await answer(refused)(scope, receive, send_guarded)
            return
        await self._app(scope, receive, send_guarded)

    def _refuse(self, headers: Headers, path: str) -> Forbidden | None:
        host = headers.get("host", "")
        if _name(host) not in self._hosts:
            return Forbidden(
                f"{host[:60]!r} is not a name of this {self._what}", hint=f"Open the address the {self._what} shows."
            )
        origin = headers.get("origin")
        if origin is not None and _netloc(origin) != host:
            return Forbidden(
                f"a page of {origin[:60]!r} may not use this {self._what}", hint=f"Open the {self._what}'s own page."
            )
        # Following a link to the till's page is fine; calling its API from elsewhere is not.
        if path.startswith("/api/") and headers.get("sec-fetch-site", "same-origin") not in {"same-origin", "none"}:
            return Forbidden("another site's page sent this request", hint=f"Open the {self._what}'s own page.")
        return None


def _netloc(origin: str) -> str | None:
    """Give host and port of an origin, or None for what is none."""
    try:
        return urlsplit(origin).netloc
    except ValueError:
        return None


def _name(host: str) -> str:
    """Give the host without its port."""
    return host.rpartition(":")[0] if host.rpartition(":")[2].isdigit() and ":" in host else host
