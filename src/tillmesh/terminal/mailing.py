"""Sends receipts by mail: queued with the database, tried again later, and never in the way of a sale.

It runs as one asyncio task; the server is only talked to on a thread of its own. Off until a manager names a server.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any, Final

from tillmesh.adapters.sqlite import mails
from tillmesh.adapters.sqlite.database import write
from tillmesh.adapters.sqlite.mails import Mail, MailSetup
from tillmesh.adapters.wan.mail import MailRefused, Server, deliver, message_of
from tillmesh.kernel.errors import TillmeshError
from tillmesh.kernel.limits import MAIL_AGE_MS_MAX, MAIL_RETRY_MS_FIRST, MAIL_RETRY_MS_MAX
from tillmesh.shop.receipt import Receipt
from tillmesh.terminal.driver import Driver, now_ms
from tillmesh.terminal.errands import Errands
from tillmesh.terminal.receipts import receipt_of
from tillmesh.terminal.web.receipt_files import paper_of
from tillmesh.till.commands import Note, Who

log = logging.getLogger(__name__)
SYSTEM: Final = Who(user_id="system", role="manager")
LOOK_S: Final = 60.0


class Mailing:
    """The mails of one till. A mail is forgotten once it is sent or given up."""

    def __init__(self, driver: Driver, clock: Callable[[], int] = now_ms) -> None:
        self._driver = driver
        self._clock = clock
        self._awake = asyncio.Event()
        self._errands = Errands("mail")

    def start(self) -> None:
        """Begin to work off what waits."""
        self._errands.run(self._run())

    def wake(self) -> None:
        """Say that a mail was queued, or that the server is another one."""
        self._awake.set()

    async def stop(self) -> None:
        """Stop; what waits is sent after the next start."""
        await self._errands.stop()

    async def view(self) -> dict[str, Any]:
        """Show the server, without its password, and what waits for it."""
        setup, (count, error) = await self._driver.read(lambda db, _: (mails.read_setup(db), mails.waiting(db)))
        return {
            "host": setup.host, "port": setup.port, "security": setup.security, "user": setup.user,
            "has_password": bool(setup.password), "sender": setup.sender, "waiting": count, "error": error,
        }  # fmt: skip

    async def _run(self) -> None:
        while True:
            wait_s = LOOK_S
            with suppress(TillmeshError):  # a disk that refuses is told elsewhere; mail waits
                wait_s = await self._one()
            if wait_s > 0:
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._awake.wait(), wait_s)
                self._awake.clear()

    async def _one(self) -> float:
        """Try what is due, and say in how many seconds to look again; 0: at once."""
        setup, mail = await self._driver.read(lambda db, _: (mails.read_setup(db), mails.due(db)))
        if mail is None or not setup.host:
            return LOOK_S
        now = self._clock()
        if mail.next_ms > now:
            return min(LOOK_S, (mail.next_ms - now) / 1000)
        await self._try(setup, mail)
        return 0.0

    async def _try(self, setup: MailSetup, mail: Mail) -> None:
        receipt, shop = await self._driver.look(lambda books: (receipt_of(books, mail.event), books.store().name))
        if receipt is None:
            return await self._forget(mail, "the receipt is gone")
        try:
            await asyncio.to_thread(_send, setup, mail, receipt, shop)
        except MailRefused as cause:
            if cause.final or self._clock() - mail.created_ms > MAIL_AGE_MS_MAX:
                return await self._forget(mail, cause.detail)
            pause_ms = min(MAIL_RETRY_MS_FIRST << min(mail.attempts, 10), MAIL_RETRY_MS_MAX)
            why, next_ms = cause.detail, self._clock() + pause_ms
            await self._store(lambda db: mails.failed(db, mail.mail_id, why, next_ms))
            return None
        await self._store(lambda db: mails.sent(db, mail.mail_id))
        return None

    async def _forget(self, mail: Mail, why: str) -> None:
        """Give a mail up, and tell a manager which receipt nobody got; the address is forgotten with it."""
        log.warning("a receipt could not be mailed: %s", why)
        await self._store(lambda db: mails.sent(db, mail.mail_id))
        await self._driver.do(SYSTEM, Note(action="mail_given_up", subject=mail.event, detail=why))

    async def _store(self, work: Callable[[Any], None]) -> None:
        def keep(db: Any) -> None:
            with write(db):
                work(db)

        await self._driver.on_writer(keep)


def _send(setup: MailSetup, mail: Mail, receipt: Receipt, shop: str) -> None:
    server = Server(setup.host, setup.port, setup.security, setup.user, setup.password)
    subject, now = f"{shop} {receipt.number}", datetime.now(UTC)
    message = message_of(
        paper_of(receipt), shop=shop, sender=setup.sender, recipient=mail.recipient, subject=subject, at=now
    )
    deliver(server, message)
