"""/organizations/<org>/dashboards/ and …/dashboard/<id>/: kept charts and tables side by side."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from litestar import Request, Response, get, post
from litestar.params import FromPath
from sqlalchemy import Connection

from groundswell.charts.hover import with_hover
from groundswell.charts.spec import vega_lite
from groundswell.errors import NotFound, UserError
from groundswell.http.answering import ClientGone, gone, unless_gone
from groundswell.http.charting import look_of
from groundswell.http.failures import json_response
from groundswell.http.requests import caller_scope, multi, now, services_of
from groundswell.http.web.forms import WRITE, fields_of, first, widget_of
from groundswell.http.web.frame import fragment, go, page
from groundswell.http.web.reading import read_state
from groundswell.http.web.state import State
from groundswell.http.web.widgets import (
    ask_issues,
    ask_table,
    ask_widget,
    discover_params,
    is_of_issues,
)
from groundswell.model.tenancy import Scope
from groundswell.stats.widgets import judge_widget, stored
from groundswell.store.metadata import dashboards as store
from groundswell.store.metadata.dashboards import Dashboard, Widget

PERIOD = "14d"
MAX_TITLE = 255
MAX_WIDGETS = 30
LISTED = 200
TABLES = ("table", "big_number")
_ORG = "/organizations/{org:str}"
_ONE = f"{_ORG}/dashboard/{{dashboard:str}}"
_READ = {"access": "org:read", "feature": "dashboards-basic"}
_EDIT = {"access": "event:write", "feature": "dashboards-edit"}


@dataclass(frozen=True, slots=True)
class Card:
    """One widget of the page: what kind of part it loads, and from where."""

    id: int
    title: str
    kind: str
    part: str
    discover: str


@get(f"{_ORG}/dashboards/", opt=_READ)
async def dashboards(request: Request[Any, Any, Any], org: FromPath[str]) -> Response[bytes]:
    """List the dashboards."""
    scope = await caller_scope(request, org)
    word = first(multi(request), "query")

    def read(connection: Connection) -> list[Dashboard]:
        return store.list_dashboards(
            connection, scope.organization.id, word=word, limit=LISTED, offset=0
        )

    found = await services_of(request).metadata.run(read)
    return await page(
        request, "dashboards.html", scope, here="dashboards", dashboards=found, word=word
    )


@post(f"{_ORG}/dashboards/", opt=_EDIT, status_code=303)
async def create(request: Request[Any, Any, Any], org: FromPath[str]) -> Response[bytes]:
    """Make an empty dashboard."""
    scope = await caller_scope(request, org, needs=WRITE)
    made = await _create(request, scope, first(await fields_of(request), "title"), ())
    return go(address(scope, made.id), 303)


@get([f"{_ONE}/", f"{_ONE}/widget/{{widget:int}}/"], opt=_READ)
async def dashboard(
    request: Request[Any, Any, Any], org: FromPath[str], dashboard: FromPath[str]
) -> Response[bytes]:
    """Show a dashboard, or one widget of it; the widgets load by themselves."""
    scope = await caller_scope(request, org)
    found = await services_of(request).metadata.run(_visit, scope, dashboard)
    state = await _state(request, scope, found, with_environments=True)
    only = request.path_params.get("widget")
    numbered = list(enumerate(found.widgets))
    if only is not None:
        numbered = numbered[only : only + 1]
        if not numbered:
            raise NotFound

    return await page(
        request,
        "dashboard.html",
        scope,
        here="dashboards",
        found=found,
        base=address(scope, found.id),
        state=state,
        cards=[_card(scope, found, index, widget, state) for index, widget in numbered],
        alone=only is not None,
    )


@get(f"{_ONE}/widget/{{widget:int}}/chart/", opt=_READ)
async def widget_chart(
    request: Request[Any, Any, Any], org: FromPath[str], dashboard: FromPath[str],
    widget: FromPath[int],
) -> Response[bytes]:  # fmt: skip
    """Give the specification of a widget's chart with its words."""
    scope, found, state = await _widget(request, org, dashboard, widget)
    params = multi(request)
    look = look_of({name: params.get(name, []) for name in ("theme", "width", "height")})
    work = ask_widget(services_of(request).statistics, found, state, scope, look)
    try:
        drawn, sentence = await unless_gone(request, work)
    except ClientGone:
        return gone()

    spec = with_hover(vega_lite(drawn, theme=look.theme), drawn, theme=look.theme)
    spec.pop("title")  # It stands over the widget.
    return json_response({"spec": spec, "sentence": sentence, "alt": f"{drawn.title}: {sentence}"})


@get(f"{_ONE}/widget/{{widget:int}}/table/", opt=_READ)
async def widget_table(
    request: Request[Any, Any, Any], org: FromPath[str], dashboard: FromPath[str],
    widget: FromPath[int],
) -> Response[bytes]:  # fmt: skip
    """Give the rows of a widget, or its one number, as a part of the page."""
    scope, found, state = await _widget(request, org, dashboard, widget)
    services = services_of(request)
    work = (
        ask_issues(services.statistics, services.metadata, found, state, scope, now())
        if is_of_issues(found)
        else ask_table(services.statistics, found, state, scope, now())
    )
    try:
        table = await unless_gone(request, work)
    except ClientGone:
        return gone()

    is_number = found.body["displayType"] == "big_number"
    return fragment(request, "widget_table.html", table=table, is_number=is_number)


@post(f"{_ONE}/rename/", opt=_EDIT, status_code=303)
async def rename(
    request: Request[Any, Any, Any], org: FromPath[str], dashboard: FromPath[str]
) -> Response[bytes]:
    """Give a dashboard another title."""
    scope = await caller_scope(request, org, needs=WRITE)
    title = _title(first(await fields_of(request), "title"))

    def change(connection: Connection) -> int:
        found = find(connection, scope, dashboard)
        store.change_dashboard(
            connection, found.id, title=title, body=found.body, widgets=None, now=now()
        )
        return found.id

    return go(address(scope, await services_of(request).metadata.run(change)), 303)


@post(f"{_ONE}/delete/", opt=_EDIT, status_code=303)
async def remove(
    request: Request[Any, Any, Any], org: FromPath[str], dashboard: FromPath[str]
) -> Response[bytes]:
    """Delete a dashboard with its widgets."""
    scope = await caller_scope(request, org, needs=WRITE)

    def change(connection: Connection) -> None:
        store.delete_dashboard(connection, find(connection, scope, dashboard).id)

    await services_of(request).metadata.run(change)
    return go(f"/organizations/{scope.organization.slug}/dashboards/", 303)


@post(f"{_ORG}/dashboards/widgets/", opt=_EDIT, status_code=303)
async def add_widget(request: Request[Any, Any, Any], org: FromPath[str]) -> Response[bytes]:
    """Put what Discover shows on a dashboard, or on a new one."""
    scope = await caller_scope(request, org, needs=WRITE)
    fields = await fields_of(request)
    services = services_of(request)
    body = widget_of(fields, first(fields, "title") or ", ".join(fields.get("yAxis", ())))
    if wrong := await judge_widget(services.statistics, scope, body, now()):
        raise UserError(f"This cannot be a widget: {'; '.join(wrong)}", code="bad_widget")

    chosen = first(fields, "dashboard")
    if not chosen:
        made = await _create(request, scope, first(fields, "new") or body.title, (stored(body),))
        return go(address(scope, made.id), 303)

    def change(connection: Connection) -> int:
        found = find(connection, scope, chosen)
        if len(found.widgets) >= MAX_WIDGETS:
            raise UserError(f"A dashboard has at most {MAX_WIDGETS} widgets.", code="full")

        widgets = (*found.widgets, stored(body))
        store.change_dashboard(
            connection, found.id, title=found.title, body=found.body, widgets=widgets, now=now()
        )
        return found.id

    return go(address(scope, await services.metadata.run(change)), 303)


async def titles(request: Request[Any, Any, Any], scope: Scope) -> list[tuple[int, str]]:
    """List id and title of the dashboards that a widget can be put on."""

    def read(connection: Connection) -> list[tuple[int, str]]:
        found = store.list_dashboards(connection, scope.organization.id, limit=LISTED, offset=0)
        return [(each.id, each.title) for each in found]

    return await services_of(request).metadata.run(read)


async def _create(
    request: Request[Any, Any, Any], scope: Scope, title: str, widgets: Sequence[Widget]
) -> Dashboard:
    user = scope.caller.user

    def make(connection: Connection) -> Dashboard:
        return store.create_dashboard(
            connection, scope.organization.id, _title(title), {}, widgets,
            user_id=user.id if user else None, now=now(),
        )  # fmt: skip

    return await services_of(request).metadata.run(make)


async def _widget(
    request: Request[Any, Any, Any], org: str, dashboard: str, index: int
) -> tuple[Scope, Widget, State]:
    scope = await caller_scope(request, org)
    found = await services_of(request).metadata.run(find, scope, dashboard)
    if not 0 <= index < len(found.widgets):
        raise NotFound

    return scope, found.widgets[index], await _state(request, scope, found)


async def _state(
    request: Request[Any, Any, Any], scope: Scope, found: Dashboard, *,
    with_environments: bool = False,
) -> State:  # fmt: skip
    """Read time and place from the address, else as the dashboard was saved with."""
    body = found.body
    defaults = {
        "project": tuple(str(id) for id in body.get("projects") or ()),
        "environment": tuple(body.get("environment") or ()),
    }
    return await read_state(
        request, scope, with_environments=with_environments,
        period=str(body.get("period") or PERIOD), defaults=defaults,
    )  # fmt: skip


def _card(scope: Scope, found: Dashboard, index: int, widget: Widget, state: State) -> Card:
    display = widget.body["displayType"]
    is_table = display in TABLES or is_of_issues(widget)
    kind = ("table" if is_of_issues(widget) else display) if is_table else "chart"
    shown = "table" if is_table else "chart"
    asked = discover_params(widget, state)
    place = "issues/" if is_of_issues(widget) else "discover/results/"
    return Card(
        widget.id,
        widget.title,
        kind,
        f"{address(scope, found.id)}widget/{index}/{shown}/?{state.address()}",
        f"/organizations/{scope.organization.slug}/{place}?{urlencode(asked, doseq=True)}"
        if asked
        else "",
    )


def _visit(connection: Connection, scope: Scope, text: str) -> Dashboard:
    found = find(connection, scope, text)
    store.visit_dashboard(connection, found.id, now())
    return found


def find(connection: Connection, scope: Scope, text: str) -> Dashboard:
    """Find a dashboard by the id of an address. Raises NotFound."""
    if not (text.isascii() and text.isdigit() and len(text) < 19):
        raise NotFound

    return store.get_dashboard(connection, scope.organization.id, int(text))


def _title(text: str) -> str:
    if not 0 < len(text) <= MAX_TITLE:
        raise UserError(f"title must have between 1 and {MAX_TITLE} characters", field="title")

    return text


def address(scope: Scope, id: int) -> str:
    """Give the address of a dashboard's page."""
    return f"/organizations/{scope.organization.slug}/dashboard/{id}/"


ROUTES = [
    dashboards, create, dashboard, widget_chart, widget_table, rename, remove, add_widget,
]  # fmt: skip
