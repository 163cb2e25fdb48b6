"""Acts that the fraud score flagged: kept with their reasons, looked at by managers, never acted upon by the till."""

from __future__ import annotations

from typing import Final

from tillmesh.kernel.errors import Invalid, NotAllowed, NotFound
from tillmesh.kernel.ids import EventId
from tillmesh.kernel.money import PPM
from tillmesh.shop.events import ActFlagged, FlagReviewed
from tillmesh.shop.people import Action
from tillmesh.till.commands import FlagAct, ReviewFlag
from tillmesh.till.desk import Desk, checked_text

FINE, FOLLOW_UP = "fine", "follow_up"
VERDICTS: Final = (FINE, FOLLOW_UP)
SYSTEM: Final = "system"


def decide(desk: Desk, command: FlagAct | ReviewFlag) -> EventId:
    """Send a command about a flag to its use case."""
    return flag(desk, command) if isinstance(command, FlagAct) else review(desk, command)


def flag(desk: Desk, command: FlagAct) -> EventId:
    """Note what a score said about an act of this shop. Only the till's own program asks for it."""
    if desk.who.user_id != SYSTEM:
        raise NotAllowed("acts are flagged by the till's own score", hint="Write a note instead.")
    if desk.books.event(command.event) is None:
        raise NotFound(f"no event {command.event[:60]!r}", hint="Only what happened here can be flagged.")
    assert 0 <= command.score_ppm <= PPM, "a score lies between 0 and 1"
    return desk.record(
        ActFlagged(
            event=command.event,
            kind=command.kind,
            person=command.person,
            score_ppm=command.score_ppm,
            level=command.level,
            reasons=command.reasons,
            model=command.model,
            flagged_at_ms=desk.now_ms,
        )
    )


def review(desk: Desk, command: ReviewFlag) -> EventId:
    """Note what a manager says about a flagged act; the right of whoever may read the audit log."""
    desk.require(Action.SEE_AUDIT)
    if command.verdict not in VERDICTS:
        raise Invalid(f"{command.verdict[:40]!r} is no verdict", hint=f"Use one of {', '.join(VERDICTS)}.")
    event = desk.books.event(command.flag)
    if event is None or event.type != "act_flagged":
        raise NotFound(f"no flagged act {command.flag[:60]!r}", hint="Look at the list anew.")
    return desk.record(
        FlagReviewed(
            flag=command.flag,
            verdict=command.verdict,
            by=desk.who.user_id,
            reason=checked_text(command.reason, "reason"),
            reviewed_at_ms=desk.now_ms,
        )
    )
