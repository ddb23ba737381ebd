"""Judged windows → states, incidents and notices, in one transaction of the metadata.

A rule that was changed, deleted or judged by somebody else meanwhile is left alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import msgspec
from sqlalchemy import Connection

from groundswell.alerts.rules import (
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
from groundswell.alerts.telling import announce
from groundswell.model.alerts import Detection, Ending, Incident, Level, Rule, Side
from groundswell.model.tenancy import UserId
from groundswell.store.metadata import alerts, incidents
from groundswell.store.metadata.alerts import Watched


@dataclass(frozen=True, slots=True)
class Judged:
    """The windows of one rule up to `end`, by group, in order of time."""

    watched: Watched
    end: int
    windows: Mapping[str, Sequence[Window]]

    @property
    def rule(self) -> Rule:
        return self.watched.rule


def write_down(
    connection: Connection, found: Sequence[Judged], org_slug: str, now: datetime
) -> None:
    """Advance rules of one organization."""
    mine = [one for one in found if alerts.advance(connection, one.watched, one.end, now, None)]
    ids = [one.rule.id for one in mine]
    states = alerts.states_of(connection, ids)
    open_now = incidents.open_incidents(connection, ids)
    for one in mine:
        known = {group: msgspec.convert(s, State) for group, s in states[one.rule.id].items()}
        course = _Course(connection, one, now, {g: i for (r, g), i in open_now.items()
                                                if r == one.rule.id})  # fmt: skip
        for group, windows in _in_order(one, known):
            course.follow(group, known.get(group, State()), windows)
        for incident in course.touched.values():
            announce(connection, one.rule, incident, org_slug, now)


class _Course:
    """Follows the groups of one rule and writes what happens to them."""

    def __init__(
        self, connection: Connection, judged: Judged, now: datetime, open_now: dict[str, Incident]
    ) -> None:
        self._connection = connection
        self._judged = judged
        self._now = now
        self._open = open_now
        self.touched: dict[int, Incident] = {i.id: i for i in open_now.values()}

    def follow(self, group: str, state: State, windows: Sequence[Window]) -> None:
        rule, before = self._judged.rule, state
        for window in windows:
            after, change = step(state, window, window_s=rule.window_s, periods=rule.periods)
            if isinstance(change, Opened) and self._is_full(group):
                continue
            state = after
            if change is not None:
                self._change(group, change)
            self._measure(group, window)
        if state != before:
            kept = None if _is_forgettable(state) else msgspec.to_builtins(state)
            alerts.keep_state(self._connection, rule.id, group, kept)

    def _is_full(self, group: str) -> bool:
        rule = self._judged.rule
        return rule.group_by is not None and len(self._open) >= rule.group_limit

    def _change(self, group: str, change: Change) -> None:
        if isinstance(change, Opened):
            self._begin(group, change)
            return

        incident = self._open.get(group)
        if incident is None:
            return

        if isinstance(change, Moved):
            incident = replace(incident, level=change.level)
            self._note(incident, change.level, change.previous, change.at)
            self._keep(incident)
        elif isinstance(change, Ended):
            ended = replace(
                incident, closed_at=_instant(change.at), ending=Ending.VALUE, value=change.value
            )
            self._note(ended, Level.OK, change.previous, change.at)
            self._keep(ended)
            del self._open[group]

    def _begin(self, group: str, change: Opened) -> None:
        rule = self._judged.rule
        suffix = f" · {group}" if group else ""
        incident = incidents.open_incident(
            self._connection,
            Incident(
                id=0,
                org_id=rule.org_id,
                number=0,
                rule_id=rule.id,
                title=f"{rule.name}{suffix}"[:256],
                group=group[:255],
                level=change.level,
                started_at=_instant(change.started),
                detected_at=self._now,
                value=change.value,
                peak=change.value,
            ),
            rule,
        )
        incidents.add_activity(self._connection, incident.id, "detected", _instant(change.at))
        self._note(incident, change.level, Level.OK, change.at)
        self._open[group] = incident
        self.touched[incident.id] = incident

    def _measure(self, group: str, window: Window) -> None:
        """Note the present value, and the worst."""
        incident = self._open.get(group)
        if incident is None or window.value is None:
            return

        peak = window.value
        if incident.peak is not None and not _is_worse(window.value, incident.peak, window.limits):
            peak = incident.peak
        if (incident.value, incident.peak) != (window.value, peak):
            self._keep(replace(incident, value=window.value, peak=peak))

    def _note(self, incident: Incident, level: Level, previous: Level, at: int) -> None:
        incidents.add_activity(
            self._connection, incident.id, "status", _instant(at),
            value=str(int(level)), previous=str(int(previous)),
        )  # fmt: skip

    def _keep(self, incident: Incident) -> None:
        incidents.change_incident(self._connection, incident)
        self.touched[incident.id] = incident
        if incident.is_open:
            self._open[incident.group] = incident


def close_by_hand(
    connection: Connection,
    rule: Rule,
    incident: Incident,
    org_slug: str,
    now: datetime,
    *,
    ending: Ending,
    user_id: UserId | None = None,
) -> Incident:
    """End an incident for another reason than its value, and tell who was told of it."""
    if not incident.is_open:
        return incident

    closed = replace(incident, closed_at=now, ending=ending)
    incidents.change_incident(connection, closed)
    incidents.add_activity(
        connection, incident.id, "status", now, user_id=user_id,
        value=str(int(Level.OK)), previous=str(int(incident.level)),
    )  # fmt: skip
    alerts.keep_state(connection, rule.id, incident.group, None)
    return announce(connection, rule, closed, org_slug, now)


def _in_order(judged: Judged, known: Mapping[str, State]) -> list[tuple[str, Sequence[Window]]]:
    """Give the groups with their windows: what is open first, then the worst.

    A group that was remembered and has no events any more is judged too.
    """
    rule = judged.rule
    windows = {group[:255]: found for group, found in judged.windows.items()}
    for group in known:
        if group not in windows:
            windows[group] = [_of_nothing(rule, judged.end)]

    def rank(group: str) -> tuple[bool, float]:
        value = windows[group][-1].value
        is_open = group in known and known[group].level is not Level.OK
        if value is None:
            return not is_open, float("inf")
        return not is_open, value if rule.side is Side.BELOW else -value

    return [(group, windows[group]) for group in sorted(windows, key=rank)]


def _of_nothing(rule: Rule, end: int) -> Window:
    """Judge a group without events: nothing is certainly not too much."""
    if rule.detection is Detection.DYNAMIC:
        return Window(end, 0.0 if rule.side is Side.ABOVE else None, Limits())

    value = 0.0 if rule.is_additive and not rule.minimum and rule.delta_min is None else None
    return Window(end, value, limits_of(rule))


def _is_forgettable(state: State) -> bool:
    return state.level is Level.OK and state.streak == 0


def _is_worse(value: float, peak: float, limits: Limits) -> bool:
    middle_high, middle_low = limits.high[1], limits.low[1]
    if middle_high is not None and middle_low is not None:
        middle = (middle_high + middle_low) / 2
        return abs(value - middle) > abs(peak - middle)

    return value < peak if middle_high is None else value > peak


def _instant(at: int) -> datetime:
    return datetime.fromtimestamp(at, UTC)
