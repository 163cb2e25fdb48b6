"""What tills of a store tell each other about models: head office's orders, whole bundles in pieces, and reports.

Whoever hears an order first passes it on to all; what somebody missed shows when the next link comes up, and once in a
while in any case. Bundles are handed out one piece at a time, behind everything else that a link carries.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated, Any, Final

import msgspec
from msgspec import Meta

from tillmesh.adapters.inference.parcels import Parcels
from tillmesh.edge.orders import OrderBook
from tillmesh.kernel.ids import terminal_of
from tillmesh.kernel.limits import MODEL_ORDERS_MAX, MODEL_REFUSALS_MAX
from tillmesh.sync.channels import Channel
from tillmesh.sync.model_messages import (
    Ask,
    Known,
    ModelMessage,
    Orders,
    Passed,
    Piece,
    Told,
    read_message,
    write_message,
)
from tillmesh.sync.model_orders import OrderRefused, SignedOrder
from tillmesh.terminal.driver import now_ms, steady_ms
from tillmesh.terminal.errands import Errands
from tillmesh.terminal.mesh import Mesh

log = logging.getLogger(__name__)
FILE: Final = "orders.json"
KNOWN_S: Final = 30.0  # what was missed is noticed so late at most
ASKED_MS: Final = 60_000  # who wants a bundle asks again sooner
UNKNOWN: Final = "unknown"  # the model of an order that nobody signed
Kept = Annotated[list[SignedOrder], Meta(max_length=MODEL_ORDERS_MAX)]


class ModelPost:
    """One till's part. Lives on the event loop; the disk is beside it."""

    def __init__(
        self, models: Path, store: str, terminal: str, key: Callable[[], bytes | None], mesh: Mesh | None
    ) -> None:
        self.book = OrderBook(store)
        self.parcels = Parcels(models)
        self.refused: Counter[tuple[str, str]] = Counter()  # model, reason
        self.news = asyncio.Event()  # something to do, perhaps
        self.on_told: Callable[[str, Told], None] | None = None
        self.on_passed: Callable[[str, Passed], None] | None = None
        self.terminal = terminal
        self._file = models / FILE
        self._key = key
        self._mesh = mesh
        self._held_by: dict[str, frozenset[str]] = {}
        self._asked: dict[str, int] = {}  # bundles that others asked for and that are not here -> when
        self._serving: set[str] = set()
        self._pieces: dict[tuple[str, str], asyncio.Future[Piece]] = {}
        self._unread: list[SignedOrder] = []  # from before the last stop, until head office's key is known
        self._whole: tuple[str, ...] = ()
        self._writing = asyncio.Lock()
        self._errands = Errands("what tills say about models")

    async def start(self) -> None:
        """Remember the orders of before, and begin to talk."""
        self._unread = await asyncio.to_thread(self._read)
        await asyncio.to_thread(self.parcels.verify)
        self._whole = tuple(await asyncio.to_thread(self.parcels.whole))
        self.recall()
        if self._mesh is not None:
            self._mesh.on(Channel.MODELS, self._received)
            self._mesh.watch(self._link_changed)
            self._errands.run(self._telling())

    async def stop(self) -> None:
        """Stop talking."""
        await self._errands.stop()

    def recall(self) -> None:
        """Take the orders of before the last stop, once head office's key is known."""
        key = self._key()
        if key is None or not self._unread:
            return
        for signed in self._unread:
            try:
                self.book.recall(signed, key)
            except OrderRefused as refused:
                log.warning("an order that was kept is not followed: %s", refused.detail)
        self._unread = []

    def learn(self, orders: Sequence[SignedOrder], source: str = "") -> bool:
        """Take orders that head office or another till has told; says whether one of them is news."""
        key = self._key()
        if key is None:
            return False  # they are told again
        fresh = []
        for signed in orders:
            try:
                if self.book.take(signed, key, now_ms()):
                    fresh.append(signed)
            except OrderRefused as refused:
                self.refuse(UNKNOWN, refused.reason)
                log.warning("an order from %s is not followed: %s", source or "head office", refused.detail)
        if fresh:
            self._errands.run(self._keep())
            self.news.set()
            self._tell_all(Orders(fresh), but=source)
        return bool(fresh)

    def refuse(self, name: str, reason: str) -> None:
        """Count what was refused."""
        if (name, reason) in self.refused or len(self.refused) < MODEL_REFUSALS_MAX:
            self.refused[name, reason] += 1

    # Bundles ----------------------------------------------------------------------------------------------------

    async def ask(self, terminal: str, sha256: str, offset: int, size: int, wait_s: float) -> bytes | None:
        """Get a piece of a bundle from another till; nothing in it: not there yet. None: no answer."""
        if self._mesh is None:
            return None
        question = Ask(bytes.fromhex(sha256), offset, size)
        answer: asyncio.Future[Piece] = asyncio.get_running_loop().create_future()
        self._pieces[terminal, sha256] = answer
        try:
            if not self._mesh.tell(terminal, Channel.MODELS, write_message(question)):
                return None
            async with asyncio.timeout(wait_s):
                piece = await answer
            return piece.data if piece.offset == offset else None
        except TimeoutError:
            return None
        finally:
            self._pieces.pop((terminal, sha256), None)

    def holders(self, sha256: str) -> list[str]:
        """List the linked tills that have all of a bundle."""
        linked = self._mesh.linked() if self._mesh is not None else {}
        return sorted(terminal for terminal in linked if sha256 in self._held_by.get(terminal, frozenset()))

    def leader(self) -> str:
        """Give the till that leads, if it is another one and linked; else nothing."""
        leader = self._mesh.exchange.leader if self._mesh is not None else None
        return leader if leader is not None and self._mesh is not None and leader in self._mesh.linked() else ""

    def asked_for(self) -> list[str]:
        """List the bundles that other tills wait for and that are not here."""
        since = steady_ms() - ASKED_MS
        self._asked = {sha256: at for sha256, at in self._asked.items() if at >= since}
        return [sha256 for sha256 in self._asked if sha256 not in self._whole]

    async def tidy(self) -> None:
        """Forget bundles that no order names, and tell which are here."""
        wanted = {order.sha256 for order in self.book.orders()}
        await asyncio.to_thread(self.parcels.keep, wanted)
        whole = tuple(await asyncio.to_thread(self.parcels.whole))
        if whole != self._whole:
            self._whole = whole
            self._tell_all(self._known())

    def tell(self, terminal: str, message: ModelMessage) -> bool:
        """Say something to a linked till; True is no promise that it arrives."""
        return self._mesh is not None and self._mesh.tell(terminal, Channel.MODELS, write_message(message))

    # What others say --------------------------------------------------------------------------------------------

    def _received(self, actor: str, body: bytes) -> None:
        message, peer = read_message(body), terminal_of(actor)
        match message:
            case Known():
                self._heard_known(peer, message)
            case Orders():
                self.learn(message.orders, peer)
            case Ask():
                if peer not in self._serving:  # one question at a time
                    self._serving.add(peer)
                    self._errands.run(self._serve(peer, message))
            case Piece():
                waiting = self._pieces.get((peer, message.bundle.hex()))
                if waiting is not None and not waiting.done():
                    waiting.set_result(message)
            case Told() if self.on_told is not None:
                self.on_told(peer, message)
            case Passed() if self.on_passed is not None:
                self.on_passed(peer, message)
            case _:
                pass  # a newer program's, or nothing for a till without models

    def _heard_known(self, peer: str, known: Known) -> None:
        self._held_by[peer] = frozenset(digest.hex() for digest in known.bundles)
        self.news.set()
        lacks = self.book.newer_than(known.serials)
        mine = self.book.serials()
        if lacks:
            self.tell(peer, Orders(lacks))
        if any(serial > mine.get(name, 0) for name, serial in known.serials.items()):
            self.tell(peer, self._known())

    async def _serve(self, peer: str, asked: Ask) -> None:
        try:
            sha256 = asked.bundle.hex()
            data = await asyncio.to_thread(self.parcels.read, sha256, asked.offset, asked.size)
            if not data and any(order.sha256 == sha256 for order in self.book.orders()):
                self._asked[sha256] = steady_ms()
                self.news.set()
            self.tell(peer, Piece(asked.bundle, asked.offset, data))
        finally:
            self._serving.discard(peer)

    def _link_changed(self, actor: str) -> None:
        peer = terminal_of(actor)
        if self._mesh is not None and peer in self._mesh.linked():
            self.tell(peer, self._known())
        else:
            self._held_by.pop(peer, None)

    def _known(self) -> Known:
        return Known(self.book.serials(), [bytes.fromhex(sha256) for sha256 in self._whole[:MODEL_ORDERS_MAX]])

    def _tell_all(self, message: ModelMessage, but: str = "") -> None:
        for terminal in self._mesh.linked() if self._mesh is not None else ():
            if terminal != but:
                self.tell(terminal, message)

    async def _telling(self) -> None:
        while True:
            self.recall()
            self._tell_all(self._known())
            await asyncio.sleep(KNOWN_S)

    # The disk ---------------------------------------------------------------------------------------------------

    def _read(self) -> list[SignedOrder]:
        try:
            return msgspec.json.decode(self._file.read_bytes(), type=Kept)
        except FileNotFoundError:
            return []
        except (msgspec.DecodeError, OSError, UnicodeDecodeError) as cause:
            log.warning("%s is not read: %s; head office tells its orders again", self._file, cause)
            return []

    async def _keep(self) -> None:
        """Write the orders down; while the disk refuses they are only known until the next stop."""

        def write() -> None:
            body = msgspec.json.encode(self.book.newer_than({}))
            self._file.parent.mkdir(parents=True, exist_ok=True)
            half = self._file.with_suffix(".new")
            half.write_bytes(body)
            half.replace(self._file)

        try:
            async with self._writing:
                await asyncio.to_thread(write)
        except OSError as cause:
            log.warning("orders for models can't be kept: %s", cause)


def view(refused: Counter[tuple[str, str]], name: str) -> dict[str, Any]:
    """Give how often something of a model was refused, by reason."""
    return {reason: count for (model, reason), count in sorted(refused.items()) if model == name}
