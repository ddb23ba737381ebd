"""What may be the cause of an incident: a new release, and what changed with the number.

Looked for beside everything else: a message that says that something is wrong waits for it no
longer than it is held back anyway, and is edited when the suspect is found later.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection

from groundswell.alerts.explaining import explanation_of
from groundswell.alerts.questions import between
from groundswell.alerts.scopes import scope_of
from groundswell.alerts.telling import tell_suspect
from groundswell.errors import GroundswellError
from groundswell.model.alerts import Incident, Rule
from groundswell.model.tenancy import Scope
from groundswell.query.question import Dataset, Question
from groundswell.stats.statistics import Statistics
from groundswell.store.metadata import Metadata, alerts, incidents
from groundswell.telemetry import logger

log = logger("alerts")

LOOK_BACK_S = 7 * 86_400
NEW_S = 86_400
TIMEOUT_S = 15.0
# Whoever was away for longer has other things to tell.
FRESH = timedelta(minutes=15)
AT_ONCE, MOST = 2, 20


class Suspects:
    """Looks for the suspects of new incidents. What was looked for is written down, also nothing,
    so it is looked for once whatever process does it."""

    def __init__(self, metadata: Metadata, statistics: Statistics) -> None:
        self._metadata = metadata
        self._statistics = statistics

    async def look(self, now: datetime) -> int:
        """Look for the suspects of incidents that have none; give how many incidents those are."""
        waiting = await self._metadata.run(_unexplained, now)
        turns = asyncio.Semaphore(AT_ONCE)

        async def one(incident: Incident, rule: Rule, scope: Scope) -> None:
            async with turns:
                found = await suspect_of(self._statistics, scope, rule, incident, now)
            slug = scope.organization.slug
            await self._metadata.run(tell_suspect, rule, incident, found, slug, now)

        await asyncio.gather(*(one(*each) for each in waiting))
        return len(waiting)


async def suspect_of(
    statistics: Statistics, scope: Scope, rule: Rule, incident: Incident, now: datetime
) -> dict[str, Any]:
    """Name the newest release that appeared in the day before an incident, and say what changed.

    Empty where there is neither.
    """
    release, explanation = await asyncio.gather(
        _in_time(_newest_release(statistics, scope, rule, incident)),
        _in_time(explanation_of(statistics, scope, rule, incident, now)),
    )
    return (release or {}) | (explanation or {})


async def _in_time(looking: Awaitable[dict[str, Any] | None]) -> dict[str, Any] | None:
    try:
        async with asyncio.timeout(TIMEOUT_S):
            return await looking
    except (GroundswellError, TimeoutError) as error:
        log.info("suspect_not_found", why=str(error) or type(error).__name__)
        return None


async def _newest_release(
    statistics: Statistics, scope: Scope, rule: Rule, incident: Incident
) -> dict[str, Any] | None:
    start = int(incident.started_at.timestamp())
    found = await releases(statistics, scope, rule, start - LOOK_BACK_S, start + 300)
    recent = [(name, at) for name, at in found if at >= start - NEW_S]
    if not recent or len(found) < 2:
        return None

    name, at = recent[-1]
    return {"release": name, "first_seen": at}


async def releases(
    statistics: Statistics, scope: Scope, rule: Rule, start: int, end: int
) -> list[tuple[str, int]]:
    """List the releases of a rule's projects with the second when each was first seen."""
    known = {project.id for project in scope.projects}
    projects = tuple(id for id in rule.projects if id in known)
    if not projects:
        return []

    answered = await statistics.ask(
        Question(
            dataset=Dataset.DISCOVER,
            window=between(start, end),
            projects=projects,
            select=("release", "min(timestamp)"),
            search="has:release",
            order_by=("min(timestamp)",),
            limit=100,
        ),
        scope,
    )
    names, firsts = (answered.columns[o.column] for o in answered.statement.outputs[:2])
    return [
        (str(name), at) for name, first in zip(names, firsts, strict=True)
        if name and (at := _seconds(first)) is not None
    ]  # fmt: skip


def _seconds(value: Any) -> int | None:
    if hasattr(value, "timestamp"):
        return int(value.timestamp())

    if isinstance(value, int | float):
        # Engines answer instants as milliseconds or as seconds.
        return int(value / 1000) if value > 10**11 else int(value)

    return None


def _unexplained(connection: Connection, now: datetime) -> list[tuple[Incident, Rule, Scope]]:
    found = []
    for incident in incidents.unexplained(connection, now - FRESH, limit=MOST):
        watched = alerts.find_rule(connection, incident.org_id, incident.rule_id)
        scope = scope_of(connection, incident.org_id)
        if watched is not None and scope is not None:
            found.append((incident, watched.rule, scope))
    return found
