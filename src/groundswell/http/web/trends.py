"""/organizations/<org>/trends/: which groups changed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from litestar import Request, Response, get
from litestar.params import FromPath

from groundswell.charts.trends import change_text, moment_text
from groundswell.charts.units import Measure, measure
from groundswell.http.answering import ClientGone, gone, unless_gone
from groundswell.http.requests import now, services_of
from groundswell.http.web.cells import term
from groundswell.http.web.frame import fragment, page
from groundswell.http.web.minis import HEIGHT, WIDTH, Mini, mini
from groundswell.http.web.reading import read_state
from groundswell.http.web.recorded import RECORDED
from groundswell.http.web.state import State
from groundswell.http.web.suggestions import calls
from groundswell.http.web.trend_state import (
    PERIOD,
    function_of,
    offset_of,
    questions,
    scope_of,
    subjects_of,
)
from groundswell.trends.one import series_of
from groundswell.trends.panel import Group, title_of
from groundswell.trends.rows import Row
from groundswell.trends.transactions import Trends, find_trends, parse_trends

PER_PAGE = 12
TABS = (
    ("regression", "Regressions", "regression"),
    ("improved", "Improvements", "improvement"),
)
_ORG = "/organizations/{org:str}"


@dataclass(frozen=True, slots=True)
class Tab:
    """One kind of change: how many there are, and where they are listed."""

    key: str
    label: str
    count: int
    address: str
    is_here: bool


@dataclass(frozen=True, slots=True)
class Shown:
    """One trend in words."""

    name: str
    project: str
    before: str
    after: str
    change: str
    is_regression: bool
    at: str
    confidence: str
    address: str
    mini: Mini


@get(f"{_ORG}/trends/", opt={"access": "org:read"})
async def trends(request: Request[Any, Any, Any], org: FromPath[str]) -> Response[bytes]:
    """Show the page; its list loads by itself."""
    scope = await scope_of(request, org)
    state = await read_state(request, scope, period=PERIOD)
    dataset = next(iter(state.params.get("dataset", ())), None)
    base = f"/organizations/{scope.organization.slug}/trends/"
    is_recorded = RECORDED in state.params.get("trendType", ())
    return await page(
        request,
        "trends.html",
        scope,
        here="trends",
        state=state,
        function=function_of(state.params),
        functions=calls(dataset),
        subjects=subjects_of(state, base),
        tab=RECORDED if is_recorded else _tab(state.params),
        part=f"{base}recorded/list/" if is_recorded else f"{base}list/",
        base=base,
    )


@get(f"{_ORG}/trends/list/", opt={"access": "org:read"})
async def trends_list(request: Request[Any, Any, Any], org: FromPath[str]) -> Response[bytes]:
    """Give the trends of one tab as a part of the page."""
    scope = await scope_of(request, org)
    state = await read_state(request, scope, with_environments=False, period=PERIOD)
    statistics = services_of(request).statistics
    params = questions(state.params) | {"trendType": ["any"]}
    asked = parse_trends(params, scope, now(), statistics.retention)
    if asked is None:
        return fragment(
            request,
            "trends_list.html",
            tabs=(),
            recorded="",
            rows=[],
            searched=0,
            previous="",
            next="",
        )

    try:
        found = await unless_gone(request, find_trends(statistics, asked))
    except ClientGone:
        return gone()

    told = measure(found.panel.type, found.panel.unit)
    base = f"/organizations/{scope.organization.slug}/trends/"
    here = _tab(state.params)
    tabs = [
        Tab(
            key,
            label,
            sum(row["change"] == word for row in found.rows),
            f"{base}?{state.address(trendType=key, offset=None)}",
            key == here,
        )
        for key, label, word in TABS
    ]
    word = next(word for key, _, word in TABS if key == here)
    rows = [row for row in found.rows if row["change"] == word]
    offset = offset_of(state.params)
    slugs = {str(project.id): project.slug for project in scope.projects}

    def at(start: int) -> str:
        return f"{base}?{state.address(offset=str(start) if start else None)}"

    return fragment(
        request,
        "trends_list.html",
        tabs=tabs,
        recorded=f"{base}?{state.address(trendType=RECORDED, offset=None, query=None)}",
        rows=[_shown(found, row, told, slugs, base, state) for row in rows[offset:][:PER_PAGE]],
        width=WIDTH,
        height=HEIGHT,
        searched=len(found.panel.groups),
        previous=at(max(0, offset - PER_PAGE)) if offset else "",
        next=at(offset + PER_PAGE) if len(rows) > offset + PER_PAGE else "",
    )


def _tab(params: Mapping[str, tuple[str, ...]]) -> str:
    wanted = next(iter(params.get("trendType", ())), "")
    return wanted if wanted in {key for key, _, _ in TABS} else TABS[0][0]


def _shown(
    found: Trends, row: Row, told: Measure, slugs: Mapping[str, str], base: str, state: State
) -> Shown:
    number, group = next(
        (i, each)
        for i, each in enumerate(found.panel.groups)
        if (each.project, each.name) == (row["project"], row["transaction"])
    )
    function = found.request.panel.function
    timestamps, values = series_of(found.panel, number, function, found.request)
    before, after = row["aggregate_range_1"], row["aggregate_range_2"]
    return Shown(
        name=title_of(found.request.panel.groups, group.cells[1:]) or "(no name)",
        project=slugs.get(group.project, group.project),
        before=told.text(before),
        after=told.text(after),
        change=change_text(before, after),
        is_regression=row["change"] == "regression",
        at=moment_text(row["breakpoint"]),
        confidence=row["confidence"],
        address=f"{base}details/?{_address(found, group, row, state)}",
        mini=mini(timestamps, values, at=row["breakpoint"], before=before, after=after),
    )


def _address(found: Trends, group: Group, row: Row, state: State) -> str:
    """Write an address that shows the same trend tomorrow: its window is fixed."""
    panel = found.request.panel
    terms = (term(name, cell) for name, cell in zip(panel.groups, group.cells[1:], strict=True))
    window = panel.asking.window
    kept_params = {
        name: list(state.params[name])
        for name in ("environment", "dataset", "field", "interval")
        if any(state.params.get(name, ()))
    }
    return urlencode(
        {
            **kept_params,
            "project": group.project,
            "query": " ".join(part for part in (*terms, _bracketed(state.query)) if part),
            "trendFunction": panel.function,
            "start": f"{window.start:%Y-%m-%dT%H:%M:%S}",
            "end": f"{window.end:%Y-%m-%dT%H:%M:%S}",
            "breakpoint": row["breakpoint"],
        },
        doseq=True,
    )


def _bracketed(query: str) -> str:
    return f"({query})" if " OR " in query else query


ROUTES = [trends, trends_list]
