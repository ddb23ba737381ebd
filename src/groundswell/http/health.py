"""Is it alive, does it answer, and what does it count: /healthz, /readyz, /metrics."""

from __future__ import annotations

import asyncio
from typing import Any

from litestar import Request, Response, get
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from groundswell.errors import GroundswellError
from groundswell.http.failures import json_response
from groundswell.http.requests import services_of
from groundswell.telemetry import REGISTRY

READY_TIMEOUT_S = 1.0


@get(
    ["/healthz", "/_health", "/health", "/api/relay/healthcheck/live", "/api/0/relays/live"],
    include_in_schema=False,
    opt={"access": "public"},
)
async def healthz() -> Response[bytes]:
    """Say that the process is alive; touches nothing else."""
    return json_response({"healthy": True})


@get(
    ["/readyz", "/health/ready", "/api/relay/healthcheck/ready"],
    include_in_schema=False,
    opt={"access": "public"},
)
async def readyz(request: Request[Any, Any, Any]) -> Response[bytes]:
    """Say whether events are accepted and questions answered.

    `waiting` counts accepted items that cannot be queried yet; `warnings` are no problem so far.
    """
    services = services_of(request)
    problems = []
    try:
        async with asyncio.timeout(READY_TIMEOUT_S):
            await services.engine.ping()
    except (GroundswellError, TimeoutError) as error:
        problems.append(f"store: {str(error) or 'no answer in time'}")
    refusal = services.ingest.refusal()
    if refusal is not None:
        problems.append(f"ingest: {refusal}")
    ready = not problems
    warning = services.ingest.warning()
    body = {
        "ready": ready,
        "waiting": services.ingest.waiting(),
        "problems": problems,
        "warnings": [warning] if warning else [],
    }
    return json_response(body, 200 if ready else 503)


@get("/metrics", include_in_schema=False, opt={"access": "public"})
async def metrics() -> Response[bytes]:
    """Give the counters of this process to Prometheus."""
    return Response(content=generate_latest(REGISTRY), media_type=CONTENT_TYPE_LATEST)


ROUTES = [healthz, readyz, metrics]
