"""/organizations/<org>/settings/: where SDKs send to, and how to send a first event."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from litestar import Request, Response, get
from litestar.params import FromPath
from sqlalchemy import Connection

from groundswell.http.requests import caller_scope, services_of
from groundswell.http.web.frame import page
from groundswell.model.tenancy import Scope
from groundswell.store.metadata import tenancy

_PYTHON = """\
pip install sentry-sdk

import sentry_sdk
sentry_sdk.init("{dsn}", traces_sample_rate=1.0)
sentry_sdk.capture_message("Hello from Python")"""
_NODE = """\
npm install @sentry/node

const Sentry = require("@sentry/node");
Sentry.init({{ dsn: "{dsn}", tracesSampleRate: 1.0 }});
Sentry.captureMessage("Hello from Node");"""


@dataclass(frozen=True, slots=True)
class Key:
    """One address that SDKs send to."""

    label: str
    dsn: str
    is_active: bool


@dataclass(frozen=True, slots=True)
class Door:
    """One project with its keys and an example."""

    id: str
    name: str
    platform: str
    keys: tuple[Key, ...]
    example: str


@get("/organizations/{org:str}/settings/", opt={"access": "org:read"})
async def settings(request: Request[Any, Any, Any], org: FromPath[str]) -> Response[bytes]:
    """Show the keys of the projects that the caller may see."""
    scope = await caller_scope(request, org)
    services = services_of(request)
    doors = await services.metadata.run(_doors, scope, services.settings.base_url)
    return await page(request, "settings.html", scope, here="settings", projects=doors)


def _doors(connection: Connection, scope: Scope, base_url: str) -> list[Door]:
    doors = []
    for project in scope.projects:
        keys = tuple(
            Key(key.label, tenancy.dsn(base_url, key), key.is_active)
            for key in tenancy.list_keys(connection, project.id)
        )
        active = next((key for key in keys if key.is_active), None)
        is_node = (project.platform or "").startswith(("node", "javascript"))
        example = (_NODE if is_node else _PYTHON).format(dsn=active.dsn) if active else ""
        doors.append(Door(str(project.id), project.name, project.platform or "", keys, example))
    return doors


ROUTES = [settings]
