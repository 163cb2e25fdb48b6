"""A page, its scripts and its other files, as the browser fetches them: a program's own and those that all share."""

from __future__ import annotations

import gzip
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from threading import Lock

from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from tillmesh.adapters.web.pack import ENTRY, pack

SHARED = Path(__file__).parent / "static"  # colours, parts and third-party modules; a program's own files lie over them
FRESH = {"Cache-Control": "no-cache"}  # Kept, but asked for by ETag each time: after an upgrade nothing old runs.
# What a page of before an upgrade gets for a script it has not loaded yet: the new one would not fit the first.
UPGRADED = b'throw new Error("upgraded");\n'


@dataclass(frozen=True, slots=True)
class Packed:
    """One script, compressed, its tag, and the version of the set it belongs to."""

    body: bytes
    tag: str
    version: str


class Scripts:
    """The joined scripts, made anew when a module changed."""

    def __init__(self, own: Path, entries: Iterable[str] = (ENTRY,)) -> None:
        self._own = own
        self._entries = tuple(entries)
        self._seen: frozenset[tuple[Path, int, int]] = frozenset()
        self._made: dict[str, Packed] = {}
        self._making = Lock()  # two requests come at once after a start

    def all(self) -> dict[str, Packed]:
        """Give the scripts by their names, the one that the page begins with first."""
        seen = frozenset(_stamp(path) for folder in (self._own, SHARED) for path in folder.rglob("*.js"))
        with self._making:
            if self._seen != seen:
                made: dict[str, Packed] = {}
                for entry in self._entries:
                    joined = pack(lambda path: find(self._own, path).read_text(encoding="utf-8"), entry)
                    made |= {name: _packed(text, joined.version) for name, text in joined.texts.items()}
                self._made, self._seen = made, seen
            return self._made


def _stamp(path: Path) -> tuple[Path, int, int]:
    found = path.stat()
    return path, found.st_mtime_ns, found.st_size


def _packed(text: str, version: str) -> Packed:
    tag = f'"{sha256(text.encode()).hexdigest()[:32]}"'
    return Packed(gzip.compress(text.encode(), 9, mtime=0), tag, version)


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


def script_answer(request: Request, script: Packed) -> Response:
    """Answer with a script as the browser can take it, or that it still has it."""
    if request.query_params.get("v", script.version) != script.version:
        return Response(UPGRADED, media_type="text/javascript", headers={"Cache-Control": "no-store"})
    headers = {**FRESH, "ETag": script.tag, "Vary": "Accept-Encoding"}
    if request.headers.get("if-none-match") == script.tag:
        return Response(status_code=304, headers=headers)
    if "gzip" not in request.headers.get("accept-encoding", ""):
        return Response(gzip.decompress(script.body), media_type="text/javascript", headers=headers)
    return Response(script.body, media_type="text/javascript", headers={**headers, "Content-Encoding": "gzip"})


def page_routes(own: Path, windows: Iterable[str] = ()) -> list[BaseRoute]:
    """Give the routes of a program's page, of further windows (each NAME.html with its NAME.js), and of its files."""
    names = tuple(windows)
    scripts = Scripts(own, (ENTRY, *(f"{name}.js" for name in names)))

    def script(request: Request) -> Response:
        found = scripts.all().get(f"{request.path_params['name']}.js")
        return Response(status_code=404) if found is None else script_answer(request, found)

    def page(file: str) -> Callable[[Request], Awaitable[Response]]:
        async def answer(request: Request) -> Response:  # noqa: ARG001
            return FileResponse(own / file, headers=FRESH)

        return answer

    return [
        *(Route(f"/{name}", page(f"{name}.html")) for name in names),
        Route("/static/{name}.js", script),
        Mount("/static", Fresh(own)),
        Route("/", page("index.html")),
    ]
