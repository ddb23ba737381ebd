"""Scans the projects that are due, writes down what it means, and hands on what is new.

What was written down and not told yet is told by the next run: nothing is lost in between, and the
key of a notice makes a second telling the same one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from sqlalchemy import Connection

from groundswell.errors import GroundswellError
from groundswell.model.notices import Notice, Notifier
from groundswell.model.tenancy import Caller, OrgId, Project, ProjectId, Scope
from groundswell.model.trends import Trend, WatchSettings, settings_of
from groundswell.stats.statistics import Statistics
from groundswell.store.metadata import Metadata, tenancy
from groundswell.store.metadata import trends as rows
from groundswell.store.metadata.trends import Looked
from groundswell.telemetry import counter, logger
from groundswell.trends.rows import row_of, strength
from groundswell.trends.watch import plan
from groundswell.trends.watch.describe import notice_body
from groundswell.trends.watch.digest import digest_of
from groundswell.trends.watch.plan import Outcome, Spotted
from groundswell.trends.watch.scan import Scan, look

log = logger("trends")
SCANS = counter("trend_scans", "Scans of projects for trends.", ("result",))

FEATURE = "performance-new-trends"
KIND, DIGEST = "trend", "digest"
REMEMBERED = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Watched:
    """A project with who asks for it and what is set."""

    scope: Scope
    project: Project
    settings: WatchSettings


class Watch:
    """Call `run` again and again, never two at a time."""

    def __init__(
        self, metadata: Metadata, statistics: Statistics, notifier: Notifier, base_url: str = ""
    ) -> None:
        self._metadata = metadata
        self._statistics = statistics
        self._notifier = notifier
        self._base_url = base_url

    async def run(self, now: datetime) -> int:
        """Scan what is due and tell what is new; give how many projects were scanned."""
        watched, looked = await self._metadata.run(_watched)
        settings = {id: one.settings for id, one in watched.items()}
        due = plan.due(settings, looked, now)
        for id in due:
            await self._scan_safely(watched[id], now)
        for id in plan.digests_due(settings, looked, now):
            await self._digest_safely(watched[id], now)
        return len(due)

    async def scan(self, watched: Watched, now: datetime) -> Outcome:
        """Look at one project and write down what changed. Raises UserError, StoreError."""
        since = now - REMEMBERED
        project = watched.project
        known = await self._metadata.run(rows.known_trends, project.id, since)
        found = await look(self._statistics, watched.scope, project, watched.settings, known, now)
        return await self._metadata.run(_write_down, watched, found, since, now)

    async def _scan_safely(self, watched: Watched, now: datetime) -> None:
        """A project that cannot be asked never keeps the others waiting."""
        id = watched.project.id
        try:
            outcome = await self.scan(watched, now)
            await self._tell(watched, now)
        except GroundswellError as error:
            SCANS.labels("failed").inc()
            log.warning("trend_scan_failed", project=int(id), why=str(error))
            await self._metadata.run(rows.note_scan, id, now, str(error))
            return

        SCANS.labels("done").inc()
        log.info(
            "trends_scanned",
            project=int(id),
            new=len(outcome.new),
            seen=len(outcome.seen),
            recovered=len(outcome.recovered),
        )

    async def _tell(self, watched: Watched, now: datetime) -> None:
        """Hand on each change that nobody was told of, once for all functions that show it."""
        waiting = await self._metadata.run(rows.unannounced, watched.project.id)
        for trends in together(waiting):
            if watched.settings.targets:
                slug = watched.scope.organization.slug
                await self._notifier.notify(
                    Notice(
                        KIND,
                        f"trend:{trends[0].id}",
                        watched.project.org_id,
                        notice_body(trends, watched.project, slug, self._base_url),
                        watched.settings.targets,
                    )
                )
            ids = [each.id for each in trends]
            await self._metadata.run(rows.announced, ids, now)

    async def _digest_safely(self, watched: Watched, now: datetime) -> None:
        id = watched.project.id
        end = plan.week_end(now)
        try:
            body = await digest_of(
                self._metadata, self._statistics, watched.scope, watched.project, end
            )
            if body["regressions"] or body["improvements"]:
                key = f"trend-digest:{int(id)}:{int(end.timestamp())}"
                targets = watched.settings.targets
                body["url"] = self._base_url + body["path"]
                await self._notifier.notify(
                    Notice(DIGEST, key, watched.project.org_id, body, targets)
                )
        except GroundswellError as error:
            log.warning("trend_digest_failed", project=int(id), why=str(error))
            return

        await self._metadata.run(rows.note_digest, id, now)


def together(trends: Sequence[Trend]) -> list[tuple[Trend, ...]]:
    """Put what is one change of one group, seen by several functions, together; strongest first."""
    found: list[list[Trend]] = []
    for trend in sorted(trends, key=lambda each: (-strength(each.ratio), each.id)):
        same = [
            group
            for group in found
            if (group[0].subject, group[0].group, group[0].change)
            == (trend.subject, trend.group, trend.change)
            and abs(group[0].at - trend.at) <= plan.TOLERANCE
        ]
        if same:
            same[0].append(trend)
        else:
            found.append([trend])
    return [tuple(group) for group in found]


def trend_of(watched: Watched, found: Spotted, now: datetime) -> Trend:
    """Make the record of a change."""
    newest = found.newest
    project = watched.project
    row = row_of(newest, str(project.id), found.group, lower_is_better=found.lower_is_better)
    return Trend(
        id=0,
        org_id=project.org_id,
        project_id=project.id,
        group=found.group,
        function=found.function,
        direction=newest.direction,
        change=row["change"],
        at=datetime.fromtimestamp(newest.breakpoint, UTC),
        before=row["aggregate_range_1"],
        after=row["aggregate_range_2"],
        ratio=row["trend_percentage"],
        p_value=newest.p_value,
        found_at=now,
        seen_at=now,
        evidence={
            **row,
            "dataset": found.subject.dataset,
            "field": list(found.subject.fields),
            "query": found.subject.query,
            "cells": list(found.cells),
            "raw": list(found.raw),
        },
    )


def scope_of(connection: Connection, org_id: OrgId) -> Scope | None:
    """Give what an organization itself may see: everything of its own."""
    organization = tenancy.find_organization(connection, org_id)
    if organization is None:
        return None

    projects = tuple(tenancy.list_projects(connection, org_id))
    caller = Caller(user=None, org_id=org_id, scopes=frozenset())
    return Scope(organization, caller, None, projects, projects)


def _write_down(
    connection: Connection, watched: Watched, scan: Scan, since: datetime, now: datetime
) -> Outcome:
    # Read again: a person may have changed a status while the scan ran.
    known = rows.known_trends(connection, watched.project.id, since)
    outcome = plan.compare(known, scan.found, scan.tails)
    for found in outcome.new:
        rows.add_trend(connection, trend_of(watched, found, now))
    for trend, found in outcome.seen:
        newer = trend_of(watched, found, now)
        rows.see_again(connection, replace(newer, id=trend.id))
    for trend, gone_at in outcome.recovered:
        rows.recover(connection, trend.id, gone_at, now)
    rows.note_scan(connection, watched.project.id, now, scan.error)
    return outcome


def _watched(
    connection: Connection,
) -> tuple[dict[ProjectId, Watched], dict[ProjectId, Looked]]:
    options = tenancy.options_by_project(connection)
    found = {}
    for organization in tenancy.list_organizations(connection):
        if not tenancy.list_features(connection, organization.id).get(FEATURE, True):
            continue

        scope = scope_of(connection, organization.id)
        for project in scope.projects if scope else ():
            assert scope is not None
            found[project.id] = Watched(scope, project, settings_of(options.get(project.id, {})))
    return found, rows.looked(connection)
