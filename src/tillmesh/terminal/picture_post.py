"""What tills of a store say to each other about pictures: one asks, one answers, behind every sale.

A picture is what its hash says, so whoever hands one out can hold it back or waste a frame, and nothing else. A till
that hands out something else is asked for no picture for a while.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Callable, Collection, Iterable
from typing import Final

import apsw

from tillmesh.adapters.sqlite import pictures as store
from tillmesh.kernel.errors import TillmeshError
from tillmesh.kernel.ids import terminal_of
from tillmesh.kernel.limits import PICTURES_NAMED_MAX
from tillmesh.shop.pictures import Picture, picture_of
from tillmesh.sync.channels import Channel
from tillmesh.sync.picture_messages import Ask, Got, Have, Here, PictureMessage, Which, read_message, write_message
from tillmesh.terminal.driver import Driver, steady_ms
from tillmesh.terminal.errands import Errands
from tillmesh.terminal.mesh import Mesh

log = logging.getLogger(__name__)
ANSWER_S: Final = 15.0  # guess: a picture behind a batch of sales on a slow link
SILENT_MS: Final = 60_000  # who did not answer, as a till of an older program will not, is not asked for so long
SHUNNED_MS: Final = 600_000
FOUND_OUT_MS: Final = 60_000  # a till that lacks a picture is asked for it again after this


class PicturePost:
    """One till's part. Lives on the event loop; the disk is beside it."""

    def __init__(self, driver: Driver, mesh: Mesh | None) -> None:
        self.refused = 0  # answers that were not the picture that was asked for
        self.on_got: Callable[[], None] = lambda: None  # told when a till has got one that it lacked when asked
        self._driver = driver
        self._mesh = mesh
        self._own = driver.identity.terminal
        self._waiting: dict[tuple[str, str], asyncio.Future[PictureMessage]] = {}
        self._got: set[tuple[str, str]] = set()  # of those that are waited for: it came while the question was asked
        self._serving: set[str] = set()
        self._shunned: dict[str, int] = {}  # terminal -> until when
        self._lacks: dict[tuple[str, str], int] = {}  # terminal, picture -> until when it is not asked again
        self._errands = Errands("what tills say about pictures")
        if mesh is not None:
            mesh.on(Channel.PICTURES, self._received)
            mesh.watch(self._link_changed)

    async def stop(self) -> None:
        """Stop answering."""
        await self._errands.stop()

    def linked(self) -> list[str]:
        """List the tills that can be asked now."""
        now = steady_ms()
        self._lacks = {key: until for key, until in self._lacks.items() if until > now}
        linked = () if self._mesh is None else self._mesh.linked()
        return sorted(each for each in linked if self._shunned.get(each, 0) <= now)

    async def fetch(self, wanted: Picture) -> bytes | None:
        """Get a picture from whoever has it; None while nobody in touch has."""
        for terminal in self.linked():
            if (terminal, wanted.sha256) in self._lacks:
                continue
            answer = await self._ask(terminal, Ask(bytes.fromhex(wanted.sha256)), wanted.sha256)
            if not isinstance(answer, Here):
                continue
            if not answer.data:
                self._was_lacking(terminal, wanted.sha256)
            elif is_picture(answer.data, wanted):
                self._got.discard((terminal, wanted.sha256))
                return answer.data
            else:
                self.refused += 1
                self._shunned[terminal] = steady_ms() + SHUNNED_MS
                log.warning("%s handed out something else than picture %s", terminal, wanted.sha256)
        return None

    def announce(self, sha256: str) -> None:
        """Tell the others that a picture is here now: some may have asked for it too early."""
        if self._mesh is not None:
            body = write_message(Got(bytes.fromhex(sha256)))
            for terminal in self._mesh.linked():
                self._mesh.tell(terminal, Channel.PICTURES, body)

    async def kept_by_smaller(self, sha256s: Collection[str]) -> Counter[str]:
        """Ask the tills with smaller names which of some pictures they have; give how many say so of each."""
        found: Counter[str] = Counter()
        asked = list(sha256s)[:PICTURES_NAMED_MAX]
        question = Which([bytes.fromhex(each) for each in asked])
        for terminal in self.linked():
            if terminal < self._own:
                answer = await self._ask(terminal, question, "")
                if isinstance(answer, Have):
                    found.update({each.hex() for each in answer.sha256s} & set(asked))
        return found

    async def _ask(self, terminal: str, question: Ask | Which, about: str) -> PictureMessage | None:
        assert self._mesh is not None, "nobody is linked to a till that is alone"
        if (terminal, about) in self._waiting:
            return None  # asked already
        answer: asyncio.Future[PictureMessage] = asyncio.get_running_loop().create_future()
        self._waiting[terminal, about] = answer
        self._got.discard((terminal, about))
        try:
            if not self._mesh.tell(terminal, Channel.PICTURES, write_message(question)):
                return None
            async with asyncio.timeout(ANSWER_S):
                return await answer
        except TimeoutError:
            self._shunned[terminal] = max(self._shunned.get(terminal, 0), steady_ms() + SILENT_MS)
            return None
        finally:
            self._waiting.pop((terminal, about), None)

    def _received(self, actor: str, body: bytes) -> None:
        message, peer = read_message(body), terminal_of(actor)
        match message:
            case Ask() | Which():
                if peer not in self._serving:  # one question at a time
                    self._serving.add(peer)
                    self._errands.run(self._serve(peer, message))
            case Here():
                self._answered(peer, message.sha256.hex(), message)
            case Have():
                self._answered(peer, "", message)
            case Got():
                self._has_got(peer, message.sha256.hex())
            case None:
                pass  # a newer program's

    def _was_lacking(self, peer: str, sha256: str) -> None:
        """Note that a till did not have a picture, unless it said meanwhile that it has got it."""
        if (peer, sha256) in self._got:
            self._got.discard((peer, sha256))
            self.on_got()
        else:
            self._lacks[peer, sha256] = steady_ms() + FOUND_OUT_MS

    def _has_got(self, peer: str, sha256: str) -> None:
        """Hear that a till has got a picture; its answer to an earlier question may still be on the way."""
        if (peer, sha256) in self._waiting:
            self._got.add((peer, sha256))
        elif self._lacks.pop((peer, sha256), None) is not None:
            self.on_got()

    def _answered(self, peer: str, about: str, message: PictureMessage) -> None:
        """Give an answer to who waits for it; nobody waits for what nobody asked for."""
        waiting = self._waiting.get((peer, about))
        if waiting is not None and not waiting.done():
            waiting.set_result(message)

    async def _serve(self, peer: str, asked: Ask | Which) -> None:
        try:
            answer = await self._driver.read(lambda db, _: _answer(db, asked))
        except TillmeshError as cause:
            log.warning("a picture can't be read now: %s", cause.detail)
            return
        finally:
            self._serving.discard(peer)
        if self._mesh is not None:
            self._mesh.tell(peer, Channel.PICTURES, write_message(answer))

    def _link_changed(self, actor: str) -> None:
        """Forget what a till lacked or missed: it may be another program now. Who waits for it waits no longer."""
        peer = terminal_of(actor)
        self._lacks = {key: until for key, until in self._lacks.items() if key[0] != peer}
        if self._mesh is None or peer in self._mesh.linked():
            if self._shunned.get(peer, 0) <= steady_ms() + SILENT_MS:
                self._shunned.pop(peer, None)
            return
        for (terminal, _), waiting in list(self._waiting.items()):
            if terminal == peer and not waiting.done():
                waiting.set_exception(TimeoutError())


def _answer(db: apsw.Connection, asked: Ask | Which) -> Here | Have:
    if isinstance(asked, Ask):
        found = store.load(db, asked.sha256.hex())
        return Here(asked.sha256, b"" if found is None else found[1])
    return Have([bytes.fromhex(each) for each in sorted(store.here(db, _hex(asked.sha256s)))])


def _hex(digests: Iterable[bytes]) -> list[str]:
    return [each.hex() for each in digests]


def is_picture(data: bytes, wanted: Picture) -> bool:
    """Look whether bytes are the picture that a product names: its hash, its kind, its size, and nothing besides."""
    try:
        return picture_of(data) == wanted
    except TillmeshError:
        return False
