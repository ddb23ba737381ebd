"""What to do and when, and what a scan means for what is known. Pure: no clock, no store."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from math import isfinite, log
from typing import Any

import numpy as np

from groundswell.model.tenancy import ProjectId
from groundswell.model.trends import Subject, Trend, WatchSettings
from groundswell.store.metadata.trends import Looked
from groundswell.trends.breakpoints import Breakpoint

WIDTH_S = 3_600
SCANNED = timedelta(days=7)
HISTORY = timedelta(days=21)
# A change is believed when so much of the new level was seen, and gone when so much of the old.
SETTLED = timedelta(hours=6)
TAIL = timedelta(hours=24)
# Data that come later move a breakpoint a little; nothing changes twice within so short a time.
TOLERANCE = timedelta(hours=12)
FALSE_DISCOVERIES = 0.01
# Half of the way back, on the logarithmic scale.
WAY_BACK = 0.5
RECOVERED_EVENTS = 25
DIGEST_WEEKDAY, DIGEST_HOUR = 0, 9
WEEK = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Spotted:
    """A change that a scan found in one series, with the p-value and the changes before it.

    raw, cells: values of the columns of the subject, as the store knows them and as people do.
    """

    subject: Subject
    group: str
    raw: tuple[object, ...]
    cells: tuple[Any, ...]
    function: str
    lower_is_better: bool
    breakpoints: tuple[Breakpoint, ...]

    @property
    def newest(self) -> Breakpoint:
        return self.breakpoints[-1]

    @property
    def series(self) -> tuple[Subject, str, str]:
        return self.subject, self.group, self.function


@dataclass(frozen=True, slots=True)
class Tail:
    """The level of a series from `since` on: its mean over so many events."""

    since: datetime
    level: float
    events: float


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a scan means: changes nobody knew, those seen again, and those gone since when."""

    new: tuple[Spotted, ...]
    seen: tuple[tuple[Trend, Spotted], ...]
    recovered: tuple[tuple[Trend, datetime], ...]


def due(
    watched: Mapping[ProjectId, WatchSettings], looked: Mapping[ProjectId, Looked], now: datetime
) -> list[ProjectId]:
    """List the projects whose scan is due, the one that waits longest first."""
    waiting = []
    for project, settings in watched.items():
        last = looked.get(project, Looked()).scanned_at
        # A last scan in the future comes from a clock that was wrong.
        if settings.enabled and (
            last is None or last > now or now - last >= timedelta(minutes=settings.every_min)
        ):
            waiting.append((last is not None, last or now, int(project), project))
    return [project for *_, project in sorted(waiting)]


def digests_due(
    watched: Mapping[ProjectId, WatchSettings], looked: Mapping[ProjectId, Looked], now: datetime
) -> list[ProjectId]:
    """List the projects whose week is to be told: once after Monday, 09:00 UTC, to somebody."""
    begun = week_end(now)
    return sorted(
        project
        for project, settings in watched.items()
        if settings.enabled
        and settings.digest
        and settings.targets
        and (looked.get(project, Looked()).digested_at or begun - WEEK) < begun
    )


def week_end(now: datetime) -> datetime:
    """Give the newest instant at which a week ended: Monday, 09:00 UTC."""
    monday = now - timedelta(days=(now.weekday() - DIGEST_WEEKDAY) % 7)
    end = monday.replace(hour=DIGEST_HOUR, minute=0, second=0, microsecond=0)
    return end if end <= now else end - WEEK


def surviving(
    p_values: Sequence[float], tested: int, rate: float = FALSE_DISCOVERIES
) -> list[bool]:
    """Tell which changes stand when `tested` series were looked at (Benjamini and Hochberg).

    Series without a change count as tested, with p-values above all of these.
    """
    if not p_values:
        return []

    values = np.asarray(p_values, dtype=float)
    in_order = np.sort(values)
    limits = rate * np.arange(1, len(values) + 1) / max(tested, len(values))
    below = np.flatnonzero(in_order <= limits)
    largest = float(in_order[below[-1]]) if len(below) else -1.0
    return [float(value) <= largest for value in values]


def believed(
    spotted: Iterable[Spotted], tested: int, settings: WatchSettings, start: datetime, end: datetime
) -> list[Spotted]:
    """Keep the changes that are large, recent, settled and significant among all tested series."""
    candidates = [
        each
        for each in spotted
        if start.timestamp() <= each.newest.breakpoint <= (end - SETTLED).timestamp()
        and is_large(each.newest, settings.min_change)
    ]
    stand = surviving([each.newest.p_value for each in candidates], tested)
    return [each for each, stands in zip(candidates, stand, strict=True) if stands]


def is_large(found: Breakpoint, min_change: float) -> bool:
    """Tell whether a change is at least `min_change`, up or down alike."""
    ratio = found.trend_percentage
    if not isfinite(ratio) or ratio <= 0:
        return True

    return abs(log(ratio)) >= log(1 + min_change)


def compare(
    known: Sequence[Trend],
    found: Sequence[Spotted],
    tails: Mapping[int, Tail],
) -> Outcome:
    """Say what changes that were found mean for the trends that are known.

    tails: the level at the end, by id of the trend. A change that takes a known trend back is its
    end and not another trend; nor is one whose whole course, up and down again, was scanned.
    """
    recovered = {}
    for trend in known:
        tail = tails.get(trend.id)
        if trend.status.is_open and tail is not None and has_gone(trend, tail):
            recovered[trend.id] = (trend, tail.since)
    new, seen = [], []
    for each in found:
        same = next((trend for trend in known if is_same(trend, each)), None)
        if same is not None:
            seen.append((same, each))
        elif not is_way_back(each, known):
            new.append(each)
    return Outcome(tuple(new), tuple(seen), tuple(recovered.values()))


def is_same(trend: Trend, found: Spotted) -> bool:
    """Tell whether a change is the trend that is known: series, direction, moment."""
    newest = found.newest
    spans = (newest.interval, newest.ramp or newest.interval)
    first, last = min(span[0] for span in spans), max(span[1] for span in spans)
    at = trend.at.timestamp()
    slack = TOLERANCE.total_seconds()
    is_near = first - slack <= at <= last + slack
    return trend.series == found.series and trend.direction == newest.direction and is_near


def is_way_back(found: Spotted, known: Sequence[Trend]) -> bool:
    """Tell whether a change only ends an earlier one of the same series."""
    newest = found.newest
    earlier: list[tuple[float | None, float | None, int]] = [
        (each.aggregate_range_1, each.aggregate_range_2, each.direction)
        for each in found.breakpoints[:-1][-1:]
    ]
    earlier += [
        (trend.before, trend.after, trend.direction)
        for trend in known
        if trend.series == found.series and trend.at.timestamp() < newest.breakpoint
    ][-1:]
    return any(
        direction == -newest.direction and _went_back(before, after, newest.aggregate_range_2)
        for before, after, direction in earlier
    )


def has_gone(trend: Trend, tail: Tail) -> bool:
    """Tell whether a level is more than half of the way back to what it was."""
    return tail.events >= RECOVERED_EVENTS and _went_back(trend.before, trend.after, tail.level)


def tail_start(trend: Trend, later: Breakpoint | None, end: datetime) -> datetime | None:
    """Say from when on a level shows whether a trend is gone; None while it is too early.

    later: a change in the other direction after the trend. Without one a whole day is needed, so
    that a night is not taken for the end.
    """
    if later is not None:
        since = max(later.breakpoint, trend.at.timestamp())
        return datetime.fromtimestamp(since, UTC)

    return end - TAIL if end - trend.at >= TAIL else None


def _went_back(before: float | None, after: float | None, level: float) -> bool:
    if before is None or after is None or before == after:
        return False

    if min(before, after, level) > 0:
        return log(level / before) / log(after / before) < WAY_BACK

    return (level - before) / (after - before) < WAY_BACK
