"""/organizations/<org>/discover/…: search, chart and table; the parts load by themselves."""

from __future__ import annotations

import time
from typing import Any
from urllib.parse import urlencode

from litestar import Request, Response, get
from litestar.params import FromPath

from groundswell.charts.hover import with_hover
from groundswell.charts.spec import vega_lite
from groundswell.charts.summary import summarize
from groundswell.errors import GroundswellError
from groundswell.http.answering import ClientGone, gone, unless_gone
from groundswell.http.charting import ask_chart, look_of
from groundswell.http.failures import json_response
from groundswell.http.requests import caller_scope, multi, now, services_of
from groundswell.http.web.cells import cells_of, columns_of
from groundswell.http.web.frame import fragment, page
from groundswell.http.web.state import State, project_choices
from groundswell.http.web.suggestions import calls, columns, suggestions
from groundswell.model.tenancy import ProjectId, Scope
from groundswell.query.datasets import DATASETS
from groundswell.slack.links import Kind, Link
from groundswell.slack.requests import ChartRequest, from_link
from groundswell.stats.parameters import page as page_of
from groundswell.stats.request import parse_table

ROWS = 25
ENVIRONMENTS_LAST_S = 60.0

_ORG = "/organizations/{org:str}"
_environments: dict[tuple[ProjectId, ...], tuple[float, tuple[str, ...]]] = {}


@get(
    [f"{_ORG}/discover/results/", f"{_ORG}/discover/homepage/", f"{_ORG}/discover/"],
    opt={"access": "org:read"},
)
async def discover(request: Request[Any, Any, Any], org: FromPath[str]) -> Response[bytes]:
    """Show the page: everything but the numbers, which its parts ask for."""
    scope = await caller_scope(request, org)
    state = await _state(request, scope)
    image = {**state.asked.params, "partial": ["1"]}
    image.pop("referrer", None)
    dataset = next(iter(state.asked.params.get("dataset") or ()), None)
    return await page(
        request,
        "discover.html",
        scope,
        here="discover",
        state=state,
        base=f"/organizations/{scope.organization.slug}/discover/",
        functions=calls(dataset),
        columns=columns(dataset),
        image=urlencode({**image, "display": state.asked.display.value}, doseq=True),
    )


@get(f"{_ORG}/discover/chart/", opt={"access": "org:read"})
async def chart(request: Request[Any, Any, Any], org: FromPath[str]) -> Response[bytes]:
    """Give the specification of the page's chart with its words."""
    scope = await caller_scope(request, org)
    params = multi(request)
    asked = await _asked(request, scope, _kept(params))
    look = look_of(
        {
            **{name: params.get(name, []) for name in ("theme", "width", "height")},
            "display": [asked.display.value],
            "title": [asked.name or ""],
        }
    )
    # Somebody who watches the page wants the bucket that is still filling; the table has it too.
    live = {**asked.params, "partial": ["1"]}
    work = ask_chart(services_of(request).statistics, live, scope, look)
    try:
        answer, drawn = await unless_gone(request, work)
    except ClientGone:
        return gone()

    told = summarize(answer, title=drawn.title)
    spec = with_hover(vega_lite(drawn, theme=look.theme), drawn, theme=look.theme)
    return json_response({"spec": spec, "sentence": told.sentence, "alt": told.alt})


@get(f"{_ORG}/discover/table/", opt={"access": "org:read"})
async def table(request: Request[Any, Any, Any], org: FromPath[str]) -> Response[bytes]:
    """Give the rows of the page as a part of it."""
    scope = await caller_scope(request, org)
    state = await _state(request, scope, with_environments=False)
    params = state.table_params() | {"per_page": [str(ROWS)]}
    if cursor := state.params.get("cursor"):
        params["cursor"] = list(cursor)
    statistics = services_of(request).statistics
    asked = parse_table(params, scope, now(), statistics.retention)
    try:
        answer = await unless_gone(request, statistics.table(asked))
    except ClientGone:
        return gone()

    here = page_of(params)
    results = f"/organizations/{scope.organization.slug}/discover/results/?"

    def at(offset: int) -> str:
        return results + state.address(cursor=f"0:{offset}:0" if offset else None)

    download = urlencode(
        state.table_params() | {"per_page": ["100"], "format": ["csv"]}, doseq=True
    )
    last = here.offset + len(answer.rows)
    return fragment(
        request,
        "table.html",
        heading="Groups" if any("(" in field for field in state.fields) else "Events",
        columns=[_placed(column, results) for column in columns_of(state, answer)],
        rows=[[_placed(c, results) for c in cells_of(state, answer, row)] for row in answer.rows],
        shown=f"{here.offset + 1}–{last}" if last > here.offset else "",
        previous=at(max(0, here.offset - here.limit)) if here.offset else "",
        next=at(here.offset + here.limit) if answer.has_more else "",
        csv=f"/api/0/organizations/{scope.organization.slug}/events/?{download}",
    )


@get(f"{_ORG}/discover/fields/", opt={"access": "org:read"})
async def fields(request: Request[Any, Any, Any], org: FromPath[str]) -> Response[bytes]:
    """Give what the search bar suggests."""
    await caller_scope(request, org)
    dataset = next(iter(multi(request).get("dataset", ())), None)
    dataset = dataset if dataset in DATASETS else None
    return json_response(suggestions(dataset), headers={"Cache-Control": "private, max-age=3600"})


@get(
    [f"{_ORG}/explore/discover/results/", f"{_ORG}/explore/discover/homepage/"],
    opt={"access": "public"},
)
async def newer_form(request: Request[Any, Any, Any], org: FromPath[str]) -> Response[bytes]:
    """Lead the newer form of the address to the page."""
    path = request.url.path.replace("/explore/discover/", "/discover/", 1).rstrip("/") + "/"
    query = f"?{request.url.query}" if request.url.query else ""
    return Response(content=b"", status_code=302, headers={"Location": path + query})


async def _state(
    request: Request[Any, Any, Any], scope: Scope, *, with_environments: bool = True
) -> State:
    params = _kept(multi(request))
    asked = await _asked(request, scope, params)
    known = await _known_environments(request, scope) if with_environments else ()
    return State(params, asked, project_choices(params, scope), known)


async def _asked(
    request: Request[Any, Any, Any], scope: Scope, params: dict[str, tuple[str, ...]]
) -> ChartRequest:
    """Read the address exactly as a link to it is read when it is pasted into a chat."""
    link = Link("", Kind.DISCOVER, scope.organization.slug, "results", params=params)
    retention = services_of(request).statistics.retention
    return from_link(link, None, now=now(), retention=retention)


def _kept(params: dict[str, list[str]]) -> dict[str, tuple[str, ...]]:
    drawing = {"theme", "width", "height"}
    return {name: tuple(values) for name, values in params.items() if name not in drawing}


async def _known_environments(request: Request[Any, Any, Any], scope: Scope) -> tuple[str, ...]:
    """List the environments of the last week, for the picker; a failure leaves it empty."""
    key = tuple(project.id for project in scope.projects)
    until, names = _environments.get(key, (0.0, ()))
    if until > time.monotonic():
        return names

    statistics = services_of(request).statistics
    params = {"field": ["environment", "count()"], "sort": ["-count()"], "statsPeriod": ["7d"]}
    try:
        asked = parse_table(params | {"project": ["-1"]}, scope, now(), statistics.retention)
        answer = await statistics.table(asked)
    except GroundswellError:
        return ()

    names = tuple(str(row["environment"]) for row in answer.rows if row.get("environment"))
    if len(_environments) > 1000:
        _environments.clear()
    _environments[key] = (time.monotonic() + ENVIRONMENTS_LAST_S, names)
    return names


def _placed(part: Any, results: str) -> Any:
    """Complete an address that holds the query string alone."""
    import dataclasses

    address = results + part.address.removeprefix("?") if part.address else ""
    return dataclasses.replace(part, address=address)


ROUTES = [discover, chart, table, fields, newer_form]
