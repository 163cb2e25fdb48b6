"""Take new terminals into the store at this till: show a code for two minutes, and issue to whoever proves it."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

from tillmesh.adapters.lan import enrolment
from tillmesh.adapters.lan.discovery import Mdns
from tillmesh.adapters.lan.pairing import CODE_MS, Asked, Host, new_code
from tillmesh.adapters.lan.pairing_messages import Grant
from tillmesh.adapters.lan.pairing_wire import PairingPost, monotonic_ms
from tillmesh.kernel.ids import terminal_of
from tillmesh.terminal.provisioning import ISSUERS_MIN
from tillmesh.terminal.storekeeper import Storekeeper
from tillmesh.till.commands import Who

log = logging.getLogger(__name__)


class PairingDesk:
    """At most one code is shown at a time; a new one makes the old one worthless."""

    def __init__(self, keeper: Storekeeper, pepper: bytes, host: str, mdns: Mdns | None) -> None:
        self._keeper, self._pepper, self._address, self._mdns = keeper, pepper, host, mdns
        self._host: Host | None = None
        self._post: PairingPost | None = None
        self._closing: asyncio.Task[None] | None = None
        self._port = 0
        self._ends_ms = 0
        self._joined: str | None = None

    def view(self) -> dict[str, Any]:
        """Say how it stands; the code itself is told only to whoever asked for it."""
        host, left_ms = self._host, self._ends_ms - monotonic_ms()
        return {
            "open": self._post is not None and host is not None and host.state not in {"done", "spent"} and left_ms > 0,
            "state": host.state if host is not None else "none",
            "tries_left": host.tries_left if host is not None else 0,
            "expires_in_ms": max(0, left_ms) if self._post is not None else 0,
            "port": self._port,
            "joined": self._joined,
        }

    async def open(self, who: Who) -> dict[str, Any]:
        """Show a new code; raises if this till does not issue certificates."""
        self._keeper.require_issuer()
        await self.close()
        code, place = new_code(), self._keeper.place
        self._host = Host(store=place.credentials.store, actor=place.actor, code=code, now_ms=monotonic_ms())
        self._post = PairingPost(self._host, self._decide)
        self._port = await self._post.listen(self._address, 0)
        self._ends_ms, self._joined = monotonic_ms() + CODE_MS, None
        if self._mdns is not None:
            await self._mdns.offer_pairing(self._port)
        self._closing = asyncio.get_running_loop().create_task(self._close_in_time())
        self._keeper.note("pairing_opened", who.user_id, f"a code for {CODE_MS // 1000} seconds")
        return {**self.view(), "code": code}

    async def close(self) -> None:
        """Show no code any more."""
        if self._closing is not None and self._closing is not asyncio.current_task():
            self._closing.cancel()
        self._closing = None
        post, self._post = self._post, None
        if post is not None:
            if self._mdns is not None:
                await self._mdns.offer_pairing(0)
            await post.close()

    async def _close_in_time(self) -> None:
        await asyncio.sleep(CODE_MS / 1000)
        await self.close()

    async def _decide(self, asked: Asked) -> Grant:
        """Issue to a terminal that proved the code; it is on the list, durably, before it is told."""
        keeper = self._keeper
        authority, membership = keeper.require_issuer(), keeper.place.gate.membership
        certificate, signed = enrolment.enrol(authority, membership, asked, **keeper.times())
        keeper.learn(signed)
        await keeper.write()
        self._joined = terminal_of(asked.actor)
        keeper.note("till_joined", self._joined, asked.actor)
        secret = authority.secret if len(keeper.issuers) < ISSUERS_MIN else b""
        return Grant(authority.certificate, certificate, signed, self._pepper, secret)
