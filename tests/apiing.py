"""The API in this process, over the real engine and metadata: two organizations and some events."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any, cast

import httpx
import msgspec
import pytest
from litestar import Litestar
from litestar.datastructures import State

from groundswell.config import Settings
from groundswell.http.api import ROUTES
from groundswell.http.failures import HANDLERS
from groundswell.model.tenancy import ProjectId, Role
from groundswell.stats.activity import Activity
from groundswell.stats.statistics import Statistics
from groundswell.store.engine import Engine
from groundswell.store.metadata import Metadata, tenancy
from groundswell.store.metadata import issues as issue_rows
from tests.databases import migrated
from tests.rows import insert, new_project

NOW = datetime.now(UTC).replace(microsecond=0)
BORN = NOW - timedelta(days=10)


@dataclass(frozen=True, slots=True)
class World:
    """`acme` with the projects web (with events) and quiet, a team, people and tokens."""

    engine: Engine
    settings: Settings
    metadata: Metadata
    token: str
    reader: str
    member: str
    foreign: str
    web: int
    quiet: int
    issues: tuple[int, ...]
    error_id: str
    transaction_id: str
    trace_id: str

    @property
    def services(self) -> Any:
        statistics = Statistics(self.engine, self.metadata, self.settings)
        return SimpleNamespace(
            settings=self.settings,
            metadata=self.metadata,
            statistics=statistics,
            activity=Activity(statistics, self.engine),
            engine=self.engine,
        )

    @property
    def app(self) -> Any:
        return Litestar(
            route_handlers=ROUTES,
            exception_handlers=cast("Any", HANDLERS),
            state=State({"services": self.services}),
            openapi_config=None,
        )

    @asynccontextmanager
    async def client(self, token: str | None = None) -> AsyncIterator[httpx.AsyncClient]:
        """Ask as the organization, or with another token."""
        async with httpx.AsyncClient(
            transport=httpx.ASGITransport(cast("Any", self.app), raise_app_exceptions=False),
            base_url="http://groundswell/api/0/",
            headers={"Authorization": f"Bearer {token or self.token}"},
        ) as client:
            yield client


@pytest.fixture(scope="module")
def world(
    engine: Engine, settings: Settings, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[World]:
    metadata = migrated(tmp_path_factory.mktemp("world") / "metadata.db")
    yield make_world(engine, settings, metadata)
    metadata.close()


@pytest.fixture
async def api(world: World) -> AsyncIterator[httpx.AsyncClient]:
    async with world.client() as client:
        yield client


def make_world(engine: Engine, settings: Settings, metadata: Metadata) -> World:
    """Fill an empty metadata database, and the engine with events of its own projects."""
    with metadata.begin() as connection:
        acme = tenancy.create_organization(connection, "acme", now=BORN)
        other = tenancy.create_organization(connection, "other", now=BORN)
        # Ids of its own for each project, because tests share one event store.
        ids = []
        for org_id, slug in ((acme.id, "web"), (acme.id, "quiet"), (other.id, "theirs")):
            connection.exec_driver_sql(
                "INSERT INTO sqlite_sequence (name, seq) SELECT 'projects', 0 WHERE NOT EXISTS "
                "(SELECT 1 FROM sqlite_sequence WHERE name = 'projects')"
            )
            connection.exec_driver_sql(
                f"UPDATE sqlite_sequence SET seq = {new_project() - 1} WHERE name = 'projects'"
            )
            made = tenancy.create_project(connection, org_id, slug, now=BORN, platform="python")
            ids.append(int(made.id))
        token, _ = tenancy.create_token(connection, now=BORN, org_id=acme.id)
        reader, _ = tenancy.create_token(
            connection, now=BORN, org_id=acme.id, scopes=frozenset({"org:read"})
        )
        foreign, _ = tenancy.create_token(connection, now=BORN, org_id=other.id)
        ada = tenancy.create_user(connection, "ada@example.com", now=BORN, name="Ada")
        tenancy.add_member(connection, acme.id, ada.id, Role.MEMBER, now=BORN)
        member, _ = tenancy.create_token(connection, now=BORN, user_id=ada.id)
        team = tenancy.create_team(connection, acme.id, "core", now=BORN)
        tenancy.add_team_project(connection, team, ProjectId(ids[0]))
        tenancy.add_team_member(connection, team, ada.id)
        web = ids[0]
        sightings = [
            issue_rows.Sighting(
                web, f"{n:032x}", title, "app.views", level, "error", "python",
                NOW - timedelta(hours=5 - n), NOW - timedelta(minutes=30 - n), 3,
            )
            for n, (title, level) in enumerate(
                [("ValueError: no such user", "error"), ("KeyError: 'card'", "warning")]
            )
        ]  # fmt: skip
        issues = tuple(issue_rows.record_batch(connection, "spool", 1, sightings))
    error_id, transaction_id, trace_id = (uuid.uuid4().hex for _ in range(3))
    _events(engine, web, issues, error_id, transaction_id, trace_id)
    return World(
        engine, settings, metadata, token, reader, member, foreign, web, ids[1], issues,
        error_id, transaction_id, trace_id,
    )  # fmt: skip


def _events(
    engine: Engine, web: int, issues: tuple[int, ...], error_id: str, transaction_id: str,
    trace_id: str,
) -> None:  # fmt: skip
    at = NOW - timedelta(minutes=30)
    common = {"environment": "production", "release": "web@1.2.3", "transaction": "GET /users"}
    error = {
        **common, "timestamp": at, "received": at, "title": "ValueError: no such user",
        "message": "no such user", "culprit": "app.views", "group_id": issues[0], "user": "id:42",
        "user_id": "42", "tags": {"plan": "pro", "browser.name": "Firefox"},
    }  # fmt: skip
    payload = {
        "exception": {"values": [{
            "type": "ValueError", "value": "no such user",
            "mechanism": {"type": "generic", "handled": True},
            "stacktrace": {"frames": [{
                "filename": "app.py", "function": "load", "lineno": 7, "in_app": True,
                "pre_context": ["def load():"], "context_line": "    raise ValueError",
                "post_context": [], "vars": {"id": "7"},
            }]},
        }]},
        "request": {"method": "GET", "url": "https://shop.example/users", "query_string": "id=7"},
        "breadcrumbs": {"values": [{"timestamp": 1760000000.5, "message": "began"}]},
        "contexts": {"runtime": {"name": "CPython"}, "trace": {"trace_id": trace_id}},
    }  # fmt: skip
    first = {
        **error, "event_id": str(uuid.UUID(error_id)), "trace_id": str(uuid.UUID(trace_id)),
        "span_id": 1, "payload": msgspec.json.encode(payload).decode(),
    }  # fmt: skip
    later = {**error, "timestamp": at + timedelta(minutes=1), "tags": {"plan": "free"},
             "user": "id:43", "user_id": "43"}  # fmt: skip
    second = {**error, "title": "KeyError: 'card'", "group_id": issues[1], "level": "warning",
              "release": "web@1.3.0"}  # fmt: skip
    insert(engine, "errors", web, [first, later, second])
    root = {
        **common, "timestamp": at, "start_timestamp": at - timedelta(seconds=1), "received": at,
        "event_id": str(uuid.UUID(transaction_id)), "trace_id": str(uuid.UUID(trace_id)),
        "span_id": 1, "duration": 1000, "tags": {"plan": "pro"},
    }  # fmt: skip
    insert(engine, "transactions", web, [root])
    span = {
        **common, "timestamp": at, "start_timestamp": at - timedelta(seconds=0.5),
        "trace_id": root["trace_id"], "span_id": 2, "parent_span_id": 1, "segment_id": 1,
        "transaction_id": root["event_id"], "description": "SELECT 1", "duration": 500.0,
        "tags": {"shard": "7"},
    }  # fmt: skip
    insert(engine, "spans", web, [span])
