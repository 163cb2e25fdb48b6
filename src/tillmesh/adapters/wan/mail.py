"""A receipt as a mail, and a mail server that takes it. Standard library alone: smtplib and email."""

from __future__ import annotations

import smtplib
import ssl
from dataclasses import dataclass
from email.message import EmailMessage
from email.utils import format_datetime, make_msgid
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from datetime import datetime

TIMEOUT_S: Final = 20.0


class MailRefused(Exception):
    """The server said no, or nothing; ``final`` when another try would be answered the same."""

    def __init__(self, detail: str, *, final: bool) -> None:
        super().__init__(detail)
        self.detail = detail
        self.final = final


@dataclass(frozen=True, slots=True)
class Paper:
    """What a receipt is on each kind of paper."""

    number: str
    text: str
    page: str  # a whole HTML page
    pdf: bytes


@dataclass(frozen=True, slots=True)
class Server:
    """A mail server; ``security`` is none, starttls or tls. A password is never sent in clear."""

    host: str
    port: int
    security: str
    user: str = ""
    password: str = ""


def message_of(paper: Paper, *, shop: str, sender: str, recipient: str, subject: str, at: datetime) -> EmailMessage:
    """Make the mail: plain text, the same as HTML, and the PDF."""
    mail = EmailMessage()
    mail["From"] = f'"{shop.replace(chr(34), "")}" <{sender}>' if sender else shop
    if recipient:
        mail["To"] = recipient
    mail["Subject"] = subject
    mail["Date"] = format_datetime(at)
    mail["Message-ID"] = make_msgid(domain=sender.partition("@")[2] or "tillmesh.invalid")
    mail.set_content(paper.text)
    mail.add_alternative(paper.page, subtype="html")
    mail.add_attachment(paper.pdf, maintype="application", subtype="pdf", filename=f"{paper.number}.pdf")
    return mail


def deliver(server: Server, mail: EmailMessage) -> None:
    """Hand a mail to the server; raises :class:`MailRefused`."""
    try:
        with _connected(server) as link:
            if server.user:
                link.login(server.user, server.password)
            link.send_message(mail)
    except smtplib.SMTPRecipientsRefused as cause:
        code = max((code for code, _ in cause.recipients.values()), default=0)
        raise MailRefused("the server does not take this address", final=500 <= code < 600) from cause
    except smtplib.SMTPResponseException as cause:
        text = cause.smtp_error.decode("utf-8", "replace") if isinstance(cause.smtp_error, bytes) else cause.smtp_error
        raise MailRefused(f"{cause.smtp_code} {text[:150]}", final=False) from cause
    except (OSError, smtplib.SMTPException, ValueError) as cause:
        raise MailRefused(str(cause)[:150] or type(cause).__name__, final=False) from cause


def _connected(server: Server) -> smtplib.SMTP:
    if server.security == "tls":
        return smtplib.SMTP_SSL(server.host, server.port, timeout=TIMEOUT_S, context=ssl.create_default_context())
    link = smtplib.SMTP(server.host, server.port, timeout=TIMEOUT_S)
    if server.security == "starttls":
        try:
            link.starttls(context=ssl.create_default_context())
        except BaseException:
            link.close()
            raise
    return link
