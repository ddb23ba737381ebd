"""/organizations/<org>/stats/: what became of everything that was sent."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from litestar import Request, Response, get
from litestar.params import FromPath

from groundswell.charts.spec import Chart, Kind, Line
from groundswell.charts.units import measure
from groundswell.http.charting import look_of
from groundswell.http.requests import caller_scope, multi, now, services_of
from groundswell.http.web.drawn import drawn
from groundswell.http.web.frame import fragment, page
from groundswell.http.web.reading import read_state
from groundswell.http.web.state import State
from groundswell.model.tenancy import Scope
from groundswell.stats.outcomes import outcomes_body, parse_outcomes
from groundswell.timeframe import parse_instant, parse_range

PERIOD = "7d"
QUANTITY = "sum(quantity)"
# In the order of the stack, with words for people.
OUTCOMES: Mapping[str, str] = {
    "accepted": "Accepted",
    "filtered": "Filtered",
    "rate_limited": "Rate limited",
    "invalid": "Invalid",
    "abuse": "Refused as abuse",
    "cardinality_limited": "Too many names",
    "client_discard": "Discarded by the client",
}
_ORG = "/organizations/{org:str}/stats"


@dataclass(frozen=True, slots=True)
class Reason:
    """How much of one category met one outcome, and why."""

    category: str
    outcome: str
    reason: str
    count: int

    @property
    def count_text(self) -> str:
        return f"{self.count:,}"


@get(f"{_ORG}/", opt={"access": "org:read"})
async def stats(request: Request[Any, Any, Any], org: FromPath[str]) -> Response[bytes]:
    """Show the page; its chart and table load by themselves."""
    scope = await caller_scope(request, org)
    state = await read_state(request, scope, with_environments=False, period=PERIOD)
    body = await _ask(request, scope, _without_category(state), ["category"])
    category = _category(state)
    totals = {each["by"]["category"]: each["totals"][QUANTITY] for each in body["groups"]}
    busiest = sorted(totals, key=lambda name: (-totals[name], name))
    return await page(
        request,
        "stats.html",
        scope,
        here="stats",
        state=state,
        base=f"/organizations/{scope.organization.slug}/stats/",
        category=category,
        categories=[(name, f"{totals[name]:,}", state.address(category=name)) for name in busiest],
        everything=state.address(category=None),
        total=f"{sum(totals.values()):,}",
    )


@get(f"{_ORG}/chart/", opt={"access": "org:read"})
async def stats_chart(request: Request[Any, Any, Any], org: FromPath[str]) -> Response[bytes]:
    """Give the specification of the chart with its words."""
    scope = await caller_scope(request, org)
    params = multi(request)
    look = look_of({name: params.get(name, []) for name in ("theme", "width", "height")})
    state = await read_state(request, scope, with_environments=False, period=PERIOD)
    body = await _ask(request, scope, state, ["outcome"])
    stamps = tuple(_seconds(text) for text in body["intervals"])
    found = {each["by"]["outcome"]: each for each in body["groups"]}
    shown = [name for name in OUTCOMES if name in found]
    category = _category(state)
    chart = Chart(
        title=f"Outcomes of {category}" if category else "Outcomes",
        subtitle="Items per bucket · UTC",
        kind=Kind.STACKED_BAR,
        lines=tuple(
            Line(OUTCOMES[name], stamps, tuple(found[name]["series"][QUANTITY])) for name in shown
        ),
        type="integer",
        interval_s=stamps[1] - stamps[0] if len(stamps) > 1 else 3600,
        width=look.width,
        height=look.height,
    )
    told = measure("integer", None)
    parts = [f"{OUTCOMES[n].lower()} {told.text(found[n]['totals'][QUANTITY])}" for n in shown]
    sentence = f"{', '.join(parts)}.".capitalize() if parts else "Nothing was sent in this period."
    return drawn(chart, look.theme, sentence)


@get(f"{_ORG}/table/", opt={"access": "org:read"})
async def stats_table(request: Request[Any, Any, Any], org: FromPath[str]) -> Response[bytes]:
    """Give counts by category, outcome and reason as a part of the page."""
    scope = await caller_scope(request, org)
    state = await read_state(request, scope, with_environments=False, period=PERIOD)
    body = await _ask(request, scope, state, ["category", "outcome", "reason"])
    rows = [
        Reason(
            str(each["by"]["category"]),
            OUTCOMES.get(str(each["by"]["outcome"]), str(each["by"]["outcome"])),
            str(each["by"]["reason"] or ""),
            each["totals"][QUANTITY],
        )
        for each in body["groups"]
    ]
    rows.sort(key=lambda row: (row.category, -row.count, row.outcome, row.reason))
    return fragment(request, "stats_table.html", rows=rows)


async def _ask(
    request: Request[Any, Any, Any], scope: Scope, state: State, groups: list[str]
) -> dict[str, Any]:
    services = services_of(request)
    names = ("project", "projectSlug", "statsPeriod", "start", "end", "category")
    params = {name: list(state.params[name]) for name in names if any(state.params.get(name, ()))}
    # Without a project all that the caller sees are meant, as on every page.
    if not params.get("project") and not params.get("projectSlug"):
        params["project"] = ["-1"]
    retention = services.statistics.retention
    hours = parse_range(params, now=now(), retention=retention).seconds / 3600
    params["interval"] = ["1d" if hours > 24 * 14 else "1h" if hours > 6 else "5m"]
    asked = {**params, "field": [QUANTITY], "groupBy": groups}
    return await outcomes_body(services.engine, parse_outcomes(asked, scope, now(), retention))


def _category(state: State) -> str:
    return next((value for value in state.params.get("category", ()) if value), "")


def _without_category(state: State) -> State:
    params = {name: values for name, values in state.params.items() if name != "category"}
    return State(params, state.asked, state.project_choices, state.known_environments)


def _seconds(text: str) -> int:
    at = parse_instant(text)
    assert at is not None, "an answer of our own holds instants"
    return int(at.timestamp())


ROUTES = [stats, stats_chart, stats_table]
