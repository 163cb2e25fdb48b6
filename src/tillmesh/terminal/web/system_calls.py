"""How the till itself is: metrics, sync, hashes, the catalogue as a whole."""

from __future__ import annotations

import contextlib
import gzip
from typing import Any

import msgspec
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.responses import Response

from tillmesh.adapters.sqlite import reporting, searching
from tillmesh.kernel.errors import TillmeshError
from tillmesh.terminal.web.api import Call, Context
from tillmesh.terminal.web.health_calls import health

GZIP_LEVEL = 5


async def catalogue(context: Context) -> Response:
    """Give the whole catalogue as columns, compressed once per version."""
    extra = context.services.extra
    now = context.now_ms()

    def named(db: Any, books: Any) -> str:
        return searching.catalogue_version(db, books.priced_for_all(now))

    version = await context.driver.read(named)
    tag = f'"{version}"'
    headers = {"ETag": tag, "Cache-Control": "no-cache", "Vary": "Accept-Encoding"}
    if context.request.headers.get("if-none-match") == tag:
        return Response(status_code=304, headers=headers)
    held = extra.get("catalogue")
    if held is None or held[0] != version:

        def build(db: Any, books: Any) -> bytes:
            found = {"version": version, **searching.catalogue(db, books.priced_for_all(now))}
            return gzip.compress(msgspec.json.encode(found), GZIP_LEVEL, mtime=0)

        held = version, await context.driver.read(build)
        extra["catalogue"] = held
    body = held[1]
    if "gzip" in context.request.headers.get("accept-encoding", ""):
        headers["Content-Encoding"] = "gzip"
    else:
        body = gzip.decompress(body)
    return Response(body, media_type="application/json", headers=headers)


async def sync(context: Context) -> Any:
    """Say where sales stand on their way to other tills and head office."""
    return await context.services.extra["sync"]()


async def raft(context: Context) -> Any:
    """Say who leads the store, whether a majority of it is in reach, and what this till is doing."""
    extra = context.services.extra
    return {**extra["raft"](), "terminal_state": extra["standings"].stage()}


async def store(context: Context) -> Any:
    """Show the store as this till sees it: who leads, every till, which of them hear each other, and the queue."""
    return await context.services.extra["standings"].store()


async def state_hash(context: Context) -> Any:
    """Give the hash of everything applied, equal on converged replicas."""
    return await context.driver.read(reporting.state_hash)


async def printer(context: Context) -> Any:
    """Say how the printer is and how many jobs wait."""
    return context.services.extra["printer"]()


async def metrics(context: Context) -> Response:
    """Give the metrics in Prometheus' text format."""
    with contextlib.suppress(TillmeshError):  # a database that does not answer has a metric of its own
        await context.services.extra["watch"].look()
    return Response(generate_latest(context.services.extra["registry"]), media_type=CONTENT_TYPE_LATEST)


async def openapi(context: Context) -> Response:
    """Give the OpenAPI description of these calls."""
    return Response(context.services.extra["openapi"], media_type="application/json")


CALLS = [
    Call("GET", "/catalogue", catalogue, "The whole catalogue as columns"),
    Call("GET", "/sync", sync, "Where sales are on their way", role=None),
    Call("GET", "/raft", raft, "Who leads the store", role=None),
    Call("GET", "/store", store, "The tills of the store, their links and queues, and who leads"),
    Call("GET", "/state-hash", state_hash, "Hash of everything applied", role=None),
    Call("GET", "/health", health, "How the till is, in words", role=None),
    Call("GET", "/printer", printer, "How the printer is"),
    Call("GET", "/metrics", metrics, "Prometheus metrics", role=None, gives=("text/plain",)),
    Call("GET", "/openapi.json", openapi, "This description", role=None),
]
