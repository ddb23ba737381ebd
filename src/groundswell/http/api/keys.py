"""Keys of a project: the public half of its DSNs."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import msgspec
from litestar import Request, Response, delete, get, post, put
from litestar.params import FromPath
from sqlalchemy import Connection

from groundswell import access
from groundswell.errors import NotFound, UserError
from groundswell.http.bodies import body_of
from groundswell.http.failures import FieldErrors
from groundswell.http.requests import caller_scope, services_of
from groundswell.http.shapes import KeyShape, key_shape
from groundswell.model.tenancy import ProjectId, ProjectKey
from groundswell.store.metadata import tenancy

WRITE = ("project:write", "project:admin", "org:write", "org:admin")
PATH = "/api/0/projects/{org:str}/{slug:str}/keys/"


MAX_NAME = 64


class KeyChange(msgspec.Struct, rename="camel"):
    """A new key, or what changes of one; `rateLimit` is {"count", "window"} or null."""

    name: str | None = None
    label: str | None = None
    is_active: bool | None = None
    rate_limit: dict[str, int | None] | msgspec.UnsetType | None = msgspec.UNSET


@get(PATH, opt={"access": "project:read"})
async def keys(
    request: Request[Any, Any, Any], org: FromPath[str], slug: FromPath[str]
) -> Response[list[KeyShape]]:
    """List the keys of a project, oldest first."""
    scope = await caller_scope(request, org)
    found = access.project(scope, slug)
    services = services_of(request)
    listed = await services.metadata.run(tenancy.list_keys, found.id)
    return Response([key_shape(each, services.settings.base_url) for each in listed])


@post(PATH, opt={"access": "project:write"}, status_code=201)
async def create_key(
    request: Request[Any, Any, Any],
    org: FromPath[str],
    slug: FromPath[str],
) -> Response[KeyShape]:
    """Make another key."""
    data = await _read(request)
    scope = await caller_scope(request, org, needs=WRITE)
    found = access.project(scope, slug)
    services = services_of(request)

    def make(connection: Connection) -> ProjectKey:
        made = tenancy.create_key(
            connection, found.id, now=datetime.now(UTC), label=data.name or data.label or "Default"
        )
        return _changed(connection, made, data)

    made = await services.metadata.run(make)
    return Response(key_shape(made, services.settings.base_url), status_code=201)


@get(PATH + "{key:str}/", opt={"access": "project:read"})
async def one_key(
    request: Request[Any, Any, Any], org: FromPath[str], slug: FromPath[str], key: FromPath[str]
) -> Response[KeyShape]:
    """Give one key."""
    scope = await caller_scope(request, org)
    owner = access.project(scope, slug)
    services = services_of(request)
    found = await services.metadata.run(_key, owner.id, key)
    return Response(key_shape(found, services.settings.base_url))


@put(PATH + "{key:str}/", opt={"access": "project:write"})
async def change_key(
    request: Request[Any, Any, Any],
    org: FromPath[str],
    slug: FromPath[str],
    key: FromPath[str],
) -> Response[KeyShape]:
    """Disable or enable a key, or limit its rate. In force within a second."""
    data = await _read(request)
    scope = await caller_scope(request, org, needs=WRITE)
    found = access.project(scope, slug)
    services = services_of(request)

    def change(connection: Connection) -> ProjectKey:
        return _changed(connection, _key(connection, found.id, key), data)

    changed = await services.metadata.run(change)
    return Response(key_shape(changed, services.settings.base_url))


@delete(PATH + "{key:str}/", opt={"access": "project:admin"}, status_code=204)
async def remove_key(
    request: Request[Any, Any, Any], org: FromPath[str], slug: FromPath[str], key: FromPath[str]
) -> None:
    """Delete a key."""
    scope = await caller_scope(request, org, needs=("project:admin", "org:admin"))
    found = access.project(scope, slug)

    def remove(connection: Connection) -> None:
        tenancy.delete_key(connection, _key(connection, found.id, key).id)

    await services_of(request).metadata.run(remove)


async def _read(request: Request[Any, Any, Any]) -> KeyChange:
    data = await body_of(request, KeyChange)
    if len(data.name or data.label or "") > MAX_NAME:
        text = f"Ensure this field has no more than {MAX_NAME} characters."
        raise FieldErrors({"name": [text]})

    return data


def _key(connection: Connection, project_id: ProjectId, public_key: str) -> ProjectKey:
    found = tenancy.key_by_public_key(connection, public_key)
    if found is None or found.project_id != project_id:
        raise NotFound

    return found


def _changed(connection: Connection, key: ProjectKey, data: KeyChange) -> ProjectKey:
    if data.is_active is not None:
        tenancy.set_key_active(connection, key.id, data.is_active)
    if data.rate_limit is not msgspec.UNSET:
        limit = data.rate_limit or {}
        count, window_s = limit.get("count"), limit.get("window")
        if (count is None) != (window_s is None) or min(
            1 if v is None else v for v in (count, window_s)
        ) < 1:
            raise UserError(
                "rateLimit needs a count and a window of at least 1, or null", field="rateLimit"
            )
        tenancy.set_key_rate_limit(connection, key.id, count, window_s)
    label = data.name or data.label
    if label and label != key.label:
        tenancy.set_key_label(connection, key.id, label)
    found = tenancy.key_by_public_key(connection, key.public_key)
    assert found is not None
    return found


ROUTES = [keys, create_key, one_key, change_key, remove_key]
