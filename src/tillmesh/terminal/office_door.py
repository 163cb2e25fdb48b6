"""The door for other devices on the shop's network: tablets and computers that use this till's pages over TLS.

Closed unless the till was started with a port for it. Whoever knocks must be a device that was paired: somebody read a
code off this till's own screen and typed it there, once. Then a person signs in with a PIN as at the till. A device
that was not paired sees the page that asks for a code, and nothing else.
"""

from __future__ import annotations

import asyncio
import hmac
import ipaddress
import logging
import posixpath
import secrets
import socket
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from http.cookies import SimpleCookie
from typing import Any, Final

import apsw
import msgspec
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from tillmesh.adapters.lan import discovery
from tillmesh.adapters.lan.door import Door
from tillmesh.adapters.sqlite.database import one, write
from tillmesh.adapters.web.browser_tls import BrowserAuthority
from tillmesh.adapters.web.guard import Guard
from tillmesh.adapters.web.problems import Forbidden, answer
from tillmesh.adapters.web.serving import server_for
from tillmesh.kernel.errors import Conflict, NotAllowed
from tillmesh.kernel.limits import OFFICE_CODE_MS, OFFICE_CODE_TRIES, OFFICE_DEVICES_MAX
from tillmesh.terminal.driver import Driver, now_ms

DEVICE: Final = "tillmesh_device"  # the cookie of a paired device
DEVICE_S: Final = 400 * 86_400  # as long as browsers keep one
OFFICE: Final = "tillmesh.office"  # in the scope of a request: it came through this door
CODE_DIGITS: Final = 8
_KEPT: Final = "office_door"
# What a device may fetch before it is paired: the page that asks, what it is made of, and the certificate to install.
OPEN: Final = (
    "/pair", "/static/pair.js", "/static/css/", "/static/vendor/", "/static/locales/", "/static/icon.svg",
    "/office-ca.crt", "/api/v1/office/pair",
)  # fmt: skip
log = logging.getLogger(__name__)


class NotLetIn(NotAllowed):
    """The code of a device is wrong or over."""

    title = "Not let in"


class Device(msgspec.Struct, frozen=True, kw_only=True):
    """A device that was paired; its secret is kept as a hash."""

    device_id: str
    name: str
    secret_hash: bytes
    paired_ms: int
    paired_by: str


class Kept(msgspec.Struct, frozen=True, kw_only=True):
    """What this till remembers of the door, in its encrypted database; no part of the log."""

    key: bytes = b""
    certificate: bytes = b""
    devices: tuple[Device, ...] = ()


@dataclass(slots=True)
class Code:
    """A code on the till's screen; it dies with its time, its tries, or its use."""

    digits: str
    until_ms: int
    by: str
    tries: int = OFFICE_CODE_TRIES


class OfficeDoor:
    """The door, its devices, and the code that is being shown.

    Invariant: a request passes only with the secret of a device that is in ``_kept``.
    """

    def __init__(
        self, driver: Driver, kept: Kept, listening: Door, addresses: Sequence[str], *,
        clock: Callable[[], int] = now_ms,
    ) -> None:  # fmt: skip
        self.port: int = listening.getsockname()[1]
        self.addresses = tuple(addresses)
        self.authority = BrowserAuthority(kept.key, kept.certificate)
        self._driver = driver
        self._kept = kept
        self._listening = listening
        self._clock = clock
        self._code: Code | None = None
        self._server: Any = None
        self._task: asyncio.Task[None] | None = None

    @classmethod
    async def open(cls, driver: Driver, bind: str, port: int, addresses: Sequence[str]) -> OfficeDoor:
        """Open the door; the authority is made the first time."""
        kept = await driver.on_writer(lambda db: _furnish(db, driver.identity.terminal))
        family = socket.AF_INET6 if ":" in bind else socket.AF_INET
        listening = Door(family, _turned_away)
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((bind, port))
        return cls(driver, kept, listening, addresses)

    def serve(self, app: ASGIApp) -> None:
        """Begin to serve the till's pages; ``app`` is without its own guard of hosts."""
        hosts = {f"[{one}]" if ":" in one else one for one in self.addresses}
        guarded = Guard(Gate(app, self), hosts)
        self._server = server_for(guarded, self.authority.tls(self.addresses, self._clock() // 1000))
        self._task = asyncio.create_task(self._server.serve(sockets=[self._listening]), name="office door")

    async def stop(self) -> None:
        """Close the door."""
        if self._task is not None:
            self._server.should_exit = True
            await asyncio.gather(self._task, return_exceptions=True)
        self._listening.close()

    @property
    def urls(self) -> list[str]:
        """Where other devices find this till."""
        return [f"https://{f'[{one}]' if ':' in one else one}:{self.port}" for one in self.addresses]

    @property
    def devices(self) -> tuple[Device, ...]:
        """The devices that were paired."""
        return self._kept.devices

    def show_code(self, by: str) -> Code:
        """Make a code for one device; one that was shown before is over."""
        digits = "".join(secrets.choice("0123456789") for _ in range(CODE_DIGITS))
        self._code = Code(digits, self._clock() + OFFICE_CODE_MS, by)
        return self._code

    async def pair(self, digits: str, name: str) -> tuple[Device, str]:
        """Let the device in that knows the code; gives it its secret. A wrong code costs a try, three end it."""
        code = self._code
        if code is None or self._clock() > code.until_ms:
            self._code = None
            raise NotLetIn("no code is being shown at the till", hint="Let a manager show one, and type it at once.")
        code.tries -= 1
        right = hmac.compare_digest(code.digits.encode(), digits.encode())
        if right or code.tries <= 0:
            self._code = None
        if not right:
            raise NotLetIn("this is not the code", hint="Look at the till; after three wrong ones ask for a new one.")
        if len(self._kept.devices) >= OFFICE_DEVICES_MAX:
            raise Conflict(f"{OFFICE_DEVICES_MAX} devices are paired", hint="Remove one that is not used any more.")
        secret = secrets.token_urlsafe(32)
        device = Device(
            device_id=secrets.token_hex(6), name=name, secret_hash=_hashed(secret), paired_ms=self._clock(),
            paired_by=code.by,
        )  # fmt: skip
        await self._keep((*self._kept.devices, device))
        return device, secret

    async def remove(self, device_id: str) -> Device | None:
        """Let a device in no more, from its next request on."""
        found = next((one for one in self._kept.devices if one.device_id == device_id), None)
        await self._keep(tuple(one for one in self._kept.devices if one.device_id != device_id))
        return found

    def proved(self, client: tuple[str, int] | None) -> None:
        """Count a connection as one of a paired device from now on, not as a stranger's."""
        if client is not None:
            self._listening.proved(client)

    def knows(self, secret: str) -> bool:
        """Say whether this is the secret of a paired device."""
        hashed = _hashed(secret)
        return any(hmac.compare_digest(hashed, one.secret_hash) for one in self._kept.devices)

    async def _keep(self, devices: tuple[Device, ...]) -> None:
        kept = msgspec.structs.replace(self._kept, devices=devices)
        await self._driver.on_writer(lambda db: _store(db, kept))
        self._kept = kept


class Gate:
    """ASGI middleware: who is no paired device sees the page that asks for a code."""

    def __init__(self, app: ASGIApp, door: OfficeDoor) -> None:
        self._app = app
        self._door = door

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request of a paired device on, or refuse it."""
        if scope["type"] not in {"http", "websocket"}:
            return await self._app(scope, receive, send)
        scope[OFFICE] = True
        path, headers = scope["path"], Headers(scope=scope)
        cookies: SimpleCookie = SimpleCookie()
        try:
            cookies.load(headers.get("cookie", ""))
        except Exception:  # noqa: BLE001 - a cookie that can't be read is none
            cookies = SimpleCookie()
        secret = cookies[DEVICE].value if DEVICE in cookies else ""
        if secret and self._door.knows(secret):
            self._door.proved(scope.get("client"))
            return await self._app(scope, receive, send)
        if scope["type"] == "http" and path in {"/", "/index.html"}:
            return await self._app({**scope, "path": "/pair", "raw_path": b"/pair"}, receive, send)
        if scope["type"] == "http" and _is_open(path):
            return await self._app(scope, receive, send)
        refused = Forbidden("this device is not paired with this till", hint="Open its address and type its code.")
        return await answer(refused)(scope, receive, send)


def _turned_away(why: str, address: str) -> None:
    log.debug("a visitor from %s was turned away: %s", address, why)


def _is_open(path: str) -> bool:
    """Say whether anybody may fetch this; a path that climbs somewhere else is not what it looks like."""
    if posixpath.normpath(path) != path:
        return False
    return any(path == one or (one.endswith("/") and path.startswith(one)) for one in OPEN)


def lan_addresses(bind: str) -> list[str]:
    """List the addresses of private networks at which this machine is reached, or the one to bind to."""
    if bind not in {"0.0.0.0", "::"}:  # noqa: S104 - it asks for all of them
        return [bind]
    return [one for one in discovery.lan_addresses() if _is_near(one)] or ["127.0.0.1"]


def _is_near(address: str) -> bool:
    """Say whether an address is of a private network; this till's authority can vouch for no others."""
    return ipaddress.ip_address(address).is_private


def _hashed(secret: str) -> bytes:
    return sha256(secret.encode()).digest()


def _furnish(db: apsw.Connection, name: str) -> Kept:
    held = one(db, "SELECT value FROM meta WHERE name = ?", (_KEPT,))
    if held is not None:
        return msgspec.msgpack.decode(held, type=Kept)
    made = BrowserAuthority.create(name, now_ms() // 1000)
    kept = Kept(key=made.key, certificate=made.certificate)
    _store(db, kept)
    return kept


def _store(db: apsw.Connection, kept: Kept) -> None:
    with write(db):
        db.execute(
            "INSERT INTO meta (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
            (_KEPT, msgspec.msgpack.encode(kept)),
        )
