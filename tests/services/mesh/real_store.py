"""A store of tills with real databases, certificates and TLS links on this machine; only the web pages are missing."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

from tillmesh.terminal import provisioning
from tillmesh.terminal.bootstrap import open_terminal
from tillmesh.terminal.driver import Driver
from tillmesh.terminal.mesh import Mesh
from tillmesh.terminal.neighbours import Address, Neighbours
from tillmesh.terminal.storekeeper import Clocks, Storekeeper


@dataclass
class RealTill:
    """One till at its place in the store."""

    data_dir: Path
    driver: Driver
    mesh: Mesh
    neighbours: Neighbours
    keeper: Storekeeper
    port: int = 0

    @property
    def actor(self) -> str:
        return self.driver.identity.actor

    @property
    def terminal(self) -> str:
        return self.driver.identity.terminal

    def linked(self) -> set[str]:
        return set(self.mesh.linked())

    def state(self, actor: str) -> str:
        return self.keeper.place.gate.membership.state(actor)

    async def stop(self) -> None:
        await self.keeper.stop()
        await self.neighbours.stop()
        await self.mesh.stop()
        self.driver.close()


def found_store(folder: Path, count: int) -> list[Path]:
    """Make the directories of a store: the first till issues, the others were enrolled by it."""
    now_s = int(time.time())
    places = [folder / f"till-{n}" for n in range(count)]
    first = open_terminal(places[0])
    origin = first.origin
    first.close()
    provisioning.found(places[0], origin.store, origin.actor, now_s)
    for place in places[1:]:
        opened = open_terminal(place, store=origin.store)
        opened.close()
        provisioning.enrol(places[0], place, origin.store, opened.origin.actor, now_s)
        (place / "keys" / provisioning.ISSUER).unlink(missing_ok=True)  # only the first issues: the others have to ask
    return places


async def start_till(
    data_dir: Path, peers: list[int], *, port: int = 0, clocks: Clocks | None = None, mdns: bool = False
) -> RealTill:
    opened = open_terminal(data_dir)
    driver = Driver(opened)
    place = provisioning.belonging(data_dir, opened.origin.store, opened.origin.actor)
    assert place is not None
    mesh = await Mesh.over(driver, place.notary())
    neighbours = Neighbours(place, mesh)
    keeper = Storekeeper(place, driver, mesh, neighbours.links, clocks=clocks)
    till = RealTill(data_dir, driver, mesh, neighbours, keeper)
    mesh.start()
    addresses = [Address("127.0.0.1", peer) for peer in peers]
    till.port = await neighbours.start(Address("127.0.0.1", port), addresses, mdns=mdns)
    keeper.start()
    return till
