"""Tags of an organization's events: facets, keys, values."""

from __future__ import annotations

from typing import Any

from litestar import Request, Response, get
from litestar.params import FromPath

from groundswell.errors import UserError
from groundswell.http.environments import environments_of
from groundswell.http.failures import json_response
from groundswell.http.paging import link_header, page
from groundswell.http.requests import caller_scope, multi, now, services_of
from groundswell.http.shapes import instant
from groundswell.query.question import Dataset
from groundswell.stats import parameters
from groundswell.stats.datasets import source_of
from groundswell.stats.facets import facets, tag_keys, tag_values
from groundswell.stats.parameters import Params
from groundswell.timeframe import parse_range

ORGANIZATION = "/api/0/organizations/{org:str}/"
SHARE = "X-Groundswell-Share"
# What clients of tags call the tables, beside the names of datasets.
_TABLES = {
    "events": Dataset.ERRORS,
    "errors": Dataset.ERRORS,
    "search_issues": Dataset.ERRORS,
    "discover": Dataset.DISCOVER,
    "transactions": Dataset.TRANSACTIONS,
    "spans": Dataset.SPANS,
}
_SORTS = {"": "-count()", "count": "-count()", "-count": "-count()", "last_seen": "-max(timestamp)",
          "-last_seen": "-max(timestamp)", "lastSeen": "-max(timestamp)",
          "-first_seen": "-min(timestamp)"}  # fmt: skip


@get(ORGANIZATION + "events-facets/", opt={"access": "org:read", "feature": "discover-basic"})
async def event_facets(request: Request[Any, Any, Any], org: FromPath[str]) -> Response[bytes]:
    """List the tags of what a search finds, with their most frequent values.

    Of many events a part is read, and the header `X-Groundswell-Share` says how much.
    """
    scope = await caller_scope(request, org)
    services = services_of(request)
    params = multi(request)
    window = parse_range(params, now=now(), retention=services.statistics.retention)
    projects = parameters.projects(params, scope)
    if not projects:
        return json_response([])

    search = parameters.first(params, "query") or ""
    source = source_of(parameters.first(params, "dataset"), search, ())
    here = page(params, default=10)
    environments = await environments_of(request, scope, window)
    found = await facets(
        services.statistics, services.engine, scope, projects, window, dataset=source.dataset,
        search=source.narrowed(search), environments=environments,
    )  # fmt: skip
    shown = [
        {"key": tag.key,
         "topValues": [{"name": n, "value": v, "count": c} for n, v, c in tag.top]}
        for tag in found.tags
    ]  # fmt: skip
    headers = {SHARE: f"{found.share:.4g}"} if found.share < 1 else {}
    if not parameters.is_on(params, "includeAll"):
        end = here.offset + here.limit
        headers |= link_header(request, here, has_more=len(shown) > end)
        shown = shown[here.offset : end]
    return json_response(shown, headers=headers)


@get(ORGANIZATION + "tags/", opt={"access": "org:read"})
async def tags(request: Request[Any, Any, Any], org: FromPath[str]) -> Response[bytes]:
    """List the keys of tags."""
    scope = await caller_scope(request, org)
    services = services_of(request)
    params = multi(request)
    window = parse_range(params, now=now(), retention=services.statistics.retention)
    found = await tag_keys(
        services.statistics, services.engine, scope, parameters.projects(params, scope), window,
        dataset=_table(params, "events"),
        environments=await environments_of(request, scope, window),
    )  # fmt: skip
    return json_response([each.brief() for each in found])


@get(ORGANIZATION + "tags/{key:str}/values/", opt={"access": "org:read"})
async def values(
    request: Request[Any, Any, Any], org: FromPath[str], key: FromPath[str]
) -> Response[bytes]:
    """List the values of a tag or field; `query` says what they hold."""
    scope = await caller_scope(request, org)
    services = services_of(request)
    params = multi(request)
    window = parse_range(params, now=now(), retention=services.statistics.retention)
    here = page(params)
    sort = parameters.first(params, "sort") or ""
    if sort not in _SORTS:
        raise UserError(f"sort must be one of {', '.join(_SORTS)}; got {sort!r}", field="sort")

    fallback = "transactions" if parameters.is_on(params, "includeTransactions") else "discover"
    found = await tag_values(
        services.statistics, scope, parameters.projects(params, scope), window, key,
        dataset=_table(params, fallback), part=parameters.first(params, "query") or "",
        sort=_SORTS[sort], environments=await environments_of(request, scope, window),
    )  # fmt: skip
    end = here.offset + here.limit
    return json_response(
        [
            {"key": key, "name": each.name, "value": each.value, "count": each.count,
             "firstSeen": instant(each.first_seen), "lastSeen": instant(each.last_seen)}
            for each in found[here.offset : end]
        ],
        headers=link_header(request, here, has_more=len(found) > end),
    )  # fmt: skip


def _table(params: Params, fallback: str) -> Dataset:
    name = parameters.first(params, "dataset") or fallback
    if name in _TABLES:
        return _TABLES[name]

    return source_of(name, "", ()).dataset


ROUTES = [event_facets, tags, values]
