"""/organizations/<org>/trends/: which groups changed, and one page for each with its reasons."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from litestar import Request, Response, get
from litestar.params import FromPath

from groundswell.charts.hover import with_hover
from groundswell.charts.spec import vega_lite
from groundswell.charts.trends import Change, change_text, chart_of_trend, moment_text
from groundswell.charts.units import Measure, measure
from groundswell.errors import UserError
from groundswell.http import features
from groundswell.http.answering import ClientGone, gone, unless_gone
from groundswell.http.api.trends import FEATURE
from groundswell.http.charting import look_of
from groundswell.http.failures import json_response
from groundswell.http.requests import caller_scope, multi, now, services_of
from groundswell.http.web.cells import term
from groundswell.http.web.frame import fragment, page
from groundswell.http.web.minis import HEIGHT, WIDTH, Mini, mini
from groundswell.http.web.reading import read_state
from groundswell.http.web.state import State
from groundswell.http.web.suggestions import calls
from groundswell.model.tenancy import Scope
from groundswell.trends.explain import explain, parse_explain
from groundswell.trends.one import OneTrend, find_one, parse_one, series_of, type_of
from groundswell.trends.panel import Group
from groundswell.trends.rows import Row
from groundswell.trends.transactions import Trends, find_trends, parse_trends

PERIOD = "14d"
FUNCTION = "p95(transaction.duration)"
PER_PAGE = 12
TABS = (
    ("regression", "Regressions", "regression"),
    ("improved", "Improvements", "improvement"),
)
_ORG = "/organizations/{org:str}"
_KEPT = ("project", "projectSlug", "environment", "dataset", "field", "interval")


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


@dataclass(frozen=True, slots=True)
class Cause:
    """One thing that changed along. share: of the whole change, in percent, for its bar."""

    kind: str
    value: str
    before: str
    after: str
    shares: str
    share: float | None
    address: str

    @property
    def share_text(self) -> str:
        return "" if self.share is None else f"{self.share:.0f}%"

    @property
    def bar(self) -> int:
        return round(min(max(abs(self.share or 0.0), 0.0), 100.0))


@get(f"{_ORG}/trends/", opt={"access": "org:read"})
async def trends(request: Request[Any, Any, Any], org: FromPath[str]) -> Response[bytes]:
    """Show the page; its list loads by itself."""
    scope = await _scope(request, org)
    state = await read_state(request, scope, period=PERIOD)
    dataset = next(iter(state.params.get("dataset", ())), None)
    return await page(
        request,
        "trends.html",
        scope,
        here="trends",
        state=state,
        function=_function(state.params),
        functions=calls(dataset),
        tab=_tab(state.params),
        base=f"/organizations/{scope.organization.slug}/trends/",
    )


@get(f"{_ORG}/trends/list/", opt={"access": "org:read"})
async def trends_list(request: Request[Any, Any, Any], org: FromPath[str]) -> Response[bytes]:
    """Give the trends of one tab as a part of the page."""
    scope = await _scope(request, org)
    state = await read_state(request, scope, with_environments=False, period=PERIOD)
    statistics = services_of(request).statistics
    params = _questions(state.params) | {"trendType": ["any"]}
    asked = parse_trends(params, scope, now(), statistics.retention)
    if asked is None:
        return fragment(request, "trends_list.html", tabs=(), rows=[], previous="", next="")

    try:
        found = await unless_gone(request, find_trends(statistics, asked))
        told = measure(*await type_of(statistics, asked))
    except ClientGone:
        return gone()

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
    offset = _offset(state.params)
    slugs = {str(project.id): project.slug for project in scope.projects}

    def at(start: int) -> str:
        return f"{base}?{state.address(offset=str(start) if start else None)}"

    return fragment(
        request,
        "trends_list.html",
        tabs=tabs,
        rows=[_shown(found, row, told, slugs, base, state) for row in rows[offset:][:PER_PAGE]],
        width=WIDTH,
        height=HEIGHT,
        searched=len(found.panel.groups),
        previous=at(max(0, offset - PER_PAGE)) if offset else "",
        next=at(offset + PER_PAGE) if len(rows) > offset + PER_PAGE else "",
    )


@get(f"{_ORG}/trends/details/", opt={"access": "org:read"})
async def details(request: Request[Any, Any, Any], org: FromPath[str]) -> Response[bytes]:
    """Show one trend: what changed, its chart, and what changed along."""
    scope = await _scope(request, org)
    state = await read_state(request, scope, period=PERIOD)
    try:
        one = await unless_gone(request, _one(request, scope, state))
    except ClientGone:
        return gone()

    base = f"/organizations/{scope.organization.slug}/"
    function = _function(state.params)
    search = {**_questions(state.params), "yAxis": [function]}
    search.pop("trendFunction")
    search.pop("dataset", None)
    slugs = {str(project.id): project.slug for project in scope.projects}
    return await page(
        request,
        "trend.html",
        scope,
        here="trends",
        state=state,
        function=function,
        name=one.name if one else state.query,
        project=slugs.get(one.project, "") if one else "",
        facts=_facts(one) if one and one.change else None,
        part=f"{base}trends/details/",
        address=state.address(),
        explained=_explained(state, one),
        back=f"{base}trends/?{_back(state)}",
        discover=f"{base}discover/results/?{urlencode(search, doseq=True)}",
    )


@get(f"{_ORG}/trends/details/chart/", opt={"access": "org:read"})
async def details_chart(request: Request[Any, Any, Any], org: FromPath[str]) -> Response[bytes]:
    """Give the specification of a trend's chart with its words."""
    scope = await _scope(request, org)
    params = multi(request)
    look = look_of({name: params.get(name, []) for name in ("theme", "width", "height")})
    state = await read_state(request, scope, with_environments=False, period=PERIOD)
    try:
        one = await unless_gone(request, _one(request, scope, state))
    except ClientGone:
        return gone()

    row = one.change if one else None
    drawn = chart_of_trend(
        name=one.name if one else state.query,
        function=_function(state.params),
        timestamps=one.timestamps if one else (),
        values=one.values if one else (),
        interval_s=one.interval_s if one else 3600,
        type=one.type if one else "number",
        unit=one.unit if one else None,
        change=_change(row),
        releases=one.releases if one else (),
        width=look.width,
        height=look.height,
    )
    spec = with_hover(vega_lite(drawn, theme=look.theme), drawn, theme=look.theme)
    sentence = _sentence(one) if one else "No data in this period."
    return json_response({"spec": spec, "sentence": sentence, "alt": f"{drawn.title}: {sentence}"})


@get(f"{_ORG}/trends/details/explain/", opt={"access": "org:read"})
async def details_explained(request: Request[Any, Any, Any], org: FromPath[str]) -> Response[bytes]:
    """Give what changed together with the level, as a part of the page."""
    scope = await _scope(request, org)
    state = await read_state(request, scope, with_environments=False, period=PERIOD)
    statistics = services_of(request).statistics
    params = _questions(state.params) | {"breakpoint": list(state.params.get("breakpoint", ()))}
    asked = parse_explain(params, scope, now(), statistics.retention)
    if asked is None:
        return fragment(request, "trend_causes.html", causes=[], releases=[], told=None)

    try:
        found = await unless_gone(request, explain(statistics, asked))
    except ClientGone:
        return gone()

    discover = f"/organizations/{scope.organization.slug}/discover/results/?"
    return fragment(
        request,
        "trend_causes.html",
        causes=[_cause(cause, state, discover) for cause in found["causes"]],
        releases=[_release(release, found["breakpoint"]) for release in found["releases"]],
        told=found.get("sentence") or found.get("summary") or "",
        column=asked.column,
    )


async def _scope(request: Request[Any, Any, Any], org: str) -> Scope:
    scope = await caller_scope(request, org)
    await services_of(request).metadata.run(features.require, scope.organization.id, FEATURE)
    return scope


async def _one(request: Request[Any, Any, Any], scope: Scope, state: State) -> OneTrend | None:
    statistics = services_of(request).statistics
    asked = parse_one(_questions(state.params), scope, now(), statistics.retention)
    return None if asked is None else await find_one(statistics, asked)


def _questions(params: Mapping[str, tuple[str, ...]]) -> dict[str, list[str]]:
    """Write the parameters of trends for what the page shows."""
    dates = ("statsPeriod", "statsPeriodStart", "statsPeriodEnd", "start", "end")
    found = {
        name: [value for value in params[name] if value]
        for name in (*_KEPT, *dates, "query")
        if any(params.get(name, ()))
    }
    return {**found, "trendFunction": [_function(params)]}


def _function(params: Mapping[str, tuple[str, ...]]) -> str:
    return next((value for value in params.get("trendFunction", ()) if value), FUNCTION)


def _tab(params: Mapping[str, tuple[str, ...]]) -> str:
    wanted = next(iter(params.get("trendType", ())), "")
    return wanted if wanted in {key for key, _, _ in TABS} else TABS[0][0]


def _offset(params: Mapping[str, tuple[str, ...]]) -> int:
    text = next(iter(params.get("offset", ())), "0")
    if not (text.isascii() and text.isdigit() and len(text) < 6):
        raise UserError(f"offset must be a whole number, got {text!r}", field="offset")

    return int(text)


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
        name=group.name or "(no name)",
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


def _back(state: State) -> str:
    shared = ("environment", "dataset", "field", "trendFunction", "start", "end", "statsPeriod")
    return urlencode({name: state.params[name] for name in shared if name in state.params}, True)


def _change(row: Row | None) -> Change | None:
    if row is None:
        return None

    return Change(row["breakpoint"], row["aggregate_range_1"], row["aggregate_range_2"])


def _facts(one: OneTrend) -> dict[str, Any]:
    row = one.change
    assert row is not None
    told = measure(one.type, one.unit)
    before, after = row["aggregate_range_1"], row["aggregate_range_2"]
    return {
        "before": told.text(before),
        "after": told.text(after),
        "change": change_text(before, after),
        "is_regression": row["change"] == "regression",
        "at": moment_text(row["breakpoint"]),
        "confidence": row["confidence"],
        "events_before": f"{row['count_range_1']:,.0f}",
        "events_after": f"{row['count_range_2']:,.0f}",
    }


def _sentence(one: OneTrend) -> str:
    if one.change is None:
        return "No lasting change of level was found in this period."

    facts = _facts(one)
    verb = "rose" if (one.change["trend_difference"] or 0) > 0 else "fell"
    return (
        f"{one.function} {verb} from {facts['before']} to {facts['after']} "
        f"({facts['change']}) at {facts['at']}; the evidence is {facts['confidence']}."
    )


def _explained(state: State, one: OneTrend | None) -> str:
    """Write what the explanation is asked with; "" where there is no moment to explain."""
    given = next(iter(state.params.get("breakpoint", ())), "")
    found = str(one.change["breakpoint"]) if one and one.change else ""
    moment = given or found
    return state.address(breakpoint=moment) if moment and one else ""


def _cause(cause: Row, state: State, discover: str) -> Cause:
    is_span = cause["kind"] == "span"
    told = measure("duration", "millisecond")
    share = cause.get("share_of_change")
    shares = ""
    if cause.get("share_before") is not None:
        shares = f"{cause['share_before'] * 100:.0f}% → {cause['share_after'] * 100:.0f}%"
    asked = _questions(state.params)
    asked["yAxis"] = asked.pop("trendFunction")
    if not is_span:
        asked["query"] = [f"{state.query} {term(cause['kind'], cause['value'])}".strip()]
    return Cause(
        kind=str(cause["kind"]),
        value=str(cause["value"]) or "(none)",
        before="–" if cause["mean_before"] is None else told.text(cause["mean_before"]),
        after="–" if cause["mean_after"] is None else told.text(cause["mean_after"]),
        shares=shares,
        share=None if share is None else share * 100,
        address="" if is_span else discover + urlencode(asked, doseq=True),
    )


def _release(release: Row, breakpoint: int) -> dict[str, str]:
    minutes = round((release["first_seen"] - breakpoint) / 60)
    size = f"{abs(minutes)} min" if abs(minutes) < 90 else f"{abs(minutes) / 60:.1f} h"
    when = "at that moment" if not minutes else f"{size} {'after' if minutes > 0 else 'before'}"
    return {
        "version": release["version"],
        "seen": moment_text(release["first_seen"]),
        "when": when,
    }


ROUTES = [trends, trends_list, details, details_chart, details_explained]
