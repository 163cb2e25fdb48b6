"""Passwords at head office: guessing costs time, however many guess at once."""

import asyncio
from collections.abc import Callable
from typing import Any, cast

import pytest

from tillmesh.fleet.people import OfficeRole
from tillmesh.hub.running import Hub
from tillmesh.hub.web.people import FREE_TRIES, People, WrongPassword, make_person
from tillmesh.kernel.errors import TooMany

ANN = make_person("ann", OfficeRole.ADMIN, "a long password")


class Office:
    """Knows one person and takes any session."""

    def person(self, name: str) -> Any:
        return ANN if name == ANN.name else None

    def put_session(self, *session: object) -> None:
        """Keep nothing."""


class Alone:
    """Head office as far as signing in needs it: asks on the same thread."""

    async def ask(self, question: Callable[[Any], Any]) -> Any:
        await asyncio.sleep(0)
        return question(Office())


async def outcome(people: People, password: str, now_ms: int) -> str:
    try:
        await people.sign_in("ann", password, now_ms)
    except (WrongPassword, TooMany) as refused:
        return refused.kind
    return "in"


async def guess(people: People) -> list[str]:
    return await asyncio.gather(*(outcome(people, f"guess number {n}", 1_000) for n in range(20)))


@pytest.mark.slow
def test_passwords_that_are_guessed_all_at_once_cost_as_much_as_one_after_the_other() -> None:
    people = People(cast("Hub", Alone()))
    try:
        said = asyncio.run(guess(people))
        assert said.count("wrong-password") == FREE_TRIES
        assert asyncio.run(outcome(people, "a long password", 1_500)) != "in"
        assert asyncio.run(outcome(people, "a long password", 10_000)) == "in"
        assert asyncio.run(outcome(people, "a wrong password", 10_000)) == "wrong-password"  # and counts from the start
    finally:
        people.close()
