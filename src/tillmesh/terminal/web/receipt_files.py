"""A receipt as a file: PDF, a whole HTML page, a mail; and as a QR code whose text a telephone shows."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Final

from starlette.responses import Response

from tillmesh.adapters.devices.pdf.receipts import receipt_pdf
from tillmesh.adapters.devices.symbols import draw
from tillmesh.adapters.sqlite.books import Books
from tillmesh.adapters.wan.mail import Paper, message_of
from tillmesh.kernel.errors import NotFound
from tillmesh.shop.receipt import Qr, Receipt, render_html, render_text
from tillmesh.shop.receipt.html import escape

FORMATS: Final = ("pdf", "page", "eml", "qr")
QR_CHARS_MAX: Final = 900  # a denser code takes a good camera
_COLUMNS: Final = 42
_STYLE: Final = (
    "p{margin:.1rem 0}body{margin:0;background:#f3f4f6;font:15px/1.4 system-ui,sans-serif;color:#11151c}"
    ".paper{max-width:24rem;margin:1rem auto;padding:1.25rem;background:#fff}"
    ".paper-row{display:flex;justify-content:space-between;gap:1rem;margin:.15rem 0}"
    ".paper-items,.paper-details{list-style:none;margin:0;padding:0}.paper-details{font-size:.85em;padding-left:1rem}"
    ".paper-heading,.paper-banner,.is-centre,.paper-qr,.paper-barcode{text-align:center}"
    ".paper-amount{white-space:nowrap;text-align:right}.paper-spacer{height:1rem}.is-strong{font-weight:700}"
    ".is-large{font-size:1.35em}.paper-table{width:100%;font-size:.85em}svg{max-width:12rem;display:block;margin:auto}"
)


def paper_of(receipt: Receipt) -> Paper:
    """Give a receipt as everything that a mail holds."""
    return Paper(receipt.number, render_text(receipt, _COLUMNS), page_of(receipt), receipt_pdf(receipt))


def page_of(receipt: Receipt) -> str:
    """Give a receipt as an HTML page of its own, with its style in it: nothing is loaded from anywhere."""
    title, language = escape(receipt.number), escape(receipt.language)
    return (
        f'<!doctype html>\n<html lang="{language}"><head><meta charset="utf-8">'
        f'<meta name="viewport" content="width=device-width, initial-scale=1"><title>{title}</title>'
        f"<style>{_STYLE}</style></head><body>{render_html(receipt, draw)}</body></html>\n"
    )


def qr_of(receipt: Receipt) -> str:
    """Give the receipt's words as a QR code (SVG); what is too long for one ends in dots."""
    lines = (" ".join(line.split()) for line in render_text(receipt, _COLUMNS).splitlines())
    text = "\n".join(line for line in lines if line.strip("-=_ "))
    return draw(Qr(text if len(text) <= QR_CHARS_MAX else f"{text[: QR_CHARS_MAX - 3]}..."))


def file_of(books: Books, receipt: Receipt | None, kind: str, *, sender: str = "") -> Response:
    """Answer with a receipt as a file of one of the FORMATS."""
    if receipt is None:
        raise NotFound("no receipt of this sale is here", hint="Look it up in the list of sales.")
    match kind:
        case "pdf":
            return _file(receipt_pdf(receipt), "application/pdf", receipt.number, "pdf")
        case "page":
            return _file(page_of(receipt).encode(), "text/html; charset=utf-8", receipt.number, "html")
        case "eml":
            shop, number, now = books.store().name, receipt.number, datetime.now(UTC)
            subject = f"{shop} {number}"
            mail = message_of(paper_of(receipt), shop=shop, sender=sender, recipient="", subject=subject, at=now)
            return _file(mail.as_bytes(), "message/rfc822", number, "eml")
        case _:
            return Response(qr_of(receipt), media_type="image/svg+xml", headers={"Cache-Control": "no-store"})


def _file(body: bytes, media: str, number: str, ending: str) -> Response:
    headers: dict[str, Any] = {
        "Content-Disposition": f'attachment; filename="{number}.{ending}"',
        "Cache-Control": "no-store",
    }
    return Response(body, media_type=media, headers=headers)
