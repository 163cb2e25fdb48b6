"""Pictures of products at one till: kept in its database, served to its pages, fetched from the other tills.

What products name and is not here is fetched one by one, while there is room; when there is none left, only what a page
asks for, and what was used longest ago gives way. A page that asked for one is told once it is here.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from typing import Final

from tillmesh.adapters.sqlite import pictures as store
from tillmesh.kernel.envelope import Envelope
from tillmesh.kernel.errors import Conflict, TillmeshError
from tillmesh.kernel.limits import PICTURES_BYTES_MAX, PICTURES_LOOKED_AT_MAX, PICTURES_MISSED_MAX
from tillmesh.shop.pictures import Picture, cleaned, picture_of
from tillmesh.terminal.driver import Driver, now_ms
from tillmesh.terminal.errands import Errands
from tillmesh.terminal.mesh import Mesh
from tillmesh.terminal.picture_post import PicturePost
from tillmesh.till.effects import Outcome
from tillmesh.till.picture_shelf import forgotten, giving_way, may_go, over

log = logging.getLogger(__name__)
LOOK_S: Final = 60.0  # what nobody had is looked for again
DAY_MS: Final = 86_400_000  # so exactly is noted when one was used


class Pictures:
    """The shelf of one till. Lives on the event loop; the disk is beside it."""

    def __init__(self, driver: Driver, mesh: Mesh | None, tell: Callable[[str], None]) -> None:
        self.bytes_max = PICTURES_BYTES_MAX
        self.post = PicturePost(driver, mesh)
        self.has_room: Callable[[], bool] = lambda: True  # whether the disk has room for what may wait
        self.on_news: Callable[[], None] = lambda: None  # told when products may name others, or one has come
        self._driver = driver
        self._tell = tell
        self._news = asyncio.Event()
        self.post.on_got = self._news.set
        self._missed: dict[str, None] = {}  # that a page asked for, the first first
        self._used: dict[str, int] = {}  # and not noted yet
        self._full = False
        self._room = asyncio.Lock()
        self._errands = Errands("pictures of products")
        driver.listen(self._committed)
        if mesh is not None:
            mesh.listen(self._heard)
            mesh.watch(lambda _: self._news.set())

    def start(self) -> None:
        """Begin to look for what is not here."""
        self._errands.run(self._looking())

    async def stop(self) -> None:
        """Stop."""
        await self._errands.stop()
        await self.post.stop()

    async def add(self, data: bytes) -> Picture:
        """Keep a picture that somebody chose at this till; raises what is wrong with it."""
        clean = cleaned(data)
        picture = picture_of(clean)
        if not await self._keep(picture, clean, own=True):
            raise Conflict(
                f"this till keeps {self.bytes_max >> 20} MiB of pictures, and no more", hint="Remove some first."
            )
        return picture

    async def load(self, sha256: str) -> tuple[str, bytes] | None:
        """Give media and bytes of a picture; one that is not here is looked for, and the pages are told."""
        found = await self._driver.read(lambda db, _: store.load(db, sha256))
        if found is None:
            if len(self._missed) >= PICTURES_MISSED_MAX:
                self._missed.pop(next(iter(self._missed)))
            self._missed[sha256] = None
            self._news.set()
            self.on_news()
            return None
        media, data, used_ms = found
        if now_ms() - used_ms >= DAY_MS:
            self._used[sha256] = now_ms()
        return media, data

    # Looking for what is not here -------------------------------------------------------------------------------

    def _committed(self, outcome: Outcome) -> None:
        self._heard(outcome.events)

    def _heard(self, events: Sequence[Envelope]) -> None:
        if any(event.type == "products_changed" for event in events):
            self._news.set()
            self.on_news()

    async def _looking(self) -> None:
        while True:
            self._news.clear()
            try:
                await self._tidy()
                if self.has_room():
                    await self._fetch_missed()
                    await self._fetch_named()
            except TillmeshError as cause:
                log.warning("pictures are looked for later: %s", cause.detail)
                await asyncio.sleep(LOOK_S)
            try:
                async with asyncio.timeout(LOOK_S):
                    await self._news.wait()
            except TimeoutError:
                pass

    async def _tidy(self) -> None:
        """Note what was used, and forget what no product names any more."""
        when, self._used = self._used, {}
        if when:
            await self._driver.on_writer(lambda db: store.used(db, when))
        gone = forgotten(await self._driver.read(lambda db, _: store.shelf(db)), now_ms())
        if gone:
            await self._driver.on_writer(lambda db: store.drop(db, gone))
            self._full = False

    async def _fetch_missed(self) -> None:
        """Fetch what a page asked for, whatever gives way for it."""
        for sha256 in list(self._missed):
            picture = await self._named(sha256)
            if picture is None or await self._fetch(picture):
                self._missed.pop(sha256, None)

    async def _fetch_named(self) -> None:
        """Fetch what products name, as long as there is room for it."""
        after = ""
        while self.post.linked() and not self._full:
            batch = await self._lacking(after)
            for picture in batch:
                if await self._total() + picture.size > self.bytes_max:
                    self._full = True
                    return
                await self._fetch(picture)
                if self._missed:
                    await self._fetch_missed()
            if len(batch) < PICTURES_LOOKED_AT_MAX:
                return
            after = batch[-1].reference

    async def _make_room(self, picture: Picture) -> bool:
        """Let others give way; says whether there is room now, or the picture is here."""
        shelf = await self._driver.read(lambda db, _: store.shelf(db))
        if any(one.sha256 == picture.sha256 for one in shelf):
            return True
        asked = [one.sha256 for one in may_go(shelf) if one.named]
        gone = giving_way(shelf, over(shelf, picture.size, self.bytes_max), await self.post.kept_by_smaller(asked))
        if gone:
            await self._driver.on_writer(lambda db: store.drop(db, gone))
        return gone is not None

    async def _total(self) -> int:
        return await self._driver.read(lambda db, _: store.total(db))

    async def _named(self, sha256: str) -> Picture | None:
        return await self._driver.read(lambda db, _: store.reference_of(db, sha256))

    async def _lacking(self, after: str) -> list[Picture]:
        return await self._driver.read(lambda db, _: store.lacking(db, after, PICTURES_LOOKED_AT_MAX))

    async def _fetch(self, picture: Picture) -> bool:
        """Get a picture from another till and keep it; says whether it is here now."""
        data = await self.post.fetch(picture)
        return data is not None and await self.take_in(picture, data)

    async def wants(self, picture: Picture) -> bool:
        """Say whether there is room for a picture that head office has, or a page asked for it."""
        return self.has_room() and (
            picture.sha256 in self._missed or await self._total() + picture.size <= self.bytes_max
        )

    async def take_in(self, picture: Picture, data: bytes) -> bool:
        """Keep a picture that somebody else had, and whose bytes were looked at; says whether it is here now."""
        if not await self._keep(picture, data, own=False):
            return False
        if picture.sha256 in self._missed:
            self._tell(picture.sha256)
            self._missed.pop(picture.sha256, None)
        return True

    async def _keep(self, picture: Picture, data: bytes, *, own: bool) -> bool:
        """Put a picture on the shelf, letting others give way for it; says whether there was room."""
        async with self._room:
            if await self._total() + picture.size > self.bytes_max and not await self._make_room(picture):
                return False
            await self._driver.on_writer(lambda db: store.keep(db, picture, data, now_ms(), own=own))
        self.post.announce(picture.sha256)
        self.on_news()
        return True
