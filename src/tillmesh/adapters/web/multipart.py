"""Forms with files in them (RFC 7578), read from a body that is held already: bounded, and nothing touches the disk."""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from tillmesh.adapters.web.problems import BadRequest
from tillmesh.kernel.errors import TooLarge

PARTS_MAX: Final = 32
_BOUNDARY: Final = re.compile(r'boundary="?([^";,\s]{1,70})"?', re.IGNORECASE)
_NAME: Final = re.compile(r'[;\s]name="([^"\r\n]{0,100})"', re.IGNORECASE)
_FILE: Final = re.compile(r"[;\s]filename\*?=", re.IGNORECASE)


class Part(NamedTuple):
    """One field of a form."""

    name: str
    is_file: bool
    data: bytes


def parts(content_type: str, body: bytes) -> list[Part]:
    """Split a form into its fields; raises :class:`BadRequest` for a body that is none."""
    boundary = _BOUNDARY.search(content_type)
    if not content_type.lower().startswith("multipart/form-data") or boundary is None:
        raise BadRequest("the body is no form with files", hint="Send multipart/form-data.")
    mark = b"--" + boundary[1].encode("latin-1", "replace")
    pieces = (b"\r\n" + body).split(b"\r\n" + mark)[1:]
    if not pieces or not pieces[-1].startswith(b"--"):
        raise BadRequest("the form ends in the middle", hint="Send it again.")
    if len(pieces) - 1 > PARTS_MAX:
        raise TooLarge(f"a form of {len(pieces) - 1} fields; the limit is {PARTS_MAX}", hint="Send fewer at once.")
    return [_part(piece) for piece in pieces[:-1]]


def _part(piece: bytes) -> Part:
    head, found, data = piece.removeprefix(b"\r\n").partition(b"\r\n\r\n")
    words = " " + head.decode("utf-8", "replace")
    name = _NAME.search(words)
    if not found or name is None:
        raise BadRequest("a field of the form has no name", hint="See /api/v1/openapi.json.")
    return Part(name[1], _FILE.search(words) is not None, data)
