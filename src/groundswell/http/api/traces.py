"""Traces: the tree of spans with the errors in them, and how much there is of each."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

from litestar import Request, Response, get
from litestar.params import FromPath

from groundswell.errors import NotFound
from groundswell.http.failures import json_response
from groundswell.http.requests import caller_scope, multi, now, services_of
from groundswell.model.tenancy import Scope
from groundswell.stats import parameters
from groundswell.store.events import TraceReader
from groundswell.timeframe import parse_range

ORGANIZATION = "/api/0/organizations/{org:str}/"
MAX_SPANS = 10_000
MAX_ERRORS = 1_000
_HEX = frozenset("0123456789abcdef")
_NO_ID = "0" * 32


@get(ORGANIZATION + "trace/{trace:str}/", opt={"access": "org:read", "feature": "performance-view"})
async def trace(
    request: Request[Any, Any, Any], org: FromPath[str], trace: FromPath[str]
) -> Response[bytes]:
    """Give the spans of a trace as trees; errors stand at their span, or by themselves."""
    scope = await caller_scope(request, org)
    reader = _reader(request, scope, trace)
    params = multi(request)
    limit = parameters.whole(params, "limit", "a whole number") or MAX_SPANS
    limit = max(1, min(limit, MAX_SPANS))
    transactions, spans, errors = await asyncio.gather(
        reader.transactions(limit), reader.spans(limit), reader.errors(MAX_ERRORS)
    )
    slugs = {int(project.id): project.slug for project in scope.projects}
    # A root that was sent as a span and as a transaction is one node.
    rows = sorted(
        {row["span_id"]: row for row in (*spans, *transactions)}.values(),
        key=lambda row: row["start_timestamp"],
    )
    nodes = {row["span_id"]: _node(row, slugs) for row in rows}
    roots: list[dict[str, Any]] = []
    for row in rows:
        parent = nodes.get(row["parent_span_id"]) if row["parent_span_id"] else None
        node = nodes[row["span_id"]]
        into = parent["children"] if parent is not None and parent is not node else roots
        into.append(node)
    for row in errors:
        error = _error(row, slugs)
        at = nodes.get(row["span_id"])
        if at is not None:
            at["errors"].append(error)
        else:
            roots.append(error)
    return json_response(roots)


@get(
    ORGANIZATION + "trace-meta/{trace:str}/",
    opt={"access": "org:read", "feature": "performance-view"},
)
async def trace_meta(
    request: Request[Any, Any, Any], org: FromPath[str], trace: FromPath[str]
) -> Response[bytes]:
    """Count the spans and errors of a trace."""
    scope = await caller_scope(request, org)
    reader = _reader(request, scope, trace)
    by_op, by_transaction, errors = await asyncio.gather(
        reader.spans_by_op(), reader.spans_by_transaction(), reader.error_count()
    )
    children = [
        {"transaction.event_id": None if id == _NO_ID else id, "count()": count}
        for id, count in by_transaction.items()
    ]
    return json_response(
        {
            "logs": 0,
            "errors": errors,
            "performance_issues": 0,
            "span_count": sum(by_op.values()),
            "span_count_map": by_op,
            "transaction_child_count_map": children,
        }
    )


def _reader(request: Request[Any, Any, Any], scope: Scope, trace: str) -> TraceReader:
    trace = trace.replace("-", "").lower()
    if len(trace) != 32 or set(trace) - _HEX:
        raise NotFound("A trace id has 32 hexadecimal digits")

    services = services_of(request)
    params = multi(request)
    window = parse_range(params, now=now(), retention=services.statistics.retention)
    projects = parameters.projects(params, scope)
    return TraceReader(
        services.engine,
        [int(project.id) for project in projects],
        trace,
        round(window.start.timestamp() * 1000),
        round(window.end.timestamp() * 1000),
    )


def _node(row: Mapping[str, Any], slugs: Mapping[int, str]) -> dict[str, Any]:
    start, end = row["start_timestamp"].timestamp(), row["timestamp"].timestamp()
    return {
        "children": [],
        "errors": [],
        "occurrences": [],
        "event_id": f"{row['span_id']:016x}",
        "span_id": f"{row['span_id']:016x}",
        "transaction_id": row["transaction_id"].hex,
        "parent_span_id": f"{row['parent_span_id']:016x}" if row["parent_span_id"] else None,
        "project_id": int(row["project_id"]),
        "project_slug": slugs.get(row["project_id"], ""),
        "profile_id": row["profile_id"].hex if row["profile_id"].int else "",
        "profiler_id": "",
        "start_timestamp": start,
        "end_timestamp": end,
        "duration": row["duration"],
        "measurements": {},
        "transaction": row["transaction"],
        "is_transaction": bool(row["is_segment"]),
        "description": row["description"],
        "sdk_name": row["sdk_name"],
        "op": row["op"],
        "name": row["op"],
        "status": row["status"] or None,
        "event_type": "span",
        "additional_attributes": {},
    }


def _error(row: Mapping[str, Any], slugs: Mapping[int, str]) -> dict[str, Any]:
    at = row["timestamp"].timestamp()
    return {
        "event_id": row["event_id"].hex,
        "id": row["event_id"].hex,
        "issue_id": int(row["group_id"]),
        "project_id": int(row["project_id"]),
        "project_slug": slugs.get(row["project_id"], ""),
        "title": row["title"],
        "message": row["message"],
        "description": row["title"],
        "culprit": row["culprit"],
        "level": row["level"],
        "transaction": row["transaction"],
        "event_type": "error",
        "type": "error",
        "start_timestamp": at,
        "end_timestamp": at,
        "timestamp": at,
    }


ROUTES = [trace, trace_meta]
