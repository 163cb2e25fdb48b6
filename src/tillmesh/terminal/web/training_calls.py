"""Practice at this till: begun by a manager, ended by anybody, as what is real is the safe side."""

from __future__ import annotations

from typing import Any

from tillmesh.shop.people import Role
from tillmesh.terminal.driver import Driver
from tillmesh.terminal.web import news
from tillmesh.terminal.web.api import Call, Context, Services


async def begin(context: Context) -> tuple[int, Any]:
    """Begin to practise on this till: from now on nothing counts, until somebody ends it or its time is over."""
    services, person = context.services, context.signed_in()

    def tell(driver: Driver) -> None:
        practice = Services(driver, services.sessions, services.pins, services.live, clock=services.clock)
        driver.listen(lambda outcome: news.tell(practice, zip(outcome.events, outcome.bodies, strict=True)))

    practice = await services.training().begin(context.who(), person.name, tell)
    return 201, practice.view()


async def end(context: Context) -> None:
    """End the practice; what was practised is thrown away."""
    await context.services.training().end(context.who())


CALLS = [
    Call(
        "POST", "/training", begin, "Begin training", role=Role.MANAGER, status=201, in_training=True, takes_room=True
    ),
    Call("DELETE", "/training", end, "End training", status=204, in_training=True),
]
