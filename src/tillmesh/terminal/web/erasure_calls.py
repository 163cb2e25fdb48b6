"""Erasing a customer on request."""

from __future__ import annotations

from typing import Any

import msgspec

from tillmesh.adapters.sqlite.registers import written_in_clear
from tillmesh.shop.people import Role
from tillmesh.terminal.web.api import Call, Context
from tillmesh.till.commands import EraseCustomer


class ErasureBody(msgspec.Struct):
    """Why a customer is erased; who asked for it is no matter of the till's."""

    reason: str = ""


async def erase_customer(context: Context, body: ErasureBody) -> Any:
    """Erase a customer's personal data on every till; sales, points and balances stay without a name.

    ``in_clear`` counts entries of the log from before personal data was sealed: those can't be erased.
    """
    key = context.path("customer_id")
    await context.do(EraseCustomer(customer_id=key, reason=body.reason))
    in_clear = await context.driver.read(lambda db, _: written_in_clear(db, key))
    return {"customer_id": key, "erased": True, "in_clear": in_clear}


CALLS = [
    Call("POST", "/customers/{customer_id}/erase", erase_customer, "Erase a customer", ErasureBody, role=Role.MANAGER),
]
