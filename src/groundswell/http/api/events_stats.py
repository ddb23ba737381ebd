"""GET organizations/{org}/events-stats/: series over time, plain or of the top events."""

from __future__ import annotations

from typing import Any

from litestar import Request, Response, get
from litestar.params import FromPath

from groundswell.http.answering import ClientGone, gone, unless_gone, written
from groundswell.http.requests import caller_scope, multi, now, services_of
from groundswell.http.splitting import metas, widget_decision
from groundswell.model.series import SeriesAnswer
from groundswell.stats import export, serialize
from groundswell.stats.parameters import Params
from groundswell.stats.request import parse_series
from groundswell.stats.split import Decision, series_variants


@get("/api/0/organizations/{org:str}/events-stats/", opt={"access": "org:read"})
async def events_stats(request: Request[Any, Any, Any], org: FromPath[str]) -> Response[bytes]:
    """Answer with series."""
    scope = await caller_scope(request, org)
    services = services_of(request)
    statistics = services.statistics
    params = multi(request)
    format_ = export.format_of(params)
    asked_at = now()
    asked = parse_series(params, scope, asked_at, statistics.retention)

    async def ask(params: Params) -> SeriesAnswer:
        return await statistics.series(parse_series(params, scope, asked_at, statistics.retention))

    async def answered() -> tuple[SeriesAnswer, Decision[SeriesAnswer] | None]:
        decision = await widget_decision(services, scope, params, series_variants(params), ask)
        if decision is not None:
            return decision.answer, decision

        return await statistics.series(asked), None

    try:
        answer, decision = await unless_gone(request, answered())
    except ClientGone:
        return gone()

    def body() -> dict[str, Any]:
        shown = serialize.events_stats(answer, names_as_typed=asked.names_as_typed)
        if decision is not None:
            for meta in metas(shown):
                decision.explain(meta, asked.asking.label)
        return shown

    return written(
        request, format_, body, lambda: export.series_records(answer), name="events-stats"
    )


ROUTES = [events_stats]
