"""What head office keeps of a store's pictures: whoever uploads brings what it lacks, and gets what is lost here.

On a line of its own and behind the sales: while events are under way nothing is asked, and between two pictures there
is as much rest as work. Pictures go by hash, so it does not matter where somebody stopped, or who goes on.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Final, Protocol

from tillmesh.adapters.sqlite import pictures as store
from tillmesh.adapters.wan.client import HubClient, Reply
from tillmesh.adapters.wan.speaking import Speaker
from tillmesh.kernel.errors import TillmeshError
from tillmesh.kernel.limits import OFFICE_PICTURES_ASKED_MAX, RETRY_AFTER_S_MAX
from tillmesh.shop.pictures import Picture
from tillmesh.sync.office_pictures import MEDIA, read_held, write_which
from tillmesh.terminal.driver import Driver, steady_ms
from tillmesh.terminal.errands import Errands
from tillmesh.terminal.head_office import bundle_in
from tillmesh.terminal.picture_post import is_picture
from tillmesh.terminal.pictures import Pictures
from tillmesh.terminal.uplinking import Uplinking
from tillmesh.till.picture_shelf import Named, compare

log = logging.getLogger(__name__)
BUSY_S: Final = 0.2  # while sales are under way
REST_S_MIN: Final = 0.2  # head office takes ten calls a second
REST_S_MAX: Final = 5.0
LOOK_S: Final = 2.0  # whether this till uploads by now
AGAIN_S: Final = 60.0  # after a failure
OLD_S: Final = 600.0  # a head office of an older program keeps no pictures
FULL_S: Final = 3_600.0
FOUND, TAKEN, MISSING, FULL = 200, 204, 404, 409
ANSWERS: Final = frozenset((FOUND, TAKEN, MISSING, FULL, 413, 422))  # anything else is trouble that may pass
DAY_MS: Final = 86_400_000  # after which everything is asked once more: head office may be an old copy of itself


class Failed(TillmeshError):
    """Head office gave no answer that helps; ``again_s`` says when to ask again."""

    kind = "no-pictures"

    def __init__(self, detail: str, again_s: float) -> None:
        super().__init__(detail)
        self.again_s = again_s


class Talks(Protocol):
    """Who speaks to head office, and whether sales do so now."""

    @property
    def leads(self) -> bool:
        """Whether this till is the one that speaks to head office."""
        ...

    @property
    def busy(self) -> bool:
        """Whether events are under way."""
        ...


class Line(Protocol):
    """The three questions to head office; they block."""

    def which_pictures(self, question: bytes) -> Reply:
        """Ask which pictures it has."""
        ...

    def bring_picture(self, sha256: str, data: bytes, media: str) -> Reply:
        """Let it keep one."""
        ...

    def picture(self, sha256: str) -> Reply:
        """Get one back."""
        ...


class PictureOffice:
    """One till's part of it. Lives on the event loop; the line has a thread of its own."""

    def __init__(self, driver: Driver, pictures: Pictures, talks: Talks, client: Line) -> None:
        self.brought = self.fetched = 0
        self._driver, self._pictures, self._talks, self._client = driver, pictures, talks, client
        self._speaking = Speaker("pictures")
        self._news = asyncio.Event()
        self._settled: dict[str, bool] = {}  # what was found, by hash: on both sides, or on none
        self._since_ms = steady_ms()
        self._errands = Errands("pictures at head office")

    def start(self) -> None:
        """Begin."""
        self._pictures.on_news = self._news.set
        self._errands.run(self._going())

    async def stop(self) -> None:
        """Stop; whoever uploads next goes on."""
        await self._errands.stop()
        self._speaking.close()

    async def _going(self) -> None:
        while True:
            if not self._talks.leads:
                self._settled.clear()  # another till may bring and name others meanwhile
                await asyncio.sleep(LOOK_S)
                continue
            self._news.clear()
            try:
                await self._round()
            except Failed as why:
                log.info("pictures at head office: %s", why.detail)
                await asyncio.sleep(why.again_s)
                continue
            except TillmeshError as cause:
                log.warning("pictures at head office: %s", cause.detail)
                await asyncio.sleep(AGAIN_S)
                continue
            await self._wait()

    async def _wait(self) -> None:
        """Wait for news, or for another till to upload, or for tomorrow."""
        while self._talks.leads and not self._news.is_set() and steady_ms() - self._since_ms < DAY_MS:
            try:
                async with asyncio.timeout(LOOK_S):
                    await self._news.wait()
            except TimeoutError:
                pass

    async def _round(self) -> None:
        """Go once through all that products name."""
        if steady_ms() - self._since_ms >= DAY_MS:
            self._settled.clear()
            self._since_ms = steady_ms()
        after, more = "", True
        while more:
            place = after
            found, after = await self._driver.read(lambda db, _: store.named(db, place, OFFICE_PICTURES_ASKED_MAX))  # noqa: B023 - awaited here
            more = bool(after)
            await self._settle([one for one in found if self._settled.get(one.picture.sha256) is not one.here])

    async def _settle(self, named: list[Named]) -> None:
        """Ask about some, and bring and get what is on one side only."""
        if not named:
            return
        question = write_which(one.picture.sha256 for one in named)
        reply = await self._ask(lambda: self._client.which_pictures(question))
        if reply.status != FOUND:
            raise Failed("this head office keeps no pictures", OLD_S)
        wanted = compare(named, read_held(reply.body))
        for picture in wanted.fetch:
            await self._fetch(picture)
        for picture in wanted.send:
            await self._bring(picture)
        moved = {picture.sha256 for picture in (*wanted.fetch, *wanted.send)}
        self._settled.update({one.picture.sha256: one.here for one in named if one.picture.sha256 not in moved})

    async def _fetch(self, picture: Picture) -> None:
        if not await self._pictures.wants(picture):
            return
        reply = await self._ask(lambda: self._client.picture(picture.sha256))
        if reply.status != FOUND:
            return  # it gave way there meanwhile
        if not is_picture(reply.body, picture):
            self._settled[picture.sha256] = False
            log.error("head office handed out something else than picture %s", picture.sha256)
        elif await self._pictures.take_in(picture, reply.body):
            self.fetched += 1
            self._settled[picture.sha256] = True

    async def _bring(self, picture: Picture) -> None:
        found = await self._driver.read(lambda db, _: store.load(db, picture.sha256))
        if found is None:
            return  # it gave way here meanwhile
        data = found[1]
        reply = await self._ask(lambda: self._client.bring_picture(picture.sha256, data, MEDIA))
        if reply.status == FULL:
            raise Failed(str(reply.problem().get("detail", ""))[:300], FULL_S)
        self._settled[picture.sha256] = True
        if reply.status == TAKEN:
            self.brought += 1
        else:
            log.warning("head office does not take picture %s: %s", picture.sha256, reply.status)

    async def _ask(self, call: Callable[[], Reply]) -> Reply:
        """Ask when no sale wants to, and rest as long as it took."""
        while self._talks.leads and self._talks.busy:  # noqa: ASYNC110 - sales come and go, and nobody tells
            await asyncio.sleep(BUSY_S)
        if not self._talks.leads:
            raise Failed("another till uploads now", LOOK_S)
        asked_ms = steady_ms()
        reply = await self._speaking.ask(call)
        if reply.status not in ANSWERS:
            wait_s = min(reply.retry_after_s, RETRY_AFTER_S_MAX) or AGAIN_S
            raise Failed(f"answered {reply.status}: {reply.problem().get('detail', '')}"[:300], wait_s)
        await asyncio.sleep(min(max(REST_S_MIN, (steady_ms() - asked_ms) / 1000), REST_S_MAX))
        return reply


def at_head_office(
    driver: Driver, pictures: Pictures, uplinking: Uplinking | None, hub_url: str
) -> PictureOffice | None:
    """Put it together for a till that knows head office and can prove itself there."""
    bundle = bundle_in(driver.opened.data_dir) if uplinking is not None else None
    if uplinking is None or bundle is None:
        return None
    office = PictureOffice(driver, pictures, uplinking, HubClient(hub_url, bundle))
    office.start()
    return office
