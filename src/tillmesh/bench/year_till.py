"""One till of the shop that lives through a year: its data directory, node, database and exchange, all real.

Its links deliver at once.
"""

from __future__ import annotations

import shutil
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import assert_never

from tillmesh.adapters.sqlite import archive, folding, replica
from tillmesh.adapters.sqlite.database import write
from tillmesh.adapters.sqlite.identity import till_of
from tillmesh.adapters.sqlite.store import FILE, Reader
from tillmesh.bench.goods import MANAGER
from tillmesh.kernel.envelope import Head
from tillmesh.kernel.errors import Conflict
from tillmesh.kernel.limits import ARCHIVE_CHUNK_EVENTS, FOLD_PRODUCTS_PER_TURN_MAX
from tillmesh.sync import Acked, Apply, Closed, Fence, Load, Send, Side, WakeAt, read_frame, write_frame
from tillmesh.terminal import provisioning
from tillmesh.terminal.bootstrap import Opened, open_terminal
from tillmesh.terminal.signing import Signatures
from tillmesh.till.commands import Command
from tillmesh.till.effects import Outcome
from tillmesh.till.exchange import Ask, Exchange
from tillmesh.till.retention import archived_before_ms, settled


@dataclass(slots=True)
class Wire:
    """All links of the shop: frames on their way, in order. ``bytes`` counts what was said."""

    frames: deque[tuple[str, str, bytes]] = field(default_factory=deque)  # from, to, frame
    bytes: int = 0


class YearTill:
    """A till whose program starts, ends and starts again while its data directory stays."""

    def __init__(self, place: Path, store: str, wire: Wire) -> None:
        self.place = place
        self._wire = wire
        self._links: dict[str, int] = {}
        self._unsaved: dict[str, dict[str, int]] = {}
        self.opened: Opened = open_terminal(place, store=store)

    @property
    def name(self) -> str:
        """The terminal's id."""
        return self.opened.origin.terminal

    # The program --------------------------------------------------------------------------------------------------

    def begin(self, now_ms: int) -> None:
        """Go on from what is on disk, at a simulated time, among the members of the store."""
        opened = self.opened
        opened.writer.db.execute("PRAGMA synchronous=OFF")  # a year of synced commits would measure the disk
        opened.till = till_of(opened.writer, opened.origin, now_ms)
        belongs = provisioning.belonging(self.place, opened.origin.store, opened.origin.actor)
        assert belongs is not None
        me = Side(opened.origin.store, opened.origin.actor)
        self.signatures = Signatures(self.place, opened.origin.store)
        heads = replica.heads(opened.writer.db)
        self.exchange = Exchange(me, self.name, heads, notary=belongs.notary())
        self.exchange.recall(replica.acks(opened.writer.db))
        self._links.clear()
        self.reader: Reader = opened.reader()

    def end(self, *, gently: bool = True) -> None:
        """End the program: in good order, or with no word to the files beside the database."""
        self.reader.close()
        if gently:
            self.opened.close()
            return
        keys = self.opened.writer.keys
        self.opened.writer.close()
        if keys is not None:
            keys.close()
        self.opened.anchor.close()

    def start(self, now_ms: int) -> None:
        """Start the program again."""
        self.opened = open_terminal(self.place)
        self.begin(now_ms)

    def throw_away(self) -> None:
        """End for good: the machine is replaced by another one."""
        self.end(gently=False)
        shutil.rmtree(self.place)

    def execute(self, commands: Sequence[Command], now_ms: int) -> list[Outcome]:
        """Decide commands of the manager, and tell the peers."""
        opened = self.opened
        outcomes = opened.writer.execute_all(opened.till, [(MANAGER, command) for command in commands], now_ms)
        opened.anchor.remember(opened.till.head, opened.till.receipts)
        self._perform(self.exchange.appended(opened.till.head), now_ms)
        return outcomes

    # Its links ----------------------------------------------------------------------------------------------------

    def link(self, peer: str, now_ms: int) -> None:
        """A link to a peer is up."""
        number, asks = self.exchange.linked(peer, now_ms)
        self._links[peer] = number
        self._perform(asks, now_ms)

    def unlink(self) -> None:
        """All links are down."""
        for peer, number in self._links.items():
            self.exchange.unlinked(peer, number)
        self._links.clear()

    def follow(self, leader: str, now_ms: int) -> None:
        """Hear who leads."""
        self._perform(self.exchange.lead(leader), now_ms)

    def hear(self, peer: str, frame: bytes, now_ms: int) -> None:
        """Take in a frame."""
        self._perform(self.exchange.received(peer, self._links[peer], read_frame(frame), now_ms), now_ms)

    def _perform(self, asks: Sequence[Ask], now_ms: int) -> None:
        waiting = deque(asks)
        while waiting:
            ask = waiting.popleft()
            match ask.step:
                case Send(message):
                    frame = write_frame(message)
                    self._wire.bytes += len(frame)
                    self._wire.frames.append((self.name, ask.peer, frame))
                case Load():
                    waiting.extend(self._load(ask, ask.step, now_ms))
                case Apply():
                    heads = self._merge(ask.step, now_ms)
                    waiting.extend(self.exchange.applied(ask.peer, ask.link, ask.step.batch, heads, now_ms))
                case Acked(durable):
                    self._unsaved.setdefault(ask.peer, {}).update(durable)
                case WakeAt():
                    pass
                case Fence() | Closed():
                    raise Conflict(f"{self.name} and {ask.peer}: {ask.step}", hint="Nothing here may end a session.")
                case _:
                    assert_never(ask.step)

    def _load(self, ask: Ask, step: Load, now_ms: int) -> list[Ask]:
        opened = self.opened
        events, signed = replica.load_signed(
            opened.writer.db, opened.writer.books, step.spans, self.signatures,
            events_max=step.events_max, bytes_max=step.bytes_max,
        )  # fmt: skip
        return self.exchange.loaded(ask.peer, ask.link, events, now_ms, signed)

    def _merge(self, step: Apply, now_ms: int) -> dict[str, Head]:
        return replica.merge(self.opened.writer, self.opened.till, step.events, now_ms, step.signed)

    # By night -----------------------------------------------------------------------------------------------------

    def tidy(self) -> None:
        """Note what peers hold, and forget signatures that are not needed any more."""
        replica.acknowledge(self.opened.writer, list(self._unsaved.items()))
        self._unsaved = {}
        replica.thin_signatures(self.opened.writer.db, self.signatures.actors)

    def put_away(self, held_by_tills: Mapping[str, int], now_ms: int) -> None:
        """Put old sales away that all tills hold."""
        db, books = self.opened.writer.db, self.opened.writer.books
        heads = {actor: head.seq for actor, head in replica.heads(db).items()}
        before = archived_before_ms(now_ms)
        for actor, upto in settled(heads, held_by_tills=held_by_tills, held_by_office=None).items():
            while chunk := archive.gather(db, books.actors.id(actor), upto, before, least=ARCHIVE_CHUNK_EVENTS):
                with write(db):
                    archive.put_away(db, chunk)

    def join_columns(self) -> None:
        """Carry the stock of tills that are gone over into one column."""
        db, last = self.opened.writer.db, ""
        while skus := folding.waiting(db, last, FOLD_PRODUCTS_PER_TURN_MAX):
            with write(db):
                folding.carry(db, skus)
            last = skus[-1]

    def disk_bytes(self) -> int:
        """Give what the database takes on disk, with its write-ahead log."""
        files = (self.place / FILE, self.place / f"{FILE}-wal")
        return sum(path.stat().st_size for path in files if path.exists())
