"""Receipts by mail: whom to send one, and which server takes it."""

from __future__ import annotations

import re
from typing import Any, Final

import msgspec

from tillmesh.adapters.sqlite import mails
from tillmesh.adapters.sqlite.database import write
from tillmesh.adapters.sqlite.mails import MailSetup
from tillmesh.kernel.errors import Conflict, Invalid, NotFound
from tillmesh.shop.people import Role
from tillmesh.terminal.mailing import Mailing
from tillmesh.terminal.receipts import receipt_of
from tillmesh.terminal.web.api import Call, Context
from tillmesh.till.commands import Note
from tillmesh.till.desk import checked_key, checked_text

SECURITY: Final = ("none", "starttls", "tls")
_ADDRESS: Final = re.compile(r"[^@\s,;<>\"()]{1,64}@[A-Za-z0-9.-]{1,189}")
_HOST: Final = re.compile(r"[A-Za-z0-9.:-]{0,200}")


class SendBody(msgspec.Struct):
    """To whom a receipt goes; the same ``mail_id`` again is the same mail."""

    mail_id: str
    to: str


class MailBody(msgspec.Struct):
    """How the mail server is reached; without a host no mail is sent. An empty password leaves the one that is set."""

    host: str
    sender: str = ""
    port: int = 587
    security: str = "starttls"
    user: str = ""
    password: str = ""


def _address(text: str) -> str:
    clean = text.strip()
    if not clean.isascii() or not _ADDRESS.fullmatch(clean):
        raise Invalid(f"{clean[:60]!r} is no e-mail address", hint="Type it like anna@example.org.")
    return clean


async def send(context: Context, body: SendBody) -> tuple[int, Any]:
    """Queue a receipt for a mail server; it is sent in the background, now or once the server is there."""
    event_id, to, mail_id = context.path("event_id"), _address(body.to), checked_key(body.mail_id, "mail_id")
    if context.services.practising is not None:
        raise Conflict("this till is in training", hint="End the training first.")
    setup = await context.driver.read(lambda db, _: mails.read_setup(db))
    if not setup.host:
        raise Conflict("no mail server is set up", hint="A manager sets one up under Settings.")
    if await context.driver.look(lambda books: receipt_of(books, event_id)) is None:
        raise NotFound(f"no receipt {event_id[:60]!r}", hint="Look it up in the list of sales.")

    def keep(db: Any) -> None:
        with write(db):
            mails.put(db, mail_id, event_id, to, context.now_ms())

    await context.driver.on_writer(keep)
    mailing: Mailing = context.services.extra["mailing"]
    mailing.wake()
    return 202, {"mail_id": mail_id}


async def get_mail(context: Context) -> Any:
    """Show the mail server, never its password, and what waits for it."""
    mailing: Mailing = context.services.extra["mailing"]
    return await mailing.view()


async def put_mail(context: Context, body: MailBody) -> Any:
    """Name the mail server that receipts go to, or none."""
    if body.security not in SECURITY:
        raise Invalid(f"{body.security[:20]!r} is no kind of connection", hint=f"Use one of {', '.join(SECURITY)}.")
    if not 1 <= body.port <= 65_535:
        raise Invalid(f"{body.port} is no port", hint="Mail servers listen at 587, 465 or 25.")
    if not _HOST.fullmatch(body.host):
        raise Invalid("the mail server's name can't be used", hint="Type it like mail.example.org.")
    held = await context.driver.read(lambda db, _: mails.read_setup(db))
    setup = MailSetup(
        host=body.host,
        port=body.port,
        security=body.security,
        user=checked_text(body.user, "the user name", most=200),
        password=(body.password or held.password) if body.user else "",
        sender=_address(body.sender) if body.host else "",
    )
    if setup.password and setup.security == "none":
        raise Invalid("a password is never sent in clear", hint="Use starttls or tls.")

    def keep(db: Any) -> None:
        with write(db):
            mails.write_setup(db, setup)

    await context.driver.on_writer(keep)
    await context.do(Note(action="mail_set_up", subject=setup.host or "off"))
    mailing: Mailing = context.services.extra["mailing"]
    mailing.wake()
    return await mailing.view()


CALLS = [
    Call("POST", "/sales/{event_id}/mail", send, "Send a receipt by mail", SendBody, status=202),
    Call("GET", "/mail", get_mail, "Show the mail server"),
    Call("PUT", "/mail", put_mail, "Set the mail server", MailBody, role=Role.MANAGER),
]
