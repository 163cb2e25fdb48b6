"""Tills on one network find each other without being told, and a link does not depend on what is announced later."""

from __future__ import annotations

from pathlib import Path

import pytest
from zeroconf import IPVersion, ServiceInfo
from zeroconf.asyncio import AsyncZeroconf

from tests.services.mesh.real_store import RealTill, found_store, start_till
from tests.services.mesh.test_mesh import run, until
from tests.services.mesh.test_storekeeper import holds, note, so, stop
from tillmesh.adapters.lan.discovery import SERVICE
from tillmesh.adapters.lan.hints import store_mark
from tillmesh.adapters.lan.multicast import multicast_works

HERE = "127.0.0.1"
pytestmark = [
    pytest.mark.service,
    pytest.mark.slow,
    pytest.mark.xdist_group("mdns"),
    pytest.mark.skipif(not multicast_works(HERE), reason="multicast does not work on this machine's loopback"),
]


async def found(folder: Path, count: int) -> list[RealTill]:
    """Start tills that know nothing of each other's addresses, and wait until all are linked."""
    tills = [await start_till(place, [], mdns=True) for place in found_store(folder, count)]
    everyone = {till.terminal for till in tills}
    await until(so(lambda: all(till.linked() == everyone - {till.terminal} for till in tills)))
    return tills


def test_three_tills_that_were_told_nothing_are_linked_and_sync(tmp_path: Path) -> None:
    async def scene() -> None:
        tills = await found(tmp_path, 3)
        seq = await note(tills[0])
        for till in tills[1:]:
            await until(holds(till, tills[0].actor, seq))
        await stop(tills)

    run(scene)


def test_a_link_outlives_a_forged_goodbye_and_the_end_of_all_announcements(tmp_path: Path) -> None:
    async def scene() -> None:
        one, other = await found(tmp_path, 2)
        rogue = AsyncZeroconf(interfaces=[HERE], ip_version=IPVersion.V4Only)
        lie = ServiceInfo(
            SERVICE,
            f"{other.terminal}.{SERVICE}",
            port=666,
            properties={"s": store_mark(one.driver.identity.store), "p": "1"},
            server=f"pos-{other.terminal}.local.",
            parsed_addresses=["192.0.2.66"],
        )
        await (await rogue.async_register_service(lie, cooperating_responders=True))
        await (await rogue.async_unregister_service(lie))
        await rogue.async_close()
        for till in (one, other):
            assert till.neighbours.mdns is not None
            await till.neighbours.mdns.close()
        seq = await note(one)
        await until(holds(other, one.actor, seq))
        assert (one.linked(), other.linked()) == ({other.terminal}, {one.terminal})
        await stop([one, other])

    run(scene)


def test_a_till_that_comes_back_on_another_port_is_found_again(tmp_path: Path) -> None:
    async def scene() -> None:
        one, other = await found(tmp_path, 2)
        port, place = other.port, other.data_dir
        await other.stop()
        again = await start_till(place, [], mdns=True)
        assert again.port != port
        seq = await note(again)
        await until(holds(one, again.actor, seq))
        await stop([one, again])

    run(scene)
