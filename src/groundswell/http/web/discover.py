"""/organizations/<org>/discover/…: search, chart and table; the parts load by themselves."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from litestar import Request, Response, get
from litestar.params import FromPath

from groundswell.charts.hover import with_hover
from groundswell.charts.spec import vega_lite
from groundswell.charts.summary import summarize
from groundswell.http.answering import ClientGone, gone, unless_gone
from groundswell.http.charting import ask_chart, look_of
from groundswell.http.failures import json_response
from groundswell.http.requests import caller_scope, multi, now, services_of
from groundswell.http.web.cells import cells_of, columns_of
from groundswell.http.web.dashboards import titles
from groundswell.http.web.forms import kept_of
from groundswell.http.web.frame import fragment, go, page
from groundswell.http.web.reading import ask_of, kept, read_state
from groundswell.http.web.suggestions import calls, columns, suggestions
from groundswell.query.registry.datasets import DATASETS
from groundswell.stats.parameters import page as page_of
from groundswell.stats.request import parse_table

ROWS = 25

_ORG = "/organizations/{org:str}"


@get(
    [f"{_ORG}/discover/results/", f"{_ORG}/discover/homepage/", f"{_ORG}/discover/"],
    opt={"access": "org:read"},
)
async def discover(request: Request[Any, Any, Any], org: FromPath[str]) -> Response[bytes]:
    """Show the page: everything but the numbers, which its parts ask for."""
    scope = await caller_scope(request, org)
    state = await read_state(request, scope)
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
        dataset=dataset,
        functions=calls(dataset),
        columns=columns(dataset),
        keeps=kept_of(state),
        saved_id=next(iter(state.params.get("id", ())), ""),
        dashboards=await titles(request, scope),
        image=urlencode({**image, "display": state.asked.display.value}, doseq=True),
    )


@get(f"{_ORG}/discover/chart/", opt={"access": "org:read"})
async def chart(request: Request[Any, Any, Any], org: FromPath[str]) -> Response[bytes]:
    """Give the specification of the page's chart with its words."""
    scope = await caller_scope(request, org)
    params = multi(request)
    asked = await ask_of(request, scope, kept(params))
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
    state = await read_state(request, scope, with_environments=False)
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
    return go(path + query)


def _placed(part: Any, results: str) -> Any:
    """Complete an address that holds the query string alone."""
    import dataclasses

    address = results + part.address.removeprefix("?") if part.address else ""
    return dataclasses.replace(part, address=address)


ROUTES = [discover, chart, table, fields, newer_form]
