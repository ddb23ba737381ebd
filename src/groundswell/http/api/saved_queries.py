"""Saved questions of Discover, and the homepage."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec
from litestar import Request, Response, delete, get, post, put
from litestar.params import FromPath
from sqlalchemy import Connection

from groundswell.errors import NotFound, UserError
from groundswell.http.bodies import body_of
from groundswell.http.failures import FieldErrors, json_response
from groundswell.http.paging import link_header, page
from groundswell.http.requests import caller_scope, multi, now, services_of
from groundswell.http.shapes import UserShape, instant, user_shape
from groundswell.model.tenancy import Scope
from groundswell.stats import parameters
from groundswell.stats.saved import DATASETS, Saved, judge_saved
from groundswell.store.metadata import saved_queries as store
from groundswell.store.metadata import tenancy
from groundswell.store.metadata.saved_queries import SavedQuery

PATH = "/api/0/organizations/{org:str}/discover/saved/"
HOMEPAGE = "/api/0/organizations/{org:str}/discover/homepage/"
FEATURE = "discover-query"
# Members may keep questions; a token that may only read may not.
WRITE = ("event:write", "org:write", "org:admin")
MAX_NAME = 255
MAX_FIELDS = 20


class SavedQueryBody(msgspec.Struct, rename="camel"):
    """A question as clients save it. `yAxis` may be one or many, `topEvents` a text or a number."""

    name: str = ""
    fields: list[str] = []
    version: int = 2
    projects: list[int] = []
    query: str | None = None
    orderby: str | list[str] | None = None
    y_axis: str | list[str] | None = None
    display: str | None = None
    top_events: int | str | None = None
    interval: str | None = None
    range: str | None = None
    start: str | None = None
    end: str | None = None
    utc: bool | str | None = None
    environment: list[str] = []
    widths: list[str] | None = None
    query_dataset: str | None = None
    expired: bool | None = None


@get(PATH, opt={"access": "org:read", "feature": FEATURE})
async def saved_queries(request: Request[Any, Any, Any], org: FromPath[str]) -> Response[bytes]:
    """List saved questions by `query` and `sortBy`."""
    scope = await caller_scope(request, org)
    params = multi(request)
    here = page(params)
    sort = parameters.first(params, "sortBy") or "name"
    if sort.lstrip("-") not in store.SORTS:
        raise UserError(
            f"sortBy must be one of {', '.join(store.SORTS)}; got {sort!r}", field="sortBy"
        )

    user = scope.caller.user

    def read(connection: Connection) -> list[dict[str, Any]]:
        found = store.list_saved_queries(
            connection, scope.organization.id, word=_word(parameters.first(params, "query") or ""),
            sort=sort.lstrip("-"), descending=sort.startswith("-"), limit=here.limit + 1,
            offset=here.offset, first_of=user.id if user and sort == "myqueries" else None,
        )  # fmt: skip
        authors = authors_of(connection, [each.created_by for each in found])
        return [_shape(each, authors) for each in found]

    found = await services_of(request).metadata.run(read)
    headers = link_header(request, here, has_more=len(found) > here.limit)
    return json_response(found[: here.limit], headers=headers)


@post(PATH, opt={"access": "event:write", "feature": FEATURE}, status_code=201)
async def save_query(request: Request[Any, Any, Any], org: FromPath[str]) -> Response[bytes]:
    """Save a question."""
    scope = await caller_scope(request, org, needs=WRITE)
    name, body = await _read(request, scope)
    return await _made(request, scope, name, body, is_homepage=False)


@get(PATH + "{saved:str}/", opt={"access": "org:read", "feature": FEATURE})
async def one_query(
    request: Request[Any, Any, Any], org: FromPath[str], saved: FromPath[str]
) -> Response[bytes]:
    """Give a saved question."""
    scope = await caller_scope(request, org)

    def read(connection: Connection) -> dict[str, Any]:
        return _one(connection, _find(connection, scope, saved))

    return json_response(await services_of(request).metadata.run(read))


@put(PATH + "{saved:str}/", opt={"access": "event:write", "feature": FEATURE})
async def change_query(
    request: Request[Any, Any, Any], org: FromPath[str], saved: FromPath[str]
) -> Response[bytes]:
    """Replace a saved question."""
    scope = await caller_scope(request, org, needs=WRITE)
    name, body = await _read(request, scope)

    def change(connection: Connection) -> dict[str, Any]:
        found = _find(connection, scope, saved)
        store.change_saved_query(connection, found.id, name, body, now=now())
        return _one(connection, _find(connection, scope, saved))

    return json_response(await services_of(request).metadata.run(change))


@delete(PATH + "{saved:str}/", opt={"access": "event:write", "feature": FEATURE}, status_code=204)
async def delete_query(
    request: Request[Any, Any, Any], org: FromPath[str], saved: FromPath[str]
) -> None:
    """Delete a saved question."""
    scope = await caller_scope(request, org, needs=WRITE)

    def remove(connection: Connection) -> None:
        store.delete_saved_queries(connection, [_find(connection, scope, saved).id])

    await services_of(request).metadata.run(remove)


@post(PATH + "{saved:str}/visit/", opt={"access": "org:read", "feature": FEATURE}, status_code=204)
async def visit_query(
    request: Request[Any, Any, Any], org: FromPath[str], saved: FromPath[str]
) -> None:
    """Count a visit, for the order by popularity."""
    scope = await caller_scope(request, org)

    def visit(connection: Connection) -> None:
        store.visit_saved_query(connection, _find(connection, scope, saved).id)

    await services_of(request).metadata.run(visit)


@get(HOMEPAGE, opt={"access": "org:read", "feature": FEATURE, "may_be_empty": True})
async def homepage(request: Request[Any, Any, Any], org: FromPath[str]) -> Response[bytes]:
    """Give the caller's homepage; 204 where there is none."""
    scope = await caller_scope(request, org)

    def read(connection: Connection) -> dict[str, Any] | None:
        found = store.find_homepage(connection, scope.organization.id, _user_id(scope))
        return None if found is None else _one(connection, found)

    found = await services_of(request).metadata.run(read)
    return json_response(found) if found else Response(content=b"", status_code=204)


@put(HOMEPAGE, opt={"access": "event:write", "feature": FEATURE})
async def set_homepage(request: Request[Any, Any, Any], org: FromPath[str]) -> Response[bytes]:
    """Make a question the caller's homepage."""
    scope = await caller_scope(request, org, needs=WRITE)
    name, body = await _read(request, scope, needs_name=False)

    def change(connection: Connection) -> dict[str, Any] | None:
        found = store.find_homepage(connection, scope.organization.id, _user_id(scope))
        if found is None:
            return None
        store.change_saved_query(connection, found.id, name, body, now=now())
        again = store.get_saved_query(connection, scope.organization.id, found.id)
        return _one(connection, again)

    changed = await services_of(request).metadata.run(change)
    if changed is not None:
        return json_response(changed)

    return await _made(request, scope, name, body, is_homepage=True)


@delete(HOMEPAGE, opt={"access": "event:write", "feature": FEATURE}, status_code=204)
async def delete_homepage(request: Request[Any, Any, Any], org: FromPath[str]) -> None:
    """Forget the caller's homepage."""
    scope = await caller_scope(request, org, needs=WRITE)

    def remove(connection: Connection) -> None:
        found = store.find_homepage(connection, scope.organization.id, _user_id(scope))
        if found is None:
            raise NotFound
        store.delete_saved_queries(connection, [found.id])

    await services_of(request).metadata.run(remove)


async def _read(
    request: Request[Any, Any, Any], scope: Scope, *, needs_name: bool = True
) -> tuple[str, dict[str, Any]]:
    """Read a body: its name, and the rest as it is kept."""
    data = await body_of(request, SavedQueryBody)
    name = data.name.strip()
    errors: dict[str, list[str]] = {}
    if needs_name and not name:
        errors["name"] = ["This field is required."]
    if len(name) > MAX_NAME:
        errors["name"] = [f"Ensure this field has no more than {MAX_NAME} characters."]
    if not data.fields:
        errors["fields"] = ["You must include at least one field."]
    if len(data.fields) > MAX_FIELDS:
        errors["fields"] = [f"At most {MAX_FIELDS} fields are allowed, got {len(data.fields)}."]
    visible = {int(project.id) for project in scope.projects}
    unknown = [id for id in data.projects if id not in visible and id != -1]
    if unknown:
        errors["projects"] = [f"There is no project {', '.join(str(id) for id in unknown)}."]
    if data.query_dataset not in DATASETS:
        names = ", ".join(name for name in DATASETS if name)
        errors["queryDataset"] = [f"queryDataset must be one of {names}."]
    if not errors:
        statistics = services_of(request).statistics
        errors = await judge_saved(statistics, scope, _judged(data), now())
    if errors:
        raise FieldErrors(errors)

    kept = msgspec.to_builtins(data)
    kept.pop("name")
    if kept["topEvents"] is not None:
        kept["topEvents"] = str(kept["topEvents"])
    if isinstance(kept["yAxis"], str):
        kept["yAxis"] = [kept["yAxis"]]
    return name, {key: value for key, value in kept.items() if value is not None}


def _judged(data: SavedQueryBody) -> Saved:
    axes = [data.y_axis] if isinstance(data.y_axis, str) else data.y_axis
    return Saved(
        data.fields, data.query or "", [axis for axis in axes or () if axis],
        "" if data.top_events is None else str(data.top_events), data.interval or "",
        data.range or "", data.start or "", data.end or "", DATASETS[data.query_dataset],
    )  # fmt: skip


async def _made(
    request: Request[Any, Any, Any], scope: Scope, name: str, body: dict[str, Any], *,
    is_homepage: bool,
) -> Response[bytes]:  # fmt: skip
    def make(connection: Connection) -> dict[str, Any]:
        made = store.create_saved_query(
            connection, scope.organization.id, name, body, user_id=_user_id(scope), now=now(),
            is_homepage=is_homepage,
        )  # fmt: skip
        return _one(connection, made)

    status = 200 if is_homepage else 201
    return json_response(await services_of(request).metadata.run(make), status)


def _find(connection: Connection, scope: Scope, text: str) -> SavedQuery:
    if not (text.isascii() and text.isdigit() and len(text) < 19):
        raise NotFound

    return store.get_saved_query(connection, scope.organization.id, int(text))


def _user_id(scope: Scope) -> int | None:
    return None if scope.caller.user is None else int(scope.caller.user.id)


def _word(text: str) -> str:
    """`name:"errors"` and plain words mean the same."""
    return text.strip().removeprefix("name:").strip('"').strip()


def shown_saved_query(connection: Connection, scope: Scope, text: str) -> dict[str, Any] | None:
    """Give a saved question as the API answers it; None where the caller's organization has none
    of this id."""
    try:
        return _one(connection, _find(connection, scope, text))
    except NotFound:
        return None


def authors_of(connection: Connection, ids: Iterable[int | None]) -> dict[int, UserShape]:
    """Tell who made things; a token of the organization is nobody."""
    found = tenancy.find_users(connection, {id for id in ids if id is not None})
    return {id: user_shape(user) for id, user in found.items()}


def _one(connection: Connection, saved: SavedQuery) -> dict[str, Any]:
    return _shape(saved, authors_of(connection, [saved.created_by]))


def _shape(saved: SavedQuery, authors: Mapping[int, UserShape]) -> dict[str, Any]:
    return {
        "projects": [],
        "environment": [],
        **saved.body,
        "queryDataset": saved.body.get("queryDataset") or saved.split or "discover",
        "id": str(saved.id),
        "name": saved.name,
        "dateCreated": instant(saved.created_at),
        "dateUpdated": instant(saved.updated_at),
        "createdBy": authors.get(saved.created_by or 0),
    }


ROUTES = [
    saved_queries,
    save_query,
    one_query,
    change_query,
    delete_query,
    visit_query,
    homepage,
    set_homepage,
    delete_homepage,
]
