"""Rules of a few words, for tests."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from groundswell.model.alerts import Action, Level, Rule, Side, Trigger
from groundswell.model.tenancy import OrgId, ProjectId

BORN = datetime(2026, 3, 1, tzinfo=UTC)
BODY: dict[str, Any] = {
    "name": "High errors",
    "dataset": "events",
    "aggregate": "count()",
    "query": "level:error",
    "timeWindow": 5,
    "thresholdType": 0,
    "projects": ["web"],
    "triggers": [{"label": "critical", "alertThreshold": 100}],
}


def rule(
    critical: float = 100,
    warning: float | None = None,
    *,
    channel: str | None = "C0001",
    **more: Any,
) -> Rule:
    actions = (Action("slack", "specific", channel),) if channel else ()
    triggers = [Trigger(Level.CRITICAL, critical, actions)]
    if warning is not None:
        triggers.append(Trigger(Level.WARNING, warning, actions))
    made = Rule(
        id=1, org_id=OrgId(1), name="High errors", dataset="events", aggregate="count()",
        query="", window_min=5, side=Side.ABOVE, triggers=tuple(triggers),
        projects=(ProjectId(1),), created_at=BORN, changed_at=BORN,
    )  # fmt: skip
    return replace(made, **more)
