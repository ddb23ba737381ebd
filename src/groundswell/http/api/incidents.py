"""Incidents: list, one with its course, and what people do to them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from litestar import Request, Response, get, post, put
from litestar.params import FromPath
from sqlalchemy import Connection

from groundswell.alerts import desk
from groundswell.errors import NotFound, UserError
from groundswell.http.alert_shapes import (
    activity_shape,
    discover_query,
    incident_shape,
    people_of,
    rule_shape,
)
from groundswell.http.api.alert_rules import READ, WRITE, json_body, user_of
from groundswell.http.failures import FieldErrors, json_response
from groundswell.http.paging import link_header, page
from groundswell.http.requests import caller_scope, multi, now, services_of
from groundswell.model.alerts import Incident
from groundswell.model.tenancy import ProjectId, Scope
from groundswell.stats.parameters import projects as chosen_projects
from groundswell.store.metadata import alerts as rule_rows
from groundswell.store.metadata import incidents as rows

PATH = "/api/0/organizations/{org:str}/incidents/"
STATUSES = {"open": True, "closed": False, "all": None}


@get(PATH, opt={"access": "org:read"})
async def list_incidents(request: Request[Any, Any, Any], org: FromPath[str]) -> Response[bytes]:
    """List incidents, newest first; `status`, `project`, `alertRule` and `expand` choose."""
    scope = await caller_scope(request, org, needs=READ)
    params = multi(request)
    here = page(params)
    status = (params.get("status") or ["all"])[0]
    if status not in STATUSES:
        raise UserError(f"status must be one of {', '.join(STATUSES)}, got {status!r}",
                        field="status")  # fmt: skip
    wanted: set[ProjectId] | None = None
    if params.get("project") or params.get("projectSlug"):
        wanted = {project.id for project in chosen_projects(params, scope)}
    expand = set(params.get("expand", []))
    only = set(params.get("alertRule", []))

    def read(connection: Connection) -> tuple[list[dict[str, Any]], bool]:
        known = {
            one.rule.id: one.rule
            for one in rule_rows.list_rules(connection, scope.organization.id)
            if desk.is_visible(one.rule, scope)
            and (wanted is None or wanted.intersection(one.rule.projects))
            and (not only or str(one.rule.id) in only)
        }
        found = rows.list_incidents(
            connection, scope.organization.id, rule_ids=known, is_open=STATUSES[status],
            offset=here.offset, limit=here.limit + 1,
        )  # fmt: skip
        shown = [_shaped(connection, scope, one, expand) for one in found[: here.limit]]
        return shown, len(found) > here.limit

    shown, has_more = await services_of(request).metadata.run(read)
    return json_response(shown, headers=link_header(request, here, has_more=has_more))


@get(PATH + "{identifier:str}/", opt={"access": "org:read"})
async def one_incident(
    request: Request[Any, Any, Any], org: FromPath[str], identifier: FromPath[str]
) -> Response[bytes]:
    """Give one incident by its identifier, with the search for its events."""
    scope = await caller_scope(request, org, needs=READ)
    expand = set(multi(request).get("expand", []))
    return json_response(await _detail(request, scope, identifier, expand))


@put(PATH + "{identifier:str}/", opt={"access": "alerts:write"})
async def change_incident(
    request: Request[Any, Any, Any], org: FromPath[str], identifier: FromPath[str]
) -> Response[bytes]:
    """End (`status` 2), acknowledge (`acknowledged` true) or mute (`muteMinutes`) an incident."""
    scope = await caller_scope(request, org, needs=WRITE)
    body = await json_body(request)
    number = _number(identifier)
    wrong: dict[str, list[str]] = {}
    if body.get("status", 2) != 2:
        wrong["status"] = ["Only 2 (closed) can be set."]
    minutes = body.get("muteMinutes", 0)
    if isinstance(minutes, bool) or not isinstance(minutes, int) or not 0 <= minutes <= 525_600:
        wrong["muteMinutes"] = ["Must be a whole number from 0 to 525600."]
    if body.get("acknowledged", True) is not True:
        wrong["acknowledged"] = ["Only true can be set."]
    if wrong:
        raise FieldErrors(wrong)

    def change(connection: Connection) -> None:
        incident, watched = desk.find_incident(connection, scope, number)
        user, at = user_of(scope), now()
        if "acknowledged" in body:
            incident = desk.acknowledge(connection, incident, user, at)
        if "muteMinutes" in body:
            until = at + timedelta(minutes=minutes) if minutes else None
            incident = desk.mute_incident(connection, incident, until, user, at)
        if "status" in body:
            slug = scope.organization.slug
            desk.resolve(connection, watched.rule, incident, slug, user, at)

    await services_of(request).metadata.run(change)
    return json_response(await _detail(request, scope, identifier, {"activities"}))


@get(PATH + "{identifier:str}/activity/", opt={"access": "org:read"})
async def course(
    request: Request[Any, Any, Any], org: FromPath[str], identifier: FromPath[str]
) -> Response[bytes]:
    """List what happened to an incident, oldest first."""
    scope = await caller_scope(request, org, needs=READ)
    number = _number(identifier)

    def read(connection: Connection) -> list[dict[str, Any]]:
        incident, _ = desk.find_incident(connection, scope, number)
        people = people_of(connection, scope)
        found = rows.list_activities(connection, [incident.id])
        return [activity_shape(one, incident, people) for one in found]

    return json_response(await services_of(request).metadata.run(read))


@post(PATH + "{identifier:str}/comments/", opt={"access": "alerts:write"}, status_code=201)
async def comment(
    request: Request[Any, Any, Any], org: FromPath[str], identifier: FromPath[str]
) -> Response[bytes]:
    """Say something about an incident."""
    scope = await caller_scope(request, org, needs=WRITE)
    text = (await json_body(request)).get("comment")
    number = _number(identifier)
    if not isinstance(text, str) or not text.strip():
        raise FieldErrors({"comment": ["This field is required."]})

    def write(connection: Connection) -> dict[str, Any]:
        incident, _ = desk.find_incident(connection, scope, number)
        desk.comment(connection, incident, text.strip(), user_of(scope), now())
        people = people_of(connection, scope)
        last = rows.list_activities(connection, [incident.id])[-1]
        return activity_shape(last, incident, people)

    return json_response(await services_of(request).metadata.run(write), 201)


async def _detail(
    request: Request[Any, Any, Any], scope: Scope, identifier: str, expand: set[str]
) -> dict[str, Any]:
    number = _number(identifier)

    def read(connection: Connection) -> dict[str, Any]:
        incident, watched = desk.find_incident(connection, scope, number)
        shaped = _shaped(connection, scope, incident, expand)
        return shaped | {"discoverQuery": discover_query(watched.rule)}

    return await services_of(request).metadata.run(read)


def _shaped(
    connection: Connection, scope: Scope, incident: Incident, expand: set[str]
) -> dict[str, Any]:
    people, at = people_of(connection, scope), now()
    rule = desk.find(connection, scope, incident.rule_id).rule
    if "original_alert_rule" in expand:
        rule = rows.original_rule(connection, incident.id)
    activities = None
    if "activities" in expand:
        activities = rows.list_activities(connection, [incident.id])
    return incident_shape(incident, rule_shape(rule, scope, people, at), people, activities)


def _number(identifier: str) -> int:
    if not (identifier.isascii() and identifier.isdigit()):
        raise NotFound

    return int(identifier[:12])


ROUTES = [list_incidents, one_incident, change_incident, course, comment]
