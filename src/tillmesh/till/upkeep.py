"""What needs a person some day although all goes well today: clocks, certificates that end, back-ups that grow old.

One table of limits serves the words that people read, at a till and at head office, and the rules of alerts.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

from tillmesh.kernel.limits import HLC_DRIFT_MS_MAX, TILL_SILENT_DAYS_WARNED
from tillmesh.till.watching import Concern

DAY_S: Final = 86_400
CLOCK_SKEW_S_MAX: Final = HLC_DRIFT_MS_MAX / 1000  # from here on the others do not follow this till's stamps
LINK_CERTIFICATE_S_MIN: Final = 7 * DAY_S  # it lives for 30 days and is renewed after 10: the issuers were away for 13
CERTIFICATE_S_MIN: Final = 30 * DAY_S  # guess: people carry the next one, and one of them may be on holiday
BACKUP_AGE_S_MAX: Final = 3 * DAY_S  # guess: of nightly ones, over a Sunday on which the machine was off
SILENT_S_MAX: Final = TILL_SILENT_DAYS_WARNED * DAY_S
LINK: Final = "till"  # the certificate that a till shows the other tills


def skew_ms(others: Iterable[int]) -> int:
    """Say how far this till's clock is ahead of the store's: of the middle one of all its clocks, this one's too.

    ``others`` says how far each other till's clock is ahead of this one. Of one against one, or two against two, nobody
    can tell who is right: then each side is told how far it is from the other.
    """
    clocks = sorted([0, *others])
    return -max(clocks[(len(clocks) - 1) // 2], clocks[len(clocks) // 2], key=abs)


def behind_floor_ms(wall_ms: int, floor_ms: int) -> int:
    """Say how far a clock stands before the earliest that it can be: below 0, or 0."""
    return min(0, wall_ms - floor_ms)


@dataclass(frozen=True, slots=True)
class Backups:
    """How the newest back-up stands; ``why`` says what went wrong when the last one that was tried did not work."""

    age_s: float  # of the newest good one; since this data began, if there never was one
    made: bool = False
    why: str = ""


NOTHING: Final[Mapping[str, float]] = MappingProxyType({})


@dataclass(frozen=True, slots=True, kw_only=True)
class Upkeep:
    """How a till, or head office, stands; times in seconds."""

    skew_s: float = 0.0  # how far its clock is ahead
    left_s: Mapping[str, float] = field(default_factory=lambda: NOTHING)  # until each certificate ends, by what it is
    silent_s: Mapping[str, float] = field(default_factory=lambda: NOTHING)  # of each other till of the store, by name
    backups: Backups | None = None  # None: others hold all of it, and nobody ever made one


def wanting(upkeep: Upkeep) -> list[Concern]:
    """Name what is over its limit, in words; nothing when all is well."""
    found = []
    if abs(upkeep.skew_s) > CLOCK_SKEW_S_MAX:
        found.append(Concern("clock", _clock(upkeep.skew_s)))
    for which, left_s in upkeep.left_s.items():
        if left_s < (LINK_CERTIFICATE_S_MIN if which == LINK else CERTIFICATE_S_MIN):
            found.append(Concern("certificate", _certificate(which, int(left_s // DAY_S))))
    for name, silent_s in upkeep.silent_s.items():
        if silent_s > SILENT_S_MAX:
            found.append(Concern("silent", _silent(name, int(silent_s // DAY_S))))
    if (backups := upkeep.backups) is not None:
        if backups.why:
            found.append(Concern("backup", "The last back-up did not work. Look at the place that it goes to."))
        if backups.age_s > BACKUP_AGE_S_MAX:
            found.append(Concern("backup", _backup(backups)))
    return found


def _clock(skew_s: float) -> str:
    days, minutes = int(abs(skew_s) // DAY_S), int(abs(skew_s) // 60)
    if days >= 2:
        ahead = f"The clock of this till is {days} days ahead. Look at the other tills, and set the wrong one."
        behind = f"The clock of this till is {days} days behind. Look at the other tills, and set the wrong one."
    else:
        ahead = f"The clock of this till is {minutes} minutes ahead. Look at the other tills, and set the wrong one."
        behind = f"The clock of this till is {minutes} minutes behind. Look at the other tills, and set the wrong one."
    return ahead if skew_s > 0 else behind


def _certificate(which: str, days: int) -> str:
    """Say which certificate ends, and who can do something about it."""
    match which:
        case "till":
            hint = "Switch on a till that issues certificates: it gets the next one by itself."
            soon = f"The certificate of this till for the other tills ends in {days} days. {hint}"
            over = f"The certificate of this till has ended, and the other tills may not let it in. {hint}"
        case "office":
            hint = "Get another bundle from head office."
            soon = f"The certificate of this store for head office ends in {days} days. {hint}"
            over = f"The certificate of this store for head office has ended: nothing is taken in there. {hint}"
        case "stores":
            hint = "Issue the next one on the page Keys, or revoke it if the store is closed."
            soon = f"The certificate of a store ends in {days} days. {hint}"
            over = f"The certificate of a store has ended: it uploads nothing. {hint}"
        case "gateway":
            hint = "Run tillmesh hub gateway-config."
            soon = f"The certificate of the gateway ends in {days} days. {hint}"
            over = f"The certificate of the gateway has ended: no store comes in. {hint}"
        case _:
            soon = f"An authority's certificate ends in {days} days: call your technician."
            over = "An authority's certificate has ended: call your technician."
    return soon if days >= 0 else over


def _silent(name: str, days: int) -> str:
    return f"{name} has been silent for {days} days. Switch it on, or remove it from the store if it never comes back."


def _backup(backups: Backups) -> str:
    days = int(backups.age_s // DAY_S)
    if backups.made:
        return f"The newest back-up is {days} days old. Look why there is no newer one."
    return f"For {days} days nobody else has held this data, and no back-up was ever made. Set one up."
