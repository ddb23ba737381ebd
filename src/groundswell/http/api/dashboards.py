"""Dashboards and their widgets."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
from litestar import Request, Response, delete, get, post, put
from litestar.params import FromPath
from sqlalchemy import Connection

from groundswell.errors import NotFound, UserError
from groundswell.http.api.saved_queries import WRITE, authors_of
from groundswell.http.bodies import body_of
from groundswell.http.failures import FieldErrors, json_response
from groundswell.http.paging import link_header, page
from groundswell.http.requests import caller_scope, multi, now, services_of
from groundswell.http.shapes import UserShape, instant
from groundswell.model.tenancy import Scope
from groundswell.stats import parameters
from groundswell.stats.widgets import WidgetBody, judge_widget, stored, widget_shape
from groundswell.store.metadata import dashboards as store
from groundswell.store.metadata.dashboards import Dashboard

PATH = "/api/0/organizations/{org:str}/dashboards/"
ONE = PATH + "{dashboard:str}/"
MAX_TITLE = 255
MAX_WIDGETS = 30
# Under which name a dashboard keeps who favors it; not a word that clients may send.
FAVORED = "favored_by"
_KEPT = ("projects", "environment", "period", "start", "end", "utc", "filters", "permissions")


class DashboardBody(msgspec.Struct, rename="camel"):
    """A dashboard as clients send it; on a change, what is absent stays."""

    title: str | None = None
    widgets: list[WidgetBody] | None = None
    projects: list[int] | None = None
    environment: list[str] | None = None
    period: str | None = None
    start: str | None = None
    end: str | None = None
    utc: bool | str | None = None
    filters: dict[str, Any] | None = None
    permissions: dict[str, Any] | None = None


class Favor(msgspec.Struct, rename="camel"):
    """Whether a dashboard is one of the caller's favorites."""

    is_favorited: bool


@get(PATH, opt={"access": "org:read", "feature": "dashboards-basic"})
async def dashboards(request: Request[Any, Any, Any], org: FromPath[str]) -> Response[bytes]:
    """List dashboards by `query` and `sort`."""
    scope = await caller_scope(request, org)
    params = multi(request)
    here = page(params)
    sort = parameters.first(params, "sort") or "title"
    if sort.lstrip("-") not in store.SORTS:
        raise UserError(f"sort must be one of {', '.join(store.SORTS)}; got {sort!r}", field="sort")

    user = scope.caller.user

    def read(connection: Connection) -> list[dict[str, Any]]:
        found = store.list_dashboards(
            connection, scope.organization.id, word=parameters.first(params, "query") or "",
            sort=sort.lstrip("-"), descending=sort.startswith("-"), limit=here.limit + 1,
            offset=here.offset, first_of=user.id if user and "my" in sort else None,
        )  # fmt: skip
        authors = authors_of(connection, [each.created_by for each in found])
        return [_listed(each, scope, authors) for each in found]

    found = await services_of(request).metadata.run(read)
    headers = link_header(request, here, has_more=len(found) > here.limit)
    return json_response(found[: here.limit], headers=headers)


@post(PATH, opt={"access": "event:write", "feature": "dashboards-edit"}, status_code=201)
async def create_dashboard(request: Request[Any, Any, Any], org: FromPath[str]) -> Response[bytes]:
    """Make a dashboard; each widget is judged."""
    scope = await caller_scope(request, org, needs=WRITE)
    data = await body_of(request, DashboardBody)
    title = (data.title or "").strip()
    await _judge(request, scope, data, title, known=set())
    user = scope.caller.user

    def make(connection: Connection) -> dict[str, Any]:
        made = store.create_dashboard(
            connection, scope.organization.id, title, _kept({}, data),
            [stored(each) for each in data.widgets or ()],
            user_id=user.id if user else None, now=now(),
        )  # fmt: skip
        return _shape(connection, scope, made)

    return json_response(await services_of(request).metadata.run(make), 201)


@post(PATH + "widgets/", opt={"access": "org:read", "feature": "dashboards-basic"}, status_code=200)
async def validate_widget(request: Request[Any, Any, Any], org: FromPath[str]) -> Response[bytes]:
    """Judge one widget without keeping it."""
    scope = await caller_scope(request, org)
    data = await body_of(request, WidgetBody)
    wrong = await judge_widget(services_of(request).statistics, scope, data, now())
    if wrong:
        raise FieldErrors(_by_field(wrong))

    return json_response({})


@get(ONE, opt={"access": "org:read", "feature": "dashboards-basic"})
async def one_dashboard(
    request: Request[Any, Any, Any], org: FromPath[str], dashboard: FromPath[str]
) -> Response[bytes]:
    """Give a dashboard with its widgets."""
    scope = await caller_scope(request, org)

    def read(connection: Connection) -> dict[str, Any]:
        return _shape(connection, scope, _find(connection, scope, dashboard))

    return json_response(await services_of(request).metadata.run(read))


@put(ONE, opt={"access": "event:write", "feature": "dashboards-edit"})
async def change_dashboard(
    request: Request[Any, Any, Any], org: FromPath[str], dashboard: FromPath[str]
) -> Response[bytes]:
    """Change a dashboard; `widgets` are those it has from then on."""
    scope = await caller_scope(request, org, needs=WRITE)
    data = await body_of(request, DashboardBody)
    metadata = services_of(request).metadata
    found = await metadata.run(_find, scope, dashboard)
    title = found.title if data.title is None else data.title.strip()
    await _judge(request, scope, data, title, known={widget.id for widget in found.widgets})

    def change(connection: Connection) -> dict[str, Any]:
        widgets = None if data.widgets is None else [stored(each) for each in data.widgets]
        store.change_dashboard(
            connection, found.id, title=title, body=_kept(found.body, data), widgets=widgets,
            now=now(),
        )  # fmt: skip
        return _shape(connection, scope, _find(connection, scope, dashboard))

    return json_response(await metadata.run(change))


@delete(ONE, opt={"access": "event:write", "feature": "dashboards-edit"}, status_code=204)
async def remove_dashboard(
    request: Request[Any, Any, Any], org: FromPath[str], dashboard: FromPath[str]
) -> None:
    """Delete a dashboard."""
    scope = await caller_scope(request, org, needs=WRITE)

    def remove(connection: Connection) -> None:
        store.delete_dashboard(connection, _find(connection, scope, dashboard).id)

    await services_of(request).metadata.run(remove)


@put(ONE + "favorite/", opt={"access": "org:read", "feature": "dashboards-basic"}, status_code=204)
async def favor_dashboard(
    request: Request[Any, Any, Any], org: FromPath[str], dashboard: FromPath[str]
) -> None:
    """Count a dashboard among the caller's favorites, or no longer."""
    scope = await caller_scope(request, org)
    wanted = (await body_of(request, Favor)).is_favorited

    def favor(connection: Connection) -> None:
        found = _find(connection, scope, dashboard)
        others = [id for id in found.body.get(FAVORED, ()) if id != _caller_id(scope)]
        mine = [_caller_id(scope)] if wanted else []
        store.favor_dashboard(connection, found.id, {**found.body, FAVORED: [*others, *mine]})

    await services_of(request).metadata.run(favor)


@post(ONE + "visit/", opt={"access": "org:read", "feature": "dashboards-basic"}, status_code=204)
async def visit_dashboard(
    request: Request[Any, Any, Any], org: FromPath[str], dashboard: FromPath[str]
) -> None:
    """Remember that somebody looked."""
    scope = await caller_scope(request, org)

    def visit(connection: Connection) -> None:
        store.visit_dashboard(connection, _find(connection, scope, dashboard).id, now())

    await services_of(request).metadata.run(visit)


async def _judge(
    request: Request[Any, Any, Any], scope: Scope, data: DashboardBody, title: str, known: set[int]
) -> None:
    """Raise FieldErrors where a dashboard cannot be kept as it is."""
    errors: dict[str, list[str]] = {}
    if not title or len(title) > MAX_TITLE:
        errors["title"] = [f"Between 1 and {MAX_TITLE} characters are needed."]
    visible = {int(project.id) for project in scope.projects}
    unknown = [id for id in data.projects or () if id not in visible and id != -1]
    if unknown:
        errors["projects"] = [f"There is no project {', '.join(str(id) for id in unknown)}."]
    widgets = data.widgets or []
    wrong: list[str] = []
    if len(widgets) > MAX_WIDGETS:
        wrong.append(f"At most {MAX_WIDGETS} widgets are allowed, got {len(widgets)}.")
    for position, widget in enumerate(widgets[:MAX_WIDGETS]):
        said = await judge_widget(services_of(request).statistics, scope, widget, now())
        if not said and widget.id is not None and int(widget.id) not in known:
            said = [f"id: this dashboard has no widget {widget.id}"]
        wrong += [f"widgets[{position}].{each}" for each in said]
    if wrong:
        errors["widgets"] = wrong
    if errors:
        raise FieldErrors(errors)


def _by_field(wrong: list[str]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for text in wrong:
        name = text.split(":", 1)[0].split(" ", 1)[0].split("[", 1)[0]
        found.setdefault(name, []).append(text)
    return found


def _kept(before: Any, data: DashboardBody) -> dict[str, Any]:
    given = {name: getattr(data, name) for name in _KEPT}
    return {**before, **{name: value for name, value in given.items() if value is not None}}


def _caller_id(scope: Scope) -> int:
    """Whose favorites are meant; 0 stands for the tokens of the organization."""
    return 0 if scope.caller.user is None else int(scope.caller.user.id)


def _find(connection: Connection, scope: Scope, text: str) -> Dashboard:
    if not (text.isascii() and text.isdigit() and len(text) < 19):
        raise NotFound

    return store.get_dashboard(connection, scope.organization.id, int(text))


def _common(found: Dashboard, scope: Scope, authors: Mapping[int, UserShape]) -> dict[str, Any]:
    body = found.body
    return {
        "id": str(found.id),
        "title": found.title,
        "dateCreated": instant(found.created_at),
        "createdBy": authors.get(found.created_by or 0),
        "projects": body.get("projects", []),
        "environment": body.get("environment", []),
        "filters": body.get("filters", {}),
        "permissions": body.get("permissions"),
        "isFavorited": _caller_id(scope) in body.get(FAVORED, ()),
    }


def _listed(found: Dashboard, scope: Scope, authors: Mapping[int, UserShape]) -> dict[str, Any]:
    shown = [
        {"displayType": each.body["displayType"], "layout": each.body.get("layout")}
        for each in found.widgets
    ]
    return {
        **_common(found, scope, authors),
        "widgetDisplay": [each["displayType"] for each in shown],
        "widgetPreview": shown,
    }


def _shape(connection: Connection, scope: Scope, found: Dashboard) -> dict[str, Any]:
    times = {name: found.body[name] for name in ("period", "start", "end", "utc")
             if name in found.body}  # fmt: skip
    return {
        **_common(found, scope, authors_of(connection, [found.created_by])),
        **times,
        "widgets": [
            widget_shape(each, instant(each.created_at or found.created_at))
            for each in found.widgets
        ],
    }


ROUTES = [
    dashboards,
    create_dashboard,
    validate_widget,
    one_dashboard,
    change_dashboard,
    remove_dashboard,
    favor_dashboard,
    visit_dashboard,
]
