"""The environments that a request names, each known from some event."""

from __future__ import annotations

from typing import Any

from litestar import Request

from groundswell.http.requests import multi, now, services_of
from groundswell.model.tenancy import Scope
from groundswell.stats import parameters
from groundswell.stats.datasets import source_of
from groundswell.stats.request import Asking
from groundswell.timeframe import TimeRange


async def environments_of(
    request: Request[Any, Any, Any], scope: Scope, window: TimeRange
) -> tuple[str, ...]:
    """Read them. Raises NotFound where the caller may see no event of one."""
    names = parameters.environments(multi(request))
    if any(names) and scope.projects:
        statistics = services_of(request).statistics
        source = source_of(None, "", ())
        asking = Asking(
            scope, source, window, scope.projects, names, retention=statistics.retention, now=now()
        )
        await statistics.require_environments(asking)
    return names
