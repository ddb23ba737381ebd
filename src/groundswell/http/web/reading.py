"""A request for a page → the state that the page shows."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

from litestar import Request

from groundswell.errors import GroundswellError
from groundswell.http.api.saved_queries import shown_saved_query
from groundswell.http.requests import multi, now, services_of
from groundswell.http.web.state import Params, State, project_choices
from groundswell.model.tenancy import ProjectId, Scope
from groundswell.slack.links import Kind, Link
from groundswell.slack.requests import ChartRequest, from_link, saved_query_id
from groundswell.stats.request import parse_table

ENVIRONMENTS_LAST_S = 60.0
_DATES = ("statsPeriod", "statsPeriodStart", "statsPeriodEnd", "start", "end")
_environments: dict[tuple[ProjectId, ...], tuple[float, tuple[str, ...]]] = {}


async def read_state(
    request: Request[Any, Any, Any],
    scope: Scope,
    *,
    with_environments: bool = True,
    period: str = "",
    defaults: Params = MappingProxyType({}),
) -> State:
    """Read what a page shows; period, defaults: what is shown where the address says nothing."""
    params = kept(multi(request))
    params |= {name: values for name, values in defaults.items() if values and name not in params}
    if period and not any(params.get(name) for name in _DATES):
        params["statsPeriod"] = (period,)
    asked = await ask_of(request, scope, params)
    known = await known_environments(request, scope) if with_environments else ()
    chosen = {**params, "project": tuple(asked.params.get("project") or ())}
    return State(params, asked, project_choices(chosen, scope), known)


async def ask_of(request: Request[Any, Any, Any], scope: Scope, params: Params) -> ChartRequest:
    """Read the address exactly as a link to it is read when it is pasted into a chat."""
    services = services_of(request)
    link = Link("", Kind.DISCOVER, scope.organization.slug, "results", params=params)
    id = saved_query_id(link)
    saved = await services.metadata.run(shown_saved_query, scope, id) if id else None
    return from_link(link, saved, now=now(), retention=services.statistics.retention)


def kept(params: Mapping[str, Sequence[str]]) -> dict[str, tuple[str, ...]]:
    """Leave out what only says how a chart is drawn."""
    drawing = {"theme", "width", "height"}
    return {name: tuple(values) for name, values in params.items() if name not in drawing}


async def known_environments(request: Request[Any, Any, Any], scope: Scope) -> tuple[str, ...]:
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
