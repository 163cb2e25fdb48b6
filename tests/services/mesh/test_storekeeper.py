"""Tills tell each other who belongs to the store, close the door on whoever was removed, and renew certificates."""

from __future__ import annotations

import asyncio
import functools
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from tests.services.mesh.real_store import RealTill, found_store, start_till
from tests.services.mesh.test_mesh import MANAGER, run, until
from tillmesh.adapters.lan.certificates import make_request, serial_of
from tillmesh.kernel.errors import NotFound
from tillmesh.kernel.ids import terminal_of
from tillmesh.sync.store_messages import Declined, Lists, Renew
from tillmesh.terminal import provisioning
from tillmesh.terminal.bootstrap import open_terminal
from tillmesh.terminal.storekeeper import Clocks
from tillmesh.till.commands import Note

pytestmark = pytest.mark.service
DAY_S = 86_400


async def started(places: list[Path]) -> list[RealTill]:
    """Start tills, each knowing where the ones before it listen."""
    tills: list[RealTill] = []
    for place in places:
        tills.append(await start_till(place, [till.port for till in tills]))
    return tills


def so(holds: Callable[[], bool]) -> Callable[[], Awaitable[bool]]:
    async def answer() -> bool:
        return holds()

    return answer


def holds(till: RealTill, actor: str, seq: int) -> Callable[[], Awaitable[bool]]:
    async def answer() -> bool:
        return await till.driver.look(lambda books: dict(books.vector()).get(actor, 0)) >= seq

    return answer


async def note(till: RealTill) -> int:
    """Write something into a till's log, and give where that ends."""
    outcome = await till.driver.do(MANAGER, Note(action="test", subject="", detail=""))
    return outcome.head.seq


async def stop(tills: list[RealTill]) -> None:
    for till in tills:
        await till.stop()


def test_a_list_that_is_written_twice_at_the_same_time_is_whole(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A till that is taken in, or one that stops, has it written beside what is written anyway."""

    async def scene() -> None:
        places = found_store(tmp_path, 2)
        [till] = await started(places[:1])
        await asyncio.gather(*(till.keeper.write() for _ in range(40)))
        await till.stop()
        kept = provisioning.membership_in(places[0], till.driver.identity.store)
        assert kept.lists == till.keeper.place.gate.membership.lists

    run(scene)
    assert not [record for record in caplog.records if "could not be written" in record.message]


def test_a_till_that_was_enrolled_elsewhere_is_introduced_and_believed(tmp_path: Path) -> None:
    async def scene() -> None:
        places = found_store(tmp_path, 3)
        opened = open_terminal(places[1])
        listed = provisioning.membership_in(places[1], opened.origin.store)
        opened.close()
        tills = await started(places)
        assert listed.state(tills[2].actor) == "unknown", "the second till was enrolled before the third"
        seq = await note(tills[2])
        await until(holds(tills[1], tills[2].actor, seq))
        assert tills[1].state(tills[2].actor) == "active"
        await stop(tills)
        again = provisioning.membership_in(places[1], tills[0].driver.identity.store)
        assert again.state(tills[2].actor) == "active"

    run(scene)


def test_a_revoked_till_loses_its_links_everywhere_and_nothing_of_it_comes_in_later(tmp_path: Path) -> None:
    async def scene() -> None:
        tills = await started(found_store(tmp_path, 3))
        t1, t2, stolen = tills
        before = await note(stolen)
        for till in (t1, t2):
            await until(holds(till, stolen.actor, before))
        t1.keeper.revoke(stolen.terminal)
        await until(so(lambda: stolen.terminal not in t1.linked() | t2.linked() and not stolen.linked()))
        after = await note(stolen)
        told = await note(t1)
        await until(holds(t2, t1.actor, told))
        await until(so(lambda: t2.neighbours.links.refused["revoked"] > 0))  # it tried again
        assert not await holds(t1, stolen.actor, after)()
        assert not await holds(t2, stolen.actor, after)()
        await stop(tills)

    run(scene)


def test_a_till_that_was_away_hears_of_the_revocation_from_any_other(tmp_path: Path) -> None:
    async def scene() -> None:
        places = found_store(tmp_path, 4)
        t1, t2, stolen = await started(places[:3])
        await until(so(lambda: len(t2.linked()) == 2))
        t1.keeper.revoke(stolen.terminal)
        await until(so(lambda: t2.state(stolen.actor) == "revoked"))
        await t1.stop()
        late = await start_till(places[3], [t2.port])
        await until(so(lambda: late.state(stolen.actor) == "revoked"))
        await stop([t2, stolen, late])

    run(scene)


def test_a_list_that_another_program_left_in_the_directory_is_acted_on(tmp_path: Path) -> None:
    async def scene() -> None:
        places = found_store(tmp_path, 2)
        tills = await started(places)
        await until(so(lambda: bool(tills[0].linked())))
        store = tills[0].driver.identity.store
        authority, membership = (
            provisioning.authority_in(places[0], store),
            provisioning.membership_in(places[0], store),
        )
        gone = provisioning.revoke(authority, membership, tills[1].terminal, membership.as_of_s)
        provisioning.leave_list(places[0], gone)
        await until(so(lambda: not tills[0].linked() and tills[0].state(tills[1].actor) == "revoked"))
        with pytest.raises(NotFound, match="does not issue"):
            tills[1].keeper.revoke(tills[0].terminal)
        await stop(tills)

    run(scene)


def test_a_certificate_is_renewed_by_an_issuer_in_reach_when_a_third_of_its_time_is_gone(tmp_path: Path) -> None:
    async def scene() -> None:
        places = found_store(tmp_path, 2)
        passed_s = 0.0
        clocks = Clocks(lambda: time.time() + passed_s, lambda: time.monotonic() + passed_s)
        t1 = await start_till(places[0], [], clocks=clocks)
        t2 = await start_till(places[1], [t1.port], clocks=clocks)
        await until(so(lambda: bool(t1.keeper.issuers & t2.keeper.issuers)))
        old = [serial_of(till.keeper.place.credentials.certificate) for till in (t1, t2)]
        passed_s = 11 * DAY_S
        await until(so(lambda: serial_of(t2.keeper.place.credentials.certificate) != old[1]))
        await until(so(lambda: serial_of(t1.keeper.place.credentials.certificate) != old[0]))
        assert t1.linked() == {t2.terminal}, "a link that is up stays up"
        port = t1.port
        await t1.stop()
        again = await start_till(places[0], [], port=port)
        await until(so(lambda: bool(again.linked() and t2.linked())))
        await stop([again, t2])

    run(scene)


def test_a_till_that_only_says_that_it_issues_keeps_nobody_from_a_new_certificate(tmp_path: Path) -> None:
    async def scene() -> None:
        passed_s = 0.0
        clocks = Clocks(lambda: time.time() + passed_s, lambda: time.monotonic() + passed_s)
        stores = (found_store(tmp_path / f"store-{n}", 4) for n in range(64))
        # The one who lies is the first that anybody would ask.
        places = next(places for places in stores if _terminal_in(places[2]) < _terminal_in(places[0]))
        t1, liar = await started([places[0], places[2]])
        assert liar.keeper.authority is None
        asking = await start_till(places[3], [t1.port, liar.port], clocks=clocks)
        await until(so(lambda: len(asking.linked()) == 2 and t1.terminal in asking.keeper.issuers))
        lists = list(liar.keeper.place.gate.membership.lists)
        assert liar.keeper.post.tell(asking.terminal, Lists(lists, issuer=True))
        await until(so(lambda: liar.terminal in asking.keeper.issuers))
        old = serial_of(asking.keeper.place.credentials.certificate)
        passed_s = 11 * DAY_S

        async def renewed() -> bool:
            nonlocal passed_s
            passed_s += 1
            return serial_of(asking.keeper.place.credentials.certificate) != old

        await until(renewed)
        await stop([t1, liar, asking])

    run(scene)


def test_a_till_that_asks_for_certificates_without_end_gets_one_and_no_list_is_made_for_the_others(
    tmp_path: Path,
) -> None:
    """Each would cost every till of the store a look at signatures, a message to all others, and a file."""

    async def scene() -> None:
        places = found_store(tmp_path, 2)
        t1 = await start_till(places[0], [], clocks=Clocks(time.time, lambda: 1_000.0))
        greedy = await start_till(places[1], [t1.port])
        await until(so(lambda: bool(greedy.keeper.issuers)))
        refused: list[str] = []
        greedy.keeper.post.on(Declined, lambda _, message: refused.append(message.code))
        held = greedy.keeper.place.credentials
        version = t1.keeper.place.gate.membership.roster.version
        for _ in range(20):
            ask = Renew(make_request(held.key, held.store, greedy.actor))
            await until(so(functools.partial(greedy.keeper.post.tell, t1.terminal, ask)))
        await until(so(lambda: len(refused) == 19))
        assert t1.keeper.place.gate.membership.roster.version == version + 1
        await stop([t1, greedy])

    run(scene)


def _terminal_in(place: Path) -> str:
    return terminal_of(next((place / "keys").glob("*.sign")).stem)


def test_a_till_whose_directory_was_damaged_goes_on_as_another_actor_and_the_old_one_is_retired(tmp_path: Path) -> None:
    async def scene() -> None:
        places = found_store(tmp_path, 3)
        tills = await started(places)
        t1, t2, damaged = tills
        old, sold = damaged.actor, await note(damaged)
        await until(holds(t2, old, sold))
        await damaged.stop()
        (places[2] / "anchor").unlink()
        back = await start_till(places[2], [t1.port, t2.port])
        assert back.actor != old
        seq = await note(back)
        for till in (t1, t2):
            await until(holds(till, back.actor, seq))
        for till in (t1, t2, back):
            await until(so(functools.partial(_replaced, till, old, back.actor)))
            assert await holds(till, old, sold)(), "what it sold before stays"
        await until(
            so(lambda: t1.mesh.linked().get(back.terminal) == t2.mesh.linked().get(back.terminal) == back.actor)
        )
        await stop([t1, t2, back])

    run(scene)


def _replaced(till: RealTill, old: str, new: str) -> bool:
    return (till.state(old), till.state(new)) == ("revoked", "active")


def test_an_issuer_that_was_damaged_makes_itself_a_member_again(tmp_path: Path) -> None:
    async def scene() -> None:
        places = found_store(tmp_path, 2)
        (places[0] / "anchor").unlink()
        back, other = await started(places)
        await until(so(lambda: other.state(back.actor) == "active"))
        seq = await note(back)
        await until(holds(other, back.actor, seq))
        await stop([back, other])

    run(scene)
