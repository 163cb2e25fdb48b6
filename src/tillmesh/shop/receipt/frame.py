"""What every paper has around its content: the shop's head, its marks, who and when, the anchor and the footer."""

from __future__ import annotations

from collections.abc import Iterator

from tillmesh.shop.events import Payment, TaxTotal
from tillmesh.shop.receipt.parts import Banner, Barcode, Heading, Part, Qr, Row, Spacer, Table, Text
from tillmesh.shop.receipt.tickets import Anchor, Header, Mark, Signed, write_anchor
from tillmesh.shop.receipt.words import Words


def opening(header: Header, words: Words, mark: Mark, *, training: bool) -> Iterator[Part]:
    """Begin a paper: who sells, and what kind of paper this is if it is not the one original."""
    yield Heading(header.name)
    yield from (Text(line, "centre") for line in header.address)
    if header.tax_id:
        yield Text(words("tax_id", number=header.tax_id), "centre")
    yield Spacer()
    if training:
        yield Banner(words("training"))
    match mark:
        case Mark.ORIGINAL:
            pass
        case Mark.COPY:
            yield Banner(words("copy"))
        case Mark.POSSIBLE_DUPLICATE:
            yield Banner(words("possible_duplicate"))
            yield Text(words("possible_duplicate_why"), "centre")


def closing(footer: tuple[str, ...], words: Words, mark: Mark, *, training: bool) -> Iterator[Part]:
    """End a paper: the shop's footer, and the marks again, so that a torn paper still bears one."""
    if footer:
        yield Spacer()
        yield from (Text(line, "centre") for line in footer)
    if mark is not Mark.ORIGINAL:
        yield Banner(words("copy" if mark is Mark.COPY else "possible_duplicate"))
    if training:
        yield Banner(words("training"))


def facts(words: Words, *pairs: tuple[str, str]) -> Iterator[Part]:
    """Say who, when and which: one row for each pair of message key and value that has a value."""
    yield from (Row(words(key), value) for key, value in pairs if value)


def tax_table(taxes: tuple[TaxTotal, ...], currency: str, words: Words) -> Table:
    """Show net, tax and gross for every rate."""
    money = words.formats.money
    letters = tax_letters(taxes)
    return Table(
        head=(words("rate"), words("net"), words("tax"), words("gross")),
        rows=tuple(
            (
                f"{letters.get((tax.code, tax.rate_ppm), '')} {words.formats.percent(tax.rate_ppm)}".strip(),
                money(tax.net_minor, currency),
                money(tax.tax_minor, currency),
                money(tax.net_minor + tax.tax_minor, currency),
            )
            for tax in taxes
        ),
    )


def tax_letters(taxes: tuple[TaxTotal, ...]) -> dict[tuple[str, int], str]:
    """Give each rate a letter that stands behind the items it taxes; with one rate none is needed."""
    if len(taxes) < 2:
        return {}
    return {(tax.code, tax.rate_ppm): chr(ord("A") + i) for i, tax in enumerate(taxes[:26])}


def tenders(payments: tuple[Payment, ...], currency: str, words: Words) -> Iterator[Part]:
    """Show each payment as it was handed over, with what identifies it."""
    for payment in payments:
        method = words.tender(payment.method)
        if payment.last_four:
            method = words("last_four", method=method, last_four=payment.last_four)
        yield Row(method, words.formats.money(payment.amount_minor, currency))
        if payment.reference and payment.method != "gift_card":  # that is the card's hash
            yield Text("  " + words("reference", reference=payment.reference))


def signed_parts(signed: Signed | None, words: Words) -> Iterator[Part]:
    """Show the signature of a device, by number and as a QR code, or the notice that it is out of order."""
    if signed is None:
        return
    yield Spacer()
    found = signed.signature
    if found is None:
        yield Banner(words("signature_out"))
        return
    code = ";".join(("V0", found.device, "Kassenbeleg-V1", found.data, str(found.counter), str(found.signed_at_ms),
                     found.algorithm, "unixTimeMs", found.signature, found.public_key))  # fmt: skip
    yield from facts(
        words,
        ("signature_device", found.device),
        ("signature_counter", str(found.counter)),
        ("signature_time", words.formats.moment(found.signed_at_ms)),
    )
    if found.late:
        yield Text(words("signature_late"), "centre")
    yield Qr(code, f"{found.device} {found.counter}")


def anchored(anchor: Anchor, receipt_number: str) -> Iterator[Part]:
    """Let the paper be scanned back: the receipt number as a barcode, the event and its hash as a QR code."""
    yield Spacer()
    yield Qr(write_anchor(anchor), f"{anchor.event_id} {anchor.hash.hex()[:16]}")
    yield Spacer()
    yield Barcode(receipt_number)


def large(left: str, amount: str) -> Row:
    """Show the amount everybody looks for."""
    return Row(left, amount, strong=True, large=True)
