"""The OpenAPI 3.1 description, made from the very calls that are served."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, Protocol

import msgspec

from tillmesh import __version__
from tillmesh.adapters.web.bodies import JSON

PREFIX: Final = "/api/v1"

PROBLEM = "application/problem+json"
CREATED = 201
NO_CONTENT = 204


class Call(Protocol):
    """A call as a program declares it."""

    @property
    def method(self) -> str:
        """GET, POST ..."""

    @property
    def path(self) -> str:
        """Below the prefix, with parameters in braces."""

    @property
    def handler(self) -> Callable[..., Any]:
        """Who answers; its name names the operation."""

    @property
    def summary(self) -> str:
        """What it does, in a few words."""

    @property
    def body(self) -> type | None:
        """What the request's body is."""

    @property
    def role(self) -> object:
        """The least role, or None for everybody."""

    @property
    def status(self) -> int:
        """Of an answer that went well."""

    @property
    def query(self) -> tuple[str, ...]:
        """Names of query parameters."""

    @property
    def media(self) -> str:
        """The type of the request's body."""

    @property
    def gives(self) -> tuple[str, ...]:
        """The types of the answer."""


def describe(calls: Sequence[Call], title: str) -> bytes:
    """Write the description as JSON."""
    bodies = sorted(
        {call.body for call in calls if call.body is not None and _is_struct(call.body)}, key=lambda kind: kind.__name__
    )
    schemas, components = msgspec.json.schema_components(bodies, ref_template="#/components/schemas/{name}")
    # Two bodies of one name get longer ones, so only what was given here says how a body is found.
    held = dict(zip(bodies, schemas, strict=True))
    components["Problem"] = _problem()
    paths: dict[str, Any] = {}
    for call in calls:
        paths.setdefault(PREFIX + call.path, {})[call.method.lower()] = _operation(call, held)
    return msgspec.json.encode(
        {
            "openapi": "3.1.0",
            "info": {"title": title, "version": __version__, "license": {"name": "Apache-2.0"}},
            "paths": paths,
            "components": {
                "schemas": components,
                "securitySchemes": {"session": {"type": "http", "scheme": "bearer"}},
            },
        }
    )


def _is_struct(kind: type | None) -> bool:
    return isinstance(kind, type) and issubclass(kind, msgspec.Struct)


def _operation(call: Call, held: Mapping[type, dict[str, Any]]) -> dict[str, Any]:
    done: dict[str, Any] = {"description": "Done"}
    if call.status != NO_CONTENT:
        done["content"] = {media: {"schema": {"type": "object"} if media == JSON else {}} for media in call.gives}
    answers: dict[str, Any] = {
        str(call.status): done,
        "default": {
            "description": "A problem (RFC 9457)",
            "content": {PROBLEM: {"schema": {"$ref": "#/components/schemas/Problem"}}},
        },
    }
    if call.status == CREATED:
        answers["200"] = {**done, "description": "It was there already: this is it, changed or as it was"}
    operation: dict[str, Any] = {
        "summary": call.summary,
        "operationId": call.handler.__name__
        + "_"
        + re.sub(r"\W+", "_", f"{call.method} {call.path}").strip("_").lower(),
        "parameters": [
            {"name": name, "in": "path", "required": True, "schema": {"type": "string", "minLength": 1}}
            for name in re.findall(r"{(\w+)}", call.path)
        ]
        + [{"name": name, "in": "query", "schema": {"type": "string"}} for name in call.query],
        "responses": answers,
    }
    if call.role is not None:
        operation["security"] = [{"session": []}]
    if call.body is not None:
        operation["requestBody"] = {"required": True, "content": _content(call, held)}
    return operation


def _content(call: Call, held: Mapping[type, dict[str, Any]]) -> dict[str, Any]:
    if call.body is bytes:
        return {call.media: {"schema": {}}}
    return {JSON: {"schema": held.get(call.body, {"type": "object"}) if call.body is not None else {}}}


def _problem() -> dict[str, Any]:
    text = {"type": "string"}
    return {
        "type": "object",
        "required": ["type", "kind", "title", "status", "detail", "hint"],
        "properties": {
            "type": text, "kind": text, "title": text, "status": {"type": "integer"}, "detail": text, "hint": text,
        },
    }  # fmt: skip
