"""Carry a pairing over TCP: a length and a message, nothing else. The messages protect themselves."""

from __future__ import annotations

import asyncio
import logging
import socket
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Final, assert_never

from tillmesh.adapters.lan.door import Door
from tillmesh.adapters.lan.pairing import Asked, Host, Joiner, Reply
from tillmesh.adapters.lan.pairing_messages import MESSAGE_BYTES_MAX, Grant, PairingFailed, Request
from tillmesh.kernel.errors import TillmeshError

log = logging.getLogger(__name__)
PATIENCE_S: Final = 10.0
VISITORS_MAX: Final = 16
ASKING_BYTES_MAX: Final = 16 << 10  # A joiner has nothing larger to say.

Decide = Callable[[Asked], Awaitable[Grant]]


def monotonic_ms() -> int:
    """Give the time that codes expire by; setting the clock does not move it."""
    return time.monotonic_ns() // 1_000_000


@dataclass(eq=False, slots=True)
class _Visitor:
    task: asyncio.Task[None]
    address: str


class PairingPost:
    """Listens while an enrolled till shows its code.

    Invariant: at most VISITORS_MAX visitors. One more, and one gives way: not the one who is being paired, but of the
    address with the most of them the one that came first. So nobody holds the port by sitting there.
    """

    def __init__(self, host: Host, decide: Decide, *, patience_s: float = PATIENCE_S) -> None:
        self._host, self._decide, self._patience_s = host, decide, patience_s
        self._visitors: list[_Visitor] = []  # in the order in which they came
        self._begun: _Visitor | None = None  # who began last: the host speaks with no other one
        self._server: asyncio.Server | None = None
        self.news = asyncio.Event()  # set whenever ``Host.state`` or ``Host.tries_left`` may have changed

    async def listen(self, address: str, port: int) -> int:
        """Listen; gives the port, which is chosen by the system for 0."""
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        door = Door(family, _turned_away, per_address=2 * VISITORS_MAX)
        try:
            door.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            door.bind((address, port))
            self._server = await asyncio.start_server(self._visited, sock=door)
        except BaseException:
            door.close()
            raise
        return int(door.getsockname()[1])

    async def close(self) -> None:
        """Stop; whoever is being paired has to start again."""
        if self._server is not None:
            self._server.close()
        tasks = [visitor.task for visitor in self._visitors]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if self._server is not None:
            await self._server.wait_closed()

    async def _visited(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        visitor = _Visitor(task, str((writer.get_extra_info("peername") or ("",))[0]))
        self._visitors.append(visitor)
        self._make_room()
        try:
            await self._talk(visitor, reader, writer)
        except (OSError, EOFError, TimeoutError, PairingFailed) as cause:
            log.info("a pairing ended: %s", cause)
        except asyncio.CancelledError:
            log.info("a pairing was called off")
        finally:
            self._gone(visitor)
            self.news.set()
            writer.close()

    def _make_room(self) -> None:
        if len(self._visitors) <= VISITORS_MAX:
            return
        crowds = Counter(visitor.address for visitor in self._visitors)
        others = (visitor for visitor in self._visitors if visitor is not self._begun)
        leaving = max(others, key=lambda visitor: crowds[visitor.address])  # the first one of them
        self._gone(leaving)
        leaving.task.cancel()

    def _gone(self, visitor: _Visitor) -> None:
        if visitor in self._visitors:
            self._visitors.remove(visitor)

    async def _talk(self, visitor: _Visitor, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            data = await _read(reader, ASKING_BYTES_MAX, self._patience_s)
            try:
                answer = self._host.receive(data, monotonic_ms())
                self._begun = visitor
            except PairingFailed as cause:
                if cause.reply:
                    await _write(writer, cause.reply, self._patience_s)
                raise
            finally:
                self.news.set()
            match answer:
                case Reply():
                    await _write(writer, answer.data, self._patience_s)
                case Asked():
                    await _write(writer, await self._decided(answer), self._patience_s)
                    return
                case _:
                    assert_never(answer)

    async def _decided(self, asked: Asked) -> bytes:
        """Let the driver issue and store; what it refuses is told to the joiner without its reasons."""
        try:
            return self._host.grant(await self._decide(asked))
        except TillmeshError as cause:
            log.warning("%s was not taken in: %s", asked.actor, cause)
            return self._host.refuse()


async def join(
    address: str,
    port: int,
    joiner: Joiner,
    ask: Callable[[str, bytes], Request],
    *,
    others: Sequence[str] = (),
    patience_s: float = PATIENCE_S,
) -> Grant:
    """Pair with the till at an address; ``ask(store, transcript)`` gives the request once that till has proved itself.

    ``others`` are further addresses of it: of several networks that a till is in, a new one may reach just the last.

    Raises :class:`PairingFailed`, also for what the network does.
    """
    reader, writer, address = await _connect((address, *others), port, patience_s)
    try:
        await _write(writer, joiner.start(), patience_s)
        while True:
            data = await _read(reader, MESSAGE_BYTES_MAX, patience_s)
            answer = joiner.receive(data, monotonic_ms())
            if isinstance(answer, Grant):
                return answer
            reply = joiner.ask(ask(joiner.host[0], joiner.transcript)) if answer is None else answer.data
            await _write(writer, reply, patience_s)
    except (OSError, EOFError, TimeoutError) as cause:
        raise PairingFailed("stopped", f"the till at {address}:{port} said nothing more ({cause})") from cause
    finally:
        writer.close()


def _turned_away(reason: str, address: str) -> None:
    log.debug("turned away while a code is shown: %s (%s)", address, reason)


async def _read(reader: asyncio.StreamReader, bytes_max: int, patience_s: float) -> bytes:
    async with asyncio.timeout(patience_s):
        size = int.from_bytes(await reader.readexactly(4), "big")
        if size > bytes_max:
            raise PairingFailed("malformed", f"a message of {size} bytes; the limit is {bytes_max}")
        return await reader.readexactly(size)


async def _write(writer: asyncio.StreamWriter, data: bytes, patience_s: float) -> None:
    async with asyncio.timeout(patience_s):
        writer.write(len(data).to_bytes(4, "big") + data)
        await writer.drain()


async def _connect(
    addresses: Sequence[str], port: int, patience_s: float
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter, str]:
    causes = []
    for address in addresses:
        try:
            async with asyncio.timeout(patience_s):
                return (*await asyncio.open_connection(address, port), address)
        except (OSError, TimeoutError) as cause:
            causes.append(f"nobody pairs at {address}:{port} ({cause})")
    raise PairingFailed("stopped", "; ".join(causes))
