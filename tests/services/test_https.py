"""HTTPS to somebody who hangs up as soon as there is a connection: no socket stays open."""

import gc
import select
import socket
import ssl
import struct
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tillmesh.adapters.https import HTTPSConnection


@contextmanager
def hanging_up() -> Iterator[int]:
    """Give the port of a peer that resets every connection as soon as it has it."""
    listening = socket.create_server(("127.0.0.1", 0))

    def reset() -> None:
        while True:
            try:
                taken, _ = listening.accept()
            except OSError:
                return
            taken.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            taken.close()

    peer = threading.Thread(target=reset)
    peer.start()
    try:
        yield listening.getsockname()[1]
    finally:
        listening.shutdown(socket.SHUT_RDWR)
        listening.close()
        peer.join()


class Late(ssl.SSLContext):
    """A busy machine's context: a socket that is connected already is wrapped only when its peer has hung up."""

    def wrap_socket(self, sock: socket.socket, *args: object, **kwargs: object) -> ssl.SSLSocket:
        try:
            sock.getpeername()
        except OSError:
            pass
        else:
            select.select([sock], [], [])  # it can be read: the reset has come
        return super().wrap_socket(sock, *args, **kwargs)  # type: ignore[arg-type]


def test_a_peer_that_hangs_up_at_once_leaves_no_socket_open() -> None:
    gc.collect()
    with hanging_up() as port, warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        line = HTTPSConnection("127.0.0.1", port, timeout=60, context=Late(ssl.PROTOCOL_TLS_CLIENT))
        with pytest.raises((ConnectionError, ssl.SSLError)):
            line.connect()
        line.close()
        del line
        gc.collect()
    assert [str(one.message) for one in told] == []
