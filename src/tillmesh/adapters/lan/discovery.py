"""Announce this till on the local network and hear of others: mDNS and DNS-SD, ``_pos._tcp.local.``.

Listens to records directly: a browser of services would schedule refreshes for every name that anybody makes up. What
the library caches is bounded by itself, what we keep by :class:`HintTable`.
"""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import logging
from collections.abc import Callable, Sequence
from typing import Final, cast

import ifaddr
from zeroconf import (  # type: ignore[attr-defined] # records are public by its documentation, not by its __all__
    DNSAddress,
    DNSCache,
    DNSOutgoing,
    DNSQuestion,
    DNSRecord,
    DNSService,
    DNSText,
    InterfaceChoice,
    IPVersion,
    RecordUpdate,
    RecordUpdateListener,
    ServiceInfo,
    Zeroconf,
)
from zeroconf.asyncio import AsyncZeroconf

from tillmesh.adapters.lan.hints import ADDRESSES_PER_TILL_MAX, TERMINAL, Hint, HintTable, store_mark
from tillmesh.adapters.lan.metered import Listening, Meter, Metered

log = logging.getLogger(__name__)
SERVICE: Final = "_pos._tcp.local."
PROTOCOL: Final = 1
PAIRING: Final = "j"  # in the text record: the port to pair at, 0 while no code is shown
ASK_EVERY_S: Final = 30.0
ASK_FIRST_S: Final = (0.2, 1.0, 3.0)  # RFC 6762, section 5.2: the first questions at growing intervals
QUERY: Final = 0  # flags of a question (RFC 1035, section 4.1.1)
A, PTR, TXT, SRV = 1, 12, 16, 33  # types of records (RFC 1035, section 3.2.2; RFC 2782)
INTERNET: Final = 1


class _Said:
    """What one packet says of a till. What it leaves out was said before, by whom does not matter: it is a hint.

    Of each kind one record is looked at, however many somebody made up: with all of them a packet took a millisecond.
    """

    __slots__ = ("_hosts", "_text", "_where")

    def __init__(self) -> None:
        self._hosts: list[str] = []
        self._where: DNSService | None = None
        self._text: DNSText | None = None

    def add(self, record: DNSRecord) -> None:
        if isinstance(record, DNSService):
            self._where = record
        elif isinstance(record, DNSText):
            self._text = record
        elif isinstance(record, DNSAddress) and record.type == A and len(self._hosts) < ADDRESSES_PER_TILL_MAX:
            self._hosts.append(_shown(record))

    def hints(self, terminal: str, mark: str, cache: DNSCache) -> list[Hint]:
        name = f"{terminal}.{SERVICE}"
        where = self._where or cache.get_by_details(name, SRV, INTERNET)
        text = self._text or cache.get_by_details(name, TXT, INTERNET)
        if not isinstance(where, DNSService) or not isinstance(text, DNSText):
            return []
        told = ServiceInfo(SERVICE, name, properties=text.text).properties
        if told.get(b"s") != mark.encode() or told.get(b"p") != str(PROTOCOL).encode():
            return []
        hosts = self._hosts
        if not hosts:
            newest = cache.get_by_details(where.server, A, INTERNET)
            hosts = [_shown(newest)] if isinstance(newest, DNSAddress) else []
        return [Hint(terminal, host, where.port) for host in hosts]


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
        self._said: dict[str, _Said] = {}  # by the packet that is being read, by terminal
        self._meter = Meter()
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
        """Note what a packet says of tills; a goodbye (a time to live of 0) is not news of anybody."""
        for update in records:
            terminal = _terminal_in(update.new.name)
            if terminal and terminal != self._terminal and update.new.ttl:
                self._said.setdefault(terminal, _Said()).add(update.new)

    def async_update_records_complete(self) -> None:
        """Put together what is now known about those tills."""
        told, self._said = self._said, {}
        if self._held is None:
            return
        now_s, cache = asyncio.get_running_loop().time(), self._held[0].zeroconf.cache
        hints = [hint for terminal, said in told.items() for hint in said.hints(terminal, self._mark, cache)]
        news = [hint for hint in hints if self._table.hear(hint, now_s)]
        if news:
            self._on_hint()

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
        self._limit(engine)
        engine.zeroconf.async_add_listener(self, None)
        # Announced without asking whether the name is free: a stranger who claims it must not silence this till.
        await (await engine.async_register_service(self._info(addresses), cooperating_responders=True))

    def _limit(self, engine: AsyncZeroconf) -> None:
        """Let the library hear no more than a meter lets in."""
        for reader in engine.zeroconf.engine.readers:
            inner = cast("Listening", reader.transport.get_protocol())
            reader.transport.set_protocol(Metered(inner, self._meter))

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


def _shown(record: DNSAddress) -> str:
    return str(ipaddress.IPv4Address(record.address))


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
