"""The health of sessions: sessions are not kept here, so every answer is a grid without groups."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from groundswell.errors import UserError
from groundswell.model.tenancy import Scope
from groundswell.stats import parameters
from groundswell.stats.parameters import Params
from groundswell.timeframe import parse_period, parse_range

MAX_INTERVALS = 10_000
MIN_WIDTH_S = 10
HOUR_S = 3600


def no_sessions(params: Params, scope: Scope, now: datetime, retention: timedelta) -> Any:
    """Answer `{start, end, intervals, groups}`. Raises UserError that names the parameter."""
    window = parse_range(params, now=now, retention=retention)
    parameters.projects(params, scope)
    if not parameters.texts(params, "field"):
        raise UserError("field is needed, such as sum(session)", code="no_field", field="field")

    width = _width(parameters.first(params, "interval"), window.seconds)
    start = int(window.start.timestamp()) // width * width
    end = -(-int(window.end.timestamp()) // width) * width
    return {
        "start": _stamp(start),
        "end": _stamp(end),
        "intervals": [_stamp(at) for at in range(start, end, width)],
        "groups": [],
    }


def _width(text: str | None, seconds: float) -> int:
    width = HOUR_S if text is None else parse_period(text)
    if width is None or width < MIN_WIDTH_S or seconds / width > MAX_INTERVALS:
        raise UserError(
            f"interval must be a width such as 1h of at least {MIN_WIDTH_S}s that gives at most "
            f"{MAX_INTERVALS} intervals, got {text!r}",
            code="bad_interval",
            field="interval",
        )

    return int(width)


def _stamp(at: int) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
