"""Rules, incidents and their course in the shapes that clients of the API read."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from groundswell.alerts.validate import DATASETS
from groundswell.http.shapes import instant
from groundswell.model.alerts import Action, Activity, Incident, Rule, Trigger
from groundswell.model.tenancy import Scope, User, UserId
from groundswell.store.metadata import tenancy

People = Mapping[UserId, User]


def people_of(connection: Connection, scope: Scope) -> People:
    """Give the members of an organization by id."""
    members = tenancy.list_members(connection, scope.organization.id)
    return {one.user.id: one.user for one in members}


def rule_shape(rule: Rule, scope: Scope, people: People, now: datetime) -> dict[str, Any]:
    """Write a rule; windows and intervals are in minutes."""
    slugs = {project.id: project.slug for project in scope.projects}
    author = people.get(rule.created_by) if rule.created_by is not None else None
    return {
        "id": str(rule.id),
        "name": rule.name,
        "organizationId": str(rule.org_id),
        "status": 0,
        "queryType": 0 if DATASETS[rule.dataset] == "errors" else 1,
        "dataset": rule.dataset,
        "query": rule.query,
        "aggregate": rule.aggregate,
        "thresholdType": int(rule.side),
        "resolveThreshold": rule.resolve,
        "timeWindow": float(rule.window_min),
        "environment": rule.environment,
        "resolution": float(rule.resolution_min),
        "thresholdPeriod": rule.periods,
        "triggers": [_trigger(rule, one) for one in rule.triggers],
        "projects": [slugs[id] for id in rule.projects if id in slugs],
        "owner": rule.owner,
        "comparisonDelta": None if rule.delta_min is None else float(rule.delta_min),
        "dateModified": instant(rule.changed_at),
        "dateCreated": instant(rule.created_at),
        "createdBy": _author(author),
        "description": rule.description,
        "detectionType": rule.detection.value,
        "sensitivity": rule.sensitivity if rule.detection == "dynamic" else None,
        "snooze": rule.is_muted(now),
        "snoozeUntil": _until(rule.muted_until) if rule.is_muted(now) else None,
        "eventTypes": list(rule.event_types),
        "groupBy": rule.group_by,
        "groupLimit": rule.group_limit,
        "minimumTraffic": rule.minimum,
    }


def incident_shape(
    incident: Incident,
    rule: dict[str, Any],
    people: People,
    activities: list[Activity] | None,
) -> dict[str, Any]:
    """Write an incident; `rule` is its rule's shape."""
    known = incident.acknowledged_by
    return {
        "id": str(incident.id),
        "identifier": str(incident.number),
        "organizationId": str(incident.org_id),
        "projects": rule["projects"],
        "alertRule": rule,
        "activities": None
        if activities is None
        else [activity_shape(one, incident, people) for one in activities],
        "status": incident.status,
        "statusMethod": int(incident.ending) if incident.ending is not None else 3,
        "type": 2,
        "title": incident.title,
        "dateStarted": instant(incident.started_at),
        "dateDetected": instant(incident.detected_at),
        "dateCreated": instant(incident.detected_at),
        "dateClosed": None if incident.closed_at is None else instant(incident.closed_at),
        "group": incident.group or None,
        "value": incident.value,
        "peak": incident.peak,
        "acknowledgedBy": _author(people.get(known) if known is not None else None),
        "dateAcknowledged": _at(incident.acknowledged_at),
        "mutedUntil": _at(incident.muted_until),
        "suspect": incident.suspect or None,
    }


def activity_shape(activity: Activity, incident: Incident, people: People) -> dict[str, Any]:
    user = people.get(activity.user_id) if activity.user_id is not None else None
    return {
        "id": str(activity.id),
        "incidentIdentifier": str(incident.number),
        "user": _author(user),
        "type": {"detected": 4, "status": 2, "comment": 3}[activity.kind],
        "value": activity.value,
        "previousValue": activity.previous,
        "comment": activity.comment,
        "dateCreated": instant(activity.at),
    }


def discover_query(rule: Rule) -> str:
    """Write the search that an incident's events are found with."""
    kinds = [kind for kind in rule.event_types if kind in {"error", "default", "transaction"}]
    wanted = " OR ".join(f"event.type:{kind}" for kind in kinds)
    if len(kinds) > 1:
        wanted = f"({wanted})"
    query = f"({rule.query})" if wanted and " OR " in rule.query else rule.query
    return " ".join(part for part in (wanted, query) if part)


def _trigger(rule: Rule, trigger: Trigger) -> dict[str, Any]:
    # Ids follow from the rule: clients only want them to be there and to differ.
    id = rule.id * 2 - (trigger.level.name == "CRITICAL")
    return {
        "id": str(id),
        "alertRuleId": str(rule.id),
        "label": trigger.level.name.lower(),
        "thresholdType": int(rule.side),
        "alertThreshold": 0.0 if trigger.threshold is None else trigger.threshold,
        "resolveThreshold": rule.resolve,
        "dateCreated": instant(rule.created_at),
        "actions": [_action(one, id, n) for n, one in enumerate(trigger.actions)],
    }


def _action(action: Action, trigger_id: int, place: int) -> dict[str, Any]:
    integration: int | str | None = action.integration
    if action.integration is not None and action.integration.isdigit():
        integration = int(action.integration)
    return {
        "id": str(trigger_id * 100 + place),
        "alertRuleTriggerId": str(trigger_id),
        "type": action.kind,
        "targetType": action.target_type,
        "targetIdentifier": action.target,
        "inputChannelId": None,
        "integrationId": integration,
        "sentryAppId": None,
        "desc": f"Tell {action.target} by {action.kind}",
    }


def _author(user: User | None) -> dict[str, Any] | None:
    return None if user is None else {"id": int(user.id), "name": user.name, "email": user.email}


def _at(at: datetime | None) -> str | None:
    return None if at is None else instant(at)


def _until(until: datetime | None) -> str | None:
    return None if until is None or until.year >= 9999 else instant(until)
