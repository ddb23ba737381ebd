"""What is likely at a time of day and week; and how seldom quiet series raise an alarm."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from benchmarks.likely import SERIES, judge
from benchmarks.trends.score import load
from groundswell.alerts.dynamic import DAY_S, Habit, History, habit_of, likely, limits_at
from groundswell.alerts.preview import episodes
from groundswell.alerts.rules import Window
from groundswell.model.alerts import Detection, Side
from tests.unit.alerts.builders import rule

HOUR = 3600
# A Thursday at midnight, as the epoch itself.
START = 2900 * 7 * DAY_S
RULE = rule(detection=Detection.DYNAMIC, side=Side.BOTH, window_min=60)


def habits(days: int, *, seed: int, noise: float = 0.1) -> np.ndarray:
    """Counts of every hour that follow the day and halve on weekends."""
    chance = np.random.default_rng(seed)
    hours = np.arange(days * 24)
    level = 200 * (1.2 + np.sin(hours / 24 * 2 * np.pi))
    level = np.where((hours // 24 + 3) % 7 >= 5, level / 2, level)
    return np.asarray(chance.poisson(level * chance.lognormal(0, noise, len(hours))), float)


def habit(values: np.ndarray) -> Habit:
    return habit_of(History(START, HOUR, values, values), "count()")


def alarms(values: np.ndarray, *, sensitivity: str = "medium", from_day: int = 21) -> int:
    watched = replace(RULE, sensitivity=sensitivity)
    windows: list[Window] = []
    for n in range(from_day * 24, len(values)):
        start = START + n * HOUR
        if n % 6 == 0 or not windows:
            known = habit(values[: max(0, n - 20)])
        limits = limits_at(watched, known, start, values[n])
        assert limits is not None
        windows.append(Window(start + HOUR, float(values[n]), limits))
    return len(episodes(watched, {"": windows}))


@pytest.mark.parametrize("sensitivity", ["low", "medium"])
def test_quiet_series_with_habits_raise_no_alarm(sensitivity: str) -> None:
    fired = sum(alarms(habits(35, seed=n), sensitivity=sensitivity) for n in range(10))
    # 3,360 windows of ten series.
    assert fired <= 2


def test_series_without_a_change_stay_quiet_whatever_their_noise() -> None:
    """A small part of what `python -m benchmarks likely` measures: the families that are hard."""
    hard = {"null_low", "null_rate", "null_count_daily", "null_gap"}
    quiet = [one for one in load(SERIES) if one.family in hard and len(one.values) == 168]
    judged = [judge(one, "medium") for one in quiet[::6]]
    windows, alarmed = sum(one.windows for one in judged), sum(len(o.alarms) for o in judged)
    assert windows > 300
    assert alarmed <= 1


def test_a_fall_and_a_rise_at_an_unusual_time_are_seen() -> None:
    for factor in (0.05, 4.0):
        values = habits(35, seed=1)
        values[30 * 24 + 6 : 30 * 24 + 9] *= factor
        assert alarms(values) == 1


def test_too_little_history_is_not_judged() -> None:
    assert likely(habit(habits(1, seed=1)), START + 2 * DAY_S, 100) is None


def test_history_begins_with_the_first_event() -> None:
    history = History.of({START + 2 * HOUR: (5.0, 5.0)}, START, START + 4 * HOUR, HOUR, 0.0)
    assert [None if np.isnan(v) else v for v in history.values] == [None, None, 5.0, 0.0]
