"""An HTTPS connection that leaves no socket open when the other side goes away just as it is made.

CPython wraps a socket that is connected already. If the peer resets it between the connect and the wrapping,
``SSLSocket._create`` (``Lib/ssl.py`` of 3.11) has taken the file descriptor over, raises, and gives nobody anything to
close: it stays open until it is collected. Wrapped first and connected then, it is ours to close.
"""

from __future__ import annotations

import http.client
import socket
import ssl
from typing import Any


class HTTPSConnection(http.client.HTTPSConnection):
    """As in the standard library, without proxies, and with every socket closed that did not become a connection."""

    _context: ssl.SSLContext

    def connect(self) -> None:
        """Connect and shake hands with the first of the host's addresses that answers; raises OSError."""
        failed: OSError = OSError(f"{self.host} has no address")
        for family, kind, proto, _, address in socket.getaddrinfo(self.host, self.port, type=socket.SOCK_STREAM):
            try:
                raw = socket.socket(family, kind, proto)
            except OSError as cause:  # a machine without this family
                failed = cause
                continue
            try:
                self.sock = self._secured(raw, address)
            except ssl.SSLError:
                raise
            except OSError as cause:
                failed = cause
            else:
                return
        raise failed

    def _secured(self, raw: socket.socket, address: tuple[Any, ...]) -> ssl.SSLSocket:
        open_end: socket.socket = raw
        try:
            raw.settimeout(self.timeout)
            raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            open_end = secure = self._context.wrap_socket(raw, server_hostname=self.host)
            secure.connect(address)
        except BaseException:
            open_end.close()
            raise
        return secure
