"""How long a till of the store has heard nothing, and from when on it holds up nothing any more.

Not by a clock alone: what counts is the age of what it is known to lack. So a shop that was shut for the winter has no
silent tills, and a till that is merely off while nobody sells is not silent either. A wrong answer costs speed and no
data: whatever is put away stays readable, and a till that comes back gets it from any other.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Final

from tillmesh.kernel.limits import TILL_SILENT_DAYS
from tillmesh.till.retention import DAY_MS

SILENT_MS: Final = TILL_SILENT_DAYS * DAY_MS


def silent_ms(now_ms: int, lacked_ms: Iterable[int], written_ms: Iterable[int] = ()) -> int:
    """Say how long a till has been silent, by when the first events that it lacks were written, one of each log.

    ``written_ms`` is when it wrote the newest events of its own that are here: it was there then, however old what it
    lacks is by its author's clock. Moments to come say nothing. 0 for a till that lacks nothing.
    """
    lacked = [moment for moment in lacked_ms if moment <= now_ms]
    if not lacked:
        return 0
    return now_ms - max([min(lacked), *(moment for moment in written_ms if moment <= now_ms)])


def counted(members: Collection[str], silences_ms: Mapping[str, int]) -> frozenset[str]:
    """Leave out the tills that have been silent for too long: nobody waits for those."""
    return frozenset(name for name in members if silences_ms.get(name, 0) < SILENT_MS)
