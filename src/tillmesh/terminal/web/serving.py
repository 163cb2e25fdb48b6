"""uvicorn as this program uses it: on a socket that is already open, without signal handlers of its own."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator

import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

HEAD_BYTES_MAX = 65_536  # of all that is no body: request line, headers, framing, trailers
FRAMING_PART = 16  # chunks smaller than this on average are no upload but an attack


class Bounded(HttpToolsProtocol):
    """HTTP whose heads have a limit: the parser itself would collect a header that never ends."""

    _around = 0
    _body = 0

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

    def on_body(self, body: bytes) -> None:
        """Count what is read within limits of its own."""
        self._body += len(body)
        super().on_body(body)


def server_for(app: ASGIApp) -> uvicorn.Server:
    """Make a server; whoever runs it decides about signals."""
    server = uvicorn.Server(
        uvicorn.Config(
            app,
            http=Bounded,
            lifespan="off",
            access_log=False,
            log_level="warning",
            log_config=None,  # its loggers write as ours do
            timeout_graceful_shutdown=2,
            server_header=False,
        )
    )
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
