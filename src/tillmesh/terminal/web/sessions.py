"""Who is signed in, and which approvals were just given.

In memory: a restart signs everybody out, and loses nothing.
"""

from __future__ import annotations

import secrets
from collections import OrderedDict
from dataclasses import dataclass, replace
from hashlib import sha256

from tillmesh.kernel.errors import NotSignedIn
from tillmesh.shop.events import Approval

SESSIONS_MAX = 200
APPROVALS_MAX = 100
SESSION_MS = 16 * 3_600_000  # One working day.
APPROVAL_MS = 120_000


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who proved a PIN."""

    user_id: str
    name: str
    role: str
    language: str = ""  # empty: the store's


class Sessions:
    """Tokens and approvals, both kept only as hashes, both bounded."""

    def __init__(self) -> None:
        self._sessions: OrderedDict[bytes, tuple[Person, int]] = OrderedDict()
        self._approvals: OrderedDict[bytes, tuple[Approval, int]] = OrderedDict()

    def open(self, person: Person, now_ms: int) -> str:
        """Sign a person in and give the token."""
        token = secrets.token_urlsafe(32)
        self._sessions[_hashed(token)] = (person, now_ms + SESSION_MS)
        while len(self._sessions) > SESSIONS_MAX:
            self._sessions.popitem(last=False)
        return token

    def person(self, token: str, now_ms: int) -> Person:
        """Give the person behind a token, or raise :class:`NotSignedIn`."""
        found = self._sessions.get(_hashed(token)) if token else None
        if found is None or now_ms > found[1]:
            raise NotSignedIn("nobody is signed in with this token", hint="Sign in with your PIN.")
        return found[0]

    def close(self, token: str) -> None:
        """Sign out."""
        self._sessions.pop(_hashed(token), None)

    def sign_out(self, user_id: str, *, but: str = "") -> None:
        """Sign a person out everywhere (but with one token) and forget what they approved."""
        kept = _hashed(but)
        for key in [key for key, (person, _) in self._sessions.items() if person.user_id == user_id and key != kept]:
            del self._sessions[key]
        for key in [key for key, (approval, _) in self._approvals.items() if approval.approved_by == user_id]:
            del self._approvals[key]

    def speak(self, user_id: str, language: str) -> None:
        """Note the language of a person wherever they are signed in."""
        for key, (person, until_ms) in list(self._sessions.items()):
            if person.user_id == user_id:
                self._sessions[key] = replace(person, language=language), until_ms

    def roles(self, user_id: str) -> set[str]:
        """Name the roles that a person is signed in with."""
        return {person.role for person, _ in self._sessions.values() if person.user_id == user_id}

    def approve(self, action: str, approver: Person, now_ms: int) -> str:
        """Note that somebody approved an action once, and give the token for it."""
        token = secrets.token_urlsafe(24)
        approval = Approval(action=action, approved_by=approver.user_id)
        self._approvals[_hashed(token)] = (approval, now_ms + APPROVAL_MS)
        while len(self._approvals) > APPROVALS_MAX:
            self._approvals.popitem(last=False)
        return token

    def redeem(self, token: str, now_ms: int) -> Approval | None:
        """Take an approval; each serves once, and a spent one is no approval at all.

        It is no error either: a request that is sent again may have been done already, and then needs none.
        """
        found = self._approvals.pop(_hashed(token), None)
        return None if found is None or now_ms > found[1] else found[0]


def _hashed(token: str) -> bytes:
    return sha256(token.encode()).digest()
