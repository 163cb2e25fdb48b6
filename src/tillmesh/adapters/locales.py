"""Amounts, quantities, rates and times as a locale writes them: the CLDR through Babel, zones through zoneinfo."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import cache, lru_cache
from pathlib import Path
from types import MappingProxyType
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from babel import Locale, UnknownLocaleError
from babel.dates import format_date, format_time
from babel.numbers import format_currency, format_decimal, format_percent, get_currency_symbol, get_decimal_symbol

from tillmesh.kernel.errors import Invalid
from tillmesh.kernel.money import exponent
from tillmesh.shop.receipt import ENGLISH, Words

log = logging.getLogger(__name__)
RECEIPTS = Path(__file__).parent / "receipt_words"  # one catalogue for each language but English


@cache
def receipt_words(locale: str) -> Mapping[str, str]:
    """Give the words of receipts in the language of a tag such as ``de-AT``; none for what only English has."""
    path = RECEIPTS / f"{locale.replace('_', '-').partition('-')[0].lower()}.json"
    found: dict[str, str] = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    return MappingProxyType(found)


class BabelFormats:
    """Formats of one locale and time zone; fulfils ``shop.receipt.Formats``. Safe to share between threads."""

    def __init__(self, locale: str = "en", time_zone: str = "UTC") -> None:
        """Take a locale such as ``en_GB`` or ``de-AT`` and a zone such as ``Europe/Vienna``; raises Invalid."""
        try:
            self._locale = Locale.parse(locale.replace("-", "_"))
        except (UnknownLocaleError, ValueError, TypeError) as cause:
            raise Invalid(f"{locale[:40]!r} is not a known locale", hint="Use one like en_GB.") from cause
        try:
            self._zone = ZoneInfo(time_zone)
        except (ZoneInfoNotFoundError, ValueError, OSError) as cause:
            raise Invalid(f"{time_zone[:60]!r} is not a known time zone", hint="Use one like Europe/London.") from cause

    @property
    def language(self) -> str:
        """The BCP 47 tag of the language."""
        return str(self._locale).replace("_", "-")

    def money(self, amount_minor: int, currency: str) -> str:
        """Write minor units with the currency's symbol; the decimals are ISO 4217's, quantised before formatting."""
        decimals = exponent(currency)
        pattern = str(self._locale.currency_formats["standard"].pattern)
        pattern = pattern.replace("0.00", "0." + "0" * decimals if decimals else "0")
        if get_currency_symbol(currency, self._locale)[-1].isalpha():
            pattern = re.sub(
                "\u00a4(?=[#0])", "\u00a4\u00a0", pattern
            )  # CLDR: letters keep their distance from digits.
        amount = Decimal(amount_minor).scaleb(-decimals)
        return format_currency(amount, currency, format=pattern, locale=self._locale, currency_digits=False)

    def quantity(self, milli: int) -> str:
        """Write thousandths as a decimal number without trailing zeros."""
        return format_decimal(Decimal(milli).scaleb(-3), format="#,##0.###", locale=self._locale)

    def percent(self, rate_ppm: int) -> str:
        """Write parts per million as percent, with the locale's space where it has one."""
        pattern = str(self._locale.percent_formats[None].pattern).replace("0", "0.####")
        return format_percent(Decimal(rate_ppm).scaleb(-6), format=pattern, locale=self._locale)

    def day(self, when: date) -> str:
        """Write a day with its weekday, in full."""
        return format_date(when, "full", locale=self._locale)

    def moment(self, at_ms: int) -> str:
        """Write a time in the store's zone, to the minute."""
        at = datetime.fromtimestamp(at_ms / 1000, UTC)
        day = format_date(at.astimezone(self._zone), "medium", locale=self._locale)
        clock = format_time(at, "short", tzinfo=self._zone, locale=self._locale)
        return str(self._locale.datetime_formats["medium"]).format(clock, day)


def known_locale(tag: str, otherwise: str) -> str:
    """Give a tag such as ``de-CH`` if the CLDR has it, else another that it has."""
    try:
        return str(Locale.parse(tag.replace("-", "_")))
    except (UnknownLocaleError, ValueError, TypeError):
        return otherwise


def decimal_sign(locale: str) -> str:
    """Give what stands before the decimals in a known locale."""
    return get_decimal_symbol(Locale.parse(locale.replace("-", "_")))


@lru_cache(maxsize=8)
def words_of(locale: str, time_zone: str) -> Words:
    """Give words and formats; settings that nobody knows are replaced, since a receipt must come out."""
    try:
        return Words(BabelFormats(locale, time_zone), receipt_words(locale) or ENGLISH)
    except Invalid as cause:
        log.warning("receipts are written in English and UTC: %s", cause.detail)
        return Words(BabelFormats())
