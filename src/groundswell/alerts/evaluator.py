"""Judges every rule once per interval: due windows → shared questions → changes, written at once.

A window is judged when it is older than the delay and the spool holds nothing from before its end.
What failed is judged later, never taken for recovery. Windows only ever move forward.
"""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from groundswell.alerts.book import Judged, write_down
from groundswell.alerts.learning import Habits
from groundswell.alerts.questions import (
    Row,
    Subject,
    ask_series,
    ask_values,
    between,
    judged,
    selected,
    subject_of,
)
from groundswell.alerts.rules import Limits, Window, limits_of
from groundswell.alerts.scopes import scope_of
from groundswell.errors import GroundswellError
from groundswell.model.alerts import Detection, Rule
from groundswell.model.tenancy import OrgId, Scope
from groundswell.stats.statistics import Statistics
from groundswell.store.metadata import Metadata, alerts
from groundswell.store.metadata.alerts import Watched
from groundswell.telemetry import counter, logger

log = logger("alerts")
JUDGED = counter("alert_windows", "Windows of rules that were judged.", ("result",))

AT_ONCE = 3
TOGETHER = 60
MAX_PHASE_S = 15
# Windows missed while nothing ran are judged afterwards, the newest of them.
MAX_MISSED = 500
RETRY_S = 30
MAX_BEHIND_S = 900
# No honest clock judged a window that lies a day ahead: whoever did had a wrong one.
ABSURD_AHEAD_S = 86_400

# (items accepted so far, items stored or dropped so far)
Progress = Callable[[], tuple[int, int]]


@dataclass(frozen=True, slots=True)
class Due:
    """A rule whose window that ends at `end` can be judged. missed: ends before it."""

    watched: Watched
    end: int
    missed: tuple[int, ...] = ()

    @property
    def rule(self) -> Rule:
        return self.watched.rule


class Evaluator:
    """Call `evaluate` again and again, never two at a time."""

    def __init__(
        self,
        metadata: Metadata,
        statistics: Statistics,
        *,
        delay_s: int,
        progress: Progress | None = None,
        max_phase_s: int = MAX_PHASE_S,
    ) -> None:
        self._metadata = metadata
        self._statistics = statistics
        self._delay_s = delay_s
        self._progress = progress
        self._max_phase_s = max_phase_s
        self._accepted: list[tuple[int, int]] = []
        self._not_before: dict[int, int] = {}
        self._habits = Habits(statistics)
        self._turns = asyncio.Semaphore(AT_ONCE)

    async def evaluate(self, now: datetime) -> int:
        """Judge everything that is due; give how many rules were judged."""
        at = int(now.timestamp())
        complete_until = self._complete_until(at)
        watched = await self._metadata.run(alerts.list_rules)
        due = [
            found
            for one in watched
            if self._not_before.get(one.rule.id, 0) <= at
            and (found := self._due(one, at, complete_until)) is not None
        ]
        if not due:
            return 0

        scopes = await self._metadata.run(_scopes, {one.rule.org_id for one in due})
        groups: dict[tuple[OrgId, Subject, int], list[Due]] = {}
        for one in due:
            if one.rule.org_id in scopes:
                key = (one.rule.org_id, subject_of(one.rule), one.end)
                groups.setdefault(key, []).append(one)
        waiting = list(groups.items())
        for first in range(0, len(waiting), TOGETHER):
            some = waiting[first : first + TOGETHER]
            judged = await asyncio.gather(
                *(
                    self._judge_together(scopes[org], subject, end, members, now)
                    for (org, subject, end), members in some
                )
            )
            await self._write(scopes, [one for found in judged for one in found], now)
        return len(due)

    def due_end(self, rule: Rule, at: int) -> int:
        """Give the end of the newest window of a rule that is old enough.

        Rules are spread over some seconds, those that share a question together.
        """
        width = rule.resolution_min * 60
        phase = 0
        if self._max_phase_s:
            phase = zlib.crc32(repr(subject_of(rule)).encode()) % min(self._max_phase_s, width)
        return (at - self._delay_s - phase) // width * width

    def _due(self, watched: Watched, at: int, complete_until: int) -> Due | None:
        rule = watched.rule
        end = self.due_end(rule, at)
        last = watched.last_end
        if last > at + ABSURD_AHEAD_S:
            log.warning("alert_clock_was_ahead", rule=rule.id, last_end=last)
            return Due(watched, end) if end <= complete_until else None

        if end <= last or end > complete_until:
            return None

        return Due(watched, end, _missed(rule, last, end))

    def _complete_until(self, at: int) -> int:
        """Say until when everything that arrived can be queried."""
        if self._progress is None:
            return at

        accepted, done = self._progress()
        self._accepted.append((at, accepted))
        stored = [seen for seen, count in self._accepted if count <= done]
        newest = stored[-1] if stored else at - MAX_BEHIND_S
        self._accepted = [pair for pair in self._accepted if pair[0] >= newest][-1000:]
        return max(newest, at - MAX_BEHIND_S)

    async def _judge_together(
        self, scope: Scope, subject: Subject, end: int, members: list[Due], now: datetime
    ) -> list[Judged]:
        try:
            async with self._turns:
                return await self._ask(scope, subject, end, members)
        except GroundswellError as error:
            await self._failed([one.watched for one in members], str(error), now)
            return []

    async def _write(
        self, scopes: Mapping[OrgId, Scope], found: list[Judged], now: datetime
    ) -> None:
        by_org: dict[OrgId, list[Judged]] = {}
        for one in found:
            by_org.setdefault(one.rule.org_id, []).append(one)
        for org_id, mine in by_org.items():
            slug = scopes[org_id].organization.slug
            try:
                await self._metadata.run(write_down, mine, slug, now)
            except GroundswellError as error:
                await self._failed([one.watched for one in mine], str(error), now)
                continue
            JUDGED.labels("judged").inc(len(mine))
            for one in mine:
                self._not_before.pop(one.rule.id, None)

    async def _ask(
        self, scope: Scope, subject: Subject, end: int, members: list[Due]
    ) -> list[Judged]:
        rules = [one.rule for one in members]
        select, statistics = selected(rules), self._statistics
        window = between(end - subject.window_s, end)
        present = await ask_values(statistics, subject, scope, window, select)
        before: dict[int, Mapping[str, Row]] = {}
        for delta in {rule.delta_min for rule in rules if rule.delta_min is not None}:
            shifted = window.shifted(delta * 60)
            before[delta] = await ask_values(statistics, subject, scope, shifted, select)
        found = []
        for one in members:
            earlier = before.get(one.rule.delta_min or 0, {})
            missed = await self._ask_missed(scope, subject, one, select)
            by_group = await self._limits(scope, subject, one.rule, end, present)
            windows: dict[str, list[Window]] = {"": missed} if missed else {}
            for group, numbers in present.items():
                value, limits = judged(one.rule, numbers, earlier.get(group)), by_group[group]
                windows.setdefault(group, []).append(
                    Window(end, None if limits is None else value, limits or Limits())
                )
            found.append(Judged(one.watched, end, windows))
        return found

    async def _ask_missed(
        self, scope: Scope, subject: Subject, due: Due, select: tuple[str, ...]
    ) -> list[Window]:
        """Judge windows of the past with one question (with two where periods are compared)."""
        if not due.missed:
            return []

        rule, width = due.rule, subject.window_s
        past = between(due.missed[0] - width, due.missed[-1])
        now = await ask_series(self._statistics, subject, scope, past, select)
        before: dict[int, Row] = {}
        shift = (rule.delta_min or 0) * 60
        if shift:
            earlier = past.shifted(shift)
            before = await ask_series(self._statistics, subject, scope, earlier, select)
        limits = limits_of(rule)
        return [
            Window(
                end,
                judged(rule, now.get(end - width, {}), before.get(end - width - shift)),
                limits,
            )
            for end in due.missed
        ]

    async def _limits(
        self, scope: Scope, subject: Subject, rule: Rule, end: int, present: Mapping[str, Row]
    ) -> Mapping[str, Limits | None]:
        if rule.detection is Detection.DYNAMIC:
            return await self._habits.limits(scope, subject, rule, end, present)

        return dict.fromkeys(present, limits_of(rule))

    async def _failed(self, members: Sequence[Watched], why: str, now: datetime) -> None:
        at = int(now.timestamp())
        log.warning("alert_query_failed", rules=[one.rule.id for one in members], why=why)

        def note(connection: Connection) -> None:
            for one in members:
                alerts.advance(connection, one, one.last_end, now, why)

        for one in members:
            JUDGED.labels("failed").inc()
            self._not_before[one.rule.id] = at + RETRY_S
        try:
            await self._metadata.run(note)
        except GroundswellError as error:
            log.warning("alert_failure_not_noted", why=str(error))


def _missed(rule: Rule, last: int, end: int) -> tuple[int, ...]:
    """List the ends of whole windows that nobody judged; none for what cannot be caught up."""
    width = rule.window_s
    if not last or rule.group_by or rule.detection is Detection.DYNAMIC:
        return ()

    if end - last <= rule.resolution_min * 60:
        return ()

    first = last // width * width + width
    return tuple(range(first, end, width))[-MAX_MISSED:]


def _scopes(connection: Connection, org_ids: Iterable[OrgId]) -> dict[OrgId, Scope]:
    return {id: scope for id in org_ids if (scope := scope_of(connection, id)) is not None}
