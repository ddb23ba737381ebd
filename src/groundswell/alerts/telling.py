"""An incident's new status → the notice of it, once. Muted rules and incidents are silent."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection

from groundswell.model.alerts import Action, Incident, Level, Rule
from groundswell.model.notices import Notice
from groundswell.model.tenancy import OrgId, TeamId, UserId
from groundswell.store.metadata import incidents as rows
from groundswell.store.metadata import notify, tenancy

KIND = "incident"
EXPIRES = timedelta(hours=24)
# How long the first message of an incident leaves time to find a suspect.
HELD_BACK = timedelta(seconds=2)
# Where a message can be changed after it was sent.
EDITABLE = frozenset({"slack"})
_SHARES = ("failure_rate(",)


def announce(
    connection: Connection, rule: Rule, incident: Incident, org_slug: str, now: datetime
) -> Incident:
    """Tell how an incident stands, if that is news; give the incident as it is written down."""
    told = news(rule, incident, now)
    if told is None:
        return incident

    notice = notice_of(connection, rule, told, org_slug)
    is_first = told.is_open and told.sent == 1 and told.suspect is None
    due = now + HELD_BACK if is_first else now
    notify.enqueue(connection, notice, now, now + EXPIRES, due_at=due)
    rows.change_incident(connection, told)
    return told


def tell_suspect(
    connection: Connection,
    rule: Rule,
    incident: Incident,
    suspect: dict[str, Any],
    org_slug: str,
    now: datetime,
) -> None:
    """Write a suspect down and into what is not sent yet; messages that are sent are edited."""
    if not rows.set_suspect(connection, incident.id, suspect):
        return

    prefix = f"{KIND}:{incident.org_id}:{incident.number}:"
    gone = notify.amend(connection, prefix, {"suspect": suspect or None}, now)
    current = rows.find_incident(connection, incident.org_id, incident.number)
    if not suspect or current is None or not current.is_open:
        return

    editable = tuple(dict.fromkeys((o.channel, o.target) for o in gone if o.channel in EDITABLE))
    if editable:
        body = body_of(rule, current, org_slug) | {"edits": True}
        key = f"{prefix}suspect"
        notice = Notice(KIND, key, incident.org_id, body, editable)
        notify.enqueue(connection, notice, now, now + EXPIRES)


def news(rule: Rule, incident: Incident, now: datetime) -> Incident | None:
    """Decide whether people must be told; None when they know, or must not be disturbed.

    What opened and ended before anybody was told is old news. Pure.
    """
    level = incident.level if incident.is_open else Level.OK
    if level is incident.announced or (incident.announced is None and level is Level.OK):
        return None

    if rule.is_muted(now) or incident.is_muted(now):
        return None

    worst = max(incident.worst or level, level)
    return replace(incident, announced=level, worst=worst, sent=incident.sent + 1)


def notice_of(connection: Connection, rule: Rule, incident: Incident, org_slug: str) -> Notice:
    """Make the notice of an incident for everybody who hears of it: who heard the worst also
    hears the end."""
    worst = incident.worst or incident.level
    actions = [a for trigger in rule.triggers if trigger.level <= worst for a in trigger.actions]
    return Notice(
        KIND,
        f"incident:{incident.org_id}:{incident.number}:{incident.sent}",
        incident.org_id,
        body_of(rule, incident, org_slug),
        targets_of(connection, rule.org_id, actions),
    )


def test_notice(
    connection: Connection, rule: Rule, org_slug: str, now: datetime, key: str
) -> Notice:
    """Make the notice that shows people where a rule would speak; nothing is wrong."""
    level = rule.triggers[0].level
    incident = Incident(
        0, rule.org_id, 0, rule.id, rule.name, "", level, now, now,
        value=rule.triggers[0].threshold,
    )  # fmt: skip
    actions = [action for trigger in rule.triggers for action in trigger.actions]
    body = body_of(rule, incident, org_slug) | {"is_test": True, "name": f"[Test] {rule.name}"}
    return Notice(KIND, key, rule.org_id, body, targets_of(connection, rule.org_id, actions))


def body_of(rule: Rule, incident: Incident, org_slug: str) -> dict[str, Any]:
    """Give the plain data that builders of messages read."""
    level = incident.level if incident.is_open else Level.OK
    value = incident.value
    if value is not None and rule.delta_min is None and rule.aggregate.startswith(_SHARES):
        value *= 100
    suffix = f" · {incident.group}" if incident.group else ""
    return {
        "org": org_slug,
        "rule_id": rule.id,
        "name": f"{rule.name}{suffix}"[:256],
        "number": incident.number,
        "status": level.word,
        "previous": incident.announced.word if incident.announced else None,
        "group": incident.group,
        "aggregate": rule.aggregate,
        "query": rule.query,
        "window_min": rule.window_min,
        "value": value,
        "started_at": int(incident.started_at.timestamp()),
        "closed_at": int(incident.closed_at.timestamp()) if incident.closed_at else None,
        "comparison_delta_min": rule.delta_min,
        "detection_type": rule.detection.value,
        "notes": rule.description,
        "suspect": incident.suspect or None,
        "is_test": False,
    }


def targets_of(
    connection: Connection, org_id: OrgId, actions: list[Action]
) -> tuple[tuple[str, str], ...]:
    """Turn actions into addresses: people and teams become those of their members of today."""
    found: dict[tuple[str, str], None] = {}
    for action in actions:
        if action.kind != "email" or action.target_type == "specific":
            found[action.kind, action.target] = None
            continue
        for address in _addresses(connection, org_id, action):
            found["email", address] = None
    return tuple(found)


def _addresses(connection: Connection, org_id: OrgId, action: Action) -> list[str]:
    members = {one.user.id: one.user for one in tenancy.list_members(connection, org_id)}
    ids = [UserId(int(action.target))]
    if action.target_type == "team":
        teams = {team.id for team in tenancy.list_teams(connection, org_id)}
        team = TeamId(int(action.target))
        ids = list(tenancy.members_of_team(connection, team)) if team in teams else []
    return [members[id].email for id in ids if id in members and members[id].is_active]
