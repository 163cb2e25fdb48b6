"""Write docs/reference/api.md from the very calls that are served: ``make reference``."""

from __future__ import annotations

import ast
import inspect
import re
import sys
from collections.abc import Iterable, Iterator, Sequence
from enum import Enum
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Final, Literal, Union, get_args, get_origin, get_type_hints

import msgspec

from tillmesh.adapters.web.openapi import CREATED, Call
from tillmesh.hub.program import FOR_PEOPLE, FOR_STORES
from tillmesh.terminal.web.app import CALLS

ROOT: Final = Path(__file__).parents[1]
SOURCE: Final = ROOT / "src" / "tillmesh"
PAGE: Final = ROOT / "docs" / "reference" / "api.md"
# Where problems come from that a caller over HTTP can meet.
TELLING: Final = ("kernel", "shop", "sync", "edge", "till", "fleet", "adapters", "terminal", "hub")


def page() -> str:
    """Write the page."""
    lines = [HEAD]
    for title, words, calls in DOORS:
        lines += [f"\n# {title}\n", words]
        for part, group in _groups(calls):
            lines += [f"\n## {title}: {part}\n", "| call | who | asked with | answer | what |", "|---|---|---|---|---|"]
            lines += [_row(call, title) for call in group]
        bodies = _bodies(calls)
        lines += [f"\n## {title}: what requests carry"] if bodies else []
        for kind in bodies:
            lines += [f"\n### {_label(kind)} ({title})\n", _words(kind), "", *_table(kind, title)]
    lines += ["\n# Problems\n", PROBLEMS, "", "| kind | status | title | when |", "|---|---:|---|---|"]
    lines += [f"| `{kind}` | {status} | {title} | {words} |" for kind, status, title, words in problems()]
    return "\n".join(lines) + "\n"


def _groups(calls: Iterable[Call]) -> Iterator[tuple[str, list[Call]]]:
    """Group calls by the first part of their path, in the order of the alphabet."""
    found: dict[str, list[Call]] = {}
    for call in calls:
        found.setdefault(call.path.split("/")[1], []).append(call)
    for part in sorted(found):
        yield part, sorted(found[part], key=lambda call: (call.path, call.method))


def _row(call: Call, door: str) -> str:
    asked = [f"`?{'&'.join(call.query)}`"] if call.query else []
    if call.body is bytes:
        asked.append(f"{'bytes' if call.media == '*/*' else call.media}")
    elif call.body is not None:
        asked.append(_link(call.body, door) if _named(call.body) else "JSON")
    answer = f"{call.status}{' or 200' if call.status == CREATED else ''}"
    others = [media for media in call.gives if media != "application/json"]
    if others:
        answer += " " + ", ".join(media for media in call.gives)
    what = (inspect.getdoc(call.handler) or call.summary).split("\n\n")[0].replace("\n", " ")
    words = what.replace("``", "`").replace("|", "\\|")
    return f"| `{call.method} {call.path}` | {_who(call)} | {', '.join(asked)} | {answer} | {words} |"


def _who(call: Call) -> str:
    if call.role is None:
        return "see above" if call in FOR_STORES else "anybody"
    return str(getattr(call.role, "name", call.role)).lower()


def _named(kind: object) -> bool:
    return isinstance(kind, type) and issubclass(kind, msgspec.Struct)


def _bodies(calls: Iterable[Call]) -> list[type]:
    """Give every struct of a request, with those inside it, by name."""
    found: set[type] = set()

    def visit(hint: Any) -> None:
        for inside in get_args(hint):
            visit(inside)
        if _named(hint) and hint not in found:
            found.add(hint)
            for one in get_type_hints(hint).values():
                visit(one)

    for call in calls:
        visit(call.body)
    return sorted(found, key=_label)


def _label(kind: type) -> str:
    """Name a body by its area: several areas have a body of the same name."""
    area = kind.__module__.rpartition(".")[2].removesuffix("_calls").replace("_", " ")
    return f"{kind.__name__}, {area}"


def _link(kind: type, door: str) -> str:
    place = re.sub(r"[^\w -]", "", f"{_label(kind)} ({door})".lower()).replace(" ", "-")
    return f"[{kind.__name__}](#{place})"


def _words(kind: type) -> str:
    return (inspect.getdoc(kind) or "").replace("``", "`")


def _table(kind: type, door: str) -> Iterator[str]:
    yield "| field | type | default |"
    yield "|---|---|---|"
    hints = get_type_hints(kind)
    for field in msgspec.structs.fields(kind):
        default = "" if field.required else f"`{_plain(field)}`"
        yield f"| `{field.encode_name}` | {_type(hints[field.name], door)} | {default} |"


def _plain(field: Any) -> str:
    value = field.default if field.default is not msgspec.NODEFAULT else field.default_factory()
    return "left out" if value is msgspec.UNSET else msgspec.json.encode(value).decode()


def _type(hint: Any, door: str) -> str:
    origin, inside = get_origin(hint), get_args(hint)
    if hint is Any:
        return "anything"
    if origin is Literal:
        return " or ".join(f"`{one}`" for one in inside)
    if origin in {list, tuple} or hint in {list, tuple}:
        return f"list of {_type(inside[0], door)}" if inside else "list"
    if origin is dict or hint is dict:
        return f"object of {_type(inside[1], door)}" if inside else "object"
    if origin in {Union, UnionType}:
        return " or ".join(_type(one, door) for one in inside if one is not msgspec.UnsetType)
    if _named(hint):
        return _link(hint, door)
    if isinstance(hint, type) and issubclass(hint, Enum):
        return " or ".join(f"`{one.value}`" for one in hint)
    known = {str: "text", int: "integer", bool: "boolean", float: "number", bytes: "base64", NoneType: "null"}
    return known.get(hint, str(getattr(hint, "__name__", hint)))


def problems() -> list[tuple[str, int, str, str]]:
    """Read from the source what can be said instead of an answer: kind, status, title, and what it means."""
    held: dict[str, tuple[str, dict[str, Any], str]] = {}
    for folder in TELLING:
        for path in sorted((SOURCE / folder).rglob("*.py")):
            for node in ast.parse(path.read_text("utf-8")).body:
                if isinstance(node, ast.ClassDef) and node.bases:
                    base = ast.unparse(node.bases[0]).rpartition(".")[2]
                    held[node.name] = (base, dict(_set_in(node)), (ast.get_docstring(node) or "").split("\n\n")[0])
    root = {"status": 400, "kind": "error", "title": "Something is not right"}

    def all_of(name: str) -> dict[str, Any] | None:
        if name == "TillmeshError":
            return root
        above = all_of(held[name][0]) if name in held and held[name][0] != name else None
        return None if above is None else above | held[name][1]

    found: dict[str, tuple[str, int, str, str]] = {}
    for name, (_, own, words) in held.items():
        members = all_of(name)
        if members is not None and "kind" in own:
            clean = words.replace("\n", " ").replace("``", "`").replace("|", "\\|")
            clean = re.sub(r":class:`~?\.?(\w+)`", r"\1", clean)
            found[members["kind"]] = (members["kind"], members["status"], members["title"], clean)
    return sorted(found.values())


def _set_in(node: ast.ClassDef) -> Iterator[tuple[str, Any]]:
    for one in node.body:
        if isinstance(one, ast.Assign | ast.AnnAssign) and isinstance(one.value, ast.Constant):
            target = one.targets[0] if isinstance(one, ast.Assign) else one.target
            if isinstance(target, ast.Name) and target.id in {"status", "kind", "title"}:
                yield target.id, one.value.value


DOORS: Final[list[tuple[str, str, Sequence[Call]]]] = [
    ("A till", """\
Below `http://127.0.0.1:8081/api/v1` on the till itself, or over TLS on the port for [paired devices](../operations/kiosk.md). Roles contain each other: what is for a
`cashier` is for a `supervisor` and a `manager` too.""",  # noqa: E501
     CALLS),
    ("Head office, for people", """\
Below `/api/v1` of the port for people (8080 unless told otherwise). Sign in with `POST /session`; roles contain each other: `viewer`, `buyer`, `admin`.""",  # noqa: E501
     FOR_PEOPLE),
    ("Head office, for stores", """\
Below `/api/v1` of the port for stores, over mutual TLS with a certificate of head office and `Authorization: Bearer KEY` of the same store. What
travels is in [the protocol](../protocols/hub.md).""",  # noqa: E501
     FOR_STORES),
]  # fmt: skip
HEAD: Final = """\
# The HTTP interface of a till and of head office

Written by `make reference` from the calls that are served; `tests/test_docs.py` holds it to them. A running program describes itself at
`GET /api/v1/openapi.json` (OpenAPI 3.1). What answers look like: [a sale from front to back](api-walk.md).

| | |
|---|---|
| bodies | JSON in UTF-8, `Content-Type: application/json`; a till takes nothing else where a body is JSON |
| money | whole minor units; quantities are decimal texts such as `"0.25"` |
| times | RFC 3339 in UTC |
| who asks | `POST /session` gives a token: send `Authorization: Bearer TOKEN`. Who may do more than the role of the person: ask for an approval with `POST /approvals` and send it along |
| doing nothing twice | a sale has a `cart_id`, a refund a `refund_key`, a delivery a `key` of yours: the same one again gives the very same answer (200 instead of 201). Any other call that writes takes a name of yours in the header `Idempotency-Key`: under the same name it is done once, the newest 10,000 are remembered by the till that was asked |
| what is new | `GET /events` of a till streams what changed (server-sent events); for whole stores take [webhooks](webhooks.md) |
| languages | `Tillmesh-Language: de` gives problems in German |

In paths `{sku}` takes slashes, percent-encoded or not. `limit` has a most, which the problem names."""  # noqa: E501
PROBLEMS: Final = """\
Every problem is a document (RFC 9457, `application/problem+json`): `type`, `kind`, `title`, `status`, `detail` (what, which, the limit) and `hint` (the next step), some
with more members: `not-allowed` says `action` and `needs` (the role that may approve), `too-many` and `busy` say `retry_after_ms`. Act on `kind`: it never changes."""  # noqa: E501


def main() -> int:
    """Write the page."""
    PAGE.write_text(page(), "utf-8")
    print(PAGE.relative_to(ROOT))
    return 0


if __name__ == "__main__":
    sys.exit(main())
