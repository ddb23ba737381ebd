"""What the watch decides, as tables."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from groundswell.model.tenancy import OrgId, ProjectId
from groundswell.model.trends import Status, Trend, WatchSettings
from groundswell.store.metadata.trends import Looked
from groundswell.trends.watch.plan import Tail, digests_due, due, has_gone, surviving, week_end

NOW = datetime(2026, 3, 11, 12, tzinfo=UTC)  # a Wednesday
MONDAY = datetime(2026, 3, 9, 9, tzinfo=UTC)
ONE, TWO = ProjectId(1), ProjectId(2)


@pytest.mark.parametrize(
    ("p_values", "tested", "stand"),
    [
        ([], 100, []),
        ([1e-12], 100, [True]),
        ([0.00011], 100, [False]),
        ([0.00011, 0.00019], 100, [True, True]),
        ([0.5, 1e-9, 0.0003], 50, [False, True, True]),
        ([0.009], 1, [True]),
    ],
)
def test_what_stands_among_all_that_were_tested(
    p_values: list[float], tested: int, stand: list[bool]
) -> None:
    assert surviving(p_values, tested) == stand


@pytest.mark.parametrize(
    ("minutes_ago", "is_due"), [(None, True), (59, False), (60, True), (-5, True)]
)
def test_a_scan_is_due_after_its_interval(minutes_ago: int | None, is_due: bool) -> None:
    last = None if minutes_ago is None else NOW - timedelta(minutes=minutes_ago)

    assert due({ONE: WatchSettings()}, {ONE: Looked(last)}, NOW) == ([ONE] if is_due else [])


def test_the_one_that_waits_longest_comes_first() -> None:
    watched = {ONE: WatchSettings(), TWO: WatchSettings(), ProjectId(3): WatchSettings(False)}
    looked = {ONE: Looked(NOW - timedelta(hours=2)), TWO: Looked(NOW - timedelta(hours=3))}

    assert due(watched, looked, NOW) == [TWO, ONE]
    assert due(watched, {ONE: looked[ONE]}, NOW) == [TWO, ONE]


@pytest.mark.parametrize(
    ("now", "end"),
    [
        (NOW, MONDAY),
        (MONDAY, MONDAY),
        (MONDAY - timedelta(seconds=1), MONDAY - timedelta(days=7)),
        (MONDAY + timedelta(days=6, hours=23), MONDAY),
    ],
)
def test_a_week_ends_on_monday_morning(now: datetime, end: datetime) -> None:
    assert week_end(now) == end


def test_a_week_is_told_once_to_somebody() -> None:
    told = WatchSettings(targets=(("slack", "C1"),))

    assert digests_due({ONE: told, TWO: WatchSettings()}, {}, NOW) == [ONE]
    assert digests_due({ONE: told}, {ONE: Looked(None, MONDAY)}, NOW) == []
    assert digests_due({ONE: told}, {ONE: Looked(None, MONDAY)}, NOW + timedelta(days=7)) == [ONE]


@pytest.mark.parametrize(
    ("before", "after", "level", "events", "gone"),
    [
        (100, 200, 105, 500, True),
        (100, 200, 139, 500, True),
        (100, 200, 145, 500, False),
        (100, 200, 90, 500, True),
        (100, 200, 105, 10, False),
        (200, 100, 195, 500, True),
        (200, 100, 90, 500, False),
        (0, 0.5, 0.1, 500, True),
        (0, 0.5, 0.4, 500, False),
    ],
)
def test_a_level_is_back_past_half_of_the_way(
    before: float, after: float, level: float, events: float, gone: bool
) -> None:
    trend = Trend(
        1, OrgId(1), ONE, "/a", "p95()", 1 if after > before else -1, "regression", NOW,
        before, after, None, 1e-9, NOW, NOW, Status.NEW,
    )  # fmt: skip

    assert has_gone(trend, Tail(NOW, level, events)) is gone
