"""The fields of the rule editor ↔ the body that makes a rule. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from groundswell.model.alerts import Action, Detection, Level, Rule
from groundswell.model.tenancy import Scope

Fields = Mapping[str, Sequence[str]]

CHANNELS = (
    ("slack", "Slack channels", "C0123456, #alerts"),
    ("email", "E-mail", "ada@example.com, team:3"),
    ("webhook", "Webhooks", "https://example.com/hook"),
)
LEVELS = (("critical", "Critical"), ("warning", "Warning"))
WINDOWS = ((1, "1 minute"), (5, "5 minutes"), (10, "10 minutes"), (15, "15 minutes"),
           (30, "30 minutes"), (60, "1 hour"), (120, "2 hours"), (240, "4 hours"),
           (1440, "1 day"))  # fmt: skip
DELTAS = ((5, "5 minutes"), (15, "15 minutes"), (60, "one hour"), (1440, "one day"),
          (10_080, "one week"), (43_200, "one month"))  # fmt: skip
DATASETS = (("events", "Errors"), ("transactions", "Transactions"),
            ("events_analytics_platform", "Spans"), ("functions", "Functions"))  # fmt: skip
DEFAULTS = {
    "dataset": "events", "aggregate": "count()", "timeWindow": "5", "thresholdType": "0",
    "detectionType": "static", "thresholdPeriod": "1", "sensitivity": "medium",
}  # fmt: skip


def body_of(fields: Fields) -> dict[str, Any]:
    """Read a form as the body of a request; what is empty is not given."""

    def first(name: str) -> str | None:
        return next((value.strip() for value in fields.get(name, ()) if value.strip()), None)

    kind = first("detectionType") or "static"
    body: dict[str, Any] = {
        name: first(name)
        for name in (
            "name", "dataset", "aggregate", "timeWindow", "thresholdType", "resolveThreshold",
            "thresholdPeriod", "environment", "owner", "sensitivity", "groupBy", "groupLimit",
            "minimumTraffic", "detectionType",
        )
    }  # fmt: skip
    body["query"] = first("query") or ""
    body["description"] = first("description") or ""
    body["projects"] = [one for one in fields.get("projects", ()) if one]
    body["comparisonDelta"] = first("comparisonDelta") if kind == "percent" else None
    body["triggers"] = [
        {
            "label": level,
            "alertThreshold": first(level),
            "actions": _actions(fields, level),
        }
        for level, _ in LEVELS
        if level == "critical" or first(level) or (kind == "dynamic" and first("warnToo"))
    ]
    return {name: value for name, value in body.items() if value is not None}


def fields_of(rule: Rule, scope: Scope) -> dict[str, list[str]]:
    """Fill a form from a rule."""
    slugs = {project.id: project.slug for project in scope.projects}
    single: dict[str, Any] = {
        "name": rule.name,
        "dataset": "transactions" if rule.dataset in _TRANSACTIONS else rule.dataset,
        "aggregate": rule.aggregate,
        "query": rule.query,
        "timeWindow": rule.window_min,
        "thresholdType": int(rule.side),
        "resolveThreshold": rule.resolve,
        "thresholdPeriod": rule.periods,
        "environment": rule.environment,
        "owner": rule.owner,
        "description": rule.description,
        "sensitivity": rule.sensitivity,
        "groupBy": rule.group_by,
        "groupLimit": rule.group_limit if rule.group_by else None,
        "minimumTraffic": rule.minimum or None,
        "detectionType": rule.detection.value,
        "comparisonDelta": rule.delta_min,
    }
    found = {name: [_shown(value)] for name, value in single.items() if value is not None}
    found["projects"] = [slugs[id] for id in rule.projects if id in slugs]
    for level, _ in LEVELS:
        trigger = rule.trigger(Level[level.upper()])
        if trigger is None:
            continue
        if trigger.threshold is not None:
            found[level] = [_shown(trigger.threshold)]
        elif rule.detection is Detection.DYNAMIC and level == "warning":
            found["warnToo"] = ["1"]
        for channel, _, _ in CHANNELS:
            told = [_target(one) for one in trigger.actions if one.kind == channel]
            if told:
                found[f"{level}.{channel}"] = [", ".join(told)]
    return found


_TRANSACTIONS = frozenset({"generic_metrics", "metrics"})


def _actions(fields: Fields, level: str) -> list[dict[str, Any]]:
    actions = []
    for channel, _, _ in CHANNELS:
        text = next(iter(fields.get(f"{level}.{channel}", ())), "")
        for part in text.replace("\n", ",").split(","):
            target = part.strip()
            if not target:
                continue
            kind, _, id = target.partition(":")
            target_type = "specific"
            if channel == "email" and kind in {"team", "user"}:
                target_type, target = kind, id.strip()
            actions.append({"type": channel, "targetType": target_type, "targetIdentifier": target})
    return actions


def _target(action: Action) -> str:
    return (
        action.target
        if action.target_type == "specific"
        else (f"{action.target_type}:{action.target}")
    )


def _shown(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)
