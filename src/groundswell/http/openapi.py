"""The API described as OpenAPI 3.1: from its handlers, the structs they answer with, and examples
that were answered by a running service."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from importlib import resources
from typing import Any, get_args, get_origin

import msgspec
from litestar import Response
from litestar.handlers import HTTPRouteHandler

from groundswell import __version__
from groundswell.http.failures import FieldErrors
from groundswell.http.inferred import schema_of

EXAMPLES = "examples.json"
REF = "#/components/schemas/{name}"
_PARAMETER = re.compile(r"\{(\w+):\w+\}")
# Query parameters: name → (meaning, schema).
_TEXT: dict[str, Any] = {"type": "string"}
_TEXTS: dict[str, Any] = {"type": "array", "items": {"type": "string"}}
_NUMBER: dict[str, Any] = {"type": "integer"}
PARAMETERS: Mapping[str, tuple[str, dict[str, Any]]] = {
    "statsPeriod": ("How far back from now: `90d`, `24h`, `30m`.", _TEXT),
    "start": ("Begin, as an ISO instant; needs `end`.", _TEXT),
    "end": ("End, as an ISO instant.", _TEXT),
    "project": ("Ids of projects; -1 for all.", _TEXTS),
    "projectSlug": ("Slugs of projects; wins over `project`.", _TEXTS),
    "environment": ("Names of environments.", _TEXTS),
    "query": ("A search.", _TEXT),
    "field": ("Fields and functions that are selected.", _TEXTS),
    "yAxis": ("Functions that are plotted.", _TEXTS),
    "groupBy": ("What the answer is grouped by.", _TEXTS),
    "sort": ("Order; `-` before it for the largest first.", _TEXTS),
    "interval": ("Width of a bucket: `1h`, `5m`.", _TEXT),
    "dataset": ("Which events: discover, errors, transactions, spans, …", _TEXT),
    "topEvents": ("How many groups get a series of their own, 1 to 10.", _NUMBER),
    "partial": ("`1` keeps the bucket that is not over.", _TEXT),
    "excludeOther": ("`1` leaves out the series of all other groups.", _TEXT),
    "comparisonDelta": ("Seconds to look back for a second series.", _NUMBER),
    "dashboardWidgetId": ("The widget that asks.", _TEXT),
    "discoverSavedQueryId": ("The saved question that asks.", _TEXT),
    "per_page": ("Rows of a page, 1 to 100.", {"type": "integer", "minimum": 1, "maximum": 100}),
    "cursor": ("Where a page begins, from the `Link` header: `0:100:0`.", _TEXT),
    "limit": ("Rows of a page.", _NUMBER),
    "category": ("Categories of what was sent.", _TEXTS),
    "outcome": ("Outcomes.", _TEXTS),
    "itemType": ("spans, logs or tracemetrics.", _TEXT),
    "attributeType": ("string, number or boolean.", _TEXTS),
    "substringMatch": ("What names hold.", _TEXT),
    "sortBy": ("Order.", _TEXT),
    "includeAll": ("`1` gives everything on one page.", _TEXT),
    "detailed": ("`0` leaves out projects and teams.", _TEXT),
    "id": ("Ids.", _TEXTS),
    "full": ("`1` adds stack traces.", _TEXT),
}
_TIME = ("statsPeriod", "start", "end")
_WHERE = ("project", "projectSlug", "environment")
_PAGE = ("per_page", "cursor")
_EVENTS = (*_TIME, *_WHERE, "query", "dataset")
_SERIES = (*_EVENTS, "yAxis", "interval", "topEvents", "sort", "excludeOther", "comparisonDelta")
# What the handlers read, by the name of their function.
READS: Mapping[str, Sequence[str]] = {
    "events_stats": (*_SERIES, "field", "partial", "dashboardWidgetId"),
    "events_timeseries": (*_SERIES, "groupBy"),
    "events": (*_EVENTS, "field", "sort", *_PAGE, "dashboardWidgetId", "discoverSavedQueryId"),
    "events_meta": _EVENTS,
    "events_validate": (*_EVENTS, "field", "sort"),
    "chart": (*_SERIES, "field", "partial"),
    "event_facets": (*_EVENTS, *_PAGE, "includeAll"),
    "tags": (*_TIME, *_WHERE, "dataset"),
    "values": (*_TIME, *_WHERE, "dataset", "query", "sort", *_PAGE),
    "list_of_issues": (*_TIME, *_WHERE, "query", "sort", "limit", "cursor"),
    "issues_of_project": (*_TIME, "environment", "query", "sort", "limit", "cursor"),
    "change_many": ("id",),
    "change_issues_of_project": (*_TIME, "id", "query"),
    "events_of_issue": (*_TIME, "environment", "query", "full", *_PAGE),
    "events_of_project": (*_TIME, "query", "full", *_PAGE),
    "trace": (*_TIME, *_WHERE, "limit"),
    "trace_meta": (*_TIME, *_WHERE),
    "attributes": (*_TIME, *_WHERE, "query", "itemType", "attributeType", "substringMatch", *_PAGE),
    "attribute_values": (*_TIME, *_WHERE, "query", "itemType", "substringMatch", *_PAGE),
    "stats_v2": (*_TIME, "project", "field", "groupBy", "interval", "category", "outcome"),
    "session_health": (*_TIME, "project", "field", "groupBy", "interval"),
    "dashboards": ("query", "sort", *_PAGE),
    "saved_queries": ("query", "sortBy", *_PAGE),
    "releases": ("query", "project", *_PAGE),
    "project_releases": ("query", *_PAGE),
    "organizations": ("query", *_PAGE),
    "organization": ("detailed",),
    "projects": ("query", *_PAGE),
    "teams": ("query", *_PAGE),
    "members": ("query", *_PAGE),
}


def describe(
    handlers: Iterable[HTTPRouteHandler], bodies: Mapping[str, type[Any]], base_url: str
) -> dict[str, Any]:
    """Describe handlers. bodies: what they read, by the name of their function."""
    handlers = [each for each in handlers if str(_paths(each)[0]).startswith("/api/0/")]
    answered = {_answer_type(each) for each in handlers} - {None}
    types = [*sorted(answered, key=str), *sorted(set(bodies.values()), key=str)]
    schemas, components = msgspec.json.schema_components(types, ref_template=REF)
    by_type = dict(zip(types, schemas, strict=True))
    paths: dict[str, dict[str, Any]] = {}
    for handler in handlers:
        for position, path in enumerate(_paths(handler)):
            address = _address(path)
            for method in sorted(handler.http_methods - {"OPTIONS", "HEAD"}):
                operation = _operation(handler, method, address, by_type, bodies)
                if position:
                    operation["operationId"] += f"_{position}"
                paths.setdefault(address, {})[method.lower()] = operation
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Groundswell",
            "version": __version__,
            "description": "Statistics of events, and what belongs to them. Every failure answers "
            '`{"detail": …}`, or `{"<field>": ["…"]}` where a body was refused.',
        },
        "servers": [{"url": base_url}],
        "security": [{"token": []}],
        "paths": dict(sorted(paths.items())),
        "components": {
            "schemas": {**components, "Failure": _FAILURE, "FieldFailure": _FIELD_FAILURE},
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
    }


_FAILURE = {
    "type": "object",
    "properties": {"detail": {"type": "string"}, "errorId": {"type": "string"}},
    "required": ["detail"],
    "examples": [{"detail": "The requested resource does not exist"}],
}
_FIELD_FAILURE = {
    "type": "object",
    "additionalProperties": {"type": "array", "items": {"type": "string"}},
    "examples": [FieldErrors({"title": ["This field is required."]}).errors],
}


@lru_cache(1)
def examples() -> dict[str, Any]:
    """Give the stored answers: "GET /api/0/…" → {"status", "body"}."""
    raw = (resources.files("groundswell.http") / EXAMPLES).read_bytes()
    found: dict[str, Any] = msgspec.json.decode(raw)
    return found


def _operation(
    handler: HTTPRouteHandler, method: str, address: str, by_type: Mapping[Any, Any],
    bodies: Mapping[str, type[Any]],
) -> dict[str, Any]:  # fmt: skip
    name = handler.fn.__name__
    summary, _, more = (handler.fn.__doc__ or "").partition("\n\n")
    needs = f"Needs `{handler.opt['access']}`."
    feature = handler.opt.get("feature")
    if feature:
        needs += f" Belongs to the feature `{feature}`."
    operation: dict[str, Any] = {
        "operationId": name,
        "tags": [handler.fn.__module__.rpartition(".")[2].replace("_", " ")],
        "summary": summary.strip(),
        "description": " ".join([*more.split(), needs]),
        "parameters": [*_in_path(address), *_in_query(name)],
        "responses": _responses(handler, method, address, by_type),
    }
    if name in bodies:
        content = {"application/json": {"schema": by_type[bodies[name]]}}
        operation["requestBody"] = {"required": True, "content": content}
    return operation


def _in_path(address: str) -> list[dict[str, Any]]:
    return [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string", "minLength": 1}}
        for name in re.findall(r"\{(\w+)\}", address)
    ]


def _in_query(name: str) -> list[dict[str, Any]]:
    return [
        {"name": each, "in": "query", "description": PARAMETERS[each][0],
         "schema": PARAMETERS[each][1]}
        for each in READS.get(name, ())
    ]  # fmt: skip


def _responses(
    handler: HTTPRouteHandler, method: str, address: str, by_type: Mapping[Any, Any]
) -> dict[str, Any]:
    failed = {status: _failed(*said) for status, said in _FAILURES.items()}
    failed["4XX"] = _failed("Refused.", {"title": ["This field is required."]})
    example = examples().get(f"{method} {address}")
    status = str(example["status"] if example else handler.status_code)
    if status == "204":
        return {status: {"description": "Done."}, **failed}

    if handler.fn.__name__ == "chart":
        image: dict[str, Any] = {"image/png": {}, "image/svg+xml": {}}
        return {"200": {"description": "An image.", "content": image}, **failed}

    body = example["body"] if example else None
    kind = _answer_type(handler)
    schema = by_type[kind] if kind is not None else _certain(schema_of(body))
    content: dict[str, Any] = {"schema": schema}
    if example:
        content["example"] = body
    answered = {"description": "The answer.", "content": {"application/json": content}}
    empty = {"204": {"description": "There is none."}} if handler.opt.get("may_be_empty") else {}
    return {status: answered, **empty, "2XX": answered, **failed}


# What is said of failures, and an example of each.
_FAILURES: Mapping[str, tuple[str, Any]] = {
    "400": (
        "A parameter or the body is wrong.",
        {"detail": "Invalid date range: statsPeriod 'x' is not a period such as 14d, 24h, 30m"},
    ),
    "401": (
        "Nobody is known by the token.", {"detail": "Authentication credentials were not provided."}
    ),
    "403": (
        "The token may not do that.",
        {"detail": "You do not have permission to perform this action."},
    ),
    "404": ("It is not there.", {"detail": "The requested resource does not exist"}),
    "5XX": (
        "The service failed.",
        {"detail": "Internal Error", "errorId": "0123456789abcdef0123456789abcdef"},
    ),
}  # fmt: skip


def _failed(description: str, example: Any) -> dict[str, Any]:
    failure = {"oneOf": [{"$ref": REF.format(name="Failure")},
                         {"$ref": REF.format(name="FieldFailure")}]}  # fmt: skip
    content = {"application/json": {"schema": failure, "example": example}}
    return {"description": description, "content": content}


def _certain(schema: dict[str, Any]) -> dict[str, Any]:
    """An answer itself is never null."""
    kind = schema.get("type")
    return {**schema, "type": kind[0]} if isinstance(kind, list) else schema


def _answer_type(handler: HTTPRouteHandler) -> Any:
    """Find the struct (or list of structs) that a handler answers with; None for bare bytes."""
    annotation = handler.parsed_fn_signature.return_type.annotation
    inner = get_args(annotation)[0] if get_origin(annotation) is Response else None
    return None if inner in {None, bytes} else inner


def _paths(handler: HTTPRouteHandler) -> list[str]:
    return sorted(handler.paths)


def _address(path: str) -> str:
    """`/api/0/x/{org:str}` → `/api/0/x/{org}/`, as clients write it."""
    end = "" if path.endswith((".png", ".svg")) else "/"
    return _PARAMETER.sub(r"{\1}", path).rstrip("/") + end
