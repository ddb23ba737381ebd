"""Answers for the description of the API, taken from a running one.

`python -m tests.describing` writes them anew after a change of an answer.
"""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path
from typing import Any

import msgspec

from groundswell import config
from groundswell.http import openapi
from groundswell.store.engine import open_engine
from groundswell.store.metadata import Metadata
from groundswell.store.schema import migrate
from tests.apiing import World, make_world

ORG = "organizations/{org}/"
PROJECT = "projects/{org}/{slug}/"
WIDGET = {
    "title": "Errors", "displayType": "line", "widgetType": "error-events", "interval": "1h",
    "queries": [{"aggregates": ["count()"], "columns": [], "conditions": "level:error"}],
}  # fmt: skip
SAVED = {"name": "Errors by release", "fields": ["release", "count()"], "query": "level:error"}
LATEST = ORG + "issues/{issue}/"
VERSION = "web@1.2.3"
TREND = {"statsPeriod": "24h", "trendType": "regression"}
DAY = {"statsPeriod": "24h"}
# (method, path, more parameters, body), in the order in which they are asked.
ASKED: tuple[tuple[str, str, dict[str, Any], Any], ...] = (
    ("GET", "", {}, None),
    ("GET", "auth/", {}, None),
    ("GET", "users/{user}/", {}, None),
    ("GET", "organizations/", {}, None),
    ("GET", ORG, {}, None),
    ("GET", ORG + "members/", {}, None),
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
    ("PUT", PROJECT + "keys/{key}/", {}, {"rateLimit": {"count": 100, "window": 60}}),
    ("GET", ORG + "teams/", {}, None),
    ("POST", ORG + "teams/", {}, {"slug": "core", "name": "Core"}),
    ("GET", "teams/{org}/{team}/", {}, None),
    ("GET", "teams/{org}/{team}/projects/", {}, None),
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
    ("GET", ORG + "issues/", DAY, None),
    ("PUT", ORG + "issues/", {"id": "{issue}"}, {"status": "unresolved"}),
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
    ("GET", ORG + "alert-rules/", {}, None),
    ("GET", ORG + "combined-rules/", {}, None),
    ("GET", ORG + "incidents/", {}, None),
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
        "saved": "1", "dashboard": "1",
    }  # fmt: skip
    found: dict[str, Any] = {}
    async with world.client() as api:
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
