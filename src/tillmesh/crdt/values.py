"""What a register may hold: texts, whole numbers, yes or no, bytes, nothing, and short tuples of these.

No float: money and quantities are whole numbers. Lists become tuples, because values are immutable.
"""

from __future__ import annotations

from typing import Any, Final, TypeAlias

from tillmesh.crdt.replicated import ENCODER, INT64_MAX, shown
from tillmesh.kernel.errors import Invalid, TooLarge
from tillmesh.kernel.limits import CRDT_VALUE_BYTES_MAX, CRDT_VALUE_DEPTH_MAX

Value: TypeAlias = "str | int | bool | bytes | tuple[Value, ...] | None"
Writable: TypeAlias = "str | int | bool | bytes | tuple[Writable, ...] | list[Any] | None"

_SHORT: Final = CRDT_VALUE_BYTES_MAX // 2  # surely within the limit when ASCII


def canonical(value: object) -> bytes:
    """Spell a value as bytes: the order between two writes of one stamp, and the difference between 1 and True."""
    return ENCODER.encode(value)


def checked(value: object) -> Value:
    """Give the value as it is kept, or raise :class:`Invalid` or :class:`TooLarge`."""
    # The common kinds first: a product has ten of them, and a catalogue 100,000 products.
    if type(value) is str and len(value) <= _SHORT and value.isascii():
        return value
    if type(value) is int and -INT64_MAX <= value <= INT64_MAX:
        return value
    if value is None or value is True or value is False:
        return value
    return _measured(_plain(value))


def _plain(value: object, depth: int = 0) -> Value:
    if value is None or isinstance(value, bool):
        return value
    if type(value) is int and -INT64_MAX - 1 <= value <= INT64_MAX:
        return value
    if type(value) is str or type(value) is bytes:
        return value
    if isinstance(value, list | tuple) and depth < CRDT_VALUE_DEPTH_MAX:
        return tuple([_plain(part, depth + 1) for part in value])
    raise Invalid(
        f"a register can't hold {shown(value)} ({type(value).__name__}): texts, bytes, yes or no, nothing, "
        f"whole numbers of 64 bits, and tuples of these, {CRDT_VALUE_DEPTH_MAX} deep",
        hint="Money is minor units, a quantity is thousandths.",
    )


def _measured(value: Value) -> Value:
    try:
        length = len(canonical(value))
    except UnicodeEncodeError as cause:
        raise Invalid(f"a text that UTF-8 can't write: {cause.reason}", hint="Type it anew.") from cause
    if length > CRDT_VALUE_BYTES_MAX:
        raise TooLarge(f"a value of {length} bytes; the limit is {CRDT_VALUE_BYTES_MAX}", hint="Shorten it.")
    return value
