"""Bodies of events as a till that was taken over could write them: every field of its kind, and of the worst value."""

import random
from collections.abc import Iterator
from types import NoneType, UnionType
from typing import Annotated, Any, Final, Union, get_args, get_origin, get_type_hints

import msgspec

from tillmesh.kernel.codec import Record
from tillmesh.shop.events import KINDS

NUMBERS: Final = (
    0, 1, -1, 100, 100_000, 10**9, 10**11, 10**14, -(10**14), 10**14 + 1, 2**53, -(2**53), 2**53 + 1, 2**62 - 1, 2**62,
    -(2**62), 2**63 - 1, -(2**63), 2**64 - 1,
)  # fmt: skip
TEXTS: Final = (
    "", "x", "mug", "tea", "\0", "gift_card", "points", "account", "store", "ann", "cash", "piece", "ü" * 300, "a" * 70,
    "hostile0.aaaaaaaa-1", "front000.aaaaaaaa-1", "front000.aaaaaaaa-999999999999999999", "front000.aaaaaaaa", "|1|mug",
    "gift_card:9f2c41d0", "2026-11-26", "day", "year", "-", ".-1", "12.50", "standard", "adjust", "back_order",
)  # fmt: skip
FIELDS: Final = ("name", "price_minor", "cost_minor", "barcodes", "active", "hard_limited", "track_stock", "role",
                 "low_stock_milli", "until_ms", "options", "min_age", "image", "unit", "credit_limit_minor",
                 "offline_redeem_max_minor", "currency", "", "x" * 101)  # fmt: skip


def hostile(kind: type[Record], rng: random.Random, *, tame: float) -> bytes:
    """Make a body of a type; ``tame`` is how likely a number is one that could be true."""
    return msgspec.msgpack.encode(_record(kind, rng, tame))


def numbers_of(kind: type[Record]) -> Iterator[tuple[str, Any]]:
    """Name every whole number that stands somewhere in an event type, with its type as it was written."""
    seen: set[Any] = set()

    def visit(name: str, hint: Any) -> Iterator[tuple[str, Any]]:
        if (get_origin(hint) is Annotated and get_args(hint)[0] is int) or hint is int:
            yield name, hint
        elif isinstance(hint, type) and issubclass(hint, Record):
            if hint not in seen:
                seen.add(hint)
                for field, one in get_type_hints(hint, include_extras=True).items():
                    yield from visit(f"{hint.__name__}.{field}", one)
        else:
            for inside in get_args(hint):
                yield from visit(name, inside)

    return visit(kind.__name__, kind)


def _record(kind: type[Record], rng: random.Random, tame: float) -> list[Any]:
    hints = get_type_hints(kind)
    return [_value(hints[name], name, rng, tame) for name in kind.__struct_fields__]


def _value(hint: Any, name: str, rng: random.Random, tame: float) -> Any:  # noqa: PLR0911 - one for each kind
    origin, inside = get_origin(hint), get_args(hint)
    if origin is tuple and inside[-1:] == (Ellipsis,):
        return [_value(inside[0], name, rng, tame) for _ in range(rng.choice((0, 1, 1, 3)))]
    if origin is tuple:
        return [_value(one, name, rng, tame) for one in inside]
    if origin is list:
        return [rng.choice(TEXTS) for _ in range(rng.choice((0, 2)))]
    if origin is dict:
        return {rng.choice(FIELDS): _value(inside[1], name, rng, tame) for _ in range(rng.choice((1, 4)))}
    if origin in {Union, UnionType}:
        return _value(rng.choice(inside), name, rng, tame)
    if isinstance(hint, type) and issubclass(hint, Record):
        return _record(hint, rng, tame)
    if hint is int:
        return rng.choice(NUMBERS[:5]) if rng.random() < tame else rng.choice(NUMBERS)
    if hint is bool:
        return rng.random() < 0.5
    if hint is NoneType:
        return None
    if hint is bytes:
        return rng.choice((b"", b"\x90", bytes(80), _cart(rng, tame)))
    return rng.choice(TEXTS)


def _cart(rng: random.Random, tame: float) -> bytes:
    from tillmesh.shop.cart import Cart

    return hostile(Cart, rng, tame=tame)


ALL_KINDS: Final = tuple(KINDS.items())
