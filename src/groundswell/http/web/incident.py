"""/organizations/<org>/alerts/incidents/<number>/: one incident with its course."""

from __future__ import annotations

from typing import Any

from litestar import Request, Response, get, post
from litestar.params import FromPath
from sqlalchemy import Connection

from groundswell.alerts import desk
from groundswell.alerts.charts import span_of_incident
from groundswell.http.alert_shapes import People, people_of
from groundswell.http.api.alert_rules import READ, WRITE, user_of
from groundswell.http.requests import caller_scope, now, services_of
from groundswell.http.web.alert_frame import base_of, discover_address, later, may_write
from groundswell.http.web.alert_words import line_of, muted_text, sentence, value_text
from groundswell.http.web.forms import fields_of, first
from groundswell.http.web.frame import go, page
from groundswell.model.alerts import Activity, Incident, Level, Rule
from groundswell.store.metadata import incidents as rows
from groundswell.store.metadata import notify

_ORG = "/organizations/{org:str}/alerts"


@get(f"{_ORG}/incidents/{{number:int}}/", opt={"access": "org:read"})
async def incident(
    request: Request[Any, Any, Any], org: FromPath[str], number: FromPath[int]
) -> Response[bytes]:
    """Show one incident with its course."""
    scope = await caller_scope(request, org, needs=READ)

    def read(
        connection: Connection,
    ) -> tuple[Incident, Rule, list[Activity], list[Any], People]:
        one, watched = desk.find_incident(connection, scope, number)
        prefix = f"incident:{one.org_id}:{one.number}:"
        told = notify.records(connection, scope.organization.id, subject_prefix=prefix)
        course = rows.list_activities(connection, [one.id])
        return one, watched.rule, course, told, people_of(connection, scope)

    one, rule, course, told, people = await services_of(request).metadata.run(read)
    at = now()
    span = span_of_incident(rule, one, at)
    return await page(
        request,
        "alerts/incident.html",
        scope,
        here="alerts",
        base=base_of(scope),
        incident=line_of(one, at),
        rule=rule,
        watches=sentence(rule),
        course=[_step(each, people) for each in course],
        told=told,
        known=people.get(one.acknowledged_by) if one.acknowledged_by is not None else None,
        acknowledged_at=one.acknowledged_at,
        muted=muted_text(one.muted_until, at),
        suspect=one.suspect,
        value=value_text(rule, one.value),
        peak=value_text(rule, one.peak),
        chart=f"{base_of(scope)}rules/details/{rule.id}/chart/?alert={one.number}",
        discover=discover_address(scope, rule, span.start, span.end),
        may_write=may_write(scope),
    )


@post(f"{_ORG}/incidents/{{number:int}}/", opt={"access": "alerts:write"}, status_code=302)
async def act_on_incident(
    request: Request[Any, Any, Any], org: FromPath[str], number: FromPath[int]
) -> Response[bytes]:
    """Acknowledge, mute, comment or end an incident."""
    scope = await caller_scope(request, org, needs=WRITE)
    fields = await fields_of(request)
    act, at = first(fields, "act"), now()
    comment = first(fields, "comment").strip()

    def work(connection: Connection) -> None:
        one, watched = desk.find_incident(connection, scope, number)
        user, slug = user_of(scope), scope.organization.slug
        if act == "acknowledge":
            desk.acknowledge(connection, one, user, at)
        elif act == "mute":
            desk.mute_incident(connection, one, later(fields, at), user, at)
        elif act == "unmute":
            desk.mute_incident(connection, one, None, user, at)
        elif act == "resolve":
            desk.resolve(connection, watched.rule, one, slug, user, at)
        elif act == "comment" and comment:
            desk.comment(connection, one, comment, user, at)

    await services_of(request).metadata.run(work)
    return go(f"{base_of(scope)}incidents/{number}/")


def _step(activity: Activity, people: People) -> dict[str, Any]:
    who = people.get(activity.user_id) if activity.user_id is not None else None
    text = activity.comment or ""
    if activity.kind == "detected":
        text = "The rule noticed it"
    elif activity.kind == "status" and activity.value is not None:
        text = Level(int(activity.value)).word
    return {
        "at": f"{activity.at:%b %d, %H:%M} UTC",
        "who": who.email if who else "",
        "text": text,
        "kind": activity.kind,
    }


ROUTES = [incident, act_on_incident]
