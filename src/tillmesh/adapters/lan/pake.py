"""SPAKE2 behind a wrapper: one code, two elements on the wire, one shared key if the codes are the same.

The library is pure Python and not constant-time; a code lives for two minutes and three tries, which leaves nothing
to time.
"""

from __future__ import annotations

from typing import Final, Literal

from spake2 import SPAKE2_A, SPAKE2_B
from spake2.ed25519_basic import NotOnCurve
from spake2.spake2 import SPAKEError

from tillmesh.kernel.errors import Invalid

ELEMENT_BYTES: Final = 33  # one byte for the side, then a point of edwards25519


class CodeExchange:
    """One side of one exchange; ``element`` goes to the other side, whose element goes to :meth:`finish`."""

    def __init__(self, side: Literal["joiner", "host"], code: str, joiner: bytes, host: bytes) -> None:
        kind = SPAKE2_A if side == "joiner" else SPAKE2_B
        self._exchange = kind(code.encode("ascii"), idA=joiner, idB=host)
        self.element: bytes = self._exchange.start()

    def finish(self, element: bytes) -> bytes:
        """Give 32 bytes that only somebody with the same code and the same two identities has."""
        if len(element) != ELEMENT_BYTES:
            raise Invalid(f"an element of {len(element)} bytes, not {ELEMENT_BYTES}")
        try:
            key: bytes = self._exchange.finish(element)
        # The library checks points with asserts, too.
        except (SPAKEError, NotOnCurve, ValueError, AssertionError) as cause:
            raise Invalid("an element that is no point of the group") from cause
        return key
