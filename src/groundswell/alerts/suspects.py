"""What may be the cause of an incident: the newest release of its projects before it began."""

from __future__ import annotations

import asyncio
from typing import Any

from groundswell.alerts.questions import between
from groundswell.errors import GroundswellError
from groundswell.model.alerts import Incident, Rule
from groundswell.model.tenancy import Scope
from groundswell.query.question import Dataset, Question
from groundswell.stats.statistics import Statistics

LOOK_BACK_S = 7 * 86_400
NEW_S = 86_400
TIMEOUT_S = 5.0


async def suspect_of(
    statistics: Statistics, scope: Scope, rule: Rule, incident: Incident
) -> dict[str, Any] | None:
    """Name the newest release that appeared in the day before an incident; None without one."""
    start = int(incident.started_at.timestamp())
    try:
        async with asyncio.timeout(TIMEOUT_S):
            found = await releases(statistics, scope, rule, start - LOOK_BACK_S, start + 300)
    except (GroundswellError, TimeoutError):
        return None

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
