"""Write docs/reference/events.md from the event types themselves: ``make reference``."""

from __future__ import annotations

import ast
import inspect
import json
import sys
import textwrap
import tokenize
from collections.abc import Iterator
from functools import cache
from io import StringIO
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Final, Union, get_args, get_origin, get_type_hints

import msgspec

from tillmesh.fleet.notifying import TOLD
from tillmesh.kernel.codec import Record
from tillmesh.shop.events import ENTITIES, KINDS, VERSION

ROOT: Final = Path(__file__).parents[1]
PAGE: Final = ROOT / "docs" / "reference" / "events.md"
# What the end of a field's name says of its unit; names without such an end are counts, texts or references.
UNITS: Final = {
    "_minor": "minor units", "_milli": "thousandths", "_ppm": "parts per million", "_ms": "ms since 1970",
    "_percent": "percent",
}  # fmt: skip
# Examples: one mug at 2.50 with 19 % inside, paid in cash.
VALUES: Final[dict[str, Any]] = {
    "total_minor": 250, "gross_minor": 250, "unit_price_minor": 250, "list_price_minor": 250, "sales_minor": 250,
    "taken_minor": 250, "amount_minor": 250, "net_minor": 210, "tax_minor": 40, "rate_ppm": 190_000, "cost_minor": 120,
    "float_minor": 10_000, "counted_minor": 10_250, "expected_cash_minor": 10_250, "perpetual_minor": 250,
    "quantity_milli": 1_000, "counted_milli": 7_000, "correction_milli": -1_000, "sku": "MUG", "name": "Mug",
    "unit": "piece", "tax_code": "standard", "code": "standard", "currency": "EUR", "by": "ann", "cashier": "ann",
    "person": "ann", "receipt_number": "4F9A-000231", "first_receipt": "4F9A-000231", "last_receipt": "4F9A-000231",
    "cart_id": "c-7c1e", "shift_id": "k3m7qx2p.4f9a2c77-790", "sale_id": "k3m7qx2p.4f9a2c77-812",
    "event": "k3m7qx2p.4f9a2c77-812", "receipt": "k3m7qx2p.4f9a2c77-812", "flag": "k3m7qx2p.4f9a2c77-813",
    "order_id": "k3m7qx2p.4f9a2c77-640", "transfer_id": "k3m7qx2p.4f9a2c77-655", "reason": "as the shop says",
    "method": "cash", "sales": 1, "count": 1, "z_number": 57, "counter": 912, "number": 330, "period": "2026-11-26",
    "supplier": "Pottery & Sons", "to_store": "oakfield", "from_store": "fernhill", "from_name": "Fernhill",
    "label": "blue coat",
    "action": "drawer", "subject": "drawer", "detail": "change was needed", "device": "sim-1", "purse": "gift_card",
    "account": "9f2c41d0", "amount": 250, "key": "d-20261126-1", "space": "lite0-1", "model": "fraud 1",
    "level": "medium", "verdict": "fine", "score_ppm": 730_000, "outcome": "filled", "confidence_percent": 80,
    "weight_milli": 900, "value_milli": 3_000, "algorithm": "ecdsa-plain-SHA256", "signature": "MEUCIQ==",
    "public_key": "BCNd", "data": "Beleg^4F9A-000231^2.50_EUR^9a41", "refund_key": "r-18aa", "conflict_id": "o-MUG",
    "resolution": "k3m7qx2p.4f9a2c77-700", "first": "k3m7qx2p.4f9a2c77-812", "promotion_id": "p-mugs",
    "kind": "day", "answer": "", "delta": 1, "seq": 812, "gross_minor@PeriodClosed": 250, "kind@ActFlagged": "refund",
    "amount_minor@CashMoved": -10_000, "reason@CashMoved": "to the bank", "code@FlagReason": "refund_no_receipt",
    "quantity_milli@StockMove": 12_000, "action@OversellResolved": "adjust", "action@Proposed": "adjust",
    "name@LinePromotion": "Mugs 10 % off", "name@SalePromotion": "Mugs 10 % off", "amount_minor@LinePromotion": 25,
    "amount_minor@SalePromotion": 25, "code@SalePromotion": "", "line@RefundLine": 0, "customer_id": "cu-7",
    "key@GoodsOrdered": "", "events@MoneyConflictSettled": ["k3m7qx2p.4f9a2c77-812"], "device@SigningStopped": "sim-1",
}  # fmt: skip
_AT_MS: Final = 1_795_684_443_120  # 2026-11-26, 09:14:03.120 UTC
_FIELDS: Final = {  # of a register's change, by what it is about
    "product": ("MUG", {"name": "Mug", "price_minor": 250}), "customer": ("cu-7", {"group": "regulars"}),
    "person": ("ann", {"name": "Ann", "role": "cashier"}), "setting": ("store", {"name": "Fernhill"}),
    "promotion": ("p-mugs", {"name": "Mugs 10 % off", "active": True}), "price_list": ("staff", {"name": "Staff"}),
    "price": ("staff|1795684443120|MUG", {"price_minor": 200, "until_ms": 0}),
    "gift_card": ("9f2c41d0", {"active": True}), "supplier": ("su-1", {"name": "Pottery & Sons", "lead_days": 5}),
}  # fmt: skip


def example(kind: type[Record]) -> Record:
    """Make an event of a type that could have happened, or nearly."""
    entity = ENTITIES.get(kind)
    if entity is not None:
        key, fields = _FIELDS[entity]
        return msgspec.convert([[[key, fields]], "ann"], kind)
    return _filled(kind)


def _filled(kind: type[Record]) -> Record:
    hints, given = get_type_hints(kind), {}
    for field in msgspec.structs.fields(kind):
        chosen = VALUES.get(f"{field.name}@{kind.__name__}", VALUES.get(field.name))
        wanted = field.required or field.name.endswith("_at_ms")
        if wanted or (f"{field.name}@{kind.__name__}" in VALUES):
            given[field.name] = _value(hints[field.name], field.name, chosen)
    return kind(**given)


def _value(hint: Any, name: str, chosen: Any) -> Any:
    origin, inside = get_origin(hint), get_args(hint)
    if origin is tuple and inside[-1:] == (Ellipsis,):
        if isinstance(chosen, list):
            return tuple(chosen)
        return (_value(inside[0], name, None if get_origin(inside[0]) else chosen),)
    if origin is tuple:
        return tuple("k3m7qx2p.4f9a2c77" if one is str else 812 for one in inside)
    if isinstance(hint, type) and issubclass(hint, Record):
        return _filled(hint)
    if name.endswith("_ms"):
        return _AT_MS
    plain_ones = {bytes: b"\x93\x01\x02\x03", int: 0, bool: name == "prices_include_tax", str: name.replace("_", "-")}
    return chosen if type(chosen) is hint else plain_ones[hint]


def plain(value: Any) -> Any:
    """Give a body as webhooks send it: records by the names of their fields, bytes in hexadecimal."""
    if isinstance(value, Record):
        return {name: plain(getattr(value, name)) for name in value.__struct_fields__}
    if isinstance(value, tuple | list):
        return [plain(one) for one in value]
    if isinstance(value, dict):
        return {name: plain(one) for name, one in value.items()}
    return value.hex() if isinstance(value, bytes) else value


def page() -> str:
    """Write the page."""
    lines = [HEAD, "\n## Types\n", "| type | what happened | told by webhooks |", "|---|---|---|"]
    for name, kind in KINDS.items():
        lines.append(f"| [`{name}`](#{name}) | {_first_line(kind)} | {'yes' if name in TOLD else ''} |")
    for name, kind in KINDS.items():
        lines += [f"\n## {name}\n", _words(kind), "", *_table(kind), "", "```json"]
        lines += [json.dumps(plain(example(kind)), ensure_ascii=False), "```"]
    lines.append("\n# Parts\n\nRecords that stand in bodies.")
    for kind in sorted(_parts(), key=lambda one: one.__name__):
        lines += [f"\n## {kind.__name__}\n", _words(kind), "", *_table(kind)]
    return "\n".join(lines) + "\n"


def _words(kind: type[Record]) -> str:
    return (inspect.getdoc(kind) or "").replace("``", "`")


def _first_line(kind: type[Record]) -> str:
    return _words(kind).split("\n\n")[0].replace("\n", " ").replace("|", "\\|")


def _table(kind: type[Record]) -> Iterator[str]:
    yield "| | field | type | unit | |"
    yield "|---:|---|---|---|---|"
    notes, hints = _notes(kind), get_type_hints(kind)
    for place, field in enumerate(msgspec.structs.fields(kind)):
        unit = next((unit for end, unit in UNITS.items() if field.name.endswith(end)), "")
        default = "" if field.required else f"default {_default(field)}"
        said = "; ".join(one for one in (notes.get(field.name, ""), default) if one)
        yield f"| {place} | `{field.name}` | {_type(hints[field.name])} | {unit} | {said} |"


def _default(field: Any) -> str:
    value = field.default if field.default is not msgspec.NODEFAULT else field.default_factory()
    return f"`{json.dumps(plain(value))}`"


def _type(hint: Any) -> str:
    origin, inside = get_origin(hint), get_args(hint)
    if origin is tuple and inside[-1:] == (Ellipsis,):
        return f"list of {_type(inside[0])}"
    if origin is tuple:
        return "[" + ", ".join(_type(one) for one in inside) + "]"
    if origin is list:
        return f"list of {_type(inside[0])}"
    if origin is dict:
        return f"object of {_type(inside[1])}"
    if origin in {Union, UnionType}:
        return " or ".join(_type(one) for one in inside)
    if isinstance(hint, type) and issubclass(hint, Record):
        return f"[{hint.__name__}](#{hint.__name__.lower()})"
    return {str: "text", int: "integer", bool: "boolean", bytes: "bytes", NoneType: "null"}[hint]


def _parts() -> set[type[Record]]:
    found: set[type[Record]] = set()

    def visit(hint: Any) -> None:
        for inside in get_args(hint):
            visit(inside)
        if isinstance(hint, type) and issubclass(hint, Record) and hint not in KINDS.values() and hint not in found:
            found.add(hint)
            for one in get_type_hints(hint).values():
                visit(one)

    for kind in KINDS.values():
        for hint in get_type_hints(kind).values():
            visit(hint)
    return found


@cache
def _notes(kind: type[Record]) -> dict[str, str]:
    """Read what stands behind each field in the source."""
    source = textwrap.dedent(inspect.getsource(kind))
    rows = {
        node.end_lineno: node.target.id
        for node in ast.parse(source).body[0].body  # type: ignore[attr-defined]
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name)
    }
    found = {}
    for token in tokenize.generate_tokens(StringIO(source).readline):
        if token.type == tokenize.COMMENT and token.start[0] in rows and not token.string.startswith("# fmt"):
            found[rows[token.start[0]]] = token.string[1:].strip().replace("|", "or")
    return found


HEAD: Final = f"""\
# Events: everything that ever happened

Written by `make reference` from [the types themselves](../../src/tillmesh/shop/events/); `tests/test_docs.py` holds it to them.

A store's log is made of events, and everything else is worked out from them. Whoever integrates meets them in
[webhooks](webhooks.md) (by field names), and in the [journal of a till](fiscal.md#the-journal) and the [uploads](../protocols/hub.md) (as arrays).

| around each event | |
|---|---|
| `event_id` | `ACTOR-SEQUENCE`: who wrote it and where it stands in that log. Ids are for ever; remember them to do nothing twice |
| `terminal` | the till; an actor is a till and its incarnation: `k3m7qx2p.4f9a2c77` |
| `sequence` | dense from 1 for each actor: a gap is something you have not got yet |
| `type`, `version` | from the list below; version {VERSION} of all of them |
| `at` | the till's hybrid clock in UTC: it orders events of the store, also when a wall clock was wrong |
| `body` | the fields below |

Amounts are whole **minor units** of the store's currency (cents, yen, fils), quantities whole **thousandths** of the product's unit,
rates **parts per million**, times **milliseconds** since 1970 in UTC. No number is a float, and each has
[a range](../adr/0059-numbers-in-events-have-ranges.md): an event with one beyond it is kept and counts nowhere.

**What changes and what does not.** A type's name and the order and meaning of its fields never change. Fields are appended, with a default that holds for
older events, and new types come: ignore what you don't know. An event is never edited: a mistake is answered by another event.

In the log a body is a msgpack array of the fields in this order; what is missing at its end has its default. JSON has the names:

```python test
>>> from tillmesh.kernel.codec import decode, encode
>>> from tillmesh.shop.events import KINDS, CashMoved
>>> body = encode(CashMoved(shift_id="k3m7qx2p.4f9a2c77-790", amount_minor=-10000, reason="to the bank", by="ann"))
>>> body.hex()
'95b56b336d3771783270...'
>>> decode(body, KINDS["cash_moved"]).amount_minor
-10000

```"""  # noqa: E501


def main() -> int:
    """Write the page."""
    PAGE.write_text(page(), "utf-8")
    print(PAGE.relative_to(ROOT))
    return 0


if __name__ == "__main__":
    sys.exit(main())
