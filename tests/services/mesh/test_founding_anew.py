"""All tills of a store that issue certificates are lost for good: one that is left founds the authority anew."""

from __future__ import annotations

import asyncio
import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.services.mesh.real_store import RealTill, found_store, start_till
from tests.services.mesh.test_mesh import MANAGER, run, until
from tests.services.mesh.test_storekeeper import holds, note, so, started, stop
from tillmesh.kernel.errors import Conflict
from tillmesh.terminal import founding_anew, provisioning, store_commands
from tillmesh.terminal.council_recovery import recover_store
from tillmesh.terminal.pairing_desk import PairingDesk
from tillmesh.terminal.verifying import verify

pytestmark = pytest.mark.service


async def take_in(host: RealTill, place: Path) -> dict[str, Any]:
    """Let a till join at another one, with a code."""
    desk = PairingDesk(host.keeper, host.driver.opened.pepper, "127.0.0.1", None)
    shown = await desk.open(MANAGER)
    address = f"127.0.0.1:{shown['port']}"
    joined = await asyncio.to_thread(store_commands.join, place, shown["code"], address=address)
    await desk.close()
    return joined


@pytest.mark.slow
def test_a_shop_that_lost_its_tills_that_issue_goes_on_with_one_that_did_not_and_loses_nothing(tmp_path: Path) -> None:
    places = found_store(tmp_path, 3)
    lost, left, away = places
    new = tmp_path / "new"

    async def before() -> tuple[str, str, int]:
        tills = await started(places)
        ends = [await note(till) for till in tills]
        for till in tills:
            for other, end in zip(tills, ends, strict=True):
                await until(holds(till, other.actor, end))
        await stop(tills)
        alone = await start_till(away, [])
        unheard = await note(alone)
        await alone.stop()
        return tills[0].actor, alone.actor, unheard

    async def after(lost_actor: str, away_actor: str, unheard: int) -> None:
        first = await start_till(left, [])
        assert first.state(lost_actor) == first.state(away_actor) == "revoked"
        await take_in(first, away)  # with its data
        back = await start_till(away, [first.port])
        assert back.actor != away_actor
        await until(so(lambda: first.linked() == {back.terminal}))
        await until(holds(first, away_actor, unheard))
        joined = await take_in(first, new)
        assert joined["store"] == first.driver.identity.store
        assert joined["number"] == 4, "those of lost tills are not given again"
        await stop([first, back])

    known: list[tuple[str, str, int]] = []

    async def scene_before() -> None:
        known.append(await before())

    run(scene_before)
    shutil.rmtree(lost)
    with pytest.raises(Conflict, match="does not issue"):
        provisioning.authority_in(left, provisioning.store_of(left))
    assert not recover_store(left)["issues"], "it decides alone, and can take nobody in"
    assert recover_store(left, new_authority=True)["issues"]
    with pytest.raises(Conflict, match="issues certificates"):
        recover_store(left, new_authority=True)

    async def scene_after() -> None:
        await after(*known[0])

    run(scene_after)
    for place in (left, away):
        report = verify(place)
        assert report["ok"], report["problems"] + report["gaps"]


@pytest.mark.parametrize("cut", ["before anything is there", "in the middle", "at the end"])
def test_founding_anew_goes_on_after_a_power_cut(tmp_path: Path, cut: str) -> None:
    _, left = found_store(tmp_path, 2)
    store = provisioning.store_of(left)
    members = provisioning.membership_in(left, store).members
    [me] = provisioning.own_actors(left)
    folder, before = left / provisioning.FOLDER, left / founding_anew.BEFORE
    if cut == "at the end":
        shutil.copytree(folder, before)
        shutil.rmtree(folder)
        provisioning.found(left, store, me, 0, members)
    else:
        folder.rename(before)
        if cut == "in the middle":
            provisioning.found(left, store, me, 0, {})
            (folder / "certificate.der").unlink()
    held = provisioning.certificate_in(left)
    founding_anew.found_anew(left, store, me, 0)
    assert not before.exists()
    assert held is None or provisioning.certificate_in(left) == held, "what others may know already stays"
    again = provisioning.membership_in(left, store).members
    assert {actor: member.sign_public for actor, member in again.items()} == {
        actor: member.sign_public for actor, member in members.items()
    }
    assert [actor for actor, member in again.items() if member.state == "active"] == [me]
    provisioning.authority_in(left, store)
