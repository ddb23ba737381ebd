"""Answers for the description of the API, taken from a running one.

`python -m tests.describing` writes them anew after a change of an answer.
"""

from __future__ import annotations

import asyncio
import tempfile
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import sqlalchemy as sa
from sqlalchemy import Connection

from groundswell import config
from groundswell.http import openapi
from groundswell.model.alerts import Incident, Level
from groundswell.model.tenancy import ProjectId
from groundswell.model.trends import Trend
from groundswell.store.engine import open_engine
from groundswell.store.metadata import Metadata, alerts, incidents, tables, trends
from groundswell.store.schema import migrate
from tests.apiing import NOW, World, make_world

ORG = "organizations/{org}/"
PROJECT = "projects/{org}/{slug}/"
WIDGET = {
    "title": "Errors", "displayType": "line", "widgetType": "error-events", "interval": "1h",
    "queries": [{"aggregates": ["count()"], "columns": [], "conditions": "level:error"}],
}  # fmt: skip
SAVED = {"name": "Errors by release", "fields": ["release", "count()"], "query": "level:error"}
LATEST = ORG + "issues/{issue}/"
VERSION = "web@1.2.3"
RULE = {
    "name": "Many errors", "dataset": "events", "eventTypes": ["error"], "aggregate": "count()",
    "query": "level:error", "timeWindow": 5, "thresholdType": 0, "thresholdPeriod": 1,
    "resolveThreshold": None, "projects": ["web"], "environment": None, "owner": None,
    "triggers": [{"label": "critical", "alertThreshold": 100, "actions": []}],
}  # fmt: skip
TREND = {"statsPeriod": "24h", "trendType": "regression"}
DAY = {"statsPeriod": "24h"}
EXPLAINED = {
    "transaction": "GET /users", "projectSlug": "web", "statsPeriod": "24h",
    "breakpoint": (NOW - timedelta(hours=1)).isoformat(),
}  # fmt: skip
# (method, path, more parameters, body), in the order in which they are asked.
ASKED: tuple[tuple[str, str, dict[str, Any], Any], ...] = (
    ("GET", "", {}, None),
    ("GET", "auth/", {}, None),
    ("GET", "users/{user}/", {}, None),
    ("GET", "organizations/", {}, None),
    ("GET", ORG, {}, None),
    ("GET", ORG + "members/", {}, None),
    ("GET", ORG + "members/{member}/", {}, None),
    ("GET", ORG + "environments/", {}, None),
    ("GET", ORG + "features/", {}, None),
    ("PUT", ORG + "features/", {}, {"name": "profiling", "enabled": True}),
    ("GET", ORG + "projects/", {}, None),
    ("POST", ORG + "projects/", {}, {"name": "Api", "platform": "python"}),
    ("GET", "projects/", {}, None),
    ("GET", PROJECT, {}, None),
    ("PUT", PROJECT, {}, {"name": "Web"}),
    ("GET", PROJECT + "keys/", {}, None),
    ("POST", PROJECT + "keys/", {}, {"name": "Second"}),
    ("GET", PROJECT + "keys/{key}/", {}, None),
    ("PUT", PROJECT + "keys/{key}/", {}, {"rateLimit": {"count": 100, "window": 60}}),
    ("GET", ORG + "teams/", {}, None),
    ("POST", ORG + "teams/", {}, {"slug": "core", "name": "Core"}),
    ("GET", "teams/{org}/{team}/", {}, None),
    ("PUT", "teams/{org}/{team}/", {}, {"name": "Core"}),
    ("GET", "teams/{org}/{team}/members/", {}, None),
    ("GET", "teams/{org}/{team}/projects/", {}, None),
    ("POST", PROJECT + "teams/{team}/", {}, None),
    ("DELETE", PROJECT + "teams/{team}/", {}, None),
    ("POST", "teams/{org}/{team}/projects/", {}, {"name": "Worker"}),
    ("GET", ORG + "events-stats/", {"statsPeriod": "2h", "interval": "1h"}, None),
    ("GET", ORG + "events/", {"field": ["title", "count()"], "dataset": "errors", **DAY}, None),
    ("GET", ORG + "events-timeseries/", {"statsPeriod": "2h", "interval": "1h"}, None),
    ("GET", ORG + "events-meta/", DAY, None),
    ("GET", ORG + "events/validate/", {"field": "count()", "query": "level:error", **DAY}, None),
    ("GET", ORG + "events-facets/", {"per_page": "3", **DAY}, None),
    ("GET", ORG + "tags/", DAY, None),
    ("GET", ORG + "tags/{key}/values/", DAY, None),
    ("GET", ORG + "trace-items/attributes/", {"per_page": "3", **DAY}, None),
    ("GET", ORG + "trace-items/attributes/{key}/values/", DAY, None),
    ("GET", ORG + "stats_v2/", {"field": "sum(quantity)", "groupBy": "outcome", **DAY}, None),
    ("GET", ORG + "sessions/", {"field": "sum(session)", "interval": "12h", **DAY}, None),
    ("GET", ORG + "metrics/data/", {"field": "sum(session)", "interval": "12h", **DAY}, None),
    ("GET", ORG + "issues/", DAY, None),
    ("PUT", ORG + "issues/", {"id": "{issue}"}, {"status": "unresolved"}),
    ("GET", PROJECT + "issues/", DAY, None),
    ("PUT", PROJECT + "issues/", {"id": "{issue}"}, {"status": "unresolved"}),
    ("GET", LATEST, {}, None),
    ("PUT", LATEST, {}, {"assignedTo": "ada@example.com"}),
    ("GET", LATEST + "events/", {}, None),
    ("GET", LATEST + "events/{event}/", {}, None),
    ("GET", LATEST + "tags/", {}, None),
    ("GET", LATEST + "tags/{key}/", {}, None),
    ("GET", LATEST + "tags/{key}/values/", {}, None),
    ("GET", LATEST + "activities/", {}, None),
    ("GET", LATEST + "activity/", {}, None),
    *(
        ("GET", LATEST + name + "/", {}, None)
        for name in (
            "notes", "comments", "user-reports", "external-issues", "hashes", "attachments",
        )
    ),
    ("GET", ORG + "shortids/{issue}/", {}, None),
    ("GET", ORG + "events/{event}/", {}, None),
    ("GET", ORG + "eventids/{event}/", {}, None),
    ("GET", PROJECT + "events/", {}, None),
    ("GET", PROJECT + "events/{event}/", {}, None),
    ("GET", ORG + "trace/{trace}/", {}, None),
    ("GET", ORG + "trace-meta/{trace}/", {}, None),
    ("GET", ORG + "workflows/", {}, None),
    ("GET", ORG + "repos/", {}, None),
    ("GET", ORG + "integrations/", {}, None),
    ("GET", ORG + "releases/", {}, None),
    ("POST", ORG + "releases/", {}, {"version": "web@2.0.0", "projects": ["web"]}),
    ("GET", ORG + "releases/{version}/", {}, None),
    ("PUT", ORG + "releases/{version}/", {}, {"ref": "main"}),
    *(("GET", ORG + "releases/{version}/" + name + "/", {}, None)
      for name in ("deploys", "commits", "files")),
    ("GET", PROJECT + "releases/", {}, None),
    ("POST", PROJECT + "releases/", {}, {"version": "web@2.1.0"}),
    ("GET", PROJECT + "releases/{version}/", {}, None),
    ("PUT", PROJECT + "releases/{version}/", {}, {"ref": "main"}),
    ("POST", ORG + "discover/saved/", {}, SAVED),
    ("GET", ORG + "discover/saved/", {}, None),
    ("GET", ORG + "discover/saved/{saved}/", {}, None),
    ("PUT", ORG + "discover/saved/{saved}/", {}, SAVED),
    ("POST", ORG + "discover/saved/{saved}/visit/", {}, None),
    ("PUT", ORG + "discover/homepage/", {}, SAVED),
    ("GET", ORG + "discover/homepage/", {}, None),
    ("POST", ORG + "dashboards/widgets/", {}, WIDGET),
    ("POST", ORG + "dashboards/", {}, {"title": "Health", "widgets": [WIDGET]}),
    ("GET", ORG + "dashboards/", {}, None),
    ("GET", ORG + "dashboards/{dashboard}/", {}, None),
    ("PUT", ORG + "dashboards/{dashboard}/", {}, {"title": "Health of the shop"}),
    ("POST", ORG + "dashboards/{dashboard}/visit/", {}, None),
    ("GET", ORG + "events-trends-statsv2/", TREND, None),
    ("GET", ORG + "profiling/function-trends/",
     {"function": "p95()", "trend": "regression", **DAY}, None),
    ("GET", ORG + "events-trends/", DAY, None),
    ("GET", ORG + "events-trends-stats/", DAY, None),
    ("GET", ORG + "trends/explain/", EXPLAINED, None),
    ("GET", ORG + "trends/", {}, None),
    ("GET", ORG + "trends/{trend}/", {}, None),
    ("PUT", ORG + "trends/{trend}/", {}, {"status": "acknowledged"}),
    ("GET", ORG + "trends/digest/", {"projectSlug": "web"}, None),
    ("POST", ORG + "alert-rules/", {}, RULE),
    ("POST", ORG + "alert-rules/preview/", {}, RULE),
    ("GET", ORG + "alert-rules/", {}, None),
    ("GET", ORG + "alert-rules/{rule_id}/", {}, None),
    ("PUT", ORG + "alert-rules/{rule_id}/", {}, RULE),
    ("POST", ORG + "alert-rules/{rule_id}/test/", {}, None),
    ("POST", ORG + "alert-rules/{rule_id}/snooze/", {}, {"minutes": 30}),
    ("DELETE", ORG + "alert-rules/{rule_id}/snooze/", {}, None),
    ("GET", ORG + "combined-rules/", {}, None),
    ("POST", PROJECT + "alert-rules/", {}, {**RULE, "name": "Many errors of web"}),
    ("GET", PROJECT + "alert-rules/", {}, None),
    ("GET", PROJECT + "alert-rules/{rule_id}/", {}, None),
    ("PUT", PROJECT + "alert-rules/{rule_id}/", {}, RULE),
    ("GET", ORG + "incidents/", {"expand": "activities"}, None),
    ("GET", ORG + "incidents/{identifier}/", {}, None),
    ("POST", ORG + "incidents/{identifier}/comments/", {}, {"comment": "Looking."}),
    ("GET", ORG + "incidents/{identifier}/activity/", {}, None),
    ("PUT", ORG + "incidents/{identifier}/", {}, {"status": 2}),
    ("DELETE", ORG + "alert-rules/{rule_id}/", {}, None),
    ("PUT", ORG + "dashboards/{dashboard}/favorite/", {}, {"isFavorited": True}),
    ("DELETE", ORG + "discover/saved/{saved}/", {}, None),
    ("DELETE", ORG + "discover/homepage/", {}, None),
    ("DELETE", ORG + "dashboards/{dashboard}/", {}, None),
    ("DELETE", PROJECT + "keys/{key}/", {}, None),
    ("DELETE", LATEST, {}, None),
)  # fmt: skip


async def answers(world: World) -> dict[str, Any]:
    """Ask everything; give "METHOD /api/0/…/" → status and body."""
    names = {
        "org": "acme", "slug": "web", "user": "me", "team": "core", "key": "plan",
        "issue": "WEB-1", "event": world.error_id, "trace": world.trace_id, "version": VERSION,
        "saved": "1", "dashboard": "1", "member": "1", "rule_id": "1", "identifier": "1",
        "trend": "1",
    }  # fmt: skip
    found: dict[str, Any] = {}
    async with world.client() as api:
        await api.post("organizations/acme/alert-rules/", json=RULE)
        await world.metadata.run(_something_happened, world.web)
        (key,) = (await api.get("projects/acme/web/keys/")).json()[:1]
        for method, path, params, body in ASKED:
            here = {**names, "key": key["id"]} if "/keys/" in path else names
            if "{issue}" in str(params):
                params = {"id": str(world.issues[0])}
            answer = await api.request(
                method, path.format(**here), params=params, json=body if body is not None else None
            )
            content = answer.json() if answer.content else None
            found[f"{method} /api/0/{path}"] = {"status": answer.status_code, "body": content}
    return found


def _something_happened(connection: Connection, web: int) -> None:
    """Record a trend, and an incident of the first rule."""
    ((org_id,),) = connection.execute(
        sa.select(tables.projects.c.org_id).where(tables.projects.c.id == web)
    )
    at = NOW - timedelta(hours=1)
    watched = alerts.find_rule(connection, org_id, 1)
    assert watched is not None
    incident = Incident(0, org_id, 0, 1, "Many errors", "", Level.CRITICAL, at, at)
    incidents.open_incident(connection, incident, watched.rule)
    trend = Trend(
        0, org_id, ProjectId(web), "GET /users", "p95(transaction.duration)", 1, "regression", at,
        400.0, 900.0, 2.25, 1e-6, NOW, NOW,
    )  # fmt: skip
    trends.add_trend(connection, trend)


def main() -> None:
    with tempfile.TemporaryDirectory() as directory:
        settings = config.load({"DATA": directory})
        engine = open_engine(settings)
        migrate(engine)
        metadata = Metadata.open(f"sqlite:///{directory}/metadata.db")
        metadata.migrate()
        found = asyncio.run(answers(make_world(engine, settings, metadata)))
        metadata.close()
        engine.close()
    failed = {name: answer for name, answer in found.items() if answer["status"] >= 300}
    assert not failed, failed
    path = Path(openapi.__file__).with_name(openapi.EXAMPLES)
    path.write_bytes(msgspec.json.format(msgspec.json.encode(found), indent=1) + b"\n")


if __name__ == "__main__":
    main()
