"""Rules below the address of a project, where older clients look for them."""

from __future__ import annotations

from typing import Any

from litestar import Request, Response, delete, get, post, put
from litestar.params import FromPath

from groundswell import access
from groundswell.alerts import desk
from groundswell.errors import NotFound
from groundswell.http.api.alert_rules import (
    READ,
    WRITE,
    answer_change,
    answer_creation,
    json_body,
    rule_of,
    shaped,
)
from groundswell.http.api.rule_lists import rules_page
from groundswell.http.failures import json_response
from groundswell.http.requests import caller_scope, services_of
from groundswell.model.tenancy import Scope
from groundswell.store.metadata.alerts import Watched

PATH = "/api/0/projects/{org:str}/{slug:str}/alert-rules/"


@get(PATH, opt={"access": "org:read"})
async def list_project_rules(
    request: Request[Any, Any, Any], org: FromPath[str], slug: FromPath[str]
) -> Response[bytes]:
    """List the rules of one project, newest first."""
    scope = await caller_scope(request, org, needs=READ)
    return await rules_page(request, scope, projects={access.project(scope, slug).id})


@post(PATH, opt={"access": "alerts:write"}, status_code=201)
async def create_project_rule(
    request: Request[Any, Any, Any], org: FromPath[str], slug: FromPath[str]
) -> Response[bytes]:
    """Make a rule; without `projects` it is about this one."""
    scope = await caller_scope(request, org, needs=WRITE)
    body = await json_body(request)
    if not body.get("projects"):
        body["projects"] = [access.project(scope, slug).slug]
    return await answer_creation(request, scope, body)


@get(PATH + "{rule_id:str}/", opt={"access": "org:read"})
async def one_project_rule(
    request: Request[Any, Any, Any],
    org: FromPath[str],
    slug: FromPath[str],
    rule_id: FromPath[str],
) -> Response[bytes]:
    """Give one rule of a project."""
    scope = await caller_scope(request, org, needs=READ)
    found = await _rule(request, scope, slug, rule_id)
    return json_response(await shaped(request, scope, found.rule))


@put(PATH + "{rule_id:str}/", opt={"access": "alerts:write"})
async def change_project_rule(
    request: Request[Any, Any, Any],
    org: FromPath[str],
    slug: FromPath[str],
    rule_id: FromPath[str],
) -> Response[bytes]:
    """Change a rule of a project; fields that are not given stay."""
    scope = await caller_scope(request, org, needs=WRITE)
    found = await _rule(request, scope, slug, rule_id)
    return await answer_change(request, scope, found, await json_body(request))


@delete(PATH + "{rule_id:str}/", opt={"access": "alerts:write"}, status_code=204)
async def delete_project_rule(
    request: Request[Any, Any, Any],
    org: FromPath[str],
    slug: FromPath[str],
    rule_id: FromPath[str],
) -> None:
    """Drop a rule of a project with its incidents."""
    scope = await caller_scope(request, org, needs=WRITE)
    found = await _rule(request, scope, slug, rule_id)
    await services_of(request).metadata.run(desk.delete, found.rule)


async def _rule(request: Request[Any, Any, Any], scope: Scope, slug: str, rule_id: str) -> Watched:
    found = await rule_of(request, scope, rule_id)
    if access.project(scope, slug).id not in found.rule.projects:
        raise NotFound

    return found


ROUTES = [
    list_project_rules,
    create_project_rule,
    one_project_rule,
    change_project_rule,
    delete_project_rule,
]
