"""The state machine of rules under any series of values: opens and ends alternate, always."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from groundswell.alerts.rules import Ended, Moved, Opened, State, Window, limits_of, step
from groundswell.model.alerts import Level, Rule, Side
from tests.unit.alerts.builders import rule

VALUES = st.lists(st.none() | st.sampled_from([0.0, 10.0, 30.0, 50.0, 51.0, 100.0, 101.0, 1e9]),
                  max_size=60)  # fmt: skip


@st.composite
def rules(draw: Any) -> Rule:
    below = draw(st.booleans())
    warning = draw(st.none() | st.just(60.0 if below else 50.0))
    resolve = draw(st.none() | st.just(70.0 if below else 20.0))
    critical = 30.0 if below else 100.0
    side = Side.BELOW if below else Side.ABOVE
    return rule(critical, warning, resolve=resolve, side=side, periods=draw(st.integers(1, 4)))


def course(watched: Rule, values: list[float | None]) -> list[Any]:
    state, changes = State(), []
    for n, value in enumerate(values):
        window = Window(n * 60, value, limits_of(watched))
        state, change = step(state, window, window_s=watched.window_s, periods=watched.periods)
        changes.append(change)
    return changes


@given(rules(), VALUES)
@settings(max_examples=300, deadline=None)
def test_open_and_end_alternate_and_levels_follow_each_other(
    watched: Rule, values: list[float | None]
) -> None:
    level = Level.OK
    for change in course(watched, values):
        match change:
            case Opened():
                assert level is Level.OK
                level = change.level
            case Moved():
                assert level is change.previous
                assert change.level not in {level, Level.OK}
                level = change.level
            case Ended():
                assert level is change.previous
                level = Level.OK


@given(rules(), VALUES)
@settings(max_examples=200, deadline=None)
def test_windows_that_could_not_be_judged_change_nothing(
    watched: Rule, values: list[float | None]
) -> None:
    known = [value for value in values if value is not None]
    with_gaps = [c for c in course(watched, values) if c is not None]
    without = [c for c in course(watched, known) if c is not None]
    assert [type(c) for c in with_gaps] == [type(c) for c in without]


@given(rules(), VALUES)
@settings(max_examples=200, deadline=None)
def test_nothing_opens_before_its_number_of_windows(
    watched: Rule, values: list[float | None]
) -> None:
    bad = [
        None if v is None else (v < 60 if watched.side is Side.BELOW else v > 50) for v in values
    ]
    for n, change in enumerate(course(watched, values)):
        if isinstance(change, Opened):
            judged = [b for b in bad[: n + 1] if b is not None]
            assert len(judged) >= watched.periods
            assert all(judged[-watched.periods :])
