"""A host on the shop's network that lies about its tills in every way that mDNS and TLS let it; run as a program.

Arguments: the mark of the store in announcements, the store's id, how many made-up records, the own address, the
terminal ids and the link addresses of the true tills.
"""

from __future__ import annotations

import asyncio
import contextlib
import ssl
import sys

from zeroconf import InterfaceChoice, IPVersion, ServiceInfo
from zeroconf.asyncio import AsyncZeroconf

from tests.services.lan.lan_store import LanStore
from tillmesh.adapters.lan.certificates import Credentials, ssl_context
from tillmesh.adapters.lan.discovery import SERVICE

DOOR = 666
OPENING = (
    b"GET /link/1 HTTP/1.1\r\nHost: tillmesh\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"
    b"Tillmesh-Boot: 0123456789abcdef\r\n\r\n"
)


def lie(mark: str, name: str, port: int, address: str) -> ServiceInfo:
    told = {"s": mark, "p": "1", "j": str(DOOR)}
    host = f"pos-{name}.local."
    return ServiceInfo(
        SERVICE, f"{name}.{SERVICE}", port=port, properties=told, server=host, parsed_addresses=[address]
    )


async def knock(door: str, credentials: Credentials) -> None:
    """Ask for a link with a certificate of an authority of the same name, with none, and with noise."""
    host, _, port = door.rpartition(":")
    bare = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    bare.check_hostname, bare.verify_mode = False, ssl.CERT_NONE
    own = ssl_context("client", credentials)
    own.verify_mode = ssl.CERT_NONE
    for context in (own, bare):
        with contextlib.suppress(OSError, EOFError):
            reader, writer = await asyncio.open_connection(host, int(port), ssl=context, server_hostname="")
            writer.write(OPENING)
            assert b" 101 " not in await reader.read(64), "it was let in"
            writer.close()
    with contextlib.suppress(OSError):
        _, writer = await asyncio.open_connection(host, int(port))
        writer.write(bytes(range(256)) * 64)
        await writer.drain()
        writer.close()


async def announce(rogue: AsyncZeroconf, mark: str, mine: str, names: list[str]) -> None:
    """Claim the names of the true tills."""
    for name in names:
        await (await rogue.async_register_service(lie(mark, name, DOOR, mine), cooperating_responders=True))


async def main(mark: str, store: str, records: int, mine: str, names: list[str], doors: list[str]) -> None:
    credentials = LanStore(store, b"\7" * 32).till("b")

    async def visited(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.close()

    context = ssl_context("server", credentials)
    context.verify_mode = ssl.CERT_NONE
    await asyncio.start_server(visited, mine, DOOR, ssl=context)  # a false till, which takes whoever comes
    rogue = AsyncZeroconf(interfaces=InterfaceChoice.All, ip_version=IPVersion.V4Only)
    await rogue.zeroconf.async_wait_for_start()
    await announce(rogue, mark, mine, names)
    for number in range(records):
        made_up = lie(mark, f"tx{number:06}", 1 + number % 60_000, mine)
        rogue.zeroconf.async_send(rogue.zeroconf.generate_service_broadcast(made_up, None))
        if number % 20 == 0:
            await asyncio.sleep(0)
    for name in names:
        await (await rogue.async_unregister_service(lie(mark, name, DOOR, mine)))  # says goodbye for them
    await announce(rogue, mark, mine, names)
    for door in doors:
        await knock(door, credentials)
    sys.stdout.write("done\n")
    sys.stdout.flush()
    await asyncio.to_thread(sys.stdin.read)
    await rogue.async_close()


if __name__ == "__main__":
    words = sys.argv[1:]
    asyncio.run(main(words[0], words[1], int(words[2]), words[3], words[4].split(), words[5].split()))
