"""A receipt without paper: as a file, as a mail that a server takes when it is there, as a code for a telephone."""

from __future__ import annotations

import email
import email.policy
import socketserver
import threading
import time
from collections.abc import Callable, Iterator
from email.message import EmailMessage

import pytest

from tests.ports import free_port
from tests.services.api.shop import Shop
from tillmesh.terminal.mailing import Mailing

WAIT_S = 60.0


class MailServer:
    """Just enough of SMTP (RFC 5321) to take mails, on a port that is known before it listens."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.taken: list[EmailMessage] = []
        self.refuses = ""
        outer = self

        class Talk(socketserver.StreamRequestHandler):
            def handle(self) -> None:
                self._say("220 ready")
                while line := self.rfile.readline():
                    verb = line[:4].upper()
                    if verb == b"RCPT" and outer.refuses:
                        self._say(outer.refuses)
                    elif verb == b"DATA":
                        self._say("354 go on")
                        outer.taken.append(self._mail())
                        self._say("250 taken")
                    elif verb == b"QUIT":
                        return self._say("221 bye")
                    else:
                        self._say("250 fine")
                return None

            def _mail(self) -> EmailMessage:
                body = b""
                while (line := self.rfile.readline()) not in {b".\r\n", b""}:
                    body += line.removeprefix(b".")
                read = email.message_from_bytes(body, policy=email.policy.default)
                assert isinstance(read, EmailMessage)
                return read

            def _say(self, text: str) -> None:
                self.wfile.write(text.encode() + b"\r\n")

        class Server(socketserver.ThreadingTCPServer):
            allow_reuse_address = True
            daemon_threads = True

        self._server = Server(("127.0.0.1", port), Talk)
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


def until(holds: Callable[[], bool]) -> None:
    end = time.monotonic() + WAIT_S
    while not holds():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.02)


@pytest.fixture
def till(fresh: Callable[[], Shop]) -> Shop:
    shop = fresh()
    shop.product(name="Grüner Tee")
    return shop


@pytest.fixture
def mail_server() -> Iterator[Callable[[int], MailServer]]:
    begun: list[MailServer] = []

    def begin(port: int) -> MailServer:
        begun.append(MailServer(port))
        return begun[-1]

    yield begin
    for one in begun:
        one.close()


def set_up(shop: Shop, port: int) -> None:
    body = {"host": "127.0.0.1", "port": port, "security": "none", "sender": "shop@example.org"}
    shop.ok("PUT", "/mail", body)


def test_a_receipt_is_a_pdf_a_page_a_mail_and_a_code(till: Shop) -> None:
    sale = till.sale("c1", quantity="2")
    path = f"/sales/{sale['sale_id']}/receipt"
    pdf = till.call("GET", f"{path}?format=pdf")
    assert pdf.content.startswith(b"%PDF-1.4")
    assert "Grüner Tee".encode("cp1252") in pdf.content
    assert pdf.headers["content-disposition"] == f'attachment; filename="{sale["receipt_number"]}.pdf"'
    page = till.call("GET", f"{path}?format=page").text
    assert page.startswith("<!doctype html>")
    assert "Grüner Tee" in page
    assert "http" not in page.split("</style>")[1].replace("http://www.w3.org/2000/svg", "")  # nothing is fetched
    mail = email.message_from_bytes(till.call("GET", f"{path}?format=eml").content, policy=email.policy.default)
    assert sale["receipt_number"] in str(mail["Subject"])
    assert {part.get_content_type() for part in mail.walk()} >= {"text/plain", "text/html", "application/pdf"}
    assert till.call("GET", f"{path}?format=qr").text.startswith("<svg")
    assert till.call("GET", "/sales/nothing-1/receipt?format=pdf").status_code == 404


def test_a_mail_waits_for_its_server_through_a_restart_and_is_sent_once(
    till: Shop, mail_server: Callable[[int], MailServer]
) -> None:
    port = free_port()
    sale = till.sale("c2")
    body = {"mail_id": "m1", "to": "anna@example.org"}
    path = f"/sales/{sale['sale_id']}/mail"
    assert till.call("POST", path, body).status_code == 409  # off until somebody names a server
    set_up(till, port)
    assert till.call("POST", path, body, role="cashier").status_code == 202
    assert till.call("POST", path, body, role="cashier").status_code == 202
    until(lambda: bool(till.ok("GET", "/mail")["error"]))  # nobody is there
    assert till.ok("GET", "/mail")["waiting"] == 1
    assert till.sale("c3")["durable"]  # and nobody at the till notices

    till.loop.run(till.mailing.stop())
    server = mail_server(port)

    async def again() -> None:  # as after a restart, an hour later
        till.mailing = till.services.extra["mailing"] = Mailing(till.driver, lambda: till.clock() + 3_600_000)
        till.mailing.start()

    till.loop.run(again())
    until(lambda: till.ok("GET", "/mail")["waiting"] == 0)
    (mail,) = server.taken
    assert (mail["To"], mail["From"].addresses[0].addr_spec) == ("anna@example.org", "shop@example.org")
    text = mail.get_body(("plain",))
    assert text is not None
    assert sale["receipt_number"] in text.get_content()


def test_an_address_that_nobody_has_is_given_up_and_a_manager_reads_of_it(
    till: Shop, mail_server: Callable[[int], MailServer]
) -> None:
    port = free_port()
    server = mail_server(port)
    server.refuses = "550 nobody here"
    set_up(till, port)
    sale = till.sale("c4")
    till.ok("POST", f"/sales/{sale['sale_id']}/mail", {"mail_id": "m2", "to": "gone@example.org"})
    until(lambda: till.ok("GET", "/mail")["waiting"] == 0)
    until(lambda: till.ok("GET", "/audit")["entries"][0]["action"] == "mail_given_up")
    note = till.ok("GET", "/audit")["entries"][0]
    assert note["subject"] == sale["sale_id"]
    assert "gone@" not in str(note)  # the address is forgotten


def test_a_password_is_kept_from_everybody_and_never_sent_in_clear(till: Shop) -> None:
    body = {"host": "mail.example.org", "sender": "shop@example.org", "user": "shop", "password": "s3cret-word"}
    assert till.call("PUT", "/mail", body | {"security": "none"}).status_code == 422
    assert till.call("PUT", "/mail", body, role="supervisor").status_code == 403
    shown = till.ok("PUT", "/mail", body)
    assert (shown["has_password"], "s3cret-word" in str(shown)) == (True, False)
    assert till.call("POST", "/sales/x-1/mail", {"mail_id": "m", "to": "no address"}).status_code == 422
    till.ok("PUT", "/mail", {"host": ""})
    assert till.ok("GET", "/mail")["host"] == ""
