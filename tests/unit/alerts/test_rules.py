"""What one more window means, as tables."""

from __future__ import annotations

from typing import Any

import pytest

from groundswell.alerts.rules import (
    GONE_AFTER_S,
    Change,
    Ended,
    Limits,
    Moved,
    Opened,
    State,
    Window,
    limits_of,
    step,
)
from groundswell.model.alerts import Detection, Level, Rule, Side
from tests.unit.alerts.builders import rule

MINUTE = 60


def told(rule: Rule, values: list[float | None], every: int = MINUTE) -> list[str]:
    """Say what the values of one window after the other lead to: `2:open critical`."""
    state, said = State(), []
    for n, value in enumerate(values):
        window = Window(n * every, value, limits_of(rule))
        state, change = step(state, window, window_s=rule.window_s, periods=rule.periods)
        if change is not None:
            said.append(f"{n}:{word(change)}")
    return said


def word(change: Change) -> str:
    match change:
        case Opened(level=level):
            return f"open {level.name.lower()}"
        case Moved(level=level):
            return f"move {level.name.lower()}"
        case Ended():
            return "end"


BOTH = rule(100, 50)


@pytest.mark.parametrize(
    ("watched", "values", "expected"),
    [
        (rule(100), [100, 101, 500, 100], ["1:open critical", "3:end"]),
        (rule(100), [500, None, None, 5], ["0:open critical", "3:end"]),
        (BOTH, [60, 200, 60, 10], ["0:open warning", "1:move critical", "2:move warning", "3:end"]),
        (rule(100, resolve=20.0), [150, 90, 21, 20], ["0:open critical", "3:end"]),
        (
            rule(100, 50, resolve=20.0),
            [150, 90, 30, 20],
            ["0:open critical", "1:move warning", "3:end"],
        ),
        (rule(100, periods=3), [150, 150, 90, 150, 150, 150], ["5:open critical"]),
        (rule(100, 50, periods=2), [60, 150, 150, 150], ["1:open warning", "3:move critical"]),
        (rule(100, periods=2), [150, 150, 5, 150, 5, 5], ["1:open critical", "5:end"]),
        (rule(10, side=Side.BELOW), [10, 9, 10], ["1:open critical", "2:end"]),
        (
            rule(10, 20, side=Side.BELOW, resolve=30.0),
            [15, 5, 25, 30],
            ["0:open warning", "1:move critical", "2:move warning", "3:end"],
        ),
        (rule(100), [500, 5, 500], ["0:open critical", "1:end", "2:open critical"]),
    ],
)
def test_course(watched: Rule, values: list[float | None], expected: list[str]) -> None:
    assert told(watched, values) == expected


@pytest.mark.parametrize(
    ("more", "value", "level"),
    [
        ({}, 150.0, Level.OK),
        ({}, 150.1, Level.CRITICAL),
        ({"side": Side.BELOW}, 50.0, Level.OK),
        ({"side": Side.BELOW}, 49.9, Level.CRITICAL),
    ],
)
def test_a_change_is_judged_as_percentage_of_the_other_period(
    more: dict[str, Any], value: float, level: Level
) -> None:
    watched = rule(50, detection=Detection.PERCENT, delta_min=60, **more)
    assert told(watched, [value]) == ([] if level is Level.OK else ["0:open critical"])


def test_either_side_of_a_likely_range_is_bad() -> None:
    limits = Limits(high=(None, 20.0, 18.0), low=(None, 5.0, 6.0))
    state = State()
    seen = []
    for value in (10.0, 21.0, 19.0, 4.0, 5.5, 10.0):
        state, _ = step(state, Window(0, value, limits), window_s=60, periods=1)
        seen.append(state.level)
    critical, ok = Level.CRITICAL, Level.OK
    assert seen == [ok, critical, critical, critical, critical, ok]


def test_an_incident_begins_with_the_first_window_of_its_streak() -> None:
    state = State()
    for end in (600, 660, 720):
        state, change = step(state, Window(end, 500.0, limits_of(rule())), window_s=300, periods=3)
    assert change == Opened(Level.CRITICAL, started=300, at=720, value=500.0)


def test_what_is_gone_for_a_day_ends() -> None:
    values: list[float | None] = [500.0, *[None] * (GONE_AFTER_S // 3600 + 2)]
    assert told(rule(), values, every=3600) == ["0:open critical", "24:end"]
