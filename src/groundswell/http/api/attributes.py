"""GET organizations/{org}/trace-items/attributes/: which attributes spans may be asked by."""

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
from groundswell.query.registry.fields import FIELDS, Field, find
from groundswell.stats import parameters
from groundswell.stats.facets import tag_keys, tag_values
from groundswell.timeframe import parse_range

PATH = "/api/0/organizations/{org:str}/trace-items/attributes/"
ITEMS = ("spans", "logs", "tracemetrics")
TYPES = ("string", "number", "boolean")


@get(PATH, opt={"access": "org:read", "feature": "performance-view"})
async def attributes(request: Request[Any, Any, Any], org: FromPath[str]) -> Response[bytes]:
    """List attributes by name: those that every span has, and the tags that were sent."""
    scope = await caller_scope(request, org)
    services, params = services_of(request), multi(request)
    item = parameters.first(params, "itemType") or "spans"
    _one_of("itemType", item, ITEMS)
    wanted = parameters.texts(params, "attributeType") or TYPES
    for kind in wanted:
        _one_of("attributeType", kind, TYPES)
    here = page(params)
    part = (parameters.first(params, "substringMatch") or "").lower()
    found: list[dict[str, Any]] = []
    if item == "spans":
        window = parse_range(params, now=now(), retention=services.statistics.retention)
        tags = await tag_keys(
            services.statistics, services.engine, scope, parameters.projects(params, scope),
            window, dataset=Dataset.SPANS, search=parameters.first(params, "query") or "",
            environments=await environments_of(request, scope, window),
        )  # fmt: skip
        found = _known() + _sent([tag.key for tag in tags])
    chosen = sorted(
        (a for a in found if a["attributeType"] in wanted and part in a["key"].lower()),
        key=lambda attribute: str(attribute["key"]),
    )
    end = here.offset + here.limit
    return json_response(
        chosen[here.offset : end],
        headers=link_header(request, here, has_more=len(chosen) > end),
    )


@get(PATH + "{key:str}/values/", opt={"access": "org:read", "feature": "performance-view"})
async def attribute_values(
    request: Request[Any, Any, Any], org: FromPath[str], key: FromPath[str]
) -> Response[bytes]:
    """List the values of an attribute of spans."""
    scope = await caller_scope(request, org)
    services, params = services_of(request), multi(request)
    _one_of("itemType", parameters.first(params, "itemType") or "spans", ITEMS)
    here = page(params)
    window = parse_range(params, now=now(), retention=services.statistics.retention)
    found = await tag_values(
        services.statistics, scope, parameters.projects(params, scope), window, key,
        dataset=Dataset.SPANS, search=parameters.first(params, "query") or "",
        part=parameters.first(params, "substringMatch") or "",
        environments=await environments_of(request, scope, window),
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


def _known() -> list[dict[str, Any]]:
    return [
        _attribute(name, _type(field), "sentry")
        for name, field in FIELDS.items()
        if field.selectable and "spans" in field.sources
    ]


def _sent(keys: list[str]) -> list[dict[str, Any]]:
    return [_attribute(key, "string", "user") for key in keys if key not in FIELDS and find(key)]


def _type(field: Field) -> str:
    if field.type == "boolean":
        return "boolean"

    return "number" if field.numeric or field.type in {"integer", "number"} else "string"


def _attribute(key: str, kind: str, source: str) -> dict[str, Any]:
    return {
        "key": key, "name": key, "attributeType": kind, "attributeSource": {"source_type": source},
    }  # fmt: skip


def _one_of(name: str, value: str, allowed: tuple[str, ...]) -> None:
    if value not in allowed:
        raise UserError(f"{name} must be one of {', '.join(allowed)}; got {value!r}", field=name)


ROUTES = [attributes, attribute_values]
