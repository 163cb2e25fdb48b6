"""A page, its one script and its other files, as the browser fetches them: a program's own and those that all share."""

from __future__ import annotations

import gzip
from hashlib import sha256
from pathlib import Path

from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from tillmesh.adapters.web.pack import ENTRY, pack

SHARED = Path(__file__).parent / "static"  # colours, parts and third-party modules; a program's own files lie over them
FRESH = {"Cache-Control": "no-cache"}  # Kept, but asked for by ETag each time: after an upgrade nothing old runs.


class Script:
    """The joined script, made anew when a module changed."""

    def __init__(self, own: Path) -> None:
        self._own = own
        self._made: tuple[int, bytes, str] | None = None

    def get(self) -> tuple[bytes, str]:
        """Give the script, compressed, and its tag."""
        newest = max(path.stat().st_mtime_ns for folder in (self._own, SHARED) for path in folder.rglob("*.js"))
        if self._made is None or self._made[0] != newest:
            text = pack(lambda path: find(self._own, path).read_text(encoding="utf-8"))
            self._made = newest, gzip.compress(text.encode(), 9, mtime=0), f'"{sha256(text.encode()).hexdigest()[:32]}"'
        return self._made[1], self._made[2]


def find(own: Path, path: str) -> Path:
    """Give a file of a program, or the one that all share."""
    return own / path if (own / path).exists() else SHARED / path


class Fresh(StaticFiles):
    """Static files that the browser keeps and asks about."""

    def __init__(self, own: Path) -> None:
        super().__init__(directory=own, check_dir=False)
        self.all_directories = [own, SHARED]

    async def get_response(self, path: str, scope: Scope) -> Response:
        """Serve a file with our cache header."""
        response = await super().get_response(path, scope)
        response.headers.update(FRESH)
        return response


def page_routes(own: Path) -> list[BaseRoute]:
    """Give the routes of a program's page and its files."""
    script = Script(own)

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
        return FileResponse(own / "index.html", headers=FRESH)

    return [
        Route(f"/static/{ENTRY}", app_js),
        Mount("/static", Fresh(own)),
        Route("/", page),
    ]
