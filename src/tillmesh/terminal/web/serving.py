"""uvicorn as this program uses it: on a socket that is already open, without signal handlers of its own."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator

import uvicorn
from starlette.types import ASGIApp


def server_for(app: ASGIApp) -> uvicorn.Server:
    """Make a server; whoever runs it decides about signals."""
    server = uvicorn.Server(
        uvicorn.Config(
            app,
            http="httptools",
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
