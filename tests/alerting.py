"""An evaluator over real events and real metadata, with a clock that tests move."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import insert as sql_insert

from groundswell.alerts.evaluator import Evaluator
from groundswell.config import load
from groundswell.model.alerts import Incident, Rule
from groundswell.model.tenancy import OrgId, ProjectId
from groundswell.stats.statistics import Statistics
from groundswell.store.engine import Engine
from groundswell.store.metadata import Metadata, alerts, incidents, notify, tables, tenancy
from tests.rows import every, insert, new_project


@dataclass
class Watch:
    """One organization `acme` with a project of its own; time begins at `start`."""

    engine: Engine
    metadata: Metadata
    evaluator: Evaluator
    statistics: Statistics
    org_id: OrgId
    project: ProjectId
    start: datetime
    now: datetime
    told: list[str] = field(default_factory=list)

    def at(self, minutes: float) -> datetime:
        return self.start + timedelta(minutes=minutes)

    def events(self, first_min: float, count: int, *, step_s: float = 1, **row: Any) -> None:
        rows = every(self.at(first_min), step_s, count, **{"title": "Boom", **row})  # type: ignore[arg-type]
        insert(self.engine, "errors", int(self.project), rows)

    def rule(self, rule: Rule) -> Rule:
        rule = replace(rule, org_id=self.org_id, projects=(self.project,))
        made: Rule = self.run(alerts.create_rule, rule)
        return made

    async def until(self, minutes: float, *, step_s: int = 60) -> None:
        """Let time pass, with an evaluation at every step."""
        while self.now < self.at(minutes):
            self.now += timedelta(seconds=step_s)
            await self.evaluator.evaluate(self.now)

    def run(self, function: Callable[..., Any], *args: Any) -> Any:
        with self.metadata.begin() as connection:
            return function(connection, *args)

    def incidents(self) -> list[Incident]:
        return list(reversed(self.run(incidents.list_incidents, self.org_id)))

    def notices(self) -> list[str]:
        """List what was told, as `12 Critical` (minute of the clock's start and status)."""
        found = reversed(self.run(notify.records, self.org_id))
        return [
            f"{(one.created_at - self.start).total_seconds() / 60:g} {one.body['status']}"
            for one in found
        ]


def open_watch(engine: Engine, metadata: Metadata, **more: Any) -> Watch:
    start = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) - timedelta(days=2)
    project = new_project()
    with metadata.begin() as connection:
        org = tenancy.create_organization(connection, "acme", now=start)
        row = {"id": project, "org_id": org.id, "slug": "web", "name": "Web", "created_at": start}
        connection.execute(sql_insert(tables.projects).values(**row))
    settings = load({}, environ={})
    statistics = Statistics(engine, metadata, settings)
    options = {"delay_s": 60, "max_phase_s": 0, **more}
    evaluator = Evaluator(metadata, statistics, **options)
    return Watch(engine, metadata, evaluator, statistics, org.id, ProjectId(project), start, start)
