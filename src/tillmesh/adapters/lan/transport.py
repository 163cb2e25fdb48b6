"""The port of the shop's network: links that carry frames between tills whose identity is proved."""

from __future__ import annotations

from typing import Final, Literal, Protocol

from tillmesh.kernel.errors import TillmeshError

Reason = Literal["unreachable", "timeout", "tls", "identity", "duplicate", "unexpected", "self", "refused"]

LINK_FRAMES_WAITING_MAX: Final = 4  # received and not yet taken; then the peer has to wait


class LinkGone(ConnectionError):
    """The link is closed, by either side or by the network."""


class LinkRefused(TillmeshError):
    """No link came about, and why."""

    status = 503
    kind = "link-refused"
    title = "No link to that till"

    def __init__(self, reason: Reason, detail: str, *, hint: str = "") -> None:
        super().__init__(detail, hint=hint)
        self.reason = reason


class Link(Protocol):
    """One connection to a peer.

    Contract: frames arrive whole, in order, at most once. A sender waits while its peer takes nothing, and never for
    ever. A closed link raises :class:`LinkGone` from both methods, at once.
    """

    @property
    def peer(self) -> str:
        """The actor that the peer's certificate names."""
        ...

    async def send(self, frame: bytes) -> None:
        """Hand over a frame; raises :class:`~tillmesh.kernel.errors.TooLarge` over FRAME_BYTES_MAX."""

    async def receive(self) -> bytes:
        """Wait for the next frame."""
        ...

    async def close(self) -> None:
        """Close the link; twice does no harm."""


class Network(Protocol):
    """What makes links. Links that peers dialled are handed to the callback that the network was made with.

    Contract: at most one link to a peer. A newer one takes the place of an older one; if two tills dial each other at
    once, both keep the link that the smaller actor dialled.
    """

    async def dial(self, host: str, port: int, *, expect: str = "") -> Link:
        """Make a link; raises :class:`LinkRefused`, also if ``expect`` is given and somebody else is there."""
        ...

    def linked(self) -> frozenset[str]:
        """Say to which actors there are links."""
        ...

    def reconsider(self) -> frozenset[str]:
        """Close the links of those who are no longer admitted, at once; says whose."""
        ...

    async def close(self) -> None:
        """Close everything."""
