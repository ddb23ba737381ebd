"""Instants in filters → UTC, and how the engine is told."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from groundswell.query.sql.expression import Value

_ISO = re.compile(
    r"\d{4}-\d\d-\d\d(?:T\d\d:\d\d:\d\d(?:\.\d{1,6})?)?(?:Z|[+-]\d\d:\d\d)?", re.ASCII
)
_RELATIVE = re.compile(r"([+-])(\d{1,9})([wdhm])", re.ASCII)
_STEP = {"w": "weeks", "d": "days", "h": "hours", "m": "minutes"}
DATE_LENGTH = len("2026-01-01")
DATE_FORMS = "2026-01-31, 2026-01-31T10:00:00Z or -24h"


def parse_iso(text: str) -> datetime | None:
    """Read an ISO date or instant (UTC where no offset is given); None when it is none."""
    if not _ISO.fullmatch(text):
        return None

    stamp, zone = text, ""
    if text.endswith("Z"):
        stamp, zone = text[:-1], ""
    elif len(text) > DATE_LENGTH and text[-6] in "+-" and text[-3] == ":":
        stamp, zone = text[:-6], text[-6:]
    if "T" not in stamp:
        stamp += "T00:00:00"
    try:
        found = datetime.fromisoformat(stamp + zone)
        return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def parse_relative(text: str, now: datetime) -> tuple[str, datetime] | None:
    """Read `-24h` (since) or `+24h` (older than) → operator and instant."""
    match = _RELATIVE.fullmatch(text)
    if match is None:
        return None

    try:
        instant = now - timedelta(**{_STEP[match[3]]: int(match[2])})
    except OverflowError:
        return None

    return (">=" if match[1] == "-" else "<="), instant


def instant(at: datetime) -> Value:
    """Bind an instant, no finer than it is: columns of milliseconds would be scaled row by row."""
    utc = at.astimezone(UTC) if at.tzinfo is not None else at
    if utc.microsecond % 1000 == 0:
        return Value(utc.isoformat(" ", "milliseconds")[:23], "DateTime64(3, 'UTC')")

    return Value(utc.strftime("%Y-%m-%d %H:%M:%S.%f"), "DateTime64(6, 'UTC')")
