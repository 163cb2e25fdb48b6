"""What every use case has at hand: the books, the person, the time; and what it leaves behind."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Final

from tillmesh.kernel.codec import Record
from tillmesh.kernel.errors import Conflict, Invalid, NotAllowed, NotFound
from tillmesh.kernel.ids import EventId, event_id
from tillmesh.kernel.limits import KEY_CHARS_MAX, NOTE_CHARS_MAX
from tillmesh.shop.cardnumbers import refuse_card_number
from tillmesh.shop.cart import Policy
from tillmesh.shop.events import Audited
from tillmesh.shop.people import LEAST, Action, covers
from tillmesh.shop.personal import CUSTOMER, is_erased
from tillmesh.shop.settings import StoreSettings
from tillmesh.till.commands import Who
from tillmesh.till.effects import Effect
from tillmesh.till.ports import Books, Shift

_BARE_NUMBER: Final = re.compile(r"(?<![^\W_])[0-9]{13,}(?![^\W_])")


class Identity(Record):
    """Which store, terminal and incarnation this till is; ``series`` starts its receipt numbers."""

    store: str
    terminal: str
    actor: str
    series: str


class Company(Record):
    """The other terminals of the store, and those of them that are heard now. A till alone has none."""

    others: tuple[str, ...] = ()
    heard: tuple[str, ...] = ()
    members: tuple[str, ...] = ()  # the actors that belong to the store; empty for a till alone
    leads: bool = True  # whether this till leads the store
    behind: bool = False  # one that is heard holds events that are not here, or has not said what

    @property
    def is_whole(self) -> bool:
        """Say whether everybody is heard: then what is spent here is known everywhere at once."""
        return set(self.others) <= set(self.heard)

    @property
    def knows_all(self) -> bool:
        """Say whether everybody is heard and nothing of theirs is missing here: one rule for purses and for rights."""
        return self.is_whole and not self.behind


@dataclass(slots=True)
class Desk:
    """One command on its way to a decision. Mutable only while the command is being decided.

    Invariant: ``bodies[i]`` becomes the event ``seq + 1 + i`` of the own actor, so ids are known before commit.
    """

    identity: Identity
    books: Books
    who: Who
    now_ms: int
    seq: int
    receipts_used: int
    bodies: list[Record] = field(default_factory=list)
    effects: list[Effect] = field(default_factory=list)
    receipts: int = 0
    company: Company = field(default_factory=Company)

    def record(self, body: Record) -> EventId:
        """Add an event and give the id it will have."""
        self.bodies.append(body)
        return event_id(self.identity.actor, self.seq + len(self.bodies))

    def coming(self, place: int) -> EventId:
        """Give the id of the event that is added ``place`` after the last one (1: the next)."""
        return event_id(self.identity.actor, self.seq + len(self.bodies) + place)

    def effect(self, effect: Effect) -> None:
        """Ask for something to be stored with the events."""
        self.effects.append(effect)

    def audit(self, action: str, subject: str, detail: str = "", approved_by: str = "") -> None:
        """Note something for the manager."""
        self.record(
            Audited(action=action, subject=subject, detail=detail, by=self.who.user_id, approved_by=approved_by)
        )

    def next_receipt(self) -> str:
        """Take the next receipt number of this till's gapless series."""
        self.receipts += 1
        return f"{self.identity.series}-{self.receipts_used + self.receipts:06d}"

    def store(self) -> StoreSettings:
        """Give the settings of the store."""
        return self.books.store()

    def policy(self) -> Policy:
        """Give the rules by which this store computes money."""
        return self.books.store().policy()

    def shift(self) -> Shift:
        """Give the open shift, or say that none is open."""
        shift = self.books.current_shift()
        if shift is None:
            raise Conflict("no shift is open on this till", hint="Count the drawer and open a shift first.")
        return shift

    def check_customer(self, customer_id: str) -> None:
        """Raise :class:`NotFound` if a customer is named who is not known."""
        if not customer_id:
            return
        fields = self.books.fields(CUSTOMER, customer_id)
        if fields is None or is_erased(fields):
            raise NotFound(f"no customer {customer_id[:40]!r}", hint="Find or create the customer first.")

    def require(self, action: Action) -> str:
        """Let an action pass for the role, or for an approval; give who approved it ("" = own right).

        Raises :class:`NotAllowed` naming the action and the least role.
        """
        least = LEAST[action]
        if covers(self.who.role, least):
            return ""
        for approval in self.who.approvals:
            if approval.action == action:
                return approval.approved_by
        raise NotAllowed(
            f"{action.replace('_', ' ')} needs a {least}",
            action=action,
            needs=least,
            hint=f"Ask a {least} to approve it with a PIN.",
        )


def checked_text(text: str, what: str, *, least: int = 0, most: int = NOTE_CHARS_MAX) -> str:
    """Give the text stripped if its length is within [least, most], or raise :class:`Invalid`."""
    if not text and least == 0:
        return ""
    clean = text.strip()
    if not least <= len(clean) <= most:
        raise Invalid(f"{what} has {len(clean)} characters; allowed are {least} to {most}", hint="Change the text.")
    if not clean.isprintable() and any(c not in "\n\t" and not c.isprintable() for c in clean):
        raise Invalid(f"{what} contains control characters", hint="Type it again.")
    return refuse_card_number(clean, what)


def checked_key(text: str, what: str) -> str:
    """Give an id that a program made up if it is short and printable, or raise :class:`Invalid`."""
    clean = text.strip()
    if not 1 <= len(clean) <= KEY_CHARS_MAX or not clean.isprintable():
        raise Invalid(f"{what} must be 1 to {KEY_CHARS_MAX} printable characters", hint="Make up another one.")
    # Ids are long and random, and digits between their letters and dashes look like anything now and then.
    if " " in clean or not any(c.isalpha() for c in clean):
        return refuse_card_number(clean, what)
    for run in _BARE_NUMBER.findall(clean):
        refuse_card_number(run, what)
    return clean
