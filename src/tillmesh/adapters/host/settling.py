"""Memory habits of a process that runs for weeks: what was loaded at start is never collected, so never walked."""

from __future__ import annotations

import gc
from typing import Final

# Python's own is 700: a sale of 20 lines makes more objects than that, all of which reference counting frees.
YOUNG_OBJECTS_MAX: Final = 10_000


def settle_memory(young_objects_max: int = YOUNG_OBJECTS_MAX) -> None:
    """Call once, when everything is imported: garbage collection then looks only at what came later."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(young_objects_max, 20, 20)
