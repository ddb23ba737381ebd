"""Pages of rules: filtered, sorted, and with their latest incidents when they are asked for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from litestar import Request, Response
from sqlalchemy import Connection

from groundswell.alerts import desk
from groundswell.errors import UserError
from groundswell.http.alert_shapes import incident_shape, people_of, rule_shape
from groundswell.http.failures import json_response
from groundswell.http.paging import link_header, page
from groundswell.http.requests import multi, now, services_of
from groundswell.model.alerts import Incident, Rule
from groundswell.model.tenancy import ProjectId, Scope
from groundswell.stats.parameters import projects as chosen_projects
from groundswell.store.metadata import alerts as rows
from groundswell.store.metadata import incidents, tenancy

TYPE = {"type": "alert_rule"}
LATEST = "latestIncident"
NEVER = datetime.min.replace(tzinfo=UTC)

Latest = Mapping[int, Incident]
SORTS: Mapping[str, Callable[[Rule, Latest], Any]] = {
    "date_added": lambda rule, latest: rule.id,
    "name": lambda rule, latest: rule.name.lower(),
    "incident_status": lambda rule, latest: _status(latest.get(rule.id)),
    "date_triggered": lambda rule, latest: _triggered(latest.get(rule.id)),
}


async def rules_page(
    request: Request[Any, Any, Any],
    scope: Scope,
    *,
    is_combined: bool = False,
    projects: set[ProjectId] | None = None,
) -> Response[bytes]:
    """Answer with one page of rules; `name`, `project`, `team`, `sort` and `expand` choose."""
    params = multi(request)
    here, sorts = page(params), _sorts(params)
    is_rising = (params.get("asc") or ["0"])[0] in {"1", "true"}
    word = (params.get("name") or params.get("query") or [""])[0].strip().lower()
    wanted = projects
    if wanted is None and (params.get("project") or params.get("projectSlug")):
        wanted = {project.id for project in chosen_projects(params, scope)}
    shows_latest = LATEST in params.get("expand", ())

    def read(connection: Connection) -> tuple[list[dict[str, Any]], bool]:
        is_owned = _owners(connection, scope, params.get("team", []))
        found = [
            one.rule
            for one in rows.list_rules(connection, scope.organization.id)
            if desk.is_visible(one.rule, scope)
            and word in one.rule.name.lower()
            and is_owned(one.rule)
            and (wanted is None or wanted.intersection(one.rule.projects))
        ]
        latest: Latest = {}
        if shows_latest or set(sorts) & {"incident_status", "date_triggered"}:
            latest = incidents.latest_of(connection, [rule.id for rule in found])
        found.sort(
            key=lambda rule: (*(SORTS[name](rule, latest) for name in sorts), rule.id),
            reverse=not is_rising,
        )
        people, at = people_of(connection, scope), now()
        shown = []
        for rule in found[here.offset : here.offset + here.limit]:
            shape = rule_shape(rule, scope, people, at)
            extra: dict[str, Any] = dict(TYPE) if is_combined else {}
            if shows_latest:
                one = latest.get(rule.id)
                extra[LATEST] = None if one is None else incident_shape(one, shape, people, None)
            shown.append(shape | extra)
        return shown, len(found) > here.offset + here.limit

    shown, has_more = await services_of(request).metadata.run(read)
    return json_response(shown, headers=link_header(request, here, has_more=has_more))


def _sorts(params: Mapping[str, list[str]]) -> list[str]:
    names = params.get("sort") or ["date_added"]
    for name in names:
        if name not in SORTS:
            raise UserError(f"sort must be one of {', '.join(SORTS)}, got {name!r}", field="sort")

    return names


def _owners(connection: Connection, scope: Scope, teams: list[str]) -> Callable[[Rule], bool]:
    """Read `team`: ids of teams, `myteams`, `unassigned`."""
    if not teams:
        return lambda rule: True

    owners: set[str | None] = {f"team:{id}" for id in teams if id.isdigit()}
    if "unassigned" in teams:
        owners.add(None)
    if "myteams" in teams and scope.caller.user is not None:
        mine = tenancy.teams_of(connection, scope.organization.id, scope.caller.user.id)
        owners |= {f"team:{team.id}" for team in mine}
    return lambda rule: rule.owner in owners


def _status(latest: Incident | None) -> int:
    return 0 if latest is None else latest.status


def _triggered(latest: Incident | None) -> datetime:
    return NEVER if latest is None else latest.started_at
