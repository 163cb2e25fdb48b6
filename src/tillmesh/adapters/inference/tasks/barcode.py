"""Bar codes in a picture. Decoders are no models, but they crash like models: they run in the worker as well."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from tillmesh.adapters.inference.barcodes import read
from tillmesh.edge.bundle import Bundle
from tillmesh.edge.scanning import DEEP, FAST
from tillmesh.kernel.errors import TillmeshError


class Reader:
    """Each input is one byte, how hard to look, and then a picture."""

    def run(self, inputs: Sequence[bytes]) -> Sequence[Any]:
        """Give the codes of each picture; raises ``ValueError`` for what is none."""
        return [self._one(given) for given in inputs]

    def tell(self, state: bytes) -> None:
        """Nothing that a till knows helps to read a code."""

    def _one(self, given: bytes) -> Any:
        if given[:1] not in {FAST, DEEP}:
            raise ValueError("how hard to look is not said")
        try:
            return msgspec.to_builtins(read(given[1:], deep=given[:1] == DEEP))
        except TillmeshError as error:
            raise ValueError(error.detail) from error


def load(_bundle: Bundle, _now_ms: Callable[[], int]) -> Reader:
    """Make a reader; the bundle holds no files."""
    return Reader()
