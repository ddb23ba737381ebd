"""Groundswell and the stand-in for Slack, talking over real sockets in one event loop."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import warnings
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, fields
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from litestar import Litestar
from litestar.datastructures import State
from litestar.exceptions import LitestarDeprecationWarning
from sqlalchemy import insert as sql_insert
from sqlalchemy import select

from groundswell.charts.render import Renderer
from groundswell.config import Settings, load
from groundswell.http.failures import HANDLERS
from groundswell.http.server import Server, make_server
from groundswell.http.services import Services
from groundswell.http.sessions import COOKIE
from groundswell.http.slack_routes import ROUTES
from groundswell.http.web import MIDDLEWARE
from groundswell.http.web import ROUTES as WEB_ROUTES
from groundswell.model.tenancy import OrgId, ProjectId, Role, User
from groundswell.slack import admin
from groundswell.slack.service import Slack
from groundswell.slack.simulator import Sender, Simulator, World
from groundswell.stats.statistics import Statistics
from groundswell.store.engine import Engine
from groundswell.store.metadata import Metadata, sessions, tables, tenancy
from groundswell.store.metadata import slack as slack_rows
from groundswell.store.metadata import slack_outbox as outbox_rows
from tests.databases import migrated
from tests.rows import every, insert, new_project

SECRET = "shhh"
KEYS = ("first key", "older key")
TOKEN = "xoxb-simulated"


@dataclass
class House:
    """One organization `acme` with the project `shop`, installed in the workspace T0001."""

    settings: Settings
    metadata: Metadata
    slack: Slack
    simulator: Simulator
    sender: Sender
    url: str
    org_id: OrgId
    projects: dict[str, ProjectId]
    ada: User

    def link(self, query: str = "", *, org: str = "acme", page: str = "results") -> str:
        project = self.projects["shop"]
        address = f"{self.url}/organizations/{org}/discover/{page}/?project={project}"
        return f"{address}&statsPeriod=24h{'&' if query else ''}{query}"

    async def settle(self) -> None:
        """Wait until everything that was acknowledged is done, and every message was tried."""
        await self.slack.pool.idle()
        while self.slack.queue._channels or any(  # noqa: ASYNC110
            not row.attempts for row in self.run(outbox_rows.waiting)
        ):
            await asyncio.sleep(0.005)

    async def shared(self, *urls: str, **more: Any) -> Any:
        """Share links, wait, and give the message as the channel shows it."""
        attempts = await self.sender.share(*urls, **more)
        assert attempts[-1].status == 200
        await self.settle()
        return next(m for m in reversed(self.simulator.world.messages) if m.links)

    def calls(self, method: str) -> list[Any]:
        return self.simulator.world.called(method)

    def said(self) -> list[Any]:
        """Give every call but the one that proves the token, which nobody sees."""
        return [call for call in self.simulator.world.calls if call.method != "auth.test"]

    def identify(self, slack_user: str = "U0001", email: str = "ada@example.com") -> None:
        with self.metadata.begin() as connection:
            admin.link_identity(
                connection, org="acme", team="T0001", slack_user=slack_user, user=email
            )

    def identify_directly(self, slack_user: str, email: str) -> None:
        """Link somebody who may not be linked by the command line: a stranger."""
        installation = self.run(slack_rows.by_team, "T0001")
        user = self.run(tenancy.get_user, email)
        self.run(slack_rows.link_identity, installation.id, slack_user, user.id, datetime.now(UTC))

    def person(self, email: str, role: Role | None = Role.MEMBER) -> User:
        with self.metadata.begin() as connection:
            user = tenancy.create_user(connection, email, now=datetime.now(UTC))
            if role is not None:
                tenancy.add_member(connection, self.org_id, user.id, role, now=datetime.now(UTC))
        return user

    def run(self, function: Callable[..., Any], *args: Any, **named: Any) -> Any:
        with self.metadata.begin() as connection:
            return function(connection, *args, **named)

    def log(self) -> list[tuple[str, str]]:
        return [(s["step"], s["outcome"]) for s in self.run(outbox_rows.read_log)]

    def analytics(self) -> list[tuple[str, Any]]:
        table = slack_rows.analytics
        found = self.run(lambda c: c.execute(select(table.c.name, table.c.data)).all())
        return [(row.name, row.data) for row in found]

    @contextlib.asynccontextmanager
    async def browse(self, email: str = "ada@example.com") -> AsyncIterator[httpx.AsyncClient]:
        """Give a browser in which somebody is logged in."""
        user = self.run(tenancy.get_user, email)
        token = self.run(sessions.begin, user.id, now=datetime.now(UTC), lasts=timedelta(hours=1))
        async with httpx.AsyncClient(base_url=self.url, cookies={COOKIE: token}) as client:
            yield client


@pytest.fixture(scope="session")
def slack_rows_project(engine: Engine) -> tuple[int, int]:
    """Give two projects with an event every ten minutes of the last two days."""
    shop, secret = new_project(), new_project()
    start = datetime.now(UTC) - timedelta(hours=48)
    for project in (shop, secret):
        events = every(start, 600, 280, title="Boom", message="Boom", transaction="/checkout")
        insert(engine, "errors", project, events)
    return shop, secret


@contextlib.asynccontextmanager
async def open_house(
    engine: Engine,
    data: Path,
    projects: tuple[int, int],
    *,
    world: World | None = None,
    **settings: Any,
) -> AsyncIterator[House]:
    with socket.create_server(("127.0.0.1", 0)) as sock:
        async with _opened(engine, data, projects, sock, world, settings) as opened:
            yield opened


@contextlib.asynccontextmanager
async def _opened(
    engine: Engine,
    data: Path,
    projects: tuple[int, int],
    sock: socket.socket,
    world: World | None,
    settings: dict[str, Any],
) -> AsyncIterator[House]:
    port = sock.getsockname()[1]
    metadata = migrated(data / "metadata.db")
    async with Simulator(world) as simulator:
        given = {
            "DATA": str(data),
            "PORT": port,
            "SLACK_SIGNING_SECRET": SECRET,
            "SLACK_API_URL": simulator.api_url,
            "SLACK_IMAGES": "none",
            **settings,
        }
        chosen = load(given, environ={})
        ada, org_id, known = _tenants(metadata, projects)
        renderer = Renderer(chosen)
        slack = Slack(chosen, KEYS, metadata, Statistics(engine, metadata, chosen), renderer)
        await slack.start()
        server, serving = await _serve(chosen, metadata, slack, renderer, sock)
        url = f"http://127.0.0.1:{port}"
        sender = Sender(simulator.world, url, SECRET, time_scale=0.001)
        try:
            yield House(chosen, metadata, slack, simulator, sender, url, org_id, known, ada)
        finally:
            server.should_exit = True
            await serving
            await slack.stop()
            await renderer.close()
    metadata.close()


@pytest.fixture
async def house(
    engine: Engine, tmp_path: Path, slack_rows_project: tuple[int, int]
) -> AsyncIterator[House]:
    async with open_house(engine, tmp_path, slack_rows_project) as opened:
        yield opened


def _tenants(metadata: Metadata, ids: tuple[int, int]) -> tuple[User, OrgId, dict[str, ProjectId]]:
    now = datetime.now(UTC)
    with metadata.begin() as connection:
        org = tenancy.create_organization(connection, "acme", now=now)
        tenancy.set_open_membership(connection, org.id, False)
        for id, slug in zip(ids, ("shop", "secret"), strict=True):
            row = {"id": id, "org_id": org.id, "slug": slug, "name": slug, "created_at": now}
            connection.execute(sql_insert(tables.projects).values(**row))
        ada = tenancy.create_user(connection, "ada@example.com", now=now)
        tenancy.add_member(connection, org.id, ada.id, Role.MEMBER, now=now)
        team = tenancy.create_team(connection, org.id, "web", now=now)
        tenancy.add_team_project(connection, team, ProjectId(ids[0]))
        tenancy.add_team_member(connection, team, ada.id)
        admin.install(connection, KEYS, org="acme", team="T0001", bot_token=TOKEN)
    return ada, org.id, {"shop": ProjectId(ids[0]), "secret": ProjectId(ids[1])}


async def _serve(
    settings: Settings, metadata: Metadata, slack: Slack, renderer: Renderer, sock: socket.socket
) -> tuple[Server, asyncio.Task[None]]:
    unused: Any = None
    parts: Any = dict.fromkeys((f.name for f in fields(Services)), unused)
    parts |= {"settings": settings, "secret_keys": KEYS, "metadata": metadata, "slack": slack}
    services = Services(**parts | {"renderer": renderer})
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", LitestarDeprecationWarning)
        app = Litestar(
            route_handlers=[*ROUTES, *WEB_ROUTES],
            exception_handlers=HANDLERS,
            middleware=MIDDLEWARE,
            state=State({"services": services}),
            openapi_config=None,
            logging_config=None,
        )
    server = make_server(app)
    serving = asyncio.create_task(server.serve(sockets=[sock]))
    while not server.started:  # noqa: ASYNC110
        await asyncio.sleep(0.005)
    return server, serving
