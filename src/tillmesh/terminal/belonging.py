"""A till in its store, or alone: starts the mesh when there is one, and says where the sales are on their way."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import apsw

from tillmesh.adapters.sqlite.books import Books
from tillmesh.adapters.sqlite.database import one
from tillmesh.kernel.envelope import Envelope
from tillmesh.kernel.ids import is_office, terminal_of
from tillmesh.kernel.times import rfc3339
from tillmesh.sync.signatures import KeyNotary
from tillmesh.sync.standing import FOLDS
from tillmesh.terminal.archiving import Archiving
from tillmesh.terminal.clocks import Clocks
from tillmesh.terminal.council_driver import CouncilDriver
from tillmesh.terminal.driver import Driver, steady_ms
from tillmesh.terminal.folding import Folding
from tillmesh.terminal.head_office import bundle_in, office_key
from tillmesh.terminal.key_gossip import KeyGossip
from tillmesh.terminal.lacking import Lacking
from tillmesh.terminal.mesh import Mesh
from tillmesh.terminal.neighbours import Address, Neighbours
from tillmesh.terminal.pairing_desk import PairingDesk
from tillmesh.terminal.pictures import Pictures
from tillmesh.terminal.provisioning import Belonging, belonging, is_founder
from tillmesh.terminal.purse_holds import PurseHolds
from tillmesh.terminal.rights_desk import RightsDesk
from tillmesh.terminal.rights_granting import Granting
from tillmesh.terminal.roomkeeping import Roomkeeping
from tillmesh.terminal.skew import Skew
from tillmesh.terminal.standing import Standings
from tillmesh.terminal.storekeeper import Storekeeper
from tillmesh.terminal.uplinking import Uplinking, to_head_office
from tillmesh.terminal.watch import Watch
from tillmesh.terminal.web.api import Services
from tillmesh.terminal.web.news import tell_events
from tillmesh.till.desk import Company
from tillmesh.till.queue import Marks, SyncState
from tillmesh.till.room import Stage

_OWN: Final = (
    "SELECT count(*) FROM receipt r JOIN actor a ON a.id = r.actor WHERE r.kind = 0 AND a.name = ? AND r.seq > ?"
)


@dataclass(frozen=True, slots=True)
class Around:
    """Where the other tills may be, as the command line says it."""

    link_port: int = 0  # where they reach this one; 0: the system chooses
    peers: tuple[str, ...] = ()  # host:port, where announcements do not reach
    link_bind: str = "0.0.0.0"  # noqa: S104 - whoever comes has to prove that it is a till of this store
    mdns: bool = True  # announce this till, and hear of others
    cut_file: Path | None = None  # for demonstrations: terminal ids that are out of reach, one a line
    hub_url: str = ""  # of head office's door for stores
    wan_file: Path | None = None  # for demonstrations: while it is there, head office is out of reach


ALONE: Final = Around()


class Among:
    """What a running till has of its store; nothing, if it works alone."""

    def __init__(
        self,
        driver: Driver,
        mesh: Mesh | None = None,
        neighbours: Neighbours | None = None,
        council: CouncilDriver | None = None,
        keeper: Storekeeper | None = None,
        uplinking: Uplinking | None = None,
    ) -> None:
        self._driver = driver
        self._mesh = mesh
        self._neighbours = neighbours
        self._council = council
        self._keeper = keeper
        self.uplinking = uplinking
        self.office_public: Callable[[], bytes | None] = lambda: None
        self.standings: Standings | None = None
        self.holds: PurseHolds | None = None
        self.rights: RightsDesk | None = None
        self.desk: PairingDesk | None = None
        self.keys: KeyGossip | None = None
        self.folding: Folding | None = None
        self.skew: Skew | None = None

    async def stop(self) -> None:
        """Leave the neighbours in good order: another till leads before the links go."""
        if self.folding is not None:
            await self.folding.stop()
        if self.standings is not None:
            await self.standings.stop()
        if self.holds is not None:
            await self.holds.stop()
        if self.rights is not None:
            await self.rights.stop()
        if self.keys is not None:
            await self.keys.stop()
        if self.skew is not None:
            await self.skew.stop()
        if self.uplinking is not None:
            await self.uplinking.stop()
        if self._council is not None:
            await self._council.stop()
        if self.desk is not None:
            await self.desk.close()
        if self._keeper is not None:
            await self._keeper.stop()
        if self._neighbours is not None:
            await self._neighbours.stop()
        if self._mesh is not None:
            await self._mesh.stop()

    @property
    def mesh(self) -> Mesh | None:
        """The links to the other tills, if this one belongs to a store."""
        return self._mesh if self._neighbours is not None else None

    def look_after(self, rights: RightsDesk) -> None:
        """Let the rights to sell be looked at when another till leads, and handed on before this one leaves."""
        if self._council is not None:
            rights.granting = Granting(self._driver, self._council)
            self._council.on_settled = rights.settled
            self._council.listen(lambda _: rights.look_at_all())
        if self._keeper is not None:
            self._keeper.before_leaving, self._keeper.staying = rights.hand_all_on, rights.stay

    def others(self) -> int:
        """Count the other terminals of the store, as far as this till knows."""
        return len({terminal_of(actor) for actor in self._members()} - {self._driver.identity.terminal})

    def company(self) -> Company:
        """Name the other terminals of the store, and those that are linked now."""
        members = self._members()
        others = {terminal_of(actor) for actor in members} - {self._driver.identity.terminal}
        heard = self._mesh.linked() if self._mesh is not None else {}
        leads = self._council is None or self._council.council.leads
        behind = self._mesh is not None and self._mesh.exchange.is_behind()
        return Company(
            others=tuple(sorted(others)), heard=tuple(sorted(heard)), members=tuple(members), leads=leads, behind=behind
        )

    def raft(self) -> dict[str, Any]:
        """Say who leads the store; a till alone leads itself."""
        if self._council is not None:
            return self._council.view()
        me = self._driver.identity.terminal
        return {"state": "leader", "term": 0, "leader_id": me, "voters": [me], "learners": [], "commit_index": 0,
                "has_quorum": True}  # fmt: skip

    def uploading(self) -> bool:
        """Say whether this till is sending sales to head office."""
        return self.uplinking is not None and self.uplinking.busy

    def replicated_to(self, actor: str, seq: int) -> tuple[str, ...]:
        """List the terminals that hold an event durably, as far as they have told."""
        return self._mesh.exchange.replicated_to(actor, seq) if self._mesh is not None else ()

    def flooding(self) -> list[str]:
        """Name the tills that write more than a shop does."""
        return self._mesh.flooding() if self._mesh is not None else []

    def sync_state(self, actor: str, seq: int) -> str:
        """Say where an event is on its way to the leader and the hub; of a till alone, it stays where it is."""
        return self._mesh.exchange.marks(actor).state(seq).value if self._mesh is not None else SyncState.PENDING.value

    async def sync(self) -> dict[str, Any]:
        """Say where the sales are on their way, and who is in reach."""
        actor, mesh, raft = self._driver.identity.actor, self._mesh, self.raft()
        held = mesh.exchange.held_elsewhere() if mesh is not None else 0
        marks = mesh.exchange.marks(actor) if mesh is not None else None
        peers = self._peers(mesh, steady_ms()) if mesh is not None else []

        def count(db: apsw.Connection, books: Books) -> tuple[int, int]:
            return dict(books.vector()).get(actor, 0), int(one(db, _OWN, (actor, held)))

        events, unreplicated = await self._driver.read(count)
        totals = (marks or Marks(head=events)).totals()
        hub = self._hub()
        return {
            **{state.value: count for state, count in totals.items()},
            "unreplicated": unreplicated,
            "leader_id": raft["leader_id"],
            "has_quorum": raft["has_quorum"],
            "last_hub_sync": rfc3339(hub["last_sync_ms"]) if hub["last_sync_ms"] else None,
            "hub_reachable": hub["reachable"],
            "hub_trouble": hub["trouble"] or None,
            "peers": peers,
        }

    def marks(self) -> Marks:
        """Say how far this till's own events have come; alone, nowhere."""
        actor = self._driver.identity.actor
        return self._mesh.exchange.marks(actor) if self._mesh is not None else Marks(head=0)

    @property
    def has_office(self) -> bool:
        """Whether there is a head office that this till tells."""
        return self.uplinking is not None

    def held_by_tills(self) -> dict[str, int] | None:
        """Give what the store agreed that all its tills hold; None for a till alone."""
        return dict(self._council.council.agreed.cut) if self._council is not None and self.others() else None

    def held_by_office(self) -> dict[str, int] | None:
        """Give what head office acknowledged; None without one."""
        return self._mesh.exchange.at_hub() if self._mesh is not None and self.has_office else None

    def put_away(self, reached: Mapping[str, int]) -> None:
        """Hear how far every actor's sales lie in the archive."""
        if self._mesh is not None:
            self._mesh.exchange.put_away(reached)

    def hub_trouble(self) -> str:
        """Say why head office, which answers, takes nothing; empty while all is well."""
        return str(self._hub()["trouble"])

    def _hub(self) -> dict[str, Any]:
        nobody = {"reachable": False, "last_sync_ms": 0, "trouble": ""}
        return self.uplinking.view() if self.uplinking is not None else nobody

    def _peers(self, mesh: Mesh, now: int) -> list[dict[str, Any]]:
        """Show every other member of the store, and none that was removed; one that has all of ours lags by nothing."""
        known = mesh.exchange.peers()
        members = {terminal_of(actor) for actor in self._members()} - {self._driver.identity.terminal}
        shown = []
        gone = {terminal_of(actor) for actor in self._neighbours.known().revoked} if self._neighbours else set[str]()
        for name in sorted(members | (known.keys() - gone)):
            linked, heard_ms, lacks = known.get(name, (False, 0, None))
            lag_ms = None if not heard_ms else 0 if linked and lacks == 0 else max(0, now - heard_ms)
            shown.append({"terminal_id": name, "reachable": linked, "lag_ms": lag_ms, "lacks": lacks})
        return shown

    def _members(self) -> list[str]:
        return self._neighbours.members() if self._neighbours is not None else []


async def join_store(services: Services, around: Around) -> Among:
    """Start the mesh of a till that belongs to a store with others, and the way to head office if there is one."""
    driver = services.driver
    data_dir, identity = driver.opened.data_dir, driver.identity
    place = belonging(data_dir, identity.store, identity.actor)
    services.extra["watch"] = watch = Watch(driver, lambda: services.oversold.count)
    among = Among(driver)
    if place is not None:
        among = await _with_others(services, around, place)
    elif around.hub_url and bundle_in(data_dir) is not None:
        among = await _alone(services, around)
    driver.company = among.company
    services.extra["purse_holds"] = among.holds = PurseHolds(driver, among.mesh, among.company)
    services.extra["rights"] = among.rights = rights = RightsDesk(driver, among.mesh)
    among.look_after(rights)
    rights.look_at_all()
    services.replicated_to = among.replicated_to
    services.sync_state = among.sync_state
    services.extra["sync"] = among.sync
    services.extra["raft"] = among.raft
    services.extra["uploading"] = among.uploading
    services.extra["flooding"] = among.flooding
    services.extra["hub_trouble"] = among.hub_trouble
    watch.marks, watch.has_office = among.marks, among.has_office
    watch.keeping.is_alone = lambda: not among.has_office and not among.others()
    services.extra["archiving"] = archiving = Archiving(driver)
    archiving.tills, archiving.office = among.held_by_tills, among.held_by_office
    archiving.reached = among.put_away
    services.extra["room"] = room = Roomkeeping(driver, archiving)
    services.check_room = room.check
    services.extra["pictures"] = pictures = Pictures(
        driver, among.mesh, lambda sha256: services.live.send("picture", {"sha256": sha256})
    )
    pictures.has_room = lambda: room.stage < Stage.TIGHT
    among.standings = standings = Standings(services, among.mesh)
    if among.folding is not None:
        among.folding.office = among.held_by_office
        among.folding.is_understood = lambda: standings.all_know(FOLDS)
        among.folding.start()
        services.extra["actors"] = among.folding.counts
    among.standings.start()
    services.extra["standings"] = among.standings
    return among


async def _with_others(services: Services, around: Around, place: Belonging) -> Among:
    driver = services.driver
    mesh = await Mesh.over(driver, place.notary())
    neighbours = Neighbours(place, mesh)
    keeper = Storekeeper(place, driver, mesh, neighbours.links)
    keys = KeyGossip(driver, mesh)

    def tell(events: Sequence[Envelope]) -> None:
        tell_events(services, events)

    mesh.listen(tell)
    mesh.listen(Lacking(driver).came)
    mesh.start()
    founder = is_founder(driver.opened.data_dir, driver.identity.store, driver.identity.actor)
    council = await CouncilDriver.over(driver, mesh, neighbours.known, founder=founder)
    services.decide = council.decide_settings
    clocks = Clocks(driver, lambda: council.council.leads)
    mesh.listen(clocks.look)
    services.extra["clocks"] = clocks.view
    services.oversold.leads = lambda: council.council.leads
    council.listen(lambda _: services.oversold.led())
    watch: Watch = services.extra["watch"]
    watch.in_store = True
    council.listen(watch.led)
    peers = [Address.of(peer) for peer in around.peers]
    listen, places = Address(around.link_bind, around.link_port), driver.opened.data_dir / "store" / "places"
    await neighbours.start(listen, peers, mdns=around.mdns, places=places)
    if around.cut_file is not None:
        neighbours.obey(around.cut_file)
    keeper.start()
    council.start()
    uplinking = await to_head_office(
        driver, mesh, place.notary(), around, council.leads_term, lambda: place.gate.membership.lists
    )
    if uplinking is not None:
        council.listen(lambda _: uplinking.led())
    among = Among(driver, mesh, neighbours, council, keeper, uplinking)
    among.keys = keys
    roster = place.gate.membership
    among.folding = Folding(driver, mesh, council, lambda: (neighbours.known(), roster.roster.version))
    keys.start()
    among.skew = _compare_clocks(watch, keeper, mesh, council)
    among.office_public = place.office_public
    among.desk = PairingDesk(keeper, driver.opened.pepper, around.link_bind, neighbours.mdns)
    services.extra["keeper"], services.extra["pairing_desk"] = keeper, among.desk
    return among


def _compare_clocks(watch: Watch, keeper: Storekeeper, mesh: Mesh, council: CouncilDriver) -> Skew:
    skew = Skew(keeper.post, mesh, lambda: keeper.place.gate.floor_s)
    skew.start()
    council.silence.ahead_ms, watch.silences = skew.ahead_ms, council.silence.look
    watch.keeping.ahead_ms, watch.keeping.vouched_s = skew.ahead_ms, keeper.as_of_s
    return skew


async def _alone(services: Services, around: Around) -> Among:
    """Run the mesh without links: head office's events come in through it, and it knows what has arrived there."""
    driver = services.driver
    key = office_key(driver.opened.data_dir)
    notary = KeyNotary(driver.identity.store, lambda actor: key if is_office(actor) else None)
    mesh = await Mesh.over(driver, notary)
    mesh.listen(lambda events: tell_events(services, events))
    mesh.start()
    mesh.lead(driver.identity.terminal)
    among = Among(driver, mesh, uplinking=await to_head_office(driver, mesh, notary, around, lambda: 0))
    among.office_public = lambda: key
    return among
