"""Find the till that shows a code: hints like any other, the code decides."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Final

from zeroconf import InterfaceChoice, IPVersion, ServiceStateChange, Zeroconf
from zeroconf.asyncio import AsyncServiceBrowser, AsyncServiceInfo, AsyncZeroconf

from tillmesh.adapters.lan.discovery import PAIRING, SERVICE
from tillmesh.adapters.lan.hints import ADDRESSES_PER_TILL_MAX, Hint

FOUND_MAX: Final = 16  # Guess: somebody may make up names; no shop has so many tills that show a code at once.
LOOKUP_MS: Final = 1_000
SETTLE_S: Final = 1.0  # after the first one: whether there is another


async def find_pairing(interfaces: Sequence[str] = (), *, within_s: float = 5.0) -> tuple[Hint, ...]:
    """Look for tills that show a code; gives where each of them can be paired with, every address of it."""
    engine = AsyncZeroconf(interfaces=list(interfaces) or InterfaceChoice.All, ip_version=IPVersion.V4Only)
    names: set[str] = set()
    found: dict[str, tuple[Hint, ...]] = {}
    news = asyncio.Event()

    def changed(zeroconf: Zeroconf, service_type: str, name: str, state_change: ServiceStateChange) -> None:  # noqa: ARG001
        if len(names) < FOUND_MAX:
            names.add(name)
        news.set()

    browser = AsyncServiceBrowser(engine.zeroconf, SERVICE, handlers=[changed])
    try:
        end = asyncio.get_running_loop().time() + within_s
        while (now := asyncio.get_running_loop().time()) < end:
            for name in list(names):
                hints = await _looked_up(engine, name)
                if hints and name not in found:
                    found[name] = hints
                    end = min(end, now + SETTLE_S)
            news.clear()
            try:
                async with asyncio.timeout(min(0.2, max(0.0, end - now))):
                    await news.wait()
            except TimeoutError:
                continue
    finally:
        await browser.async_cancel()
        await engine.async_close()
    return tuple(hint for hints in found.values() for hint in hints)


async def _looked_up(engine: AsyncZeroconf, name: str) -> tuple[Hint, ...]:
    info = AsyncServiceInfo(SERVICE, name)
    if not await info.async_request(engine.zeroconf, LOOKUP_MS):
        return ()
    port = (info.properties.get(PAIRING.encode()) or b"0").decode("ascii", "replace")
    if not (port.isdigit() and 0 < int(port[:6]) < 65_536):
        return ()
    hosts = info.parsed_addresses(IPVersion.V4Only)[:ADDRESSES_PER_TILL_MAX]
    return tuple(Hint(name.partition(".")[0], host, int(port[:6])) for host in hosts)
