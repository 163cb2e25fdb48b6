"""uvicorn as this program uses it: on a socket that is already open, without signal handlers of its own."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
from collections.abc import AsyncIterator
from typing import cast

import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

HEAD_BYTES_MAX = 65_536  # of all that is no body: request line, headers, framing, trailers
PEER = "tillmesh.peer"  # in the scope of a request: the certificate (DER) of the client, or None
FRAMING_PART = 16  # chunks smaller than this on average are no upload but an attack


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


def server_for(app: ASGIApp, tls: ssl.SSLContext | None = None) -> uvicorn.Server:
    """Make a server; whoever runs it decides about signals."""
    config = uvicorn.Config(
        app,
        http=Bounded,
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
