"""What a model does for a till, one module for each ``task`` that a manifest can name.

A module has ``load(bundle, now_ms) -> Task``. It is imported by the worker alone, so it may import what is heavy.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol

from tillmesh.edge.bundle import Bundle


class Task(Protocol):
    """A model that is loaded, with what belongs before and after it."""

    def run(self, inputs: Sequence[bytes]) -> Sequence[Any]:
        """Answer each input with values that msgpack can carry; raises ``ValueError`` for an input that is none."""
        ...

    def tell(self, state: bytes) -> None:
        """Take in what the till knows and the model needs: products that were enrolled, phrases, prices."""
        ...


Load = Callable[[Bundle, Callable[[], int]], Task]
