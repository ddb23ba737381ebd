"""Saved questions on the Discover page: keep what is shown, list what is kept, forget it."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from litestar import Request, Response, get, post
from litestar.params import FromPath
from sqlalchemy import Connection

from groundswell.errors import NotFound, UserError
from groundswell.http.requests import caller_scope, multi, now, services_of
from groundswell.http.web.forms import WRITE, fields_of, first, saved_of
from groundswell.http.web.frame import go, page
from groundswell.store.metadata import saved_queries as store
from groundswell.store.metadata.saved_queries import SavedQuery

LISTED = 200
MAX_NAME = 255
_ORG = "/organizations/{org:str}"
_READ = {"access": "org:read", "feature": "discover-query"}
_EDIT = {"access": "event:write", "feature": "discover-query"}


@get(f"{_ORG}/discover/queries/", opt=_READ)
async def queries(request: Request[Any, Any, Any], org: FromPath[str]) -> Response[bytes]:
    """List the saved questions."""
    scope = await caller_scope(request, org)
    word = first(multi(request), "query")

    def read(connection: Connection) -> list[SavedQuery]:
        return store.list_saved_queries(
            connection, scope.organization.id, word=word, limit=LISTED, offset=0
        )

    found = await services_of(request).metadata.run(read)
    return await page(request, "queries.html", scope, here="discover", queries=found, word=word)


@post(f"{_ORG}/discover/queries/", opt=_EDIT, status_code=303)
async def save(request: Request[Any, Any, Any], org: FromPath[str]) -> Response[bytes]:
    """Save what Discover shows: under a new name, or over the question of `id`."""
    scope = await caller_scope(request, org, needs=WRITE)
    fields = await fields_of(request)
    name = first(fields, "name")
    if not 0 < len(name) <= MAX_NAME:
        raise UserError(f"name must have between 1 and {MAX_NAME} characters", field="name")

    body, user = saved_of(fields), scope.caller.user
    if unknown := set(body["projects"]) - {-1, *(int(each.id) for each in scope.projects)}:
        raise UserError(f"There is no project {min(unknown)}", field="project")

    def change(connection: Connection) -> int:
        if id := first(fields, "id"):
            found = _find(connection, scope.organization.id, id)
            store.change_saved_query(connection, found.id, name, body, now=now())
            return found.id

        return store.create_saved_query(
            connection, scope.organization.id, name, body,
            user_id=user.id if user else None, now=now(),
        ).id  # fmt: skip

    id = await services_of(request).metadata.run(change)
    asked = urlencode({"id": id, "name": name})
    return go(f"/organizations/{scope.organization.slug}/discover/results/?{asked}", 303)


@post(f"{_ORG}/discover/queries/{{question:str}}/delete/", opt=_EDIT, status_code=303)
async def forget(
    request: Request[Any, Any, Any], org: FromPath[str], question: FromPath[str]
) -> Response[bytes]:
    """Delete a saved question."""
    scope = await caller_scope(request, org, needs=WRITE)

    def change(connection: Connection) -> None:
        found = _find(connection, scope.organization.id, question)
        store.delete_saved_queries(connection, [found.id])

    await services_of(request).metadata.run(change)
    return go(f"/organizations/{scope.organization.slug}/discover/queries/", 303)


def _find(connection: Connection, org_id: int, text: str) -> SavedQuery:
    if not (text.isascii() and text.isdigit() and len(text) < 19):
        raise NotFound

    return store.get_saved_query(connection, org_id, int(text))


ROUTES = [queries, save, forget]
