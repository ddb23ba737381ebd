"""What people do to one widget of a dashboard: move it, give it another title, take it off."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, TypeAlias

from litestar import Request, Response, post
from litestar.params import FromPath
from sqlalchemy import Connection

from groundswell.errors import NotFound, UserError
from groundswell.http.requests import caller_scope, now, services_of
from groundswell.http.web.dashboards import MAX_TITLE, address, find
from groundswell.http.web.forms import WRITE, fields_of, first
from groundswell.http.web.frame import go
from groundswell.store.metadata import dashboards as store
from groundswell.store.metadata.dashboards import Widget

Widgets: TypeAlias = tuple[Widget, ...]
_ONE = "/organizations/{org:str}/dashboard/{dashboard:str}/widgets/{widget:int}"
_EDIT = {"access": "event:write", "feature": "dashboards-edit"}


@post(f"{_ONE}/delete/", opt=_EDIT, status_code=303)
async def remove_widget(
    request: Request[Any, Any, Any], org: FromPath[str], dashboard: FromPath[str],
    widget: FromPath[int],
) -> Response[bytes]:  # fmt: skip
    """Take a widget off a dashboard, by its id."""

    def change(widgets: Widgets, at: int) -> Widgets:
        return (*widgets[:at], *widgets[at + 1 :])

    return await _change(request, org, dashboard, widget, change)


@post(f"{_ONE}/move/", opt=_EDIT, status_code=303)
async def move_widget(
    request: Request[Any, Any, Any], org: FromPath[str], dashboard: FromPath[str],
    widget: FromPath[int],
) -> Response[bytes]:  # fmt: skip
    """Move a widget to another place, counted from 0."""
    place = first(await fields_of(request), "to")
    if not (place.isascii() and place.isdigit() and len(place) < 4):
        raise UserError("to must be the number of a place", field="to")

    def change(widgets: Widgets, at: int) -> Widgets:
        others = [*widgets[:at], *widgets[at + 1 :]]
        others.insert(int(place), widgets[at])
        return tuple(others)

    return await _change(request, org, dashboard, widget, change)


@post(f"{_ONE}/rename/", opt=_EDIT, status_code=303)
async def rename_widget(
    request: Request[Any, Any, Any], org: FromPath[str], dashboard: FromPath[str],
    widget: FromPath[int],
) -> Response[bytes]:  # fmt: skip
    """Give a widget another title."""
    title = first(await fields_of(request), "title")
    if not 0 < len(title) <= MAX_TITLE:
        raise UserError(f"title must have between 1 and {MAX_TITLE} characters", field="title")

    def change(widgets: Widgets, at: int) -> Widgets:
        return (*widgets[:at], replace(widgets[at], title=title), *widgets[at + 1 :])

    return await _change(request, org, dashboard, widget, change)


async def _change(
    request: Request[Any, Any, Any], org: str, dashboard: str, widget: int,
    change: Callable[[Widgets, int], Widgets],
) -> Response[bytes]:  # fmt: skip
    scope = await caller_scope(request, org, needs=WRITE)

    def work(connection: Connection) -> int:
        found = find(connection, scope, dashboard)
        at = next((n for n, each in enumerate(found.widgets) if each.id == widget), None)
        if at is None:
            raise NotFound

        store.change_dashboard(
            connection, found.id, title=found.title, body=found.body,
            widgets=change(found.widgets, at), now=now(),
        )  # fmt: skip
        return found.id

    return go(address(scope, await services_of(request).metadata.run(work)), 303)


ROUTES = [remove_widget, move_widget, rename_widget]
