"""The books of a till's store for a stretch of days: read from the log, written as files for accountants."""

from __future__ import annotations

import time
from pathlib import Path

import apsw

from tillmesh.adapters.locales import words_of
from tillmesh.adapters.sqlite import accounting as stored
from tillmesh.adapters.sqlite.books import Books
from tillmesh.kernel.times import local, zone
from tillmesh.shop.accounting import book, days_of
from tillmesh.shop.accounting_writing import Booked, File
from tillmesh.shop.accounting_writing import write as write_books
from tillmesh.terminal.bootstrap import open_terminal


def read_days(db: apsw.Connection, books: Books, first: str, last: str, now_ms: int) -> Booked:
    """Book days that are over, both included."""
    settings = books.store()
    begin, end = days_of(first, last, local(now_ms, zone(settings.time_zone)).date())
    bookings = book(stored.happenings(books, begin, end), stored.counted_before(db, books, begin))
    return Booked(begin, end, bookings, settings, stored.unheard(db, books, end))


def write(booked: Booked, form: str, now_ms: int) -> File:
    """Write a file in a form, in the language of the store."""
    return write_books(booked, form, words_of(booked.settings.locale, booked.settings.time_zone), now_ms)


def export(data_dir: Path, first: str, last: str, form: str, *, key_file: Path | None = None) -> File:
    """Write a file from a data directory, with the till stopped."""
    now_ms = time.time_ns() // 1_000_000
    opened = open_terminal(data_dir, key_file=key_file)
    try:
        return write(read_days(opened.writer.db, opened.writer.books, first, last, now_ms), form, now_ms)
    finally:
        opened.close()
