"""Times as int milliseconds UTC, and their text form (RFC 3339)."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from tillmesh.kernel.errors import Invalid

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def rfc3339(at_ms: int) -> str:
    """Write a time as RFC 3339 UTC with milliseconds."""
    return (EPOCH + timedelta(milliseconds=at_ms)).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def parse_rfc3339(text: str, what: str) -> int:
    """Read an RFC 3339 time; a missing offset means UTC."""
    try:
        moment = datetime.fromisoformat(text)
        moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        return int((moment - EPOCH) / timedelta(milliseconds=1))
    except (ValueError, OverflowError):
        raise Invalid(f"{what} {text[:40]!r} is not a time", hint="Write it like 2026-11-22T09:30:00Z.") from None


def parse_day(text: str, what: str) -> date:
    """Read a calendar day."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise Invalid(f"{what} {text[:40]!r} is not a day", hint="Write it like 2026-11-22.") from None


def zone(name: str) -> ZoneInfo:
    """Find a time zone by its IANA name."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise Invalid(f"{name[:40]!r} is not a time zone", hint="Use an IANA name such as Europe/London.") from None


def day_bounds(day: date, where: ZoneInfo) -> tuple[int, int]:
    """Give the first millisecond of a local day and of the next; 23 to 25 hours apart where clocks change."""
    return _midnight(day, where), _midnight(day + timedelta(days=1), where)


def _midnight(day: date, where: ZoneInfo) -> int:
    return int((datetime.combine(day, time(), where) - EPOCH) / timedelta(milliseconds=1))


def local(at_ms: int, where: ZoneInfo) -> datetime:
    """Give a time as the clock on the wall shows it."""
    return (EPOCH + timedelta(milliseconds=at_ms)).astimezone(where)
