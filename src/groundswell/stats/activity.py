"""What arrived in which project: environments, first errors, whether there are transactions."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from groundswell.model.tenancy import OrgId, ProjectId, Scope
from groundswell.query.question import Dataset, Question
from groundswell.stats.renewed import Renewed
from groundswell.stats.statistics import Statistics
from groundswell.store.first_releases import new_issues
from groundswell.timeframe import TimeRange

if TYPE_CHECKING:
    from groundswell.store.engine import Engine


@dataclass(frozen=True, slots=True)
class Seen:
    """What arrived, by project."""

    environments: Mapping[ProjectId, frozenset[str]]
    first_error: Mapping[ProjectId, datetime]
    with_transactions: frozenset[ProjectId]
    with_profiles: frozenset[ProjectId]


MAX_RELEASES = 10_000


@dataclass(frozen=True, slots=True)
class ReleaseSeen:
    """What events of one project say of one release; new_issues: those that it brought."""

    version: str
    project: int
    first: datetime
    last: datetime
    new_issues: int


NOTHING = Seen({}, {}, frozenset(), frozenset())


class Activity:
    """Answers for the projects that a caller may see."""

    def __init__(self, statistics: Statistics, engine: Engine) -> None:
        self._statistics = statistics
        self._engine = engine
        self._known: Renewed[tuple[OrgId, tuple[ProjectId, ...]], Seen] = Renewed()
        self._releases: Renewed[tuple[OrgId, tuple[ProjectId, ...]], tuple[ReleaseSeen, ...]]
        self._releases = Renewed()

    async def of(self, scope: Scope) -> Seen:
        """Tell what arrived within the retention."""
        projects = tuple(project.id for project in scope.projects)
        if not projects:
            return NOTHING

        key = (scope.organization.id, projects)
        return await self._known.get(key, lambda: self._look(scope, projects))

    async def releases(self, scope: Scope) -> tuple[ReleaseSeen, ...]:
        """Tell which releases events of each project spoke of within the retention."""
        projects = tuple(project.id for project in scope.projects)
        if not projects:
            return ()

        key = (scope.organization.id, projects)
        return await self._releases.get(key, lambda: self._look_for_releases(scope, projects))

    async def environments(self, scope: Scope) -> Mapping[ProjectId, frozenset[str]]:
        """Tell the environments of each project."""
        return (await self.of(scope)).environments

    async def _look(self, scope: Scope, projects: tuple[ProjectId, ...]) -> Seen:
        errors, transactions, functions = await asyncio.gather(
            self._by_environment(scope, projects, Dataset.ERRORS, "min(timestamp)"),
            self._by_environment(scope, projects, Dataset.TRANSACTIONS, "count()"),
            self._by_environment(scope, projects, Dataset.FUNCTIONS, "count()"),
        )
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

    async def _look_for_releases(
        self, scope: Scope, projects: tuple[ProjectId, ...]
    ) -> tuple[ReleaseSeen, ...]:
        now = datetime.now(UTC)
        window = TimeRange(now - self._statistics.retention, now)
        question = Question(
            dataset=Dataset.DISCOVER,
            window=window,
            projects=projects,
            select=("release", "project.id", "min(timestamp)", "max(timestamp)"),
            search="has:release",
            order_by=("-max(timestamp)",),
            limit=MAX_RELEASES,
            now=now,
        )
        rows, new = await asyncio.gather(
            self._statistics.records(question, scope),
            new_issues(self._engine, [int(id) for id in projects], window),
        )
        return tuple(
            ReleaseSeen(
                version := str(row["release"]),
                project := int(row["project.id"]),
                row["min(timestamp)"],
                row["max(timestamp)"],
                new.get((project, version), 0),
            )
            for row in rows
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
