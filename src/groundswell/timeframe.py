"""Time ranges, periods, bucket widths and the bucket grid. Pure: `now` is always an argument.

Rules: periods are digits with an optional unit of s m h d w; buckets are aligned to the epoch;
a bucket width that cannot be used is replaced by the default of the range, never an error.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from groundswell.errors import UserError

MAX_POINTS = 10_000
DEFAULT_RANGE = timedelta(days=90)
# An end in the future is legal, but every bucket up to it is filled.
FURTHEST_AHEAD = timedelta(days=366)

_PERIOD = re.compile(r"(\d{1,12})([smhdw]?)", re.ASCII)
_UNIT_S = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}
_MINUTE, _HOUR, _DAY = 60, 3600, 86_400


@dataclass(frozen=True, slots=True)
class TimeRange:
    """A half-open range of instants in UTC: `start <= t < end`."""

    start: datetime
    end: datetime

    @property
    def seconds(self) -> float:
        return (self.end - self.start).total_seconds()

    def shifted(self, delta_s: int) -> TimeRange:
        """Move both ends back by `delta_s` seconds."""
        delta = timedelta(seconds=delta_s)
        return TimeRange(self.start - delta, self.end - delta)


@dataclass(frozen=True, slots=True)
class Grid:
    """The buckets of an answer: starts in unix seconds, and what the API reports as its ends."""

    starts: tuple[int, ...]
    start: int
    end: int
    width_s: int


def parse_period(text: str) -> int | None:
    """Read `14d`, `24h`, `90` (seconds) → seconds; None when it is not a period."""
    match = _PERIOD.fullmatch(text.strip())
    if match is None:
        return None

    return int(match[1]) * _UNIT_S[match[2]]


def parse_instant(text: str) -> datetime | None:
    """Read an ISO date, an ISO instant (offsets honoured, UTC when missing) or unix seconds."""
    text = text.strip()
    if re.fullmatch(r"\d{9,11}(\.\d+)?", text, re.ASCII):
        return datetime.fromtimestamp(float(text), UTC)

    if not re.match(r"\d{4}-\d\d-\d\d", text, re.ASCII):
        return None

    try:
        instant = datetime.fromisoformat(text)
        return instant.replace(tzinfo=UTC) if instant.tzinfo is None else instant.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def parse_range(
    params: Mapping[str, Sequence[str]], *, now: datetime, retention: timedelta
) -> TimeRange:
    """Turn the date parameters of a request into a range.

    `statsPeriod` wins over `statsPeriodStart`/`statsPeriodEnd`, over `start`/`end`, over the last
    90 days. A literal `statsPeriod` of more than an hour is widened to whole minutes (to whole
    quarters of an hour from 30 days on), so that repeated questions are equal.

    Raises UserError (400) that names the parameter and what was wrong with it.
    """
    found = _requested_range(params, now)
    edge = now - retention
    if found.end <= edge:
        raise UserError(
            "Invalid date range: the date range is older than the retention of "
            f"{retention.days} days",
            code="outside_retention",
            field="start",
        )

    if found.end > now + FURTHEST_AHEAD:
        raise _bad(f"end is more than {FURTHEST_AHEAD.days} days ahead", "end")

    return TimeRange(max(found.start, edge), found.end)


def choose_interval(
    window: TimeRange, requested: str | None, *, series: int = 1, high_fidelity: bool = False
) -> int:
    """Choose the bucket width in seconds: the requested one when it fits, else the default."""
    default = default_interval(window, high_fidelity=high_fidelity)
    if not requested:
        return default

    width_s = parse_period(requested)
    if width_s is None:
        width_s = _HOUR
    too_fine = width_s <= 0 or window.seconds / width_s > MAX_POINTS / max(series, 1)
    return default if too_fine or width_s > window.seconds else width_s


def default_interval(window: TimeRange, *, high_fidelity: bool = False) -> int:
    """Give the bucket width in seconds that suits a range."""
    seconds = window.seconds
    if seconds >= 60 * _DAY:
        return 4 * _HOUR if high_fidelity else _DAY

    if seconds >= 30 * _DAY:
        return _HOUR if high_fidelity else 4 * _HOUR

    if seconds > _DAY:
        return 30 * _MINUTE if high_fidelity else _HOUR

    if seconds > _HOUR:
        return _MINUTE if high_fidelity else 5 * _MINUTE

    return 5 * _MINUTE if high_fidelity else 15 * _MINUTE


def bucket_grid(window: TimeRange, width_s: int, *, partial: bool) -> Grid:
    """Lay the epoch-aligned buckets of a range.

    The bucket that holds `end` is dropped unless `partial`; where that would leave one bucket only
    (exactly one full bucket between the floors) both stay and `end` grows by one second.
    """
    start = window.start.timestamp()
    end = window.end.timestamp()
    first = int(start // width_s) * width_s
    last = int(end // width_s) * width_s
    if last - first == width_s:
        return Grid((first, last), first, last + 1, width_s)

    stop = end if partial else last
    starts = tuple(t for t in range(first, last + 1, width_s) if t < stop)
    return Grid(starts, first, last, width_s)


def _requested_range(params: Mapping[str, Sequence[str]], now: datetime) -> TimeRange:
    def first(*names: str) -> str | None:
        return next((params[name][0] for name in names if params.get(name)), None)

    period = first("statsPeriod", "timeframe")
    if period is not None:
        seconds = _period_or_error(period, "statsPeriod")
        window = _ago(now, seconds, 0)
        return _quantised(window) if params.get("statsPeriod") and seconds > _HOUR else window

    ago_start = first("statsPeriodStart", "timeframeStart")
    ago_end = first("statsPeriodEnd", "timeframeEnd")
    if ago_start is not None or ago_end is not None:
        if ago_start is None or ago_end is None:
            raise _bad("statsPeriodStart and statsPeriodEnd are both needed", "statsPeriodStart")
        return _ago(
            now,
            _period_or_error(ago_start, "statsPeriodStart"),
            _period_or_error(ago_end, "statsPeriodEnd"),
        )

    start_text, end_text = first("start"), first("end")
    if start_text is None and end_text is None:
        return TimeRange(now - DEFAULT_RANGE, now)

    if start_text is None or end_text is None:
        raise _bad("start and end are both needed", "end" if end_text is None else "start")

    return _ordered(_instant_or_error(start_text, "start"), _instant_or_error(end_text, "end"))


def _quantised(window: TimeRange) -> TimeRange:
    step = 60 if window.seconds < 30 * _DAY else 900
    start = int(window.start.timestamp() // step) * step
    end = -int(-window.end.timestamp() // step) * step
    return TimeRange(datetime.fromtimestamp(start, UTC), datetime.fromtimestamp(end, UTC))


def _ago(now: datetime, start_s: int, end_s: int) -> TimeRange:
    try:
        return _ordered(now - timedelta(seconds=start_s), now - timedelta(seconds=end_s))
    except OverflowError:
        raise _bad("statsPeriod is too long", "statsPeriod") from None


def _ordered(start: datetime, end: datetime) -> TimeRange:
    if start >= end:
        raise _bad("start must be before end", "start")

    return TimeRange(start, end)


def _period_or_error(text: str, field: str) -> int:
    seconds = parse_period(text)
    if seconds is None:
        raise _bad(f"{field} {text!r} is not a period such as 14d, 24h, 30m or 60s", field)

    return seconds


def _instant_or_error(text: str, field: str) -> datetime:
    instant = parse_instant(text)
    if instant is None:
        raise _bad(f"{field} {text!r} is not a valid ISO 8601 date", field)

    return instant


def _bad(reason: str, field: str) -> UserError:
    return UserError(f"Invalid date range: {reason}", code="invalid_date_range", field=field)
