"""Metric alert rules: list, make, change, drop, preview, test, mute."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
from litestar import Request, Response, delete, get, post, put
from litestar.params import FromPath
from sqlalchemy import Connection

from groundswell.alerts import desk
from groundswell.alerts.charts import preview_chart
from groundswell.alerts.preview import Preview, preview
from groundswell.alerts.telling import EXPIRES, test_notice
from groundswell.alerts.validate import RuleErrors, rule_from
from groundswell.charts.spec import vega_lite
from groundswell.errors import NotFound, UserError
from groundswell.http.alert_shapes import people_of, rule_shape
from groundswell.http.api.rule_lists import rules_page
from groundswell.http.charting import look_of
from groundswell.http.failures import FieldErrors, json_response
from groundswell.http.requests import caller_scope, multi, now, services_of
from groundswell.model.alerts import FOREVER, Rule
from groundswell.model.tenancy import Scope, TeamId, UserId
from groundswell.store.metadata import notify, tenancy
from groundswell.store.metadata.alerts import Watched
from groundswell.timeframe import parse_instant

READ = ("org:read", "org:write", "org:admin", "alerts:read", "alerts:write")
WRITE = ("org:write", "org:admin", "alerts:write")
PATH = "/api/0/organizations/{org:str}/alert-rules/"


@get(PATH, opt={"access": "org:read"})
async def list_rules(request: Request[Any, Any, Any], org: FromPath[str]) -> Response[bytes]:
    """List the rules of the chosen projects, newest first."""
    scope = await caller_scope(request, org, needs=READ)
    return await rules_page(request, scope)


@post(PATH, opt={"access": "alerts:write"}, status_code=201)
async def create_rule(request: Request[Any, Any, Any], org: FromPath[str]) -> Response[bytes]:
    """Make a rule. What is wrong with the body is told field by field."""
    scope = await caller_scope(request, org, needs=WRITE)
    return await answer_creation(request, scope, await json_body(request))


@get(PATH + "{rule_id:str}/", opt={"access": "org:read"})
async def one_rule(
    request: Request[Any, Any, Any], org: FromPath[str], rule_id: FromPath[str]
) -> Response[bytes]:
    """Give one rule."""
    scope = await caller_scope(request, org, needs=READ)
    found = await rule_of(request, scope, rule_id)
    return json_response(await shaped(request, scope, found.rule))


@put(PATH + "{rule_id:str}/", opt={"access": "alerts:write"})
async def change_rule(
    request: Request[Any, Any, Any], org: FromPath[str], rule_id: FromPath[str]
) -> Response[bytes]:
    """Change a rule; fields that are not given stay."""
    scope = await caller_scope(request, org, needs=WRITE)
    found = await rule_of(request, scope, rule_id)
    return await answer_change(request, scope, found, await json_body(request))


@delete(PATH + "{rule_id:str}/", opt={"access": "alerts:write"}, status_code=204)
async def delete_rule(
    request: Request[Any, Any, Any], org: FromPath[str], rule_id: FromPath[str]
) -> None:
    """Drop a rule with its incidents."""
    scope = await caller_scope(request, org, needs=WRITE)
    found = await rule_of(request, scope, rule_id)
    await services_of(request).metadata.run(desk.delete, found.rule)


@post(PATH + "preview/", opt={"access": "org:read"}, status_code=200)
async def preview_rule(request: Request[Any, Any, Any], org: FromPath[str]) -> Response[bytes]:
    """Tell how often a rule would have fired in the last 14 days, with the chart of it."""
    scope = await caller_scope(request, org, needs=READ)
    body = {"name": "Preview"} | await json_body(request)
    rule = await read_rule(request, scope, body)
    look = look_of(multi(request))
    found = await preview(services_of(request).statistics, rule, scope, now())
    chart = preview_chart(rule, found, width=look.width, height=look.height)
    return json_response(preview_shape(found) | {"spec": vega_lite(chart, theme=look.theme)})


@post(PATH + "{rule_id:str}/test/", opt={"access": "alerts:write"}, status_code=202)
async def test_rule(
    request: Request[Any, Any, Any], org: FromPath[str], rule_id: FromPath[str]
) -> Response[bytes]:
    """Send everybody whom the rule would tell a message that says it is a test."""
    scope = await caller_scope(request, org, needs=WRITE)
    found = await rule_of(request, scope, rule_id)
    at = now()

    sent = await services_of(request).metadata.run(
        fire_test, found.rule, scope.organization.slug, at
    )
    return json_response({"targets": sent}, 202)


@post(PATH + "{rule_id:str}/snooze/", opt={"access": "alerts:write"}, status_code=201)
async def snooze_rule(
    request: Request[Any, Any, Any], org: FromPath[str], rule_id: FromPath[str]
) -> Response[bytes]:
    """Keep a rule silent: `until` an instant, for `minutes`, or without an end."""
    scope = await caller_scope(request, org, needs=WRITE)
    found = await rule_of(request, scope, rule_id)
    until = _until(await json_body(request), now())
    await services_of(request).metadata.run(
        desk.mute_rule, found.rule, until, user_of(scope), now()
    )
    said = {"ruleId": int(found.rule.id), "muted": True, "until": until.isoformat()}
    return json_response(said, 201)


@delete(PATH + "{rule_id:str}/snooze/", opt={"access": "alerts:write"}, status_code=204)
async def unsnooze_rule(
    request: Request[Any, Any, Any], org: FromPath[str], rule_id: FromPath[str]
) -> None:
    """Let a rule speak again."""
    scope = await caller_scope(request, org, needs=WRITE)
    found = await rule_of(request, scope, rule_id)
    await services_of(request).metadata.run(desk.mute_rule, found.rule, None, user_of(scope), now())


async def answer_creation(
    request: Request[Any, Any, Any], scope: Scope, body: Mapping[str, Any]
) -> Response[bytes]:
    """Make a rule of a body. Raises FieldErrors."""
    rule = await read_rule(request, scope, body)
    made = await services_of(request).metadata.run(_create, rule)
    return json_response(await shaped(request, scope, made), 201)


async def answer_change(
    request: Request[Any, Any, Any], scope: Scope, found: Watched, given: Mapping[str, Any]
) -> Response[bytes]:
    """Replace what a body names. Raises FieldErrors."""
    before = await shaped(request, scope, found.rule)
    if "comparisonDelta" in given:
        before.pop("detectionType")
    rule = await read_rule(request, scope, {**before, **given}, before=found.rule)
    changed = await services_of(request).metadata.run(
        desk.change, found, rule, scope.organization.slug, now(), user_of(scope)
    )
    return json_response(await shaped(request, scope, changed))


def fire_test(connection: Connection, rule: Rule, org_slug: str, at: datetime) -> int:
    """Tell everybody whom a rule would tell that this is a test; give how many they are."""
    key = f"test:{rule.id}:{uuid.uuid4().hex}"
    notice = test_notice(connection, rule, org_slug, at, key)
    return notify.enqueue(connection, notice, at, at + EXPIRES)


async def json_body(request: Request[Any, Any, Any]) -> dict[str, Any]:
    """Read a body that must be a JSON object."""
    try:
        body = msgspec.json.decode(await request.body() or b"{}")
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        raise UserError("The body must be JSON", code="bad_json") from None

    if not isinstance(body, dict):
        raise FieldErrors({"nonFieldErrors": ["The body must be a JSON object."]})

    return body


async def read_rule(
    request: Request[Any, Any, Any],
    scope: Scope,
    body: Mapping[str, Any],
    before: Rule | None = None,
) -> Rule:
    """Read and check a rule. Raises FieldErrors."""
    known = {p.slug: p.id for p in scope.projects} | {str(p.id): p.id for p in scope.projects}
    services = services_of(request)
    try:
        rule = rule_from(
            body, org_id=scope.organization.id, projects=known, now=now(), before=before,
            created_by=user_of(scope),
        )  # fmt: skip
        if before is not None:
            seen = {project.id for project in scope.projects}
            hidden = tuple(id for id in before.projects if id not in seen)
            # Projects that the person who changes a rule cannot see stay in it.
            rule = replace(rule, projects=tuple(dict.fromkeys((*rule.projects, *hidden))))
        await services.metadata.run(_check_people, rule, scope)
        await desk.check_question(services.statistics, rule, scope, now())
    except RuleErrors as error:
        raise FieldErrors(error.errors) from None
    return rule


async def rule_of(request: Request[Any, Any, Any], scope: Scope, rule_id: str) -> Watched:
    """Give the rule of an address. Raises NotFound."""
    if not (rule_id.isascii() and rule_id.isdigit()):
        raise NotFound

    return await services_of(request).metadata.run(desk.find, scope, int(rule_id[:18]))


async def shaped(request: Request[Any, Any, Any], scope: Scope, rule: Rule) -> dict[str, Any]:
    people = await services_of(request).metadata.run(people_of, scope)
    return rule_shape(rule, scope, people, now())


def user_of(scope: Scope) -> UserId | None:
    return scope.caller.user.id if scope.caller.user else None


def preview_shape(found: Preview) -> dict[str, Any]:
    """Write what a preview found."""
    return {
        "fired": len(found.episodes),
        "incidents": [
            {
                "level": one.level.name.lower(),
                "start": one.start,
                "end": one.end,
                "peak": one.peak,
                "group": one.group or None,
            }
            for one in found.episodes
        ],
        "interval": found.width_s,
        "data": [[at, value] for at, value in found.points],
        "groups": [
            {"group": group, "fired": sum(one.group == group for one in found.episodes)}
            for group in found.windows
            if group
        ],
    }


def _create(connection: Connection, rule: Rule) -> Rule:
    try:
        return desk.create(connection, rule)
    except RuleErrors as error:
        raise FieldErrors(error.errors) from None


def _check_people(connection: Connection, rule: Rule, scope: Scope) -> None:
    """See that whoever is named belongs to the organization. Raises RuleErrors."""
    if rule.owner is not None:
        kind, _, id = rule.owner.partition(":")
        if not _is_member(connection, scope, kind, id):
            raise RuleErrors({"owner": [f"There is no {kind} {id} in this organization."]})

    for trigger in rule.triggers:
        for action in trigger.actions:
            kind, id = action.target_type, action.target
            if kind in {"team", "user"} and not _is_member(connection, scope, kind, id):
                said = f"There is no {kind} {id} in this organization to send mail to."
                raise RuleErrors({"triggers": [said]})


def _is_member(connection: Connection, scope: Scope, kind: str, id: str) -> bool:
    org, number = scope.organization.id, int(id[:18])
    if kind == "team":
        return any(team.id == TeamId(number) for team in tenancy.list_teams(connection, org))

    return tenancy.role_of(connection, org, UserId(number)) is not None


def _until(body: Mapping[str, Any], at: datetime) -> datetime:
    until, minutes = body.get("until"), body.get("minutes")
    if isinstance(until, str) and (found := parse_instant(until)) is not None:
        if found <= at:
            raise FieldErrors({"until": ["Must be in the future."]})
        return found.astimezone(UTC)

    if until is not None:
        raise FieldErrors({"until": ["An ISO 8601 date is expected."]})

    if minutes is None:
        return FOREVER

    if isinstance(minutes, bool) or not isinstance(minutes, int) or not 1 <= minutes <= 525_600:
        raise FieldErrors({"minutes": ["Must be a whole number from 1 to 525600."]})

    return at + timedelta(minutes=minutes)


ROUTES = [
    list_rules,
    create_rule,
    preview_rule,
    one_rule,
    change_rule,
    delete_rule,
    test_rule,
    snooze_rule,
    unsnooze_rule,
]
