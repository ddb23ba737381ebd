"""Incidents and their course."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import Connection, func, insert, select, update

from groundswell.model.alerts import Activity, Ending, Incident, Level, Rule
from groundswell.model.tenancy import OrgId, UserId
from groundswell.store.metadata.alert_tables import activities, incidents
from groundswell.store.metadata.alerts import rule_of_body

MAX_ACTIVITIES = 1000


def open_incident(connection: Connection, incident: Incident, rule: Rule) -> Incident:
    """Keep a new incident with its rule as it was; give it with its id and number."""
    highest = select(func.coalesce(func.max(incidents.c.number), 0)).where(
        incidents.c.org_id == incident.org_id
    )
    number = int(connection.execute(highest).scalar_one()) + 1
    values = _values(incident) | {
        "org_id": incident.org_id,
        "rule_id": incident.rule_id,
        "number": number,
        "title": incident.title,
        "group_key": incident.group,
        "started_at": incident.started_at,
        "detected_at": incident.detected_at,
        "rule_body": msgspec.to_builtins(rule),
    }
    made = connection.execute(insert(incidents).values(**values).returning(incidents.c.id))
    return replace(incident, id=int(made.scalar_one()), number=number)


def change_incident(connection: Connection, incident: Incident) -> None:
    """Write down how an incident stands now."""
    connection.execute(
        update(incidents).where(incidents.c.id == incident.id).values(**_values(incident))
    )


def unexplained(connection: Connection, since: datetime, limit: int) -> list[Incident]:
    """List the open incidents that nobody looked for a suspect of, oldest first."""
    row = incidents.c
    query = select(incidents).where(
        row.suspect.is_(None), row.closed_at.is_(None), row.detected_at >= since
    )
    return [_incident(one) for one in connection.execute(query.order_by(row.id).limit(limit))]


def set_suspect(connection: Connection, incident_id: int, suspect: dict[str, Any]) -> bool:
    """Name what may be the cause of an incident; False when somebody did before."""
    match = (incidents.c.id == incident_id) & incidents.c.suspect.is_(None)
    done = connection.execute(update(incidents).where(match).values(suspect=suspect))
    return done.rowcount == 1


def find_incident(connection: Connection, org_id: OrgId, number: int) -> Incident | None:
    match = (incidents.c.org_id == org_id) & (incidents.c.number == number)
    row = connection.execute(select(incidents).where(match)).one_or_none()
    return None if row is None else _incident(row)


def original_rule(connection: Connection, incident_id: int) -> Rule:
    """Give the rule as it was when an incident began."""
    query = select(incidents.c.rule_body, incidents.c.rule_id).where(incidents.c.id == incident_id)
    row = connection.execute(query).one()
    return replace(rule_of_body(row.rule_body), id=row.rule_id)


def list_incidents(
    connection: Connection,
    org_id: OrgId,
    *,
    rule_ids: Iterable[int] | None = None,
    is_open: bool | None = None,
    offset: int = 0,
    limit: int = 100,
) -> list[Incident]:
    """List incidents, newest first."""
    row = incidents.c
    query = select(incidents).where(row.org_id == org_id).order_by(row.id.desc())
    if rule_ids is not None:
        query = query.where(row.rule_id.in_(list(rule_ids)))
    if is_open is not None:
        query = query.where(row.closed_at.is_(None) if is_open else row.closed_at.is_not(None))
    return [_incident(one) for one in connection.execute(query.offset(offset).limit(limit))]


def latest_of(connection: Connection, rule_ids: Iterable[int]) -> dict[int, Incident]:
    """Give the newest incident of each rule that has one."""
    newest = select(func.max(incidents.c.id)).where(incidents.c.rule_id.in_(list(rule_ids)))
    query = select(incidents).where(incidents.c.id.in_(newest.group_by(incidents.c.rule_id)))
    return {row.rule_id: _incident(row) for row in connection.execute(query)}


def open_incidents(
    connection: Connection, rule_ids: Iterable[int]
) -> dict[tuple[int, str], Incident]:
    """Give the open incidents of rules, by rule and group."""
    found: dict[tuple[int, str], Incident] = {}
    ids = list(rule_ids)
    for first in range(0, len(ids), 500):
        match = incidents.c.rule_id.in_(ids[first : first + 500])
        for row in connection.execute(
            select(incidents).where(match, incidents.c.closed_at.is_(None))
        ):
            found[row.rule_id, row.group_key] = _incident(row)
    return found


def add_activity(
    connection: Connection,
    incident_id: int,
    kind: str,
    at: datetime,
    *,
    user_id: UserId | None = None,
    value: str | None = None,
    previous: str | None = None,
    comment: str | None = None,
) -> None:
    """Write one line of an incident's course."""
    row = {"incident_id": incident_id, "kind": kind, "at": at, "user_id": user_id}
    connection.execute(
        insert(activities).values(**row, value=value, previous=previous, comment=comment)
    )


def list_activities(connection: Connection, incident_ids: Iterable[int]) -> list[Activity]:
    """List the course of incidents, oldest first."""
    query = (
        select(activities)
        .where(activities.c.incident_id.in_(list(incident_ids)))
        .order_by(activities.c.id)
        .limit(MAX_ACTIVITIES)
    )
    return [
        Activity(
            row.id, row.incident_id, row.kind, row.at, row.user_id, row.value, row.previous,
            row.comment,
        )
        for row in connection.execute(query)
    ]  # fmt: skip


def _values(incident: Incident) -> dict[str, Any]:
    return {
        "level": int(incident.level),
        "closed_at": incident.closed_at,
        "ending": None if incident.ending is None else int(incident.ending),
        "announced": None if incident.announced is None else int(incident.announced),
        "worst": None if incident.worst is None else int(incident.worst),
        "sent": incident.sent,
        "value": incident.value,
        "peak": incident.peak,
        "acknowledged_by": incident.acknowledged_by,
        "acknowledged_at": incident.acknowledged_at,
        "muted_until": incident.muted_until,
    }


def _incident(row: Any) -> Incident:
    return Incident(
        id=row.id,
        org_id=OrgId(row.org_id),
        number=row.number,
        rule_id=row.rule_id,
        title=row.title,
        group=row.group_key,
        level=Level(row.level),
        started_at=row.started_at,
        detected_at=row.detected_at,
        closed_at=row.closed_at,
        ending=None if row.ending is None else Ending(row.ending),
        announced=None if row.announced is None else Level(row.announced),
        worst=None if row.worst is None else Level(row.worst),
        sent=row.sent,
        value=row.value,
        peak=row.peak,
        acknowledged_by=row.acknowledged_by,
        acknowledged_at=row.acknowledged_at,
        muted_until=row.muted_until,
        suspect=row.suspect,
    )
