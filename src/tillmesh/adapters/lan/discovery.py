"""Announce this till on the local network and hear of others: mDNS and DNS-SD, ``_pos._tcp.local.``.

Listens to records directly: a browser of services would schedule refreshes for every name that anybody makes up. What
the library caches is bounded by itself, what we keep by :class:`HintTable`.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable, Sequence
from typing import Final

import ifaddr
from zeroconf import (  # type: ignore[attr-defined] # questions are public by its documentation, not by its __all__
    DNSOutgoing,
    DNSQuestion,
    InterfaceChoice,
    IPVersion,
    RecordUpdate,
    RecordUpdateListener,
    ServiceInfo,
    Zeroconf,
)
from zeroconf.asyncio import AsyncZeroconf

from tillmesh.adapters.lan.hints import ADDRESSES_PER_TILL_MAX, TERMINAL, Hint, HintTable, store_mark

log = logging.getLogger(__name__)
SERVICE: Final = "_pos._tcp.local."
PROTOCOL: Final = 1
PAIRING: Final = "j"  # in the text record: the port to pair at, 0 while no code is shown
ASK_EVERY_S: Final = 30.0
ASK_FIRST_S: Final = (0.2, 1.0, 3.0)  # RFC 6762, section 5.2: the first questions at growing intervals
QUERY: Final = 0  # flags of a question (RFC 1035, section 4.1.1)
PTR: Final = 12
INTERNET: Final = 1


class Mdns(RecordUpdateListener):
    """Announces one till and collects hints about the others of its store.

    Several tills on one host announce themselves under a host name of their own each, all on the shared port of mDNS.
    """

    def __init__(
        self,
        *,
        store: str,
        terminal: str,
        port: int,
        known: Callable[[str], bool],
        on_hint: Callable[[], None],
        addresses: Callable[[], Sequence[str]] | None = None,
        interfaces: Sequence[str] = (),
    ) -> None:
        self._mark = store_mark(store)
        self._terminal = terminal
        self._port = port
        self._addresses = addresses or lan_addresses
        self._on_hint = on_hint
        self._interfaces = list(interfaces)
        self._table = HintTable(known)
        self._dirty: set[str] = set()
        self._pairing_port = 0
        self._held: tuple[AsyncZeroconf, tuple[str, ...]] | None = None
        self._task: asyncio.Task[None] | None = None

    def hints(self) -> tuple[Hint, ...]:
        """Give what is known now."""
        return self._table.hints(asyncio.get_running_loop().time())

    def proved(self, hint: Hint, terminal: str) -> None:
        """Remember that this terminal answered there, with its certificate."""
        self._table.proved(hint, terminal)

    async def start(self) -> None:
        """Announce this till and begin to ask for others, both in the background."""
        self._task = asyncio.get_running_loop().create_task(self._asking())

    async def close(self) -> None:
        """Say goodbye and stop."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
        await self._shut()

    async def offer_pairing(self, port: int) -> None:
        """Announce where a new terminal can pair while a code is shown; 0 when it is not any more."""
        self._pairing_port = port
        if self._held is not None:
            engine, addresses = self._held
            await (await engine.async_update_service(self._info(addresses)))

    # Hearing ----------------------------------------------------------------------------------------------------

    def async_update_records(self, _zc: Zeroconf, _now: float, records: list[RecordUpdate]) -> None:
        """Note which tills a packet is about; a goodbye (a time to live of 0) is not news of anybody."""
        for update in records:
            terminal = _terminal_in(update.new.name)
            if terminal and terminal != self._terminal and update.new.ttl:
                self._dirty.add(terminal)

    def async_update_records_complete(self) -> None:
        """Look up what is now known about those tills."""
        dirty, self._dirty = self._dirty, set()
        if self._held is None:
            return
        now_s = asyncio.get_running_loop().time()
        news = [self._table.hear(hint, now_s) for terminal in dirty for hint in self._looked_up(terminal)]
        if any(news):
            self._on_hint()

    def _looked_up(self, terminal: str) -> list[Hint]:
        assert self._held is not None
        info = ServiceInfo(SERVICE, f"{terminal}.{SERVICE}")
        if not info.load_from_cache(self._held[0].zeroconf):
            return []
        told = info.properties
        if told.get(b"s") != self._mark.encode() or told.get(b"p") != str(PROTOCOL).encode():
            return []
        hosts = info.parsed_addresses(IPVersion.V4Only)[:ADDRESSES_PER_TILL_MAX]
        return [Hint(terminal, host, info.port or 0) for host in hosts]

    # Asking and announcing --------------------------------------------------------------------------------------

    async def _asking(self) -> None:
        waits = [*ASK_FIRST_S]
        while True:
            await self._refresh()
            await asyncio.sleep(waits.pop(0) if waits else ASK_EVERY_S)
            if self._held is not None:
                question = DNSOutgoing(QUERY)
                question.add_question(DNSQuestion(SERVICE, PTR, INTERNET))
                self._held[0].zeroconf.async_send(question)

    async def _refresh(self) -> None:
        """Open the sockets, and open them anew when the host's addresses have changed: a cable came back."""
        addresses = tuple(self._addresses())
        if self._held is not None and self._held[1] == addresses:
            return
        await self._shut()
        if not addresses:
            return
        try:
            engine = AsyncZeroconf(interfaces=self._interfaces or InterfaceChoice.All, ip_version=IPVersion.V4Only)
        except OSError as cause:
            log.warning("no announcements on this network for now: %s", cause)
            return
        self._held = (engine, addresses)
        await engine.zeroconf.async_wait_for_start()
        engine.zeroconf.async_add_listener(self, None)
        # Announced without asking whether the name is free: a stranger who claims it must not silence this till.
        await (await engine.async_register_service(self._info(addresses), cooperating_responders=True))

    def _info(self, addresses: Sequence[str]) -> ServiceInfo:
        return ServiceInfo(
            SERVICE,
            f"{self._terminal}.{SERVICE}",
            port=self._port,
            properties={"s": self._mark, "p": str(PROTOCOL), PAIRING: str(self._pairing_port)},
            server=f"pos-{self._terminal}.local.",
            parsed_addresses=list(addresses),
        )

    async def _shut(self) -> None:
        if self._held is not None:
            held, self._held = self._held[0], None
            await held.async_close()


def lan_addresses() -> list[str]:
    """Give this host's IPv4 addresses; loopback only while there is no other."""
    every = sorted({str(ip.ip) for adapter in ifaddr.get_adapters() for ip in adapter.ips if ip.is_IPv4})
    return [each for each in every if not each.startswith("127.")] or every


def _terminal_in(name: str) -> str:
    """Give the terminal that a record is about, or nothing."""
    label, dot, rest = name.partition(".")
    if dot and rest.lower() == SERVICE:
        found = label
    elif rest.lower() == "local." and label.startswith("pos-"):
        found = label.removeprefix("pos-")
    else:
        return ""
    return found if TERMINAL.fullmatch(found) else ""
