"""What rules with learned limits know of the past: asked for now and then, kept between windows."""

from __future__ import annotations

from collections.abc import Mapping

from groundswell.alerts.dynamic import DAY_S, DAYS, Habit, History, habit_of, limits_at
from groundswell.alerts.questions import (
    COUNT,
    Row,
    Subject,
    ask_group_series,
    ask_series,
    between,
    leading_groups,
)
from groundswell.alerts.rules import Limits
from groundswell.model.alerts import Rule
from groundswell.model.tenancy import Scope
from groundswell.stats.statistics import Statistics

LASTS_S = 6 * 3600
MOST_KEPT = 500
# Groups that are learned of one rule: as many as rows allow, the busiest.
MOST_GROUPS, MOST_ROWS = 100, 400_000


class Habits:
    """Gives the limits of windows. One that nothing is known of has none."""

    def __init__(self, statistics: Statistics) -> None:
        self._statistics = statistics
        self._known: dict[tuple[Subject, str], tuple[int, Mapping[str, Habit]]] = {}

    async def limits(
        self, scope: Scope, subject: Subject, rule: Rule, end: int, present: Mapping[str, Row]
    ) -> dict[str, Limits | None]:
        """Give the limits of the window that ends at `end`, by group of what is `present`."""
        habits = await self._of(scope, subject, rule, end)
        start = end - subject.window_s
        return {
            group: limits_at(rule, habits[group], start, numbers.get(COUNT) or 0)
            if group in habits
            else None
            for group, numbers in present.items()
        }

    async def _of(
        self, scope: Scope, subject: Subject, rule: Rule, end: int
    ) -> Mapping[str, Habit]:
        key = (subject, rule.aggregate)
        learned_at, habits = self._known.get(key, (0, {}))
        if 0 <= end - learned_at < LASTS_S:
            return habits

        habits = await learn(self._statistics, subject, scope, rule, end)
        if len(self._known) > MOST_KEPT:
            self._known.clear()
        self._known[key] = (end, habits)
        return habits


async def learn(
    statistics: Statistics, subject: Subject, scope: Scope, rule: Rule, end: int
) -> dict[str, Habit]:
    """Ask for the weeks before `end`, by group ("" where there are none)."""
    width = subject.window_s
    last = end // width * width
    edge = end - int(statistics.retention.total_seconds())
    first = max(last - DAYS * DAY_S - 2 * width, edge) // width * width
    past, select = between(first, last), (rule.aggregate, COUNT)
    if subject.group_by is None:
        found = {"": await ask_series(statistics, subject, scope, past, select)}
    else:
        most = min(MOST_GROUPS, max(1, MOST_ROWS * width // (last - first)))
        groups = await leading_groups(statistics, subject, scope, past, (COUNT,), most)
        found = await ask_group_series(statistics, subject, scope, past, select, groups)
    empty = 0.0 if rule.is_additive else float("nan")
    return {
        group: habit_of(
            History.of(
                {at: (row.get(rule.aggregate), row.get(COUNT) or 0.0) for at, row in rows.items()},
                first, last, width, empty,
            ),
            rule.aggregate,
        )
        for group, rows in found.items()
    }  # fmt: skip
