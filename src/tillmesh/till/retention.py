"""What may be put away: old events that every till of the store and head office hold, never by age alone.

What is put away is compressed and stays readable here, so this decides about room and speed, not about what is kept.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from tillmesh.kernel.limits import ARCHIVE_AFTER_DAYS

DAY_MS: Final = 86_400_000


def settled(
    heads: Mapping[str, int], *, held_by_tills: Mapping[str, int] | None, held_by_office: Mapping[str, int] | None
) -> dict[str, int]:
    """Say up to which event of each actor nobody has to be told any more; actors without any are left out.

    ``held_by_tills`` is what the store agreed that all its tills hold, None for a till alone; ``held_by_office`` is
    what head office acknowledged, None without one.
    """
    found = {}
    for actor, head in heads.items():
        upto = head
        for held in (held_by_tills, held_by_office):
            if held is not None:
                upto = min(upto, held.get(actor, 0))
        if upto > 0:
            found[actor] = upto
    return found


def archived_before_ms(now_ms: int, *, days: int = ARCHIVE_AFTER_DAYS) -> int:
    """Give the moment before which sales are put away: so many days ago."""
    return now_ms - days * DAY_MS
