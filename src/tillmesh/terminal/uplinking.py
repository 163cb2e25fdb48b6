"""The driver of the uplink: a thread of its own speaks to head office, the till's own work never waits for it."""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final, Protocol, assert_never

from tillmesh.adapters.sqlite import replica
from tillmesh.adapters.wan.client import HubClient, Reply
from tillmesh.adapters.wan.speaking import Speaker
from tillmesh.kernel.envelope import Envelope, Head
from tillmesh.kernel.errors import TillmeshError
from tillmesh.kernel.ids import terminal_of
from tillmesh.sync.channels import Channel
from tillmesh.sync.hub_news import HubNews, read_news, write_news
from tillmesh.sync.model_orders import SignedOrder
from tillmesh.sync.session import Side
from tillmesh.sync.signatures import Notary
from tillmesh.sync.steps import WakeAt
from tillmesh.sync.uplink import Alarm, AskState, Known, LoadUp, Refusal, Take, Uplink, UplinkStep, Upload
from tillmesh.sync.upload import MEDIA, read_answer, read_state, write_batch
from tillmesh.terminal.driver import Driver, now_ms, steady_ms
from tillmesh.terminal.errands import Errands
from tillmesh.terminal.head_office import bundle_in
from tillmesh.terminal.mesh import SYSTEM, Mesh
from tillmesh.terminal.signing import Signatures
from tillmesh.till.commands import Note
from tillmesh.till.effects import Outcome
from tillmesh.till.exchange import HUB

log = logging.getLogger(__name__)
LOOK_S: Final = 0.25  # at the leader, the clock and the cut file
SAVE_MS: Final = 5_000
NEWS_TIMEOUT_S: Final = 45.0  # head office answers after 25 s at the latest
NEWS_AGAIN_S: Final = 5.0  # after a failure, and a random part more
HEARD_MS_MAX: Final = 60_000  # what the leader said about head office is believed for so long


async def to_head_office(
    driver: Driver,
    mesh: Mesh,
    notary: Notary,
    around: Place,
    term: Callable[[], int | None],
    lists: Callable[[], tuple[bytes, ...]] = tuple,
) -> Uplinking | None:
    """Start the uplink of a till that knows where head office is and can prove itself there."""
    bundle = bundle_in(driver.opened.data_dir)
    if not around.hub_url:
        return None
    if bundle is None or bundle.store != driver.identity.store:
        log.warning("no uplink: this till has no bundle of head office for store %s", driver.identity.store)
        return None
    try:
        lines = HubClient(around.hub_url, bundle), HubClient(around.hub_url, bundle, timeout_s=NEWS_TIMEOUT_S)
    except (ValueError, TillmeshError) as cause:
        log.warning("no uplink: %s", cause)  # a wrong address stops no till from selling
        return None
    uplinking = await Uplinking.over(driver, mesh, lines, notary)
    uplinking.start(term, lists, around.wan_file)
    return uplinking


class Place(Protocol):
    """Where head office is."""

    @property
    def hub_url(self) -> str:
        """The address of its door for stores; empty if there is no head office."""
        ...

    @property
    def wan_file(self) -> Path | None:
        """A file that says, while it is there, that head office is out of reach."""
        ...


class Uplinking:
    """Runs the uplink of one till, and lets every till of the store know what head office holds."""

    def __init__(
        self, driver: Driver, mesh: Mesh, lines: tuple[HubClient, HubClient], heads: dict[str, Head], notary: Notary
    ) -> None:
        identity = driver.identity
        self._driver, self._mesh = driver, mesh
        self._client, self._bell = lines
        side = Side(identity.store, identity.actor)
        self._uplink = Uplink(side, heads, random.random, notary)
        self._signatures = Signatures(driver.opened.data_dir, identity.store)
        self._speaking, self._listening = Speaker("uplink"), Speaker("uplink news")
        self._errands = Errands("the uplink")
        self._term: Callable[[], int | None] = lambda: None
        self._lists: Callable[[], tuple[bytes, ...]] = tuple
        self._cut_file: Path | None = None
        self._unsaved: dict[str, int] = {}
        self._saved_ms = 0
        self._synced_ms = 0  # by the wall clock, for people; all waiting goes by one that nobody sets
        self._last = HubNews({}, {}, 0, reachable=False)  # what was said to the others, or heard from the leader
        self._heard_ms = 0
        self._orders: tuple[SignedOrder, ...] = ()  # for models, as head office told them last
        self._on_orders: Callable[[Sequence[SignedOrder]], object] | None = None
        driver.listen(self._committed)
        mesh.listen(self._merged)
        mesh.on(Channel.HUB, self._received)
        mesh.watch(self._link_changed)

    @classmethod
    async def over(cls, driver: Driver, mesh: Mesh, lines: tuple[HubClient, HubClient], notary: Notary) -> Uplinking:
        """Begin with what is on the disk."""
        heads = await driver.read(lambda db, _: replica.heads(db))
        return cls(driver, mesh, lines, heads, notary)

    def start(
        self, term: Callable[[], int | None], lists: Callable[[], tuple[bytes, ...]], cut_file: Path | None
    ) -> None:
        """Begin; ``term`` says in which term this till leads, 0 for a till alone, None for a follower.

        ``lists`` are those of the store's tills, as their authority has signed them.
        """
        self._term, self._lists, self._cut_file = term, lists, cut_file
        self._errands.run(self._looking())
        self._errands.run(self._listening_for_news())

    async def stop(self) -> None:
        """Stop speaking; what was not acknowledged is sent by whoever leads next."""
        await self._errands.stop()
        self._speaking.close()
        self._listening.close()
        await self._save()

    def led(self) -> None:
        """Look at once who leads."""
        self._uplink.know(self._lists())
        self._perform(self._uplink.lead(self._term(), steady_ms()))

    @property
    def busy(self) -> bool:
        """Whether events are under way to head office."""
        return self._uplink.uploading

    def hear_orders(self, listener: Callable[[Sequence[SignedOrder]], object]) -> None:
        """Give head office's orders for models to the listener, now and whenever they are told."""
        self._on_orders = listener
        listener(self._orders)

    @property
    def leads(self) -> bool:
        """Whether this till is the one that speaks to head office."""
        return self._uplink.uploads

    def view(self) -> dict[str, Any]:
        """Say whether head office is in reach, when it was heard of last (ms), and why it takes nothing."""
        if self._uplink.uploads:
            found = self._uplink
            return {"reachable": found.reachable, "last_sync_ms": self._synced_ms, "trouble": found.trouble}
        fresh = steady_ms() - self._heard_ms <= HEARD_MS_MAX
        trouble = self._last.trouble if fresh else ""
        return {
            "reachable": self._last.reachable and fresh,
            "last_sync_ms": self._last.last_sync_ms,
            "trouble": trouble,
        }

    # What happens -----------------------------------------------------------------------------------------------

    def _committed(self, outcome: Outcome) -> None:
        if outcome.events:
            self._perform(self._uplink.appended(outcome.head, steady_ms()))

    def _merged(self, events: Sequence[Envelope]) -> None:
        ends = {event.actor: event for event in events}
        for event in ends.values():
            self._perform(self._uplink.appended(Head(event.actor, event.seq, event.hash), steady_ms()))

    def _received(self, actor: str, body: bytes) -> None:
        """Believe what the leader says about head office; from anybody else it is no news."""
        news = read_news(body)
        if terminal_of(actor) != self._mesh.exchange.leader or self._uplink.uploads:
            return
        self._last, self._heard_ms = news, steady_ms()
        self._mesh.exchange.uploaded(news.durable)
        self._mesh.exchange.uploading(news.under_way)
        self._unsaved.update(news.durable)

    def _link_changed(self, actor: str) -> None:
        if self._uplink.uploads and terminal_of(actor) in self._mesh.linked():
            self._mesh.tell(terminal_of(actor), Channel.HUB, write_news(self._last))

    async def _looking(self) -> None:
        told_ms = 0
        while True:
            self.led()
            up = self._cut_file is None or not await asyncio.to_thread(self._cut_file.exists)
            self._perform(self._uplink.online(steady_ms(), up=up))
            self._perform(self._uplink.spread(self._mesh.exchange.of_office(), steady_ms()))
            self._perform(self._uplink.wake(steady_ms()))
            if self._uplink.uploads and steady_ms() - told_ms >= HEARD_MS_MAX // 4:
                told_ms = steady_ms()
                self._tell()
            if self._unsaved and steady_ms() - self._saved_ms >= SAVE_MS:
                await self._save()
            await asyncio.sleep(LOOK_S)

    async def _listening_for_news(self) -> None:
        """While this till uploads, let head office say when it has something for the store."""
        while True:
            have, mark = self._uplink.office_events, self._uplink.orders_mark
            if not self._uplink.uploads or not self._uplink.reachable:
                await asyncio.sleep(LOOK_S)
                continue
            try:
                reply = await self._listening.ask(lambda: self._bell.news(have, mark))  # noqa: B023 - awaited here
            except TillmeshError:
                reply = Reply(0, b"")
                self._perform(self._uplink.news(steady_ms()))  # see whether head office is there, and say so if not
            if reply.status != 200:
                await asyncio.sleep(max(NEWS_AGAIN_S, reply.retry_after_s) * (1 + random.random()))  # noqa: S311
            elif reply.problem().get("news") is True:
                self._perform(self._uplink.news(steady_ms()))
                await asyncio.sleep(LOOK_S)

    # What follows from it ---------------------------------------------------------------------------------------

    def _perform(self, steps: Sequence[UplinkStep]) -> None:
        """Do what the uplink asks for; nothing here waits."""
        for step in steps:
            match step:
                case AskState():
                    self._errands.run(self._ask(step))
                case LoadUp():
                    self._errands.run(self._load(step))
                case Upload():
                    self._errands.run(self._upload(step))
                case Known(durable, under_way):
                    self._learn(dict(durable), dict(under_way))
                case Take():
                    self._errands.run(self._take(step))
                case Alarm(kind, subject, detail):
                    log.error("%s: %s: %s", kind, subject, detail)
                    self._errands.run(self._driver.do(SYSTEM, Note(action=kind, subject=subject, detail=detail)))
                case WakeAt():
                    pass  # the looking looks often enough
                case _:
                    assert_never(step)

    async def _ask(self, step: AskState) -> None:
        try:
            reply = await self._speak(self._client.state)
            if reply.status == 200:
                self._perform(self._uplink.told(step.ticket, read_state(reply.body), steady_ms()))
            else:
                self._perform(self._uplink.failed(step.ticket, refusal(reply), steady_ms()))
        except TillmeshError as cause:
            self._perform(self._uplink.failed(step.ticket, Refusal(detail=cause.detail), steady_ms()))

    async def _load(self, step: LoadUp) -> None:
        try:
            events, signatures = await self._driver.read(
                lambda db, books: replica.load_signed(
                    db, books, step.spans, self._signatures, events_max=step.events_max, bytes_max=step.bytes_max
                )
            )
        except TillmeshError as cause:
            self._perform(self._uplink.failed(step.ticket, Refusal(detail=cause.detail), steady_ms()))
            return
        self._perform(self._uplink.loaded(step.ticket, events, signatures, steady_ms()))

    async def _upload(self, step: Upload) -> None:
        try:
            reply = await self._speak(lambda: self._client.upload(write_batch(step.batch), MEDIA))
            if reply.status == 200:
                self._synced_ms = now_ms()
                answer = read_answer(reply.body)
                self._perform(self._uplink.answered(step.ticket, answer, steady_ms()))
                if answer.model_orders is not None:
                    self._orders = tuple(answer.model_orders)
                    if self._on_orders is not None:
                        self._on_orders(self._orders)
            else:
                self._perform(self._uplink.failed(step.ticket, refusal(reply), steady_ms()))
        except TillmeshError as cause:
            self._perform(self._uplink.failed(step.ticket, Refusal(detail=cause.detail), steady_ms()))

    async def _speak(self, ask: Callable[[], Reply]) -> Reply:
        return await self._speaking.ask(ask)

    async def _take(self, step: Take) -> None:
        try:
            await self._mesh.take_in(step.events, step.signed)
        except TillmeshError as cause:
            log.warning("what head office sent could not be stored now: %s", cause.detail)

    def _learn(self, durable: dict[str, int], under_way: dict[str, int]) -> None:
        self._mesh.exchange.uploaded(durable)
        self._mesh.exchange.uploading(under_way)
        self._unsaved.update(durable)
        self._last = HubNews(durable, under_way, self._synced_ms, self._uplink.reachable, self._uplink.trouble)
        self._tell()

    def _tell(self) -> None:
        body = write_news(self._last)
        for terminal in self._mesh.linked():
            self._mesh.tell(terminal, Channel.HUB, body)

    async def _save(self) -> None:
        """Bring what head office holds to the disk now and then; it says it again whenever it is asked."""
        saved, self._unsaved = self._unsaved, {}
        self._saved_ms = steady_ms()
        if saved:
            try:
                await self._driver.note_acks([(HUB, saved)])
            except TillmeshError as cause:
                log.warning("what head office holds could not be noted: %s", cause.detail)


def refusal(reply: Reply) -> Refusal:
    """Read why head office did not take something."""
    said = reply.problem()
    return Refusal(
        status=reply.status,
        kind=str(said.get("kind", ""))[:40],
        detail=str(said.get("detail", ""))[:300],
        subject=str(said.get("actor", ""))[:64],
        retry_after_s=reply.retry_after_s,
    )
