"""All kinds of rules in one list; there is one kind here."""

from __future__ import annotations

from typing import Any

from litestar import Request, Response, get
from litestar.params import FromPath

from groundswell.http.api.alert_rules import READ
from groundswell.http.api.rule_lists import rules_page
from groundswell.http.failures import json_response
from groundswell.http.paging import link_header, page
from groundswell.http.requests import caller_scope, multi

METRIC = frozenset({"alert_rule", "metric", ""})


@get("/api/0/organizations/{org:str}/combined-rules/", opt={"access": "org:read"})
async def combined_rules(request: Request[Any, Any, Any], org: FromPath[str]) -> Response[bytes]:
    """List rules; `alertType` other than that of metric rules finds none."""
    scope = await caller_scope(request, org, needs=READ)
    params = multi(request)
    kinds = set(params.get("alertType", []))
    if kinds and not kinds & METRIC:
        headers = link_header(request, page(params), has_more=False)
        return json_response([], headers=headers)

    return await rules_page(request, scope, is_combined=True)


ROUTES = [combined_rules]
