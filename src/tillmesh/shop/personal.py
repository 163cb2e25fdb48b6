"""Personal data of customers: sealed under a key of each customer, and gone for ever once that key is destroyed.

The log keeps what was sealed; the keys are kept beside it and can be destroyed. Whoever holds keys seals and
opens; what follows here is pure.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from tillmesh.crdt import LWWMap, Stamp
from tillmesh.kernel.limits import AUTHORITY_MAX
from tillmesh.shop.events import Value

CUSTOMER: Final = "customer"  # the entity of the registers
PERSONAL: Final = ("name", "email", "phone", "note", "address")
# Texts of people hold no control characters (till.desk.checked_text), so nobody can type what looks sealed.
SEAL: Final = "\x02"
ERASED: Final = LWWMap.of({"erased": True}, Stamp(AUTHORITY_MAX, 1, "erased"))


def is_sealed(value: Value) -> bool:
    """Say whether a value of a register is a sealed text."""
    return isinstance(value, str) and value.startswith(SEAL)


def is_erased(fields: Mapping[str, Value] | None) -> bool:
    """Say whether these are the fields of an erased customer."""
    return fields is not None and fields.get("erased") is True
