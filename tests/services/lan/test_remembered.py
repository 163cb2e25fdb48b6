"""A till remembers where the others were, so that it need not wait for anybody's announcement when it starts."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from tillmesh.adapters.lan.hints import Discovery, Hint
from tillmesh.adapters.lan.remembered import Remembered

ANA, BEN, STRANGER = "anatill1", "bentill2", "stranger"
MEMBERS = {ANA, BEN}


class Heard:
    """A discovery that a test speaks through."""

    def __init__(self, *hints: Hint) -> None:
        self.now = hints

    def hints(self) -> tuple[Hint, ...]:
        return self.now

    def proved(self, hint: Hint, terminal: str) -> None: ...

    async def start(self) -> None: ...

    async def close(self) -> None: ...


def live(place: Path, now: Discovery, during: Callable[[Remembered], None] = lambda _: None) -> tuple[Hint, ...]:
    """Run a till from its start to its end; give what it would dial meanwhile."""

    async def scene() -> tuple[Hint, ...]:
        remembered = Remembered(now, place, MEMBERS.__contains__)
        await remembered.start()
        during(remembered)
        found = remembered.hints()
        await remembered.close()
        return found

    return asyncio.run(scene())


def test_a_till_that_starts_again_knows_where_the_others_were(tmp_path: Path) -> None:
    ana, ben = Hint(ANA, "192.0.2.1", 7443), Hint(BEN, "192.0.2.2", 7443)
    live(tmp_path / "places", Heard(ana, ben))
    assert set(live(tmp_path / "places", Heard())) == {ana, ben}
    assert set(live(tmp_path / "places", Heard())) == {ana, ben}, "and does not forget them in a quiet morning"


def test_what_is_heard_now_comes_before_what_was_so_yesterday(tmp_path: Path) -> None:
    live(tmp_path / "places", Heard(Hint(ANA, "192.0.2.1", 7443)))
    moved = Hint(ANA, "192.0.2.9", 7443)
    assert live(tmp_path / "places", Heard(moved)) == (moved, Hint(ANA, "192.0.2.1", 7443))


def test_strangers_and_tills_that_left_the_store_are_not_remembered(tmp_path: Path) -> None:
    place = tmp_path / "places"
    live(place, Heard(Hint(STRANGER, "192.0.2.66", 666), Hint(BEN, "192.0.2.2", 7443)))
    assert b"192.0.2.66" not in place.read_bytes()
    MEMBERS.remove(BEN)
    try:
        assert live(place, Heard()) == ()
    finally:
        MEMBERS.add(BEN)


def test_an_address_belongs_to_whoever_answered_there_last(tmp_path: Path) -> None:
    place, old = tmp_path / "places", Hint(ANA, "192.0.2.1", 7443)
    live(place, Heard(old))
    found = live(place, Heard(), lambda till: till.proved(old, BEN))
    assert found == (Hint(BEN, "192.0.2.1", 7443),)
    assert live(place, Heard()) == found


def test_an_address_that_a_person_gave_is_dialled_once_when_its_name_is_known(tmp_path: Path) -> None:
    place, bare, named = tmp_path / "places", Hint("", "192.0.2.1", 7443), Hint(ANA, "192.0.2.1", 7443)
    live(place, Heard(bare), lambda till: till.proved(bare, ANA))
    assert live(place, Heard(bare)) == (named,)


@pytest.mark.parametrize("damage", [b"", b"[", b'[["../../x","h",1]]', b'[["anatill1","h",0]]', b"\xff" * 100_000])
def test_a_damaged_memory_is_no_memory(tmp_path: Path, damage: bytes) -> None:
    place, ana = tmp_path / "places", Hint(ANA, "192.0.2.1", 7443)
    place.write_bytes(damage)
    assert live(place, Heard(ana)) == (ana,)
    assert live(place, Heard()) == (ana,), "and is written anew"


def test_a_disk_that_takes_nothing_costs_only_the_memory(tmp_path: Path) -> None:
    ana = Hint(ANA, "192.0.2.1", 7443)
    assert live(tmp_path / "no such folder" / "places", Heard(ana)) == (ana,)
