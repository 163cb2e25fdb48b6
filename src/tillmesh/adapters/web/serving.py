"""uvicorn as this program uses it: on a socket that is already open, without signal handlers of its own."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
from collections.abc import AsyncIterator, Callable
from typing import Any, cast

import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

HEAD_BYTES_MAX = 65_536  # of all that is no body: request line, headers, framing, trailers
PEER = "tillmesh.peer"  # in the scope of a request: the certificate (DER) of the client, or None
FRAMING_PART = 16  # chunks smaller than this on average are no upload but an attack
HEAD_S = 10.0  # in which the head of a request has to arrive, at a door for strangers
REQUEST_S = 60.0  # and all of it: a megabyte at 140 kbit/s
LetIn = Callable[[tuple[Any, ...]], None]  # told from where somebody comes whom TLS has proved


class Bounded(HttpToolsProtocol):
    """HTTP whose heads have a limit: the parser itself would collect a header that never ends."""

    _peer: bytes | None = None
    _around = 0
    _body = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Note whom TLS has proved at the other end, if it asked."""
        super().connection_made(transport)  # type: ignore[arg-type] # uvicorn narrows it
        secure = transport.get_extra_info("ssl_object")
        self._peer = None if secure is None else secure.getpeercert(binary_form=True)

    def data_received(self, data: bytes) -> None:
        """Take bytes from the network, and hang up on who sends too many around a body."""
        self._around += len(data)
        super().data_received(data)
        if self._around - self._body > HEAD_BYTES_MAX + self._body // FRAMING_PART:
            self.transport.close()

    def on_message_begin(self) -> None:
        """Count anew for each request of a connection."""
        self._around = self._body = 0
        super().on_message_begin()
        cast("dict[str, object]", self.scope)[PEER] = self._peer

    def on_body(self, body: bytes) -> None:
        """Count what is read within limits of its own."""
        self._body += len(body)
        super().on_body(body)


class Hurried(Bounded):
    """HTTP for strangers: who sends a byte now and then is hung up on, however patiently."""

    request_s = REQUEST_S
    let_in: LetIn | None = None
    _hanging_up: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Wait for the first request, but not for long."""
        super().connection_made(transport)
        let_in = type(self).let_in
        if self._peer is not None and let_in is not None:
            let_in(transport.get_extra_info("peername"))
        self._wait(HEAD_S)

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait for nothing any more."""
        self._wait(None)
        super().connection_lost(exc)

    def on_message_begin(self) -> None:
        """Wait for the rest of the head."""
        self._wait(HEAD_S)
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """Wait for the body."""
        self._wait(self.request_s)
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """Take the time that it takes to answer."""
        self._wait(None)
        super().on_message_complete()

    def _wait(self, seconds: float | None) -> None:
        if self._hanging_up is not None:
            self._hanging_up.cancel()
        self._hanging_up = None if seconds is None else self.loop.call_later(seconds, self.transport.abort)


def server_for(
    app: ASGIApp, tls: ssl.SSLContext | None = None, *, request_s: float = REQUEST_S, let_in: LetIn | None = None
) -> uvicorn.Server:
    """Make a server; whoever runs it decides about signals. With TLS it is a door for strangers."""
    hurried = {"request_s": request_s, "let_in": None if let_in is None else staticmethod(let_in)}
    config = uvicorn.Config(
        app,
        http=Bounded if tls is None else type("HurriedFor", (Hurried,), hurried),
        lifespan="off",
        access_log=False,
        log_level="warning",
        log_config=None,  # its loggers write as ours do
        timeout_graceful_shutdown=2,
        server_header=False,
    )
    config.load()
    config.ssl = tls  # loaded before: uvicorn itself would read keys from files
    server = uvicorn.Server(config)
    server.capture_signals = contextlib.nullcontext  # type: ignore[assignment, method-assign]
    return server


@contextlib.asynccontextmanager
async def serving(app: ASGIApp, listening: socket.socket) -> AsyncIterator[None]:
    """Serve while the block runs, on a copy of the socket: the socket itself stays open."""
    server = server_for(app)
    task = asyncio.create_task(server.serve(sockets=[listening.dup()]))
    try:
        yield
    finally:
        server.should_exit = True
        await task
