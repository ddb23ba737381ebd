"""GET organizations/{org}/events/: rows of events or of groups, page by page."""

from __future__ import annotations

from typing import Any

from litestar import Request, Response, get
from litestar.params import FromPath

from groundswell.http.answering import ClientGone, gone, unless_gone, written
from groundswell.http.paging import link_header
from groundswell.http.requests import caller_scope, multi, now, services_of
from groundswell.http.splitting import saved_decision, widget_decision
from groundswell.model.series import TableAnswer
from groundswell.stats import export, serialize
from groundswell.stats.datasets import fallback_reason
from groundswell.stats.parameters import Params
from groundswell.stats.request import parse_table
from groundswell.stats.split import Decision, table_variants


@get(
    "/api/0/organizations/{org:str}/events/",
    opt={"access": "org:read", "feature": "discover-basic"},
)
async def events(request: Request[Any, Any, Any], org: FromPath[str]) -> Response[bytes]:
    """Answer with rows."""
    scope = await caller_scope(request, org)
    services = services_of(request)
    statistics = services.statistics
    params = multi(request)
    format_ = export.format_of(params)
    asked_at = now()
    asked = parse_table(params, scope, asked_at, statistics.retention)

    async def ask(params: Params) -> TableAnswer:
        return await statistics.table(parse_table(params, scope, asked_at, statistics.retention))

    async def answered() -> tuple[TableAnswer, Decision[TableAnswer] | None]:
        decision = await widget_decision(services, scope, params, table_variants(params), ask)
        decision = decision or await saved_decision(services, scope, params, ask)
        if decision is not None:
            return decision.answer, decision

        return await statistics.table(asked), None

    try:
        answer, decision = await unless_gone(request, answered())
    except ClientGone:
        return gone()

    def body() -> dict[str, Any]:
        if not asked.asking.projects:
            return serialize.no_projects()

        shown = serialize.events(answer)
        shown["meta"]["datasetReason"] = fallback_reason(asked.asking.source)
        if decision is not None:
            decision.explain(shown["meta"], asked.asking.label)
        return shown

    headers = link_header(request, asked.page, has_more=answer.has_more) if asked.paginate else {}
    return written(
        request, format_, body, lambda: export.table_records(answer), name="events", headers=headers
    )


ROUTES = [events]
