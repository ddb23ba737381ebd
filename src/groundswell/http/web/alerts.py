"""/organizations/<org>/alerts/rules/: the list of rules and the latest incidents."""

from __future__ import annotations

from typing import Any

from litestar import Request, Response, get
from litestar.params import FromPath
from sqlalchemy import Connection

from groundswell.alerts import desk
from groundswell.http.api.alert_rules import READ
from groundswell.http.requests import caller_scope, now, services_of
from groundswell.http.web.alert_frame import base_of, may_write
from groundswell.http.web.alert_words import line_of, sentence, standing
from groundswell.http.web.frame import page
from groundswell.model.alerts import Incident
from groundswell.store.metadata import alerts as rule_rows
from groundswell.store.metadata import incidents as rows

_ORG = "/organizations/{org:str}/alerts"
_LATEST = 50


@get([f"{_ORG}/rules/", f"{_ORG}/"], opt={"access": "org:read"})
async def rules(request: Request[Any, Any, Any], org: FromPath[str]) -> Response[bytes]:
    """List rules with how they stand, and the latest incidents."""
    scope = await caller_scope(request, org, needs=READ)

    def read(connection: Connection) -> tuple[list[Any], dict[Any, Incident], list[Incident]]:
        found = [
            one
            for one in rule_rows.list_rules(connection, scope.organization.id)
            if desk.is_visible(one.rule, scope)
        ]
        ids = [one.rule.id for one in found]
        open_now = rows.open_incidents(connection, ids)
        latest = rows.list_incidents(connection, scope.organization.id, rule_ids=ids, limit=_LATEST)
        return found, open_now, latest

    found, open_now, latest = await services_of(request).metadata.run(read)
    slugs = {project.id: project.slug for project in scope.projects}
    by_rule: dict[int, list[Incident]] = {}
    for (rule_id, _), incident in open_now.items():
        by_rule.setdefault(rule_id, []).append(incident)
    at = now()
    return await page(
        request,
        "alerts/rules.html",
        scope,
        here="alerts",
        base=base_of(scope),
        rules=[
            {
                "rule": one.rule,
                "status": standing(by_rule.get(one.rule.id, [])),
                "open": len(by_rule.get(one.rule.id, [])),
                "watches": sentence(one.rule),
                "projects": [slugs[id] for id in one.rule.projects if id in slugs],
                "muted": one.rule.is_muted(at),
                "error": one.last_error,
            }
            for one in sorted(found, key=lambda one: (one.rule.id not in by_rule, -one.rule.id))
        ],
        incidents=[line_of(one, at) for one in latest],
        may_write=may_write(scope),
    )


ROUTES = [rules]
