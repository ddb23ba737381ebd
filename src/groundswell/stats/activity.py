"""What arrived in which project: environments, first errors, whether there are transactions.

Answered from the event store and remembered for a few seconds for each organization.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from groundswell.model.tenancy import OrgId, ProjectId, Scope
from groundswell.query.question import Dataset, Question
from groundswell.stats.statistics import Statistics
from groundswell.timeframe import TimeRange

REMEMBERED_S = 5.0


@dataclass(frozen=True, slots=True)
class Seen:
    """What arrived, by project."""

    environments: Mapping[ProjectId, frozenset[str]]
    first_error: Mapping[ProjectId, datetime]
    with_transactions: frozenset[ProjectId]
    with_profiles: frozenset[ProjectId]


NOTHING = Seen({}, {}, frozenset(), frozenset())


class Activity:
    """Answers for the projects that a caller may see."""

    def __init__(self, statistics: Statistics, clock: Callable[[], float] = time.monotonic) -> None:
        self._statistics = statistics
        self._clock = clock
        self._remembered: dict[tuple[OrgId, tuple[ProjectId, ...]], tuple[float, Seen]] = {}

    async def of(self, scope: Scope) -> Seen:
        """Tell what arrived within the retention."""
        projects = tuple(project.id for project in scope.projects)
        key = (scope.organization.id, projects)
        known = self._remembered.get(key)
        if known is not None and self._clock() - known[0] < REMEMBERED_S:
            return known[1]

        seen = await self._look(scope, projects) if projects else NOTHING
        self._remembered = {
            k: v for k, v in self._remembered.items() if self._clock() - v[0] < REMEMBERED_S
        }
        self._remembered[key] = (self._clock(), seen)
        return seen

    async def environments(self, scope: Scope) -> Mapping[ProjectId, frozenset[str]]:
        """Tell the environments of each project."""
        return (await self.of(scope)).environments

    async def _look(self, scope: Scope, projects: tuple[ProjectId, ...]) -> Seen:
        errors = await self._by_environment(scope, projects, Dataset.ERRORS, "min(timestamp)")
        transactions = await self._by_environment(scope, projects, Dataset.TRANSACTIONS, "count()")
        functions = await self._by_environment(scope, projects, Dataset.FUNCTIONS, "count()")
        environments: dict[ProjectId, set[str]] = {}
        first: dict[ProjectId, datetime] = {}
        for project, environment, at in errors:
            if environment:
                environments.setdefault(project, set()).add(environment)
            if isinstance(at, datetime):
                first[project] = min(first.get(project, at), at)
        for project, environment, _ in transactions:
            if environment:
                environments.setdefault(project, set()).add(environment)
        return Seen(
            {project: frozenset(names) for project, names in environments.items()},
            first,
            frozenset(project for project, _, _ in transactions),
            frozenset(project for project, _, _ in functions),
        )

    async def _by_environment(
        self, scope: Scope, projects: tuple[ProjectId, ...], dataset: Dataset, aggregate: str
    ) -> list[tuple[ProjectId, str | None, object]]:
        now = datetime.now(UTC)
        question = Question(
            dataset=dataset,
            window=TimeRange(now - self._statistics.retention, now),
            projects=projects,
            select=("project.id", "environment", aggregate),
        )
        answered = await self._statistics.ask(question, scope)
        columns = [
            answered.columns[output.column]
            for name in question.select
            for output in answered.statement.outputs
            if output.name == name
        ]
        return [
            (ProjectId(int(project)), environment, value)
            for project, environment, value in zip(*columns, strict=True)
        ]
