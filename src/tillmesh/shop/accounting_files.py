"""Bookings as files that accounting programs import: a plain table of double entries, and DATEV's EXTF format. Pure.

Source of the latter: DATEV, "DATEV-Format", header version 700, Buchungsstapel format version 13 (developer.datev.de).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from typing import Final

from tillmesh.kernel.errors import Conflict, Invalid
from tillmesh.kernel.money import exponent, format_decimal
from tillmesh.shop import accounting as a
from tillmesh.shop.accounts import CLIENT, CONSULTANT, KEY, TAX, YEAR_START, Chart
from tillmesh.shop.receipt import Words

PLAIN, DATEV = "plain", "datev"
FORMS: Final = (PLAIN, DATEV)
PLAIN_HEAD: Final = [
    "date", "document", "debit_account", "credit_account", "amount", "currency", "tax_code", "tax_percent", "text",
]  # fmt: skip
ACCOUNT_DIGITS_LEAST, ACCOUNT_DIGITS_MAX = 4, 8  # of DATEV
TEXT_CHARS_MAX: Final = 60
DATEV_ROWS_MAX: Final = 99_999  # in one file

_EVIDENCE: Final = [f"Beleginfo - {what} {n}" for n in range(1, 9) for what in ("Art", "Inhalt")]
_EXTRA: Final = [f"Zusatzinformation - {what} {n}" for n in range(1, 21) for what in ("Art", "Inhalt")]
DATEV_COLUMNS: Final = [
    "Umsatz (ohne Soll/Haben-Kz)", "Soll/Haben-Kennzeichen", "WKZ Umsatz", "Kurs", "Basis-Umsatz", "WKZ Basis-Umsatz",
    "Konto", "Gegenkonto (ohne BU-Schlüssel)", "BU-Schlüssel", "Belegdatum", "Belegfeld 1", "Belegfeld 2", "Skonto",
    "Buchungstext", "Postensperre", "Diverse Adressnummer", "Geschäftspartnerbank", "Sachverhalt", "Zinssperre",
    "Beleglink", *_EVIDENCE, "KOST1 - Kostenstelle", "KOST2 - Kostenstelle", "Kost-Menge",
    "EU-Land u. UStID (Bestimmung)", "EU-Steuersatz (Bestimmung)", "Abw. Versteuerungsart", "Sachverhalt L+L",
    "Funktionsergänzung L+L", "BU 49 Hauptfunktionstyp", "BU 49 Hauptfunktionsnummer", "BU 49 Funktionsergänzung",
    *_EXTRA, "Stück", "Gewicht", "Zahlweise", "Forderungsart", "Veranlagungsjahr", "Zugeordnete Fälligkeit",
    "Skontotyp", "Auftragsnummer", "Buchungstyp", "USt-Schlüssel (Anzahlungen)", "EU-Land (Anzahlungen)",
    "Sachverhalt L+L (Anzahlungen)", "EU-Steuersatz (Anzahlungen)", "Erlöskonto (Anzahlungen)", "Herkunft-Kz",
    "Buchungs GUID", "KOST-Datum", "SEPA-Mandatsreferenz", "Skontosperre", "Gesellschaftername", "Beteiligtennummer",
    "Identifikationsnummer", "Zeichnernummer", "Postensperre bis", "Bezeichnung SoBil-Sachverhalt",
    "Kennzeichen SoBil-Buchung", "Festschreibung", "Leistungsdatum", "Datum Zuord. Steuerperiode", "Fälligkeit",
    "Generalumkehr (GU)", "Steuersatz", "Land", "Abrechnungsreferenz", "BVV-Position",
    "EU-Land u. UStID (Ursprung)", "EU-Steuersatz (Ursprung)", "Abw. Skontokonto",
]  # fmt: skip
# Columns of texts: they are quoted, empty ones too.
_TEXTS: Final = frozenset({
    "Soll/Haben-Kennzeichen", "WKZ Umsatz", "WKZ Basis-Umsatz", "BU-Schlüssel", "Belegfeld 1", "Belegfeld 2",
    "Buchungstext", "Diverse Adressnummer", "Beleglink", *_EVIDENCE, "KOST1 - Kostenstelle", "KOST2 - Kostenstelle",
    "EU-Land u. UStID (Bestimmung)", "Abw. Versteuerungsart", *_EXTRA, "Forderungsart", "Auftragsnummer",
    "Buchungstyp", "EU-Land (Anzahlungen)", "Herkunft-Kz", "Buchungs GUID", "SEPA-Mandatsreferenz",
    "Gesellschaftername", "Identifikationsnummer", "Zeichnernummer", "Bezeichnung SoBil-Sachverhalt",
    "Generalumkehr (GU)", "Land", "Abrechnungsreferenz", "EU-Land u. UStID (Ursprung)",
})  # fmt: skip


class NoAccount(Conflict):
    """Nobody has said yet which accounts these bookings belong to."""

    kind = "no-account"
    title = "Accounts are missing"

    def __init__(self, roles: Sequence[str]) -> None:
        super().__init__(
            f"no account is set for {', '.join(roles)}",
            hint="Ask your accountant for the numbers and set them under Reports, Accounting.",
        )
        self.roles = list(roles)

    def members(self) -> dict[str, object]:
        """Name the roles, so that a screen can ask for them."""
        return {"roles": self.roles}


def check_form(form: str) -> None:
    """Refuse a form that no file has."""
    if form not in FORMS:
        raise Invalid(f"{form[:20]!r} is no form of a file", hint=f"Use one of {', '.join(FORMS)}.")


def missing(bookings: Iterable[a.Booking], chart: Chart, form: str) -> list[str]:
    """List the roles without an account that a file in a form needs."""
    found = [role for role in a.roles_of(bookings) if not (form == DATEV and role.startswith(TAX))]
    return [role for role in [*((CONSULTANT, CLIENT) if form == DATEV else ()), *found] if not chart.get(role)]


def plain(bookings: Sequence[a.Booking], chart: Chart, currency: str, words: Words) -> list[list[str]]:
    """Give a table in which every row is an amount that goes from one account to another, tax apart."""
    _complete(bookings, chart, PLAIN)
    rows = [PLAIN_HEAD]
    for one in bookings:
        rows += _row(one, chart, currency, words, one.credit, one.amount_minor - one.tax_minor)
        rows += _row(one, chart, currency, words, TAX + one.tax_code, one.tax_minor)
    return rows


def _row(
    one: a.Booking, chart: Chart, currency: str, words: Words, credit: str, amount_minor: int
) -> list[list[str]]:  # fmt: skip
    if not amount_minor:
        return []
    accounts = [chart[one.debit], chart[credit]]
    amount = format_decimal(abs(amount_minor), exponent(currency))
    percent = format_decimal(one.rate_ppm, 4).rstrip("0").rstrip(".") if one.tax_code else ""
    return [[
        one.day.isoformat(), one.document, *(accounts if amount_minor > 0 else reversed(accounts)), amount, currency,
        one.tax_code, percent, text_of(one, words),
    ]]  # fmt: skip


def datev(
    bookings: Sequence[a.Booking], chart: Chart, currency: str, words: Words, days: tuple[date, date], made: str
) -> bytes:
    """Give a file for DATEV: revenue with its tax in one row, as DATEV works the tax out from account or key.

    ``made`` is when, as ``YYYYMMDDHHMMSSmmm``.
    """
    _complete(bookings, chart, DATEV)
    if exponent(currency) != 2:
        raise Invalid(f"DATEV takes currencies with two decimals, not {currency}", hint="Take the plain table.")
    digits = _digits(bookings, chart)
    rows = [_datev_row(one, chart, words) for one in bookings if one.amount_minor]
    if len(rows) > DATEV_ROWS_MAX:
        raise Invalid(
            f"{len(rows)} bookings; DATEV takes at most {DATEV_ROWS_MAX} in a file", hint="Ask for fewer days."
        )
    lines = [_datev_head(chart, currency, days, made, digits), ";".join(DATEV_COLUMNS), *rows]
    return ("\r\n".join(lines) + "\r\n").encode("cp1252", errors="replace")


def _datev_head(chart: Chart, currency: str, days: tuple[date, date], made: str, digits: int) -> str:
    first, last = days
    begins = _year_of(chart.get(YEAR_START) or "0101", first)
    if last >= begins.replace(year=begins.year + 1):
        raise Invalid(f"{first} to {last} lies in two financial years", hint="Ask for each of them by itself.")
    return ";".join([
        '"EXTF"', "700", "21", '"Buchungsstapel"', "13", made, "", '"TM"', '""', '""', chart[CONSULTANT], chart[CLIENT],
        f"{begins:%Y%m%d}", str(digits), f"{first:%Y%m%d}", f"{last:%Y%m%d}", '"Kassen"', '""', "1", "0", "0",
        f'"{currency}"', "", '""', "", "", '""', "", "", '""', '""',
    ])  # fmt: skip


def _year_of(start: str, day: date) -> date:
    """Give the first day of the financial year that a day is in; ``start`` is month and day."""
    begins = date(day.year, int(start[:2]), int(start[2:]))
    return begins if begins <= day else begins.replace(year=day.year - 1)


def _datev_row(one: a.Booking, chart: Chart, words: Words) -> str:
    values = {
        "Umsatz (ohne Soll/Haben-Kz)": format_decimal(abs(one.amount_minor), 2).replace(".", ","),
        "Soll/Haben-Kennzeichen": "S" if one.amount_minor > 0 else "H",
        "Konto": chart[one.debit],
        "Gegenkonto (ohne BU-Schlüssel)": chart[one.credit],
        "BU-Schlüssel": chart.get(KEY + one.tax_code, "") if one.tax_code else "",
        "Belegdatum": f"{one.day:%d%m}",
        "Belegfeld 1": one.document,
        "Buchungstext": text_of(one, words)[:TEXT_CHARS_MAX],
        "Festschreibung": "0",
    }
    return ";".join(_quoted(values.get(name, "")) if name in _TEXTS else values.get(name, "") for name in DATEV_COLUMNS)


def _quoted(text: str) -> str:
    clean = "".join(char if char.isprintable() else " " for char in text)
    return '"' + clean.replace('"', '""') + '"'


def _digits(bookings: Iterable[a.Booking], chart: Chart) -> int:
    """Give how long the numbers of accounts are; DATEV takes digits only, and one length."""
    numbers = {role: chart[role] for role in a.roles_of(bookings) if not role.startswith(TAX)}
    for role, number in numbers.items():
        if not (number.isascii() and number.isdigit() and int(number) and len(number) <= ACCOUNT_DIGITS_MAX):
            raise Invalid(
                f"DATEV can't take the account {number} of {role}: no number of at most {ACCOUNT_DIGITS_MAX} digits",
                hint="Set the account's number under Reports, Accounting.",
            )
    return max([ACCOUNT_DIGITS_LEAST, *(len(number) for number in numbers.values())])


def text_of(one: a.Booking, words: Words) -> str:
    """Say what a booking is about."""
    match one.about:
        case a.SALES:
            return words("books_sales", rate=words.formats.percent(one.rate_ppm))
        case a.TENDER:
            return words("books_tender", method=words.tender(one.text))
        case a.MOVED:
            what = words("books_cash_in" if one.amount_minor > 0 else "books_cash_out")
            return words("with_reason", what=what, reason=one.text) if one.text else what
        case a.COUNTED:
            return words(
                "with_reason", what=words("books_over" if one.amount_minor > 0 else "books_short"), reason=one.text
            )
        case a.FLOAT:
            return words("books_float" if one.amount_minor > 0 else "books_float_less")
        case a.ROUNDED:
            return words("rounding")
        case about:
            return words(f"books_{about}")


def _complete(bookings: Sequence[a.Booking], chart: Chart, form: str) -> None:
    if lacking := missing(bookings, chart, form):
        raise NoAccount(lacking)
