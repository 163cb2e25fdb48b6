"""What tills say about their store, sorted by kind: each kind of message has one who takes it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from tillmesh.sync.channels import Channel
from tillmesh.sync.store_messages import StoreMessage, read_store, write_store
from tillmesh.terminal.mesh import Mesh

Kind = TypeVar("Kind", bound=StoreMessage)


class StorePost:
    """Hands each message to the one that was named for its kind; others are let fall."""

    def __init__(self, mesh: Mesh) -> None:
        self._mesh = mesh
        self._takers: dict[type[Any], Callable[[str, Any], None]] = {}
        mesh.on(Channel.STORE, self._take)

    def on(self, kind: type[Kind], taker: Callable[[str, Kind], None]) -> None:
        """Name who takes a kind of message, with the actor that said it; an error that it raises ends the link."""
        self._takers[kind] = taker

    def tell(self, terminal: str, message: StoreMessage) -> bool:
        """Say something to a linked till; True is no promise that it arrives."""
        return self._mesh.tell(terminal, Channel.STORE, write_store(message))

    def tell_all(self, message: StoreMessage, but: str = "") -> None:
        """Say something to every till that is linked."""
        body = write_store(message)
        for terminal in self._mesh.linked():
            if terminal != but:
                self._mesh.tell(terminal, Channel.STORE, body)

    def _take(self, actor: str, body: bytes) -> None:
        message = read_store(body)
        taker = self._takers.get(type(message))
        if message is not None and taker is not None:
            taker(actor, message)
