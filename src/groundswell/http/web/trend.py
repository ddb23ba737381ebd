"""/organizations/<org>/trends/details/: one change of a level, its chart and its reasons."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from litestar import Request, Response, get
from litestar.params import FromPath

from groundswell.charts.hover import with_hover
from groundswell.charts.one_trend import chart_of_one, sentence_of
from groundswell.charts.spec import vega_lite
from groundswell.charts.trends import change_text, moment_text
from groundswell.charts.units import Measure, measure
from groundswell.http.answering import ClientGone, gone, unless_gone
from groundswell.http.charting import look_of
from groundswell.http.failures import json_response
from groundswell.http.requests import multi, now, services_of
from groundswell.http.web.cells import term
from groundswell.http.web.frame import fragment, page
from groundswell.http.web.reading import read_state
from groundswell.http.web.state import State
from groundswell.http.web.trend_state import (
    PERIOD,
    function_of,
    questions,
    scope_of,
)
from groundswell.model.tenancy import Scope
from groundswell.stats.statistics import Statistics
from groundswell.trends.explain import explain, parse_explain
from groundswell.trends.one import OneTrend, find_one, parse_one
from groundswell.trends.panel import type_of
from groundswell.trends.parts import ExplainRequest
from groundswell.trends.rows import Row
from groundswell.trends.sentence import clauses

_ORG = "/organizations/{org:str}"


@dataclass(frozen=True, slots=True)
class Cause:
    """One thing that changed along. share: of the whole change, in percent, for its bar."""

    kind: str
    value: str
    measured: str
    before: str
    after: str
    shares: str
    share: float | None
    address: str

    @property
    def share_text(self) -> str:
        if self.share is None:
            return ""

        # Where hardly anything changed, parts that cancel out are many times the whole.
        return f"{self.share:.0f}%" if abs(self.share) < 1000 else f"×{self.share / 100:,.0f}"

    @property
    def bar(self) -> int:
        return round(min(max(abs(self.share or 0.0), 0.0), 100.0))


@dataclass(frozen=True, slots=True)
class Measures:
    """How levels are told: what they are, in which unit, per what."""

    of_values: tuple[str, Measure, str]
    of_spans: tuple[str, Measure, str]


@get(f"{_ORG}/trends/details/", opt={"access": "org:read"})
async def details(request: Request[Any, Any, Any], org: FromPath[str]) -> Response[bytes]:
    """Show one trend: what changed, its chart, and what changed along."""
    scope = await scope_of(request, org)
    state = await read_state(request, scope, period=PERIOD)
    try:
        one = await unless_gone(request, _one(request, scope, state))
    except ClientGone:
        return gone()

    base = f"/organizations/{scope.organization.slug}/"
    function = function_of(state.params)
    search = {**questions(state.params), "yAxis": [function]}
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
    scope = await scope_of(request, org)
    params = multi(request)
    look = look_of({name: params.get(name, []) for name in ("theme", "width", "height")})
    state = await read_state(request, scope, with_environments=False, period=PERIOD)
    try:
        one = await unless_gone(request, _one(request, scope, state))
    except ClientGone:
        return gone()

    drawn = chart_of_one(
        one,
        name=state.query,
        function=function_of(state.params),
        width=look.width,
        height=look.height,
    )
    spec = with_hover(vega_lite(drawn, theme=look.theme), drawn, theme=look.theme)
    sentence = sentence_of(one)
    return json_response({"spec": spec, "sentence": sentence, "alt": f"{drawn.title}: {sentence}"})


@get(f"{_ORG}/trends/details/explain/", opt={"access": "org:read"})
async def details_explained(request: Request[Any, Any, Any], org: FromPath[str]) -> Response[bytes]:
    """Give what changed together with the level, as a part of the page."""
    scope = await scope_of(request, org)
    state = await read_state(request, scope, with_environments=False, period=PERIOD)
    statistics = services_of(request).statistics
    params = questions(state.params) | {"breakpoint": list(state.params.get("breakpoint", ()))}
    asked = parse_explain(params, scope, now(), statistics.retention)
    if asked is None:
        return fragment(request, "trend_causes.html", causes=[], releases=[], told=None)

    try:
        found = await unless_gone(request, explain(statistics, asked))
        told = await _measures(statistics, asked)
    except ClientGone:
        return gone()

    discover = f"/organizations/{scope.organization.slug}/discover/results/?"
    return fragment(
        request,
        "trend_causes.html",
        causes=[_cause(cause, told, state, discover) for cause in found["causes"]],
        releases=[_release(release, found["breakpoint"]) for release in found["releases"]],
        told=_told(found),
    )


def _told(found: Row) -> str:
    """Say what is known beside the change itself, which the chart tells bucket by bucket."""
    said = clauses(found)
    text = "; ".join(said[1:]) or "No part of it accounts for much of the change"
    return text[:1].upper() + text[1:] + "."


async def _one(request: Request[Any, Any, Any], scope: Scope, state: State) -> OneTrend | None:
    statistics = services_of(request).statistics
    params = questions(state.params) | {"breakpoint": list(state.params.get("breakpoint", ()))}
    asked = parse_one(params, scope, now(), statistics.retention)
    return None if asked is None else await find_one(statistics, asked)


def _back(state: State) -> str:
    shared = ("environment", "dataset", "field", "trendFunction", "start", "end", "statsPeriod")
    return urlencode({name: state.params[name] for name in shared if name in state.params}, True)


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


def _explained(state: State, one: OneTrend | None) -> str:
    """Write what the explanation is asked with; "" where there is no moment to explain."""
    given = next(iter(state.params.get("breakpoint", ())), "")
    found = str(one.change["breakpoint"]) if one and one.change else ""
    moment = given or found
    return state.address(breakpoint=moment) if moment and one else ""


async def _measures(statistics: Statistics, asked: ExplainRequest) -> Measures:
    """Choose how the levels of values are told: a mean in the unit of its column."""
    spans = ("mean self time", measure("duration", "millisecond"), "")
    basis = asked.basis
    if basis.name == "count":
        return Measures(("events", measure("rate", "1/minute"), ""), spans)

    if basis.name == "failed":
        return Measures(("share failed", measure("percentage", None), ""), spans)

    own = measure(*await type_of(statistics, asked.asking, f"avg({asked.column})"))
    if basis.name == "sum":
        return Measures(("sum", own, "/min"), spans)

    return Measures(("mean", own, ""), spans)


def _cause(cause: Row, measures: Measures, state: State, discover: str) -> Cause:
    is_span = cause["kind"] == "span"
    measured, told, per = measures.of_spans if is_span else measures.of_values
    share = cause.get("share_of_change")
    shares = ""
    if cause.get("share_before") is not None:
        shares = f"{cause['share_before'] * 100:.0f}% → {cause['share_after'] * 100:.0f}%"
    asked = questions(state.params)
    asked["yAxis"] = asked.pop("trendFunction")
    if not is_span:
        asked["query"] = [f"{state.query} {term(cause['kind'], cause['value'])}".strip()]

    def text(value: float | None) -> str:
        return "–" if value is None else told.text(value) + per

    return Cause(
        kind=str(cause["kind"]),
        value=str(cause["value"]) or "(none)",
        measured=measured,
        before=text(cause["mean_before"]),
        after=text(cause["mean_after"]),
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


ROUTES = [details, details_chart, details_explained]
