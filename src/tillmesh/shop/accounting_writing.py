"""The books of a store for some days as a file to hand on. Pure."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import NamedTuple

from tillmesh.kernel.times import day_bounds, local, zone
from tillmesh.shop.accounting import UNHEARD_MS, Booking
from tillmesh.shop.accounting_files import DATEV, check_form, datev, plain
from tillmesh.shop.receipt import Words
from tillmesh.shop.settings import StoreSettings


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


def write(booked: Booked, form: str, words: Words, now_ms: int) -> File:
    """Write a file in a form; raises :class:`NoAccount` while the shop lacks one for a booking."""
    check_form(form)
    settings, days = booked.settings, (booked.first, booked.last)
    if form == DATEV:
        made = f"{local(now_ms, zone(settings.time_zone)):%Y%m%d%H%M%S}{now_ms % 1000:03}"
        content = datev(booked.bookings, settings.chart(), settings.currency, words, days, made)
        return File(f"EXTF_{booked.first}_{booked.last}.csv", "text/csv; charset=windows-1252", content)
    content = table(plain(booked.bookings, settings.chart(), settings.currency, words))
    return File(f"books-{booked.first}-{booked.last}.csv", "text/csv; charset=utf-8", content)


def table(rows: Iterable[Sequence[str]]) -> bytes:
    """Write rows as a table with commas."""
    out: list[str] = []
    csv.writer(_Echo(out)).writerows(rows)
    return "".join(out).encode()


class _Echo:
    """What :mod:`csv` writes to."""

    def __init__(self, out: list[str]) -> None:
        self._out = out

    def write(self, text: str) -> None:
        self._out.append(text)


def unheard(newest: Mapping[str, int], last: date, time_zone: str) -> list[str]:
    """List tills that worked in the days before the end of a day and were not heard of since: some may be missing.

    ``newest`` says when each till wrote last.
    """
    after = day_bounds(last, zone(time_zone))[1]
    return sorted(till for till, at_ms in newest.items() if after - UNHEARD_MS <= at_ms < after)
