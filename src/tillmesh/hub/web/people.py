"""Signing in at head office: a name and a password, then a token, which every service of this head office knows."""

from __future__ import annotations

import asyncio
import secrets
from collections import OrderedDict
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from typing import Final, NamedTuple

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from starlette.requests import Request

from tillmesh.fleet.office import Person
from tillmesh.fleet.people import OfficeRole
from tillmesh.hub.running import Hub
from tillmesh.kernel.errors import Invalid, NotSignedIn, TillmeshError, TooMany
from tillmesh.kernel.limits import KEY_CHARS_MAX

SESSION_MS: Final = 12 * 3_600_000
COOKIE: Final = "tillmesh_office"
PASSWORD_CHARS_MIN: Final = 10
FREE_TRIES: Final = 5
DELAY_MS_MAX: Final = 300_000
TRIES_KEPT_MAX: Final = 1_000
_NOBODY: Final = PasswordHasher().hash("nobody has this password")


class Signed(NamedTuple):
    """Somebody who proved a password."""

    name: str
    role: str


class WrongPassword(TillmeshError):
    """No such person, or another password; which of both is not said."""

    status = 401
    kind = "wrong-password"
    title = "Wrong name or password"


class People:
    """Checks passwords, one at a time, and keeps tokens as hashes."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._hasher = PasswordHasher()
        self._hashing = ThreadPoolExecutor(1, "passwords")
        self._failures: OrderedDict[str, tuple[int, int]] = OrderedDict()  # name -> tries, time of the last

    async def sign_in(self, name: str, password: str, now_ms: int) -> tuple[str, Signed]:
        """Give a token for a name and its password; wrong tries cost growing time."""
        self._admit(name, now_ms)
        self._count(name, now_ms)  # before it is looked at: else tries that come all at once would cost no time
        person = await self._hub.ask(lambda office: office.person(name[:KEY_CHARS_MAX]))
        stored = _NOBODY if person is None else person.password
        right = await asyncio.get_running_loop().run_in_executor(self._hashing, self._matches, stored, password)
        if person is None or not right:
            raise WrongPassword("nobody here has this name and password", hint="Try again.")
        self._failures.pop(name, None)
        signed = Signed(person.name, person.role)
        token = secrets.token_urlsafe(32)
        hashed = _hashed(token)
        await self._hub.ask(lambda office: office.put_session(hashed, person.name, now_ms, now_ms + SESSION_MS))
        return token, signed

    async def signed(self, request: Request, now_ms: int) -> Signed:
        """Give who sent a request, as it stands this very moment, or raise NotSignedIn."""
        token = token_of(request)
        found = await self._hub.ask(lambda office: office.session(_hashed(token), now_ms)) if token else None
        if found is None:
            raise NotSignedIn("nobody is signed in with this token", hint="Sign in with name and password.")
        return Signed(*found)

    async def sign_out(self, request: Request) -> None:
        """Forget a token."""
        hashed = _hashed(token_of(request))
        await self._hub.ask(lambda office: office.end_session(hashed))

    async def sign_out_everywhere(self, name: str, but: Request | None = None) -> None:
        """Forget every token of somebody, except the one that this request came with."""
        kept = b"" if but is None else _hashed(token_of(but))
        await self._hub.ask(lambda office: office.end_sessions(name, kept))

    def close(self) -> None:
        """Stop checking."""
        self._hashing.shutdown(wait=True)

    def _count(self, name: str, now_ms: int) -> None:
        tries, _ = self._failures.pop(name, (0, 0))
        self._failures[name] = (tries + 1, now_ms)
        while len(self._failures) > TRIES_KEPT_MAX:
            self._failures.popitem(last=False)

    def _admit(self, name: str, now_ms: int) -> None:
        tries, last_ms = self._failures.get(name, (0, 0))
        if tries >= FREE_TRIES:
            wait_ms = min(1_000 << min(tries - FREE_TRIES, 20), DELAY_MS_MAX) - (now_ms - last_ms)
            if wait_ms > 0:
                raise TooMany(f"{tries} wrong passwords", retry_after_ms=wait_ms, hint="Wait a moment.")

    def _matches(self, stored: str, password: str) -> bool:
        try:
            return self._hasher.verify(stored, password)
        except (VerificationError, InvalidHashError):
            return False


def make_person(name: str, role: str, password: str) -> Person:
    """Make somebody of a name, a role and a password, or raise :class:`Invalid`."""
    if not 1 <= len(name) <= KEY_CHARS_MAX or not name.isprintable():
        raise Invalid(f"{name[:60]!r} is no name", hint=f"Use 1 to {KEY_CHARS_MAX} printable characters.")
    if role not in set(OfficeRole):
        raise Invalid(f"{role[:40]!r} is no role", hint=f"Roles are {', '.join(OfficeRole)}.")
    if not PASSWORD_CHARS_MIN <= len(password) <= 1_000:
        raise Invalid("that password is too short", hint=f"Use {PASSWORD_CHARS_MIN} characters or more.")
    return Person(name, role, PasswordHasher().hash(password))


def token_of(request: Request) -> str:
    """Give the token of a request: the bearer header, or the page's cookie."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else request.cookies.get(COOKIE, "")


def _hashed(token: str) -> bytes:
    return sha256(token.encode()).digest()
