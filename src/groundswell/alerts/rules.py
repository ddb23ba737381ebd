"""The state machine of a rule: what one more value of a window means. Pure; time is an argument.

Nothing opens while something is open, only what is open ends, and a window that could not be
judged changes nothing: silence of the store is no recovery.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TypeAlias

from groundswell.model.alerts import Detection, Level, Rule, Side

# A value that is missing for so long ends what is open: what was watched is gone.
GONE_AFTER_S = 86_400


@dataclass(frozen=True, slots=True)
class Limits:
    """Where values turn bad at one moment, as plain numbers. None: no such limit.

    low and high belong to the two sides; each is (warning, critical, resolve).
    """

    high: tuple[float | None, float | None, float | None] = (None, None, None)
    low: tuple[float | None, float | None, float | None] = (None, None, None)


@dataclass(frozen=True, slots=True)
class State:
    """What a rule remembers of one group between two windows.

    level: of the open incident, OK where there is none. streak: how many windows in a row asked
    for `wanted`. since: the start of the first window of that streak (unix seconds). seen: the end
    of the last window with a value.
    """

    level: Level = Level.OK
    wanted: Level = Level.OK
    streak: int = 0
    since: int = 0
    seen: int = 0


@dataclass(frozen=True, slots=True)
class Opened:
    level: Level
    started: int
    at: int
    value: float


@dataclass(frozen=True, slots=True)
class Moved:
    """An open incident is warning instead of critical, or the other way round."""

    level: Level
    previous: Level
    at: int
    value: float


@dataclass(frozen=True, slots=True)
class Ended:
    previous: Level
    at: int
    value: float | None


Change: TypeAlias = Opened | Moved | Ended


@dataclass(frozen=True, slots=True)
class Window:
    """One judged window: it ends at unix second `end`. value None: there is nothing to judge."""

    end: int
    value: float | None
    limits: Limits


def limits_of(rule: Rule) -> Limits:
    """Give the limits of a rule that does not learn them from the past.

    For a rule about a change, values are percentages of the other period: "50 above" is 150.
    """

    def number(value: float | None) -> float | None:
        if value is None or rule.detection is not Detection.PERCENT:
            return value
        return 100 + value if rule.side is Side.ABOVE else 100 - value

    warning, critical = rule.trigger(Level.WARNING), rule.trigger(Level.CRITICAL)
    bounds = (
        number(warning.threshold if warning else None),
        number(critical.threshold if critical else None),
        number(rule.resolve),
    )
    return Limits(low=bounds) if rule.side is Side.BELOW else Limits(high=bounds)


def wanted_level(value: float, limits: Limits, current: Level) -> Level:
    """Say which level a value asks for, given the present one.

    Between the resolve threshold and the lowest threshold whatever is open stays open.
    """
    return max(
        _side_level(value, limits.high, current, 1), _side_level(value, limits.low, current, -1)
    )


def step(
    state: State, window: Window, *, window_s: int, periods: int
) -> tuple[State, Change | None]:
    """Take one more window into account."""
    if window.value is None:
        return _without_value(state, window)

    wanted = wanted_level(window.value, window.limits, state.level)
    state = replace(state, seen=window.end)
    if wanted is state.level:
        return replace(state, wanted=wanted, streak=0, since=0), None

    # Warning windows on the way to critical count: both say that it is bad.
    goes_on = state.streak > 0 and _agree(state.wanted, wanted, state.level)
    target = min(state.wanted, wanted) if goes_on else wanted
    streak = state.streak + 1 if goes_on else 1
    since = state.since if goes_on else window.end - window_s
    if streak < periods:
        return replace(state, wanted=target, streak=streak, since=since), None

    return _changed(state, target, since, window)


def _agree(before: Level, now: Level, current: Level) -> bool:
    if current is Level.OK:
        return before > Level.OK and now > Level.OK

    return before is now


def _changed(state: State, level: Level, since: int, window: Window) -> tuple[State, Change]:
    assert window.value is not None
    after = State(level=level, wanted=level, streak=0, since=0, seen=window.end)
    if state.level is Level.OK:
        return after, Opened(level, since, window.end, window.value)

    if level is Level.OK:
        return after, Ended(state.level, window.end, window.value)

    return after, Moved(level, state.level, window.end, window.value)


def _without_value(state: State, window: Window) -> tuple[State, Change | None]:
    if state.level is Level.OK or window.end - state.seen < GONE_AFTER_S:
        return state, None

    return State(seen=state.seen), Ended(state.level, window.end, None)


def _side_level(
    value: float,
    bounds: tuple[float | None, float | None, float | None],
    current: Level,
    sign: int,
) -> Level:
    warning, critical, resolve = (None if b is None else b * sign for b in bounds)
    value *= sign
    if critical is not None and value > critical:
        return Level.CRITICAL

    if warning is not None and value > warning:
        return Level.WARNING

    if current is not Level.OK and resolve is not None and value > resolve:
        # Hysteresis: not bad enough to open, not good enough to end.
        return current if warning is None else Level.WARNING
    return Level.OK
