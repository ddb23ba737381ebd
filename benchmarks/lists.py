"""The lists of the API over a large organization, and the tags of many events, through sockets.

1,000 projects, 10,000 issues, 500 dashboards, and BENCH_ROWS transactions (20,000,000 unless set;
BENCH_DATA says where they are kept). "CPU" is that of the service's process by request.
"""

from __future__ import annotations

import os
import tempfile
import time
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
from sqlalchemy import Connection

from benchmarks.million import END, PROJECTS, Store, open_store
from groundswell.demo.service import ServiceProcess
from groundswell.model.tenancy import OrgId, ProjectId, Role
from groundswell.store.metadata import (
    Metadata,
    dashboards,
    issues,
    releases,
    saved_queries,
    tenancy,
)

ROWS = 20_000_000
PROJECT_COUNT, ISSUE_COUNT, DASHBOARD_COUNT = 1_000, 10_000, 500
TEAM_COUNT, MEMBER_COUNT, RELEASE_COUNT = 100, 200, 300
ROUNDS = 40
ORG = "bench"
BORN = END - timedelta(days=30)
_CLOCK = os.sysconf("SC_CLK_TCK")
_ERRORS = """
INSERT INTO errors
    (project_id, timestamp, received, event_id, group_id, primary_hash, title, message, culprit,
     level, type, platform, environment, release, transaction, user, user_id, tags)
WITH
    cityHash64(number) AS h,
    1 + number % {issues:UInt64} AS issue,
    toDateTime64({start:Float64} + number * {step:Float64}, 3, 'UTC') AS at
SELECT
    1 + (issue - 1) % {projects:UInt64}, at, at, generateUUIDv4(number), issue,
    toUInt128(issue),
    concat('ValueError: ', toString(issue)), 'went wrong', 'app.views', 'error', 'error', 'python',
    if(h % 10 < 8, 'production', 'staging'), concat('shop@1.', toString(h % 300)), '/t/1',
    concat('id:', toString(h % 5000)), toString(h % 5000),
    map('browser', ['Chrome', 'Safari', 'Firefox'][1 + h % 3], 'plan', 'free')
FROM numbers({count:UInt64})
"""
_WIDGET = {
    "displayType": "line", "interval": "1h", "layout": {"x": 0, "y": 0, "w": 2, "h": 2, "minH": 2},
    "queries": [{"id": "1", "name": "", "fields": ["count()"], "aggregates": ["count()"],
                 "columns": [], "fieldAliases": [], "conditions": "level:error", "orderby": ""}],
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Asked:
    """One list and how long its 95th percentile may take."""

    path: str
    params: dict[str, Any] = field(default_factory=dict)
    aim_ms: int = 50


ASKED: tuple[Asked, ...] = (
    Asked("organizations/"),
    Asked(f"organizations/{ORG}/"),
    Asked(f"organizations/{ORG}/", {"detailed": "0"}),
    Asked(f"organizations/{ORG}/projects/"),
    Asked(f"organizations/{ORG}/projects/", {"query": "project-9", "per_page": "26"}),
    Asked(f"organizations/{ORG}/teams/"),
    Asked(f"organizations/{ORG}/members/"),
    Asked(f"organizations/{ORG}/issues/"),
    Asked(f"organizations/{ORG}/issues/", {"limit": "100", "sort": "new"}),
    Asked(f"organizations/{ORG}/issues/", {"query": "is:unresolved level:error", "sort": "freq"}),
    Asked(f"organizations/{ORG}/issues/", {"project": "1", "sort": "freq", "statsPeriod": "14d"}),
    Asked(f"organizations/{ORG}/dashboards/"),
    Asked(f"organizations/{ORG}/dashboards/", {"sort": "-dateCreated", "query": "number 4"}),
    Asked(f"organizations/{ORG}/discover/saved/"),
    Asked(f"organizations/{ORG}/releases/"),
    Asked(f"organizations/{ORG}/environments/"),
    Asked(f"organizations/{ORG}/alert-rules/"),
    Asked(f"projects/{ORG}/web/keys/"),
    Asked(f"organizations/{ORG}/events-facets/", {"statsPeriod": "14d"}, 300),
    Asked(f"organizations/{ORG}/events-facets/", {"statsPeriod": "14d", "query": "plan:free"}, 300),
    Asked(f"organizations/{ORG}/tags/", {"statsPeriod": "14d"}, 300),
    Asked(f"organizations/{ORG}/tags/", {"statsPeriod": "14d", "dataset": "transactions"}, 300),
    Asked(f"organizations/{ORG}/tags/plan/values/", {"statsPeriod": "14d"}, 300),
)


def run() -> None:
    """Print the table."""
    rows = int(os.environ.get("BENCH_ROWS", ROWS))
    folder = os.environ.get("BENCH_DATA")
    with tempfile.TemporaryDirectory() as temporary:
        store = open_store(Path(folder or temporary), rows)
        token = _fill(store)
        store.engine.close()
        load = ", ".join(f"{each:.1f}" for each in os.getloadavg())
        print(f"{rows:,} transactions, {os.cpu_count()} cores, load before {load}\n")
        settings = {"LOG_LEVEL": "warning"}
        with ServiceProcess(store.settings.data, settings=settings) as service:
            _measure(service, token)


def _measure(service: ServiceProcess, token: str) -> None:
    print("| list | rows | CPU ms | wall ms: median / p95 | aim |")
    print("|---|---|---|---|---|")
    headers = {"Authorization": f"Bearer {token}"}
    with httpx.Client(base_url=f"{service.url}/api/0/", headers=headers, timeout=60) as api:
        for asked in ASKED:
            for _ in range(3):
                first = api.get(asked.path, params=asked.params)
            first.raise_for_status()
            body = first.json()
            cpu = _cpu_s(service.pid)
            walls = sorted(_seconds(api, asked) for _ in range(ROUNDS))
            cpu_ms = (_cpu_s(service.pid) - cpu) / ROUNDS * 1000
            name = asked.path.removeprefix(f"organizations/{ORG}/") or "(one organization)"
            words = "&".join(f"{key}={value}" for key, value in asked.params.items())
            print(
                f"| {name}{'?' if words else ''}{words} | {len(body)} | {cpu_ms:.1f} "
                f"| {walls[ROUNDS // 2] * 1000:.0f} / {walls[int(ROUNDS * 0.95)] * 1000:.0f} "
                f"| {asked.aim_ms} |",
                flush=True,
            )


def _seconds(api: httpx.Client, asked: Asked) -> float:
    begun = time.perf_counter()
    api.get(asked.path, params=asked.params).raise_for_status()
    return time.perf_counter() - begun


def _cpu_s(pid: int) -> float:
    after_name = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(after_name[11]) + int(after_name[12])) / _CLOCK


def _fill(store: Store) -> str:
    """Make what is missing of the organization and its errors; gives a token."""
    metadata = Metadata.open(f"sqlite:///{store.settings.data.resolve()}/metadata.db")
    metadata.migrate()
    try:
        with metadata.begin() as connection:
            org = tenancy.create_organization(connection, ORG, now=BORN)
            if len(tenancy.list_projects(connection, org.id)) < PROJECT_COUNT:
                _people_and_projects(connection, org.id)
                _kept(connection, org.id)
            token, _ = tenancy.create_token(connection, now=BORN, org_id=org.id)
    finally:
        metadata.close()
    stored = store.engine.execute("SELECT count() AS n FROM errors").column("n")[0]
    if stored == 0:
        count = ISSUE_COUNT * 20
        params = {"start": (END - timedelta(days=14)).timestamp(), "count": count,
                  "step": 14 * 86_400 / count, "issues": ISSUE_COUNT,
                  "projects": PROJECT_COUNT}  # fmt: skip
        store.engine.execute(_ERRORS, params)
    return token


def _people_and_projects(connection: Connection, org_id: OrgId) -> None:
    slugs = [*PROJECTS.values(), *(f"project-{n}" for n in range(5, PROJECT_COUNT + 1))]
    made = [
        tenancy.create_project(connection, org_id, slug, now=BORN, platform="python")
        for slug in slugs
    ]
    members = [
        tenancy.create_user(connection, f"user{n}@example.com", now=BORN)
        for n in range(MEMBER_COUNT)
    ]
    for user in members:
        tenancy.add_member(connection, org_id, user.id, Role.MEMBER, now=BORN)
    for n in range(TEAM_COUNT):
        team = tenancy.create_team(connection, org_id, f"team-{n}", now=BORN)
        tenancy.add_team_member(connection, team, members[n].id)
        for project in made[n::TEAM_COUNT]:
            tenancy.add_team_project(connection, team, ProjectId(project.id))


def _kept(connection: Connection, org_id: OrgId) -> None:
    sightings = [
        issues.Sighting(
            1 + n % PROJECT_COUNT, f"{n:032x}", f"ValueError: {n}", "app.views", "error", "error",
            "python", BORN, END - timedelta(seconds=n), 20,
        )
        for n in range(ISSUE_COUNT)
    ]  # fmt: skip
    # One by one: their ids then follow their numbers, as those of the errors do.
    for n, sighting in enumerate(sightings):
        issues.record_batch(connection, "bench", n + 1, [sighting])
    for n in range(DASHBOARD_COUNT):
        widgets = [dashboards.Widget(0, f"Widget {i}", "error-events", _WIDGET) for i in range(4)]
        dashboards.create_dashboard(
            connection, org_id, f"Dashboard number {n}", {}, widgets, user_id=None, now=BORN
        )
        saved_queries.create_saved_query(
            connection, org_id, f"Question number {n}",
            {"fields": ["title", "count()"], "query": "level:error"}, user_id=None, now=BORN,
        )  # fmt: skip
    for n in range(RELEASE_COUNT):
        releases.announce_release(connection, org_id, f"shop@1.{n}", [1], now=BORN)


if __name__ == "__main__":
    run()
