"""How much room a till has on its disk, and what it leaves undone for the sake of its sales while that is little.

A sale is never refused here: it is written as long as there is room for it, at last into the reserve that was kept
back. What may wait gives way long before that.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

from tillmesh.kernel.errors import TillmeshError
from tillmesh.kernel.limits import (
    ARCHIVE_AFTER_DAYS,
    ARCHIVE_AFTER_DAYS_SCARCE,
    ARCHIVE_AFTER_DAYS_TIGHT,
    DATA_BYTES_BUDGET,
    DATA_SCARCE_PERCENT,
    ROOM_BACK_PERCENT,
    ROOM_SCARCE_BYTES,
    ROOM_SCARCE_PERCENT,
    ROOM_TIGHT_BYTES,
    ROOM_TIGHT_PERCENT,
)

_MIB = 1 << 20


class Stage(IntEnum):
    """How scarce room is; each stage does what the one before it does, and more."""

    PLENTY = 0
    SCARCE = 1  # old sales are compressed earlier
    TIGHT = 2  # only sales and what belongs to them are written; what can be fetched again is dropped
    RESERVE = 3  # sales are written into the room that was kept back


@dataclass(frozen=True, slots=True, kw_only=True)
class Room:
    """What was found on the disk, in bytes."""

    free: int  # without the reserve
    disk: int
    data: int = 0  # what this till's data takes
    reserve_held: bool = True


class DiskNearlyFull(TillmeshError):
    """What is not a sale has to wait for more room."""

    status = 507
    kind = "disk-nearly-full"
    title = "The disk is nearly full"


def stage_of(room: Room, before: Stage = Stage.PLENTY) -> Stage:
    """Say how scarce room is; a stage is left only with a tenth more room than it was entered with."""
    if not room.reserve_held:
        return Stage.RESERVE
    if room.free < _limit(room.disk, ROOM_TIGHT_BYTES, ROOM_TIGHT_PERCENT, back=before >= Stage.TIGHT):
        return Stage.TIGHT
    back = before >= Stage.SCARCE
    budget = DATA_BYTES_BUDGET * DATA_SCARCE_PERCENT // (ROOM_BACK_PERCENT if back else 100)
    if room.data > budget or room.free < _limit(room.disk, ROOM_SCARCE_BYTES, ROOM_SCARCE_PERCENT, back=back):
        return Stage.SCARCE
    return Stage.PLENTY


def _limit(disk: int, most: int, percent: int, *, back: bool) -> int:
    limit = min(most, disk * percent // 100)
    return limit * ROOM_BACK_PERCENT // 100 if back else limit


def archive_after_days(stage: Stage) -> int:
    """Say after how many days sales that everybody holds are compressed."""
    if stage >= Stage.TIGHT:
        return ARCHIVE_AFTER_DAYS_TIGHT
    return ARCHIVE_AFTER_DAYS_SCARCE if stage is Stage.SCARCE else ARCHIVE_AFTER_DAYS


def check_room(room: Room, stage: Stage) -> None:
    """Refuse what is no sale while room is tight; raises :class:`DiskNearlyFull`."""
    if stage >= Stage.TIGHT:
        raise DiskNearlyFull(
            f"only {room.free // _MIB} MiB are free on the disk, and they are kept for sales",
            hint="Free some space, then try again. Selling goes on.",
        )


def words(room: Room, stage: Stage) -> str:
    """Say to a manager how it stands."""
    free = f"{room.free // _MIB} MiB are free."
    match stage:
        case Stage.PLENTY:
            return free
        case Stage.SCARCE if room.data > DATA_BYTES_BUDGET * DATA_SCARCE_PERCENT // ROOM_BACK_PERCENT:
            return f"{free} This till's data takes {room.data // _MIB} MiB: old sales are compressed early."
        case Stage.SCARCE:
            return f"{free} That is getting little: old sales are compressed early."
        case Stage.TIGHT:
            return f"{free} They are kept for sales: imports, training, new models and photos wait. Free some space."
        case Stage.RESERVE:
            return f"{free} The reserve is used up: free some space, the till still sells."
