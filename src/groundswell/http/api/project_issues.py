"""The issues of one project, as tools on a command line list and change them."""

from __future__ import annotations

from typing import Any

from litestar import Request, Response, get, put
from litestar.params import FromPath

from groundswell import access
from groundswell.errors import UserError
from groundswell.http.api.issues import WRITE, IssueUpdate, changed, issue_of, listed
from groundswell.http.bodies import body_of
from groundswell.http.requests import caller_scope, multi, now, services_of
from groundswell.model.tenancy import Project, Scope
from groundswell.stats import parameters
from groundswell.stats.issue_list import list_issues, parse_issues
from groundswell.stats.issue_words import STATUSES
from groundswell.stats.parameters import Params
from groundswell.store.metadata.issues import Issue

PATH = "/api/0/projects/{org:str}/{slug:str}/issues/"
# How many pages are changed at once where no ids are given.
MOST_PAGES = 20


@get(PATH, opt={"access": "event:read"})
async def issues_of_project(
    request: Request[Any, Any, Any], org: FromPath[str], slug: FromPath[str]
) -> Response[bytes]:
    """List the issues of a project by `query`, `sort`, `limit`, environment and time."""
    scope = await caller_scope(request, org)
    return await listed(request, scope, _within(multi(request), access.project(scope, slug)))


@put(PATH, opt={"access": "event:write"})
async def change_issues_of_project(
    request: Request[Any, Any, Any], org: FromPath[str], slug: FromPath[str]
) -> Response[bytes]:
    """Change the issues that `id` names, or those that `status` and `query` find: all of
    the project where nothing is said."""
    scope = await caller_scope(request, org, needs=WRITE)
    project = access.project(scope, slug)
    change = await body_of(request, IssueUpdate)
    params = _within(multi(request), project)
    ids = parameters.texts(params, "id")
    if ids:
        named = [await issue_of(request, scope, id) for id in ids]
        return await changed(
            request, scope, [each for each in named if each.project_id == project.id], change
        )

    return await changed(request, scope, await _found(request, scope, params), change)


def _within(params: Params, project: Project) -> dict[str, list[str]]:
    others = {name: list(values) for name, values in params.items() if name != "projectSlug"}
    return {**others, "project": [str(project.id)]}


async def _found(request: Request[Any, Any, Any], scope: Scope, params: Params) -> list[Issue]:
    """Find every issue that is meant before the first is changed."""
    status = parameters.first(params, "status")
    query = parameters.first(params, "query")
    if status is not None and status not in STATUSES:
        raise UserError(f"status must be one of {', '.join(STATUSES)}; got {status!r}",
                        field="status")  # fmt: skip

    words = " ".join(part for part in (query, status and f"is:{status}") if part)
    services, at = services_of(request), now()
    issues: list[Issue] = []
    for turn in range(MOST_PAGES):
        here = {"query": [words], "limit": ["100"], "cursor": [f"0:{turn * 100}:0"]}
        asked = parse_issues({**params, **here}, scope, at, services.statistics)
        page = await list_issues(services.statistics, services.metadata, asked)
        issues += page.issues
        if not page.has_more:
            break
    return issues


ROUTES = [issues_of_project, change_issues_of_project]
