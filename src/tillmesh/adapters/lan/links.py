"""Links between tills: WebSockets over TLS 1.3 with certificates on both sides.

Who a peer is stands in its certificate, never in what it says or where it is. One link to a peer; a peer that reads
nothing slows its own link down and no other; a revoked peer loses its link at once.
"""

from __future__ import annotations

import asyncio
import logging
import re
import secrets
import socket
import ssl
from collections import Counter
from collections.abc import Callable, Coroutine
from typing import Any, Final

from websockets.asyncio.client import connect
from websockets.asyncio.connection import Connection
from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.exceptions import ConnectionClosed, InvalidStatus, WebSocketException
from websockets.http11 import Request, Response

from tillmesh.adapters.lan.certificates import CertificateRefused, Credentials, Gate, load_credentials, ssl_context
from tillmesh.adapters.lan.door import Door
from tillmesh.adapters.lan.transport import LINK_FRAMES_WAITING_MAX, Link, LinkGone, LinkRefused, Reason
from tillmesh.kernel.errors import TooLarge
from tillmesh.kernel.ids import terminal_of
from tillmesh.kernel.limits import FRAME_BYTES_MAX

log = logging.getLogger(__name__)
PATH: Final = "/link/1"
BOOT: Final = "Tillmesh-Boot"  # Random per start of a program: tells a till that came back from one that dials twice.
HANDSHAKE_S: Final = 5.0
STALL_S: Final = 15.0  # A peer that takes nothing for so long is gone; the same patience as a session has.
CLOSE_S: Final = 1.0
OUTGOING_BYTES_MAX: Final = 256 << 10  # in our buffer, beside the one frame that is being handed over
QUIET: Final = logging.getLogger(f"{__name__}.websocket")  # what strangers provoke is counted, not told line by line
QUIET.setLevel(logging.CRITICAL)
_BOOT: Final = re.compile(r"[0-9a-f]{16}")


class TlsLink:
    """One end of a link."""

    def __init__(
        self, socket: Connection, *, peer: str, certificate: bytes, boot: str, dialled: bool, stall_s: float
    ) -> None:
        self.peer = peer
        self._stall_s = stall_s
        self.certificate = certificate
        self.boot = boot
        self.dialled = dialled
        self._socket = socket
        self._turn = asyncio.Lock()

    async def send(self, frame: bytes) -> None:
        """Hand over a frame; waits while the peer takes nothing, but not for ever."""
        if len(frame) > FRAME_BYTES_MAX:
            raise TooLarge(f"a frame of {len(frame)} bytes; the limit is {FRAME_BYTES_MAX}", hint="Batch less.")
        # One at a time, so that what waits in the buffer is bounded whoever sends.
        try:
            async with asyncio.timeout(self._stall_s), self._turn:
                await self._socket.send(frame)
        except ConnectionClosed as cause:
            raise LinkGone(f"the link to {self.peer} is closed") from cause
        except TimeoutError as cause:
            self.abort()
            raise LinkGone(f"{self.peer} has taken nothing for {self._stall_s:.0f} s") from cause

    async def receive(self) -> bytes:
        """Wait for the next frame."""
        try:
            return await self._socket.recv(decode=False)
        except ConnectionClosed as cause:
            raise LinkGone(f"the link to {self.peer} is closed") from cause

    async def close(self) -> None:
        """Close the link; twice does no harm."""
        await self._socket.close()

    async def closed(self) -> None:
        """Wait until the link is gone."""
        await self._socket.wait_closed()

    async def answered(self) -> None:
        """Wait until the other end has answered a ping; raises :class:`LinkGone`."""
        try:
            await (await self._socket.ping())
        except ConnectionClosed as cause:
            raise LinkGone(f"the link to {self.peer} is closed") from cause

    def abort(self) -> None:
        """Drop the connection without another word."""
        self._socket.transport.abort()


class Links:
    """All links of one till.

    Invariant: ``_links`` holds at most one link for each actor, and only of actors that the gate admitted.
    """

    def __init__(
        self,
        credentials: Credentials,
        gate: Gate,
        on_link: Callable[[Link], None],
        *,
        handshake_s: float = HANDSHAKE_S,
        stall_s: float = STALL_S,
    ) -> None:
        self._handshake_s, self._stall_s = handshake_s, stall_s
        self._me = credentials.actor
        self._gate = gate
        self._on_link = on_link
        self._server_context = ssl_context("server", credentials)
        self._client_context = ssl_context("client", credentials)
        self._boot = secrets.token_hex(8)
        self._links: dict[str, TlsLink] = {}
        self._doors: list[Door] = []
        self._servers: list[Server] = []
        self._watching: set[asyncio.Task[None]] = set()
        self.refused: Counter[str] = Counter()  # how often, by reason

    async def listen(self, host: str, port: int) -> int:
        """Accept links at an address; gives the port, which is chosen by the system for 0."""
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        door = Door(family, self._count)
        try:
            door.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            door.bind((host, port))
            server = await serve(
                self._accepted,
                sock=door,
                ssl=self._server_context,
                process_request=self._examine,
                process_response=self._sign,
                open_timeout=self._handshake_s,
                server_header=None,
                compression=None,  # Frames are packed already.
                ping_interval=None,  # Sessions say that they are there.
                close_timeout=CLOSE_S,
                max_size=FRAME_BYTES_MAX,
                max_queue=LINK_FRAMES_WAITING_MAX,
                write_limit=OUTGOING_BYTES_MAX,
                logger=QUIET,
            )
        except BaseException:
            door.close()
            raise
        self._doors.append(door)
        self._servers.append(server)
        return int(door.getsockname()[1])

    async def dial(self, host: str, port: int, *, expect: str = "") -> TlsLink:
        """Make a link; raises :class:`LinkRefused`, and nothing else for what the network or the peer does."""
        try:
            connection = await connect(
                f"wss://tillmesh{PATH}",
                host=host,
                port=port,
                ssl=self._client_context,
                server_hostname="",
                additional_headers={BOOT: self._boot},
                open_timeout=self._handshake_s,
                user_agent_header=None,
                proxy=None,
                compression=None,
                ping_interval=None,
                close_timeout=CLOSE_S,
                max_size=FRAME_BYTES_MAX,
                max_queue=LINK_FRAMES_WAITING_MAX,
                write_limit=OUTGOING_BYTES_MAX,
                logger=QUIET,
            )
        except ssl.SSLError as cause:
            raise self._refuse("tls", f"{host}:{port} is no till of this store ({cause.reason})") from cause
        except TimeoutError as cause:
            raise self._refuse("timeout", f"{host}:{port} did not answer within {self._handshake_s:.0f} s") from cause
        except InvalidStatus as cause:
            said: Reason = "duplicate" if cause.response.status_code == 409 else "refused"
            raise self._refuse(said, f"{host}:{port} refused the link ({cause.response.status_code})") from cause
        except (OSError, EOFError, ValueError, WebSocketException) as cause:
            raise self._refuse("unreachable", f"no link to {host}:{port} ({cause})") from cause
        try:
            link = self._dialled(connection, connection.response, expect)
        except LinkRefused:
            connection.transport.abort()
            raise
        self._keep(link)
        return link

    def linked(self) -> frozenset[str]:
        """Say to which actors there are links."""
        return frozenset(self._links)

    def reconsider(self) -> frozenset[str]:
        """Close the links of those whom the gate does not admit any more, at once; says whose."""
        gone = set()
        for link in list(self._links.values()):
            try:
                self._gate.admit(link.certificate)
            except CertificateRefused as cause:
                self._count(cause.reason, link.peer)
                self._forget(link)
                link.abort()
                gone.add(link.peer)
        return frozenset(gone)

    def use(self, credentials: Credentials) -> None:
        """Show another certificate from now on, of this actor or of the one it goes on as; links that are up stay."""
        assert terminal_of(credentials.actor) == terminal_of(self._me)
        self._me = credentials.actor
        load_credentials(self._server_context, credentials)
        load_credentials(self._client_context, credentials)

    async def close(self) -> None:
        """Close everything."""
        for server in self._servers:
            server.close()
        await asyncio.gather(*(link.close() for link in list(self._links.values())))
        for server in self._servers:
            await server.wait_closed()
        await asyncio.gather(*self._watching)

    # The other side ---------------------------------------------------------------------------------------------

    def _examine(self, connection: ServerConnection, request: Request) -> Response | None:
        """Look at a visitor's certificate before anything else is spoken."""
        try:
            peer = self._gate.admit(_certificate(connection))
        except CertificateRefused as cause:
            self._left(connection)
            self._count(cause.reason, _place(connection)[0])
            return connection.respond(403, cause.reason)
        self._left(connection)
        boot = request.headers.get(BOOT, "")
        if request.path != PATH or _BOOT.fullmatch(boot) is None:
            self._count("malformed", peer)
            return connection.respond(404, "no link here")
        if peer == self._me:
            self._count("self", peer)
            return connection.respond(403, "self")
        if not self._wins(peer, boot, dialled=False):
            self._count("duplicate", peer)
            self._run(self._doubt(self._links[peer]))
            return connection.respond(409, "duplicate")
        return None

    def _sign(self, _: ServerConnection, _request: Request, response: Response) -> None:
        response.headers[BOOT] = self._boot

    async def _accepted(self, connection: ServerConnection) -> None:
        assert connection.request is not None
        certificate = _certificate(connection)
        assert certificate is not None
        boot = connection.request.headers[BOOT]
        # Once more: the list of tills, or another link, may have come in between.
        try:
            peer = self._gate.admit(certificate)
        except CertificateRefused as cause:
            self._count(cause.reason, _place(connection)[0])
            return
        if not self._wins(peer, boot, dialled=False):
            return
        link = TlsLink(connection, peer=peer, certificate=certificate, boot=boot, dialled=False, stall_s=self._stall_s)
        self._keep(link)
        try:
            self._on_link(link)
        except Exception:
            log.exception("the link of %s could not be taken on", peer)
            return
        await link.closed()

    def _dialled(self, connection: Connection, response: Response | None, expect: str) -> TlsLink:
        certificate = _certificate(connection)
        try:
            peer = self._gate.admit(certificate)
        except CertificateRefused as cause:
            raise self._refuse("identity", cause.detail, hint=cause.hint) from cause
        assert certificate is not None
        boot = response.headers.get(BOOT, "") if response is not None else ""
        if peer == self._me:
            raise self._refuse("self", "this address is our own, or that of a copy of this till")
        if expect and peer != expect:
            raise self._refuse("unexpected", f"{peer} answered where {expect} was expected")
        if not self._wins(peer, boot, dialled=True):
            raise self._refuse("duplicate", f"a link to {peer} is up already")
        return TlsLink(connection, peer=peer, certificate=certificate, boot=boot, dialled=True, stall_s=self._stall_s)

    # Which link stays -------------------------------------------------------------------------------------------

    def _wins(self, peer: str, boot: str, *, dialled: bool) -> bool:
        """Say whether a new link takes the place of the one there is. Both ends come to the same answer.

        A peer that was started anew, or that dials again, has lost the old link: the new one wins. If both dial at
        once, the link that the smaller actor dialled wins.
        """
        old = self._links.get(peer)
        if old is None or old.boot != boot or old.dialled == dialled:
            return True
        return dialled == (self._me < peer)

    def _keep(self, link: TlsLink) -> None:
        old = self._links.get(link.peer)
        self._links[link.peer] = link
        if old is not None:
            old.abort()
        self._run(self._watch(link))

    def _run(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._watching.add(task)
        task.add_done_callback(self._watching.discard)

    async def _doubt(self, link: TlsLink) -> None:
        """Drop a link whose peer dials again, unless that end of it still answers: a cable may have been pulled."""
        try:
            async with asyncio.timeout(self._handshake_s):
                await link.answered()
        except (TimeoutError, LinkGone):
            self._forget(link)
            link.abort()

    async def _watch(self, link: TlsLink) -> None:
        await link.closed()
        self._forget(link)

    def _forget(self, link: TlsLink) -> None:
        if self._links.get(link.peer) is link:
            del self._links[link.peer]

    # Counting ---------------------------------------------------------------------------------------------------

    def _left(self, connection: ServerConnection) -> None:
        for door in self._doors:
            door.proved(_place(connection))

    def _refuse(self, reason: Reason, detail: str, *, hint: str = "") -> LinkRefused:
        self.refused[reason] += 1
        return LinkRefused(reason, detail, hint=hint)

    def _count(self, reason: str, whom: str) -> None:
        """Count a refusal; log the 1st, 2nd, 4th, 8th ..., so that a flood of them does not become a flood of lines."""
        self.refused[reason] += 1
        times = self.refused[reason]
        if times & (times - 1) == 0:
            # Two tills that know each other's address dial each other: that is no alarm.
            level = logging.DEBUG if reason == "duplicate" else logging.WARNING
            log.log(level, "refused a link of %s: %s (%d times so far)", whom, reason, times)


def _certificate(connection: Connection) -> bytes | None:
    found = connection.transport.get_extra_info("ssl_object")
    certificate: bytes | None = None if found is None else found.getpeercert(binary_form=True)
    return certificate


def _place(connection: Connection) -> tuple[str, int]:
    where = connection.transport.get_extra_info("peername") or ("", 0)
    return str(where[0]), int(where[1])
