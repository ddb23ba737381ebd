"""Dates, periods, bucket widths and grids, by the tables of the API's contract."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from groundswell.errors import UserError
from groundswell.timeframe import (
    TimeRange,
    bucket_grid,
    choose_interval,
    default_interval,
    parse_instant,
    parse_period,
    parse_range,
)

NOW = datetime(2026, 3, 2, 10, 11, 12, tzinfo=UTC)
RETENTION = timedelta(days=90)
HOUR, DAY = 3600, 86_400


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def window(start: str, end: str) -> TimeRange:
    return TimeRange(at(start), at(end))


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("14d", 14 * DAY),
        ("24h", DAY),
        ("90m", 5400),
        ("60s", 60),
        ("90", 90),
        ("2w", 14 * DAY),
        ("0", 0),
        ("", None),
        ("d", None),
        ("1.5h", None),
        ("-1h", None),
        ("1x", None),
        ("1hh", None),
        ("١h", None),
    ],
)
def test_period(text: str, seconds: int | None) -> None:
    assert parse_period(text) == seconds


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-03-01", at("2026-03-01")),
        ("2026-03-01T10:00:00", at("2026-03-01T10:00:00")),
        ("2026-03-01T10:00:00Z", at("2026-03-01T10:00:00")),
        ("2026-03-01T10:00:00.250000", at("2026-03-01T10:00:00.250000")),
        ("2026-03-01T10:00:00.250Z", at("2026-03-01T10:00:00.250000")),
        ("2026-03-01T10:00:00+02:00", at("2026-03-01T08:00:00")),
        ("1772359200", datetime.fromtimestamp(1772359200, UTC)),
        ("tomorrow", None),
        ("2026-13-01", None),
        ("2026-03-01T25:00:00", None),
        ("", None),
        ("0001-01-01T00:00:00+05:00", None),
    ],
)
def test_instant(text: str, expected: datetime | None) -> None:
    assert parse_instant(text) == expected


@pytest.mark.parametrize(
    ("params", "expected"),
    [
        ({}, TimeRange(NOW - timedelta(days=90), NOW)),
        ({"statsPeriod": ["1h"]}, TimeRange(NOW - timedelta(hours=1), NOW)),
        # More than an hour: widened to whole minutes, from 30 days on to quarters of an hour.
        ({"statsPeriod": ["2h"]}, window("2026-03-02T08:11:00", "2026-03-02T10:12:00")),
        ({"statsPeriod": ["30d"]}, window("2026-01-31T10:00:00", "2026-03-02T10:15:00")),
        ({"timeframe": ["2h"]}, TimeRange(NOW - timedelta(hours=2), NOW)),
        (
            {"statsPeriodStart": ["2d"], "statsPeriodEnd": ["1d"]},
            TimeRange(NOW - timedelta(days=2), NOW - timedelta(days=1)),
        ),
        (
            {"start": ["2026-03-01"], "end": ["2026-03-02T00:00:00"]},
            window("2026-03-01", "2026-03-02"),
        ),
        # An end in the future is legal.
        (
            {"start": ["2026-03-01"], "end": ["2026-03-05"]},
            window("2026-03-01", "2026-03-05"),
        ),
        # statsPeriod wins over everything else.
        (
            {"statsPeriod": ["1h"], "start": ["2026-03-01"], "end": ["2026-03-02"]},
            TimeRange(NOW - timedelta(hours=1), NOW),
        ),
        # What is older than the retention is not there.
        ({"statsPeriod": ["9999d"]}, TimeRange(NOW - RETENTION, at("2026-03-02T10:15:00"))),
    ],
)
def test_range(params: dict[str, list[str]], expected: TimeRange) -> None:
    assert parse_range(params, now=NOW, retention=RETENTION) == expected


@pytest.mark.parametrize(
    ("params", "names"),
    [
        ({"statsPeriod": ["x"]}, "statsPeriod"),
        ({"statsPeriod": ["0d"]}, "start must be before end"),
        ({"statsPeriod": [""]}, "statsPeriod"),
        ({"statsPeriod": ["999999999999w"]}, "statsPeriod"),
        ({"statsPeriodStart": ["2d"]}, "statsPeriodEnd"),
        ({"start": ["2026-03-01"]}, "end"),
        ({"end": ["2026-03-01"]}, "start"),
        ({"start": ["2026-03-02"], "end": ["2026-03-01"]}, "start must be before end"),
        ({"start": ["2026-03-01"], "end": ["2026-03-01"]}, "start must be before end"),
        ({"start": ["yesterday"], "end": ["2026-03-01"]}, "yesterday"),
        ({"start": ["2020-01-01"], "end": ["2020-01-02"]}, "date range"),
        ({"start": ["2026-03-01"], "end": ["9999-01-01"]}, "end"),
    ],
)
def test_refused_range(params: dict[str, list[str]], names: str) -> None:
    with pytest.raises(UserError, match="date range") as refused:
        parse_range(params, now=NOW, retention=RETENTION)

    assert names in refused.value.message
    assert refused.value.status == 400


@pytest.mark.parametrize(
    ("seconds", "low", "high"),
    [
        (90 * DAY, DAY, 4 * HOUR),
        (60 * DAY, DAY, 4 * HOUR),
        (60 * DAY - 1, 4 * HOUR, HOUR),
        (30 * DAY, 4 * HOUR, HOUR),
        (30 * DAY - 1, HOUR, 1800),
        (DAY + 1, HOUR, 1800),
        (DAY, 300, 60),
        (HOUR + 1, 300, 60),
        (HOUR, 900, 300),
        (1, 900, 300),
    ],
)
def test_default_interval(seconds: int, low: int, high: int) -> None:
    range_ = TimeRange(NOW - timedelta(seconds=seconds), NOW)

    assert default_interval(range_) == low
    assert default_interval(range_, high_fidelity=True) == high


@pytest.mark.parametrize(
    ("days", "requested", "series", "chosen"),
    [
        (1, "1h", 1, HOUR),
        (1, None, 1, 300),
        (90, "1s", 1, DAY),
        (90, "0", 1, DAY),
        (1, "0s", 1, 300),
        (14, "nonsense", 1, HOUR),
        (1, "2d", 1, 300),
        (1, "10s", 1, 10),
        (1, "10s", 10, 300),
        (1, "90", 10, 90),
        (1, "1m", 10, 300),
    ],
)
def test_chosen_interval(days: int, requested: str | None, series: int, chosen: int) -> None:
    range_ = TimeRange(NOW - timedelta(days=days), NOW)

    assert choose_interval(range_, requested, series=series) == chosen


@pytest.mark.parametrize(
    ("start", "end", "width_s", "partial", "starts", "reported"),
    [
        # Whole buckets.
        ("10:00:00", "13:00:00", HOUR, False, ("10", "11", "12"), ("10", "13")),
        ("10:00:00", "13:00:00", HOUR, True, ("10", "11", "12"), ("10", "13")),
        # The bucket that holds the end is dropped unless asked for; the one of the start is whole.
        ("10:20:00", "13:10:00", HOUR, False, ("10", "11", "12"), ("10", "13")),
        ("10:20:00", "13:10:00", HOUR, True, ("10", "11", "12", "13"), ("10", "13")),
        # One full bucket: both stay, and the end grows by a second.
        ("10:00:00", "11:00:00", HOUR, False, ("10", "11"), ("10", "11:00:01")),
        ("10:40:00", "11:20:00", HOUR, False, ("10", "11"), ("10", "11:00:01")),
        ("10:40:00", "11:20:00", HOUR, True, ("10", "11"), ("10", "11:00:01")),
        # Everything in one bucket.
        ("10:10:00", "10:50:00", HOUR, False, (), ("10", "10")),
        ("10:10:00", "10:50:00", HOUR, True, ("10",), ("10", "10")),
    ],
)
def test_grid(
    start: str,
    end: str,
    width_s: int,
    partial: bool,
    starts: tuple[str, ...],
    reported: tuple[str, str],
) -> None:
    def instant(clock: str) -> int:
        return int(at(f"2026-03-01T{clock}" + (":00:00" if len(clock) == 2 else "")).timestamp())

    grid = bucket_grid(
        TimeRange(at(f"2026-03-01T{start}"), at(f"2026-03-01T{end}")), width_s, partial=partial
    )

    assert grid.starts == tuple(instant(clock) for clock in starts)
    assert (grid.start, grid.end) == (instant(reported[0]), instant(reported[1]))
