"""The page, its one script and its other files, as the browser fetches them."""

from __future__ import annotations

import gzip
from hashlib import sha256
from pathlib import Path

from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from tillmesh.terminal.web.pack import ENTRY, pack

STATIC = Path(__file__).parent / "static"
FRESH = {"Cache-Control": "no-cache"}  # Kept, but asked for by ETag each time: after an upgrade nothing old runs.


class Script:
    """The joined script, made anew when a module changed."""

    def __init__(self, static: Path) -> None:
        self._static = static
        self._made: tuple[int, bytes, str] | None = None

    def get(self) -> tuple[bytes, str]:
        """Give the script, compressed, and its tag."""
        newest = max(path.stat().st_mtime_ns for path in self._static.rglob("*.js"))
        if self._made is None or self._made[0] != newest:
            text = pack(lambda path: (self._static / path).read_text(encoding="utf-8"))
            self._made = newest, gzip.compress(text.encode(), 9, mtime=0), f'"{sha256(text.encode()).hexdigest()[:32]}"'
        return self._made[1], self._made[2]


class Fresh(StaticFiles):
    """Static files that the browser keeps and asks about."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        """Serve a file with our cache header."""
        response = await super().get_response(path, scope)
        response.headers.update(FRESH)
        return response


def page_routes() -> list[BaseRoute]:
    """Give the routes of the page and its files."""
    script = Script(STATIC)

    def app_js(request: Request) -> Response:
        body, tag = script.get()
        headers = {**FRESH, "ETag": tag, "Vary": "Accept-Encoding"}
        if request.headers.get("if-none-match") == tag:
            return Response(status_code=304, headers=headers)
        if "gzip" in request.headers.get("accept-encoding", ""):
            headers["Content-Encoding"] = "gzip"
        else:
            body = gzip.decompress(body)
        return Response(body, media_type="text/javascript", headers=headers)

    async def page(request: Request) -> Response:  # noqa: ARG001
        return FileResponse(STATIC / "index.html", headers=FRESH)

    return [
        Route(f"/static/{ENTRY}", app_js),
        Mount("/static", Fresh(directory=STATIC, check_dir=False)),
        Route("/", page),
    ]
