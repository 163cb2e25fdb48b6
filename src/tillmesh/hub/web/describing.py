"""The OpenAPI description of the door for people, made from the very calls that are served."""

from __future__ import annotations

from collections.abc import Sequence

from starlette.responses import Response

from tillmesh.adapters.web.bodies import JSON
from tillmesh.adapters.web.openapi import describe
from tillmesh.hub.web.api import Call, Context

PATH = "/openapi.json"


def described(calls: Sequence[Call]) -> list[Call]:
    """Give the calls and one more, which describes them all."""

    async def openapi(context: Context) -> Response:  # noqa: ARG001 - it says the same to everybody
        """Describe this API."""
        return Response(written, media_type=JSON)

    every = [*calls, Call("GET", PATH, openapi, "This description", role=None)]
    written = describe(every, "tillmesh head office")
    return every
