"""The books of a till's store for a stretch of days: read from the log, written as files for accountants."""

from __future__ import annotations

import csv
import io
import time
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import NamedTuple

import apsw

from tillmesh.adapters.sqlite import accounting as stored
from tillmesh.adapters.sqlite.books import Books
from tillmesh.kernel.times import local, zone
from tillmesh.shop.accounting import Booking, book, days_of
from tillmesh.shop.accounting_files import DATEV, check_form, datev, plain
from tillmesh.shop.settings import StoreSettings
from tillmesh.terminal.bootstrap import open_terminal
from tillmesh.terminal.receipts import words_of


class Booked(NamedTuple):
    """What some days come to, and whose sales may still be missing."""

    first: date
    last: date
    bookings: Sequence[Booking]
    settings: StoreSettings
    unheard: list[str]  # tills


class File(NamedTuple):
    """A file to hand on."""

    name: str
    media: str
    content: bytes


def read_days(db: apsw.Connection, books: Books, first: str, last: str, now_ms: int) -> Booked:
    """Book days that are over, both included."""
    settings = books.store()
    begin, end = days_of(first, last, local(now_ms, zone(settings.time_zone)).date())
    bookings = book(stored.happenings(books, begin, end), stored.counted_before(db, books, begin))
    return Booked(begin, end, bookings, settings, stored.unheard(db, books, end))


def write(booked: Booked, form: str, now_ms: int) -> File:
    """Write a file in a form; raises :class:`NoAccount` while the shop lacks one for a booking."""
    check_form(form)
    settings = booked.settings
    words, days = words_of(settings.locale, settings.time_zone), (booked.first, booked.last)
    if form == DATEV:
        made = f"{local(now_ms, zone(settings.time_zone)):%Y%m%d%H%M%S}{now_ms % 1000:03}"
        content = datev(booked.bookings, settings.chart(), settings.currency, words, days, made)
        return File(f"EXTF_{booked.first}_{booked.last}.csv", "text/csv; charset=windows-1252", content)
    out = io.StringIO()
    csv.writer(out).writerows(plain(booked.bookings, settings.chart(), settings.currency, words))
    return File(f"books-{booked.first}-{booked.last}.csv", "text/csv; charset=utf-8", out.getvalue().encode())


def export(data_dir: Path, first: str, last: str, form: str, *, key_file: Path | None = None) -> File:
    """Write a file from a data directory, with the till stopped."""
    now_ms = time.time_ns() // 1_000_000
    opened = open_terminal(data_dir, key_file=key_file)
    try:
        return write(read_days(opened.writer.db, opened.writer.books, first, last, now_ms), form, now_ms)
    finally:
        opened.close()
