"""The till among its neighbours: links carry frames, sessions decide, the writer's thread stores.

All of the exchange lives on the event loop. Reading and writing the log happens beside it, so a slow disk delays an
acknowledgement and nothing else; selling asks nobody.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from typing import Final, Protocol, TypeAlias, assert_never

from tillmesh.adapters.sqlite import replica
from tillmesh.kernel.envelope import Envelope, Head
from tillmesh.kernel.errors import Damaged, TillmeshError
from tillmesh.kernel.ids import terminal_of
from tillmesh.sync import Acked, Apply, Closed, Fence, Intake, Load, Notary, Send, Side, WakeAt, read_frame, write_frame
from tillmesh.sync.channels import Channel, unwrap
from tillmesh.sync.intake import SAVING_MS
from tillmesh.sync.signatures import SignedHead
from tillmesh.terminal.driver import FORKED, Driver, Trouble, now_ms, steady_ms
from tillmesh.terminal.errands import Errands
from tillmesh.terminal.outgoing import Outgoing
from tillmesh.terminal.signing import Signatures
from tillmesh.till.commands import Note, Who
from tillmesh.till.effects import Outcome
from tillmesh.till.exchange import Ask, Exchange

log = logging.getLogger(__name__)
SYSTEM: Final = Who(user_id="system", role="manager")
TICK_S: Final = 0.5
ACKS_S: Final = 5.0
BUSY_MS: Final = 2_000
QUARANTINE_MS: Final = 30_000  # guess: a manager has seen the alarm by then
QUARANTINE_MS_MAX: Final = 3_600_000
NEWCOMER_MS: Final = 3 * 86_400_000  # guess: by then a new till has heard what there was before it
FLOOD_NOTED_MS: Final = 86_400_000  # one note a day
FENCES_NOTED_MAX: Final = 256  # since the start; guess: a store where more went wrong has heard enough
Handler: TypeAlias = Callable[[str, bytes], None]  # the peer's actor, and what it said


class Link(Protocol):
    """One authenticated connection to a peer; ``peer`` is the actor that its certificate names."""

    @property
    def peer(self) -> str:
        """The actor that the peer's certificate names."""
        ...

    async def send(self, frame: bytes) -> None:
        """Hand a frame over; waits while the peer is slow, raises OSError when the link is gone."""

    async def receive(self) -> bytes:
        """Wait for a frame; raises OSError when the link is gone."""
        ...

    async def close(self) -> None:
        """Close the link."""


class Mesh:
    """Runs the exchange of one till over whatever links come up."""

    def __init__(self, driver: Driver, heads: dict[str, Head], notary: Notary, intake: Intake | None = None) -> None:
        identity, self._intake = driver.identity, intake or Intake({}, now_ms())
        side = Side(identity.store, identity.actor)
        self.exchange = Exchange(side, identity.terminal, heads, notary=notary, intake=self._intake)
        self._floods: dict[str, int] = {}  # actor -> when a manager was told (ms)
        self._driver = driver
        self._signatures = Signatures(driver.opened.data_dir, identity.store)
        self._quarantine: dict[str, tuple[int, int]] = {}  # terminal -> until when (ms), and how often so far
        self._fences_noted: set[tuple[str, str]] = set()  # (peer, actor)
        self._links: dict[tuple[str, int], tuple[Link, Outgoing]] = {}
        self._handlers: dict[Channel, Handler] = {}
        self._watchers: list[Callable[[str], None]] = []
        self._batches = 0  # stored since the start
        self._unsaved: dict[str, dict[str, int]] = {}
        self._listeners: list[Callable[[Sequence[Envelope]], None]] = []
        self._errands = Errands("the mesh")
        driver.listen(self._committed)

    @classmethod
    async def over(cls, driver: Driver, notary: Notary) -> Mesh:
        """Begin with what is on the disk; the notary says which events their own actors signed."""
        heads, acks, stamps_ms, taken = await driver.read(
            lambda db, _: (
                replica.heads(db), replica.acks(db), replica.stamps_ms(db), replica.taken_bytes(db, SAVING_MS)
            )
        )  # fmt: skip
        # A clock that died says little: the newest event that is held was written before now.
        wall_ms, me = max([now_ms(), *stamps_ms.values()]), driver.identity.actor
        began_ms = await driver.read(lambda db, _: replica.began_ms(db, me))
        newcomer = began_ms is None or began_ms > wall_ms - NEWCOMER_MS
        mesh = cls(driver, heads, notary, Intake(stamps_ms, wall_ms, taken_bytes=taken, newcomer=newcomer))
        mesh.exchange.recall(acks)
        return mesh

    def listen(self, listener: Callable[[Sequence[Envelope]], None]) -> None:
        """Call the listener after each batch of other tills' events was stored."""
        self._listeners.append(listener)

    def on(self, channel: Channel, handler: Handler) -> None:
        """Give what peers say on a channel to a handler, on the event loop; an error it raises ends the link."""
        self._handlers[channel] = handler

    def watch(self, watcher: Callable[[str], None]) -> None:
        """Tell the watcher the actor of a peer whenever a link to it has come up or gone; ask ``linked`` which."""
        self._watchers.append(watcher)

    def linked(self) -> dict[str, str]:
        """Give the peers that are linked now: actor by terminal id."""
        return {terminal: link.peer for (terminal, _), (link, _) in self._links.items()}

    def shuns(self, terminal: str) -> bool:
        """Say whether a peer is shut out for now: it passed on what nobody signed."""
        return steady_ms() < self._quarantine.get(terminal, (0, 0))[0]

    def tell(self, terminal: str, channel: Channel, body: bytes) -> bool:
        """Say something to a peer if it is linked and takes it; says whether it is on its way, which is no promise."""
        for (peer, _), (_, outgoing) in self._links.items():
            if peer == terminal:
                return outgoing.put(channel, body)
        return False

    def lead(self, leader: str | None) -> None:
        """Follow who leads the store (a terminal id): what is sold goes there first."""
        self._perform(self.exchange.lead(leader))

    def start(self) -> None:
        """Begin to look at the time."""
        self._errands.run(self._ticking())

    def grown(self, heads: Sequence[Head]) -> None:
        """Pass on what came into the log by another way than over a link."""
        for head in heads:
            self._perform(self.exchange.appended(head))

    async def stop(self) -> None:
        """Close every link and remember what the peers hold."""
        for link, _ in list(self._links.values()):
            await link.close()
        await self._errands.stop()
        await self._save_acks()

    def join(self, link: Link) -> None:
        """Talk over a link in the background, until it is gone or the mesh stops."""
        self._errands.run(self.attach(link))

    async def attach(self, link: Link) -> None:
        """Talk over a link until it is gone; a till that passed on forged events has to wait."""
        peer = terminal_of(link.peer)
        if self.shuns(peer):
            await link.close()
            return
        number, asks = self.exchange.linked(peer, steady_ms())
        outgoing = Outgoing()
        for old in [key for key in self._links if key[0] == peer]:
            del self._links[old]  # the new link takes its place
        self._links[peer, number] = link, outgoing
        self._perform(asks)
        sending = asyncio.get_running_loop().create_task(_pump(link, outgoing))
        self._told_of(link.peer)
        try:
            while True:
                frame = await link.receive()
                if (peer, number) not in self._links:
                    break
                self._take(link.peer, number, frame)
        except (OSError, TillmeshError) as cause:
            log.info("the link to %s ended: %s", peer, cause)
        finally:
            sending.cancel()
            self._links.pop((peer, number), None)
            self.exchange.unlinked(peer, number)
            self._told_of(link.peer)
            await link.close()

    def _take(self, actor: str, number: int, frame: bytes) -> None:
        """Give a frame to whoever its channel belongs to; what a newer program says beside that is not for us."""
        channel, body = unwrap(frame)
        if channel is Channel.SYNC:
            self._perform(self.exchange.received(terminal_of(actor), number, read_frame(body), steady_ms()))
        elif channel is not None and (handler := self._handlers.get(channel)) is not None:
            handler(actor, body)

    def _told_of(self, actor: str) -> None:
        for watcher in self._watchers:
            watcher(actor)

    def part(self, terminals: frozenset[str]) -> None:
        """Close the links to some terminals; from now on nothing they say counts."""
        for (peer, number), (link, _) in list(self._links.items()):
            if peer in terminals:
                del self._links[peer, number]
                self.exchange.unlinked(peer, number)
                self._errands.run(link.close())

    def drop(self, actors: frozenset[str]) -> None:
        """Close the links to some actors; another actor of the same terminal keeps its own."""
        for (peer, number), (link, _) in list(self._links.items()):
            if link.peer in actors:
                del self._links[peer, number]
                self.exchange.unlinked(peer, number)
                self._errands.run(link.close())

    def _committed(self, outcome: Outcome) -> None:
        if outcome.events:
            self._perform(self.exchange.appended(outcome.head))

    def _perform(self, asks: Sequence[Ask]) -> None:
        """Do what the sessions ask for; nothing here waits."""
        for ask in asks:
            match ask.step:
                case Send(message):
                    self._send(ask, write_frame(message))
                case Load():
                    self._errands.run(self._load(ask, ask.step))
                case Apply():
                    self._errands.run(self._apply(ask, ask.step))
                case Acked(durable):
                    self._unsaved.setdefault(ask.peer, {}).update(durable)
                case Fence(actor, detail, proven=True) if actor == self._driver.identity.actor:
                    self._driver.disown(Trouble(f"another till holds another history of it: {detail}", FORKED))
                case Fence(actor, detail):
                    self._note_fence(ask.peer, actor, detail)
                case Closed(detail, forger):
                    log.info("the session with %s is over: %s", ask.peer, detail)
                    if forger:
                        self._shut_out(ask.peer, detail)
                    self._errands.run(self._close(ask))
                case WakeAt():
                    pass  # the ticking looks often enough
                case _:
                    assert_never(ask.step)

    def _note_fence(self, peer: str, actor: str, detail: str) -> None:
        """Tell a manager that an actor is fenced towards a peer: once, however often that peer says it over new links.

        A note is a sale's worth of disk here and on every till of the store.
        """
        if (peer, actor) in self._fences_noted or len(self._fences_noted) >= FENCES_NOTED_MAX:
            return
        self._fences_noted.add((peer, actor))
        log.error("fenced %s towards %s: %s", actor, peer, detail)
        self._errands.run(self._driver.do(SYSTEM, Note(action="actor_fenced", subject=actor, detail=detail)))

    def _send(self, ask: Ask, frame: bytes) -> None:
        """Queue a frame behind those before it; a peer that lets too many pile up loses its link."""
        held = self._links.get((ask.peer, ask.link))
        if held is not None and not held[1].put(Channel.SYNC, frame):
            log.warning("%s does not keep up: its link is closed", ask.peer)
            self._errands.run(self._close(ask))

    def _shut_out(self, terminal: str, detail: str) -> None:
        """Talk no more with a till that passed on what nobody signed, each time longer; and tell a manager."""
        times = self._quarantine.get(terminal, (0, 0))[1] + 1
        wait_ms = min(QUARANTINE_MS << min(times - 1, 10), QUARANTINE_MS_MAX)
        self._quarantine[terminal] = steady_ms() + wait_ms, times
        log.error("%s passed on %s: no links with it for %d s", terminal, detail, wait_ms // 1000)
        note = Note(action="forged_events", subject=terminal, detail=detail)
        self._errands.run(self._driver.do(SYSTEM, note))

    async def _load(self, ask: Ask, step: Load) -> None:
        """Read what is to be sent; a disk that does not read is asked again when the peer says that it is there."""
        try:
            events, signatures = await self._driver.read(
                lambda db, books: replica.load_signed(
                    db, books, step.spans, self._signatures, events_max=step.events_max, bytes_max=step.bytes_max
                )
            )
        except TillmeshError as cause:
            log.warning("what %s lacks can't be read now: %s", ask.peer, cause.detail)
            events, signatures = [], {}
        self._perform(self.exchange.loaded(ask.peer, ask.link, events, steady_ms(), signatures))

    async def _apply(self, ask: Ask, step: Apply) -> None:
        """Store a batch, then acknowledge it; a batch that does not join on ends the link, a busy disk delays it."""
        try:
            heads = await self._driver.merge(step.events, step.signed)
        except Damaged as cause:
            log.warning("%s sent events that do not verify: %s", ask.peer, cause.detail)
            await self._close(ask)
            return
        except TillmeshError as cause:
            log.warning("events of %s could not be stored now: %s", ask.peer, cause.detail)
            self._perform(self.exchange.put_off(ask.peer, ask.link, step.batch, BUSY_MS, steady_ms()))
            return
        self._perform(self.exchange.applied(ask.peer, ask.link, step.batch, heads, steady_ms()))
        for listener in self._listeners:
            listener(step.events)
        self._batches += 1
        if self._batches % replica.HEADS_BEFORE_THINNING == 0:
            await self._thin()

    async def take_in(self, events: Sequence[Envelope], signed: Sequence[SignedHead]) -> None:
        """Store events that came another way than over a link, and pass them on; raises with part of them stored."""
        heads = await self._driver.merge(events, signed)
        for head in heads.values():
            self._perform(self.exchange.appended(head))
        for listener in self._listeners:
            listener(events)

    async def _thin(self) -> None:
        """Forget signatures that are not needed any more; there is always another chance."""
        try:
            await self._driver.on_writer(lambda db: replica.thin_signatures(db, self._signatures.actors))
        except TillmeshError as cause:
            log.warning("old signatures could not be forgotten: %s", cause.detail)

    async def _close(self, ask: Ask) -> None:
        held = self._links.pop((ask.peer, ask.link), None)
        if held is not None:
            await held[0].close()

    async def _ticking(self) -> None:
        saved_ms = steady_ms()
        while True:
            await asyncio.sleep(TICK_S)
            self._perform(self.exchange.wake(steady_ms()))
            self._note_floods()
            if self._unsaved and steady_ms() - saved_ms >= ACKS_S * 1000:
                saved_ms = steady_ms()
                await self._save_acks()

    def flooding(self) -> list[str]:
        """List the tills that wrote more than a shop does: what they wrote is taken in slowly."""
        return sorted({terminal_of(actor) for actor in self._intake.waiting(steady_ms())})

    def _note_floods(self) -> None:
        """Tell a manager by name who writes too much: once a day, as each note is an event itself."""
        now = steady_ms()
        for actor in self._intake.waiting(now):
            if now - self._floods.get(actor, -FLOOD_NOTED_MS) >= FLOOD_NOTED_MS:
                self._floods[actor] = now
                log.error("%s wrote more than any shop does: its events are taken in slowly", actor)
                detail = f"{actor} wrote more than a shop does in a day; its events are taken in slowly"
                note = Note(action="flood", subject=terminal_of(actor), detail=detail)
                self._errands.run(self._driver.do(SYSTEM, note))

    async def _save_acks(self) -> None:
        """Bring what the peers hold to the disk now and then; after a restart their hello says it again."""
        acks, self._unsaved = self._unsaved, {}
        if acks:
            try:
                await self._driver.note_acks(list(acks.items()))
            except TillmeshError as cause:
                log.warning("what the peers hold could not be noted: %s", cause.detail)


async def _pump(link: Link, outgoing: Outgoing) -> None:
    """Send what is queued, the most urgent first; the receiving side notices when the link is gone."""
    try:
        while True:
            await link.send(await outgoing.get())
    except OSError:
        await link.close()
