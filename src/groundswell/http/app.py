"""The composition root: settings → the parts of one process → one ASGI application, served."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import multiprocessing
from collections.abc import AsyncIterator, Callable
from typing import Any

from litestar import Litestar
from litestar.datastructures import State
from litestar.enums import ScopeType
from litestar.exceptions import HTTPException
from litestar.types import ASGIApp, Receive, Send
from litestar.types import Scope as ASGIScope

from groundswell.config import Settings
from groundswell.errors import StartupError
from groundswell.http import control, health
from groundswell.http.api import ROUTES as API_ROUTES
from groundswell.http.failures import HANDLERS
from groundswell.http.jobs import jobs_of
from groundswell.http.requesting import Bodies, identified
from groundswell.http.server import (
    Server,
    listen,
    local_url,
    make_server,
    on_hangup,
    stop_on_signals,
)
from groundswell.http.services import Services
from groundswell.http.slack_routes import ROUTES as SLACK_ROUTES
from groundswell.http.web import MIDDLEWARE as WEB_MIDDLEWARE
from groundswell.http.web import ROUTES as WEB_ROUTES
from groundswell.http.web.failures import on_refusal
from groundswell.scheduler import Scheduler
from groundswell.telemetry import logger, set_level

log = logger("serve")

STOP_DEADLINE_S = 4.0
MAX_BODY_BYTES = 10 * 1024 * 1024


def create_app(services: Services, bodies: Bodies | None = None) -> ASGIApp:
    """Put the ingest door (raw ASGI) beside the API, the Slack doors and the pages."""
    litestar = Litestar(
        route_handlers=[*health.ROUTES, *control.ROUTES, *API_ROUTES, *SLACK_ROUTES, *WEB_ROUTES],
        exception_handlers={**HANDLERS, HTTPException: on_refusal},
        middleware=WEB_MIDDLEWARE,
        state=State({"services": services}),
        openapi_config=None,
        request_max_body_size=MAX_BODY_BYTES,
        logging_config=None,
    )
    ingest = services.ingest
    others = identified(litestar, bodies or Bodies())

    async def root(scope: ASGIScope, receive: Receive, send: Send) -> None:
        if scope["type"] == ScopeType.HTTP and ingest.matches(scope["path"]):
            await ingest.door(scope, receive, send)  # type: ignore[arg-type]
        else:
            await others(scope, receive, send)

    return root


@contextlib.asynccontextmanager
async def open_services(settings: Settings) -> AsyncIterator[Services]:
    """Open every part of the process in order, and close them in reverse."""
    from groundswell.charts.render import Renderer
    from groundswell.http.alerting import open_alerting
    from groundswell.ingest.pipeline import Ingest
    from groundswell.slack.service import Slack
    from groundswell.stats.activity import Activity
    from groundswell.stats.statistics import Statistics
    from groundswell.store.data_directory import DataDirectory
    from groundswell.store.engine import open_engine
    from groundswell.store.metadata import Metadata, database_url
    from groundswell.store.schema import migrate

    async with contextlib.AsyncExitStack() as stack:
        directory = DataDirectory(settings.data)
        directory.lock()
        directory.note_address(settings.base_url)
        stack.callback(directory.unlock)
        shared = settings.text("DATABASE_URL").startswith("postgres")
        keys = directory.secret_keys(settings.text("SECRET_KEY"), shared_database=shared)
        metadata = Metadata.open(database_url(settings))
        stack.callback(metadata.close)
        metadata.migrate()
        engine = open_engine(settings)
        stack.callback(engine.close)
        migrate(engine, settings.text("CLICKHOUSE_CLUSTER"))
        ingest = Ingest(settings, engine, metadata)
        await ingest.start()
        stack.push_async_callback(ingest.stop, STOP_DEADLINE_S)
        statistics = Statistics(engine, metadata, settings)
        renderer = Renderer(settings)
        stack.push_async_callback(renderer.close)
        slack = Slack(settings, keys, metadata, statistics, renderer)
        await slack.start()
        stack.push_async_callback(slack.stop)
        control_token = directory.open_control(local_url(settings))
        stack.callback(directory.close_control)
        alerting = open_alerting(settings, keys, metadata, statistics, renderer, ingest, slack)
        yield Services(
            settings=settings,
            secret_keys=keys,
            engine=engine,
            metadata=metadata,
            ingest=ingest,
            statistics=statistics,
            activity=Activity(statistics, engine),
            renderer=renderer,
            slack=slack,
            alerting=alerting,
            control_token=control_token,
        )


async def serve(settings: Settings, *, on_ready: Callable[[Settings], None] | None = None) -> None:
    """Serve until SIGTERM or SIGINT, then drain.

    on_ready gets the settings with the port that was really taken.
    Raises StartupError when the process cannot start.
    """
    stopping = stop_on_signals()
    on_hangup(lambda: _reread(settings))
    sock = listen(settings.text("HOST"), settings.integer("PORT"))
    settings = settings.with_values(PORT=sock.getsockname()[1])
    try:
        async with open_services(settings) as services:
            bodies = Bodies()
            server = make_server(create_app(services, bodies))
            recurring = asyncio.create_task(Scheduler(jobs_of(services)).run())
            letting_go = asyncio.create_task(_let_go(stopping, server, services, bodies))
            gc.freeze()
            gc.enable()
            if on_ready is not None:
                on_ready(settings)
            try:
                await server.serve(sockets=[sock])
            finally:
                recurring.cancel()
                letting_go.cancel()
                await asyncio.gather(recurring, letting_go, return_exceptions=True)
    finally:
        sock.close()


async def _let_go(
    stopping: asyncio.Event, server: Server, services: Services, bodies: Bodies
) -> None:
    await stopping.wait()
    log.info("stopping")
    server.should_exit = True
    services.ingest.close_door()
    bodies.close()


def _reread(settings: Settings) -> None:
    try:
        level = settings.reread().text("LOG_LEVEL")
    except StartupError as error:
        log.error("settings_unreadable", said=error.message)
        return

    set_level(level)
    log.info("settings_reread", level=level)


def run(settings: Settings, on_ready: Callable[[Settings], None] | None = None) -> None:
    """Serve in a new event loop."""
    method: Any = multiprocessing.get_start_method(allow_none=True)
    if method not in {None, "spawn"}:
        raise StartupError("Helpers must be spawned: a forked engine hangs")

    multiprocessing.set_start_method("spawn", force=True)
    asyncio.run(serve(settings, on_ready=on_ready))
