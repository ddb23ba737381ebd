"""Outcomes over time: what was accepted, filtered, limited, invalid or discarded."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from groundswell.errors import UserError
from groundswell.model.tenancy import Project, Scope
from groundswell.stats import parameters
from groundswell.stats.parameters import Params
from groundswell.store.outcomes import GROUPS, OutcomeQuestion, count_outcomes
from groundswell.timeframe import parse_period, parse_range

if TYPE_CHECKING:
    from groundswell.store.engine import Engine

FIELDS = ("sum(quantity)", "sum(times_seen)")
OUTCOMES = ("accepted", "filtered", "rate_limited", "invalid", "abuse", "client_discard",
            "cardinality_limited")  # fmt: skip
MAX_POINTS = 10_000
MIN_WIDTH_S = 60
HOUR_S = 3600


@dataclass(frozen=True, slots=True)
class OutcomesRequest:
    """A question for outcomes, its times on the grid."""

    projects: tuple[Project, ...]
    fields: tuple[str, ...]
    groups: tuple[str, ...]
    start: int
    end: int
    width: int
    categories: tuple[str, ...] = ()
    outcomes: tuple[str, ...] = ()
    reasons: tuple[str, ...] = ()


def parse_outcomes(
    params: Params, scope: Scope, now: datetime, retention: timedelta
) -> OutcomesRequest:
    """Read the parameters of `stats_v2`. Raises UserError that names the parameter."""
    window = parse_range(params, now=now, retention=retention)
    projects = parameters.projects(params, scope)
    fields = parameters.texts(params, "field")
    if not fields:
        raise UserError(f"field is needed: {' or '.join(FIELDS)}", code="no_field", field="field")

    _one_of("field", fields, FIELDS)
    groups = parameters.texts(params, "groupBy")
    _one_of("groupBy", groups, tuple(GROUPS))
    outcomes = parameters.texts(params, "outcome")
    _one_of("outcome", outcomes, OUTCOMES)
    width = _width(parameters.first(params, "interval"), window.seconds)
    return OutcomesRequest(
        projects,
        fields,
        groups,
        int(window.start.timestamp()) // width * width,
        -(-int(window.end.timestamp()) // width) * width,
        width,
        parameters.texts(params, "category"),
        outcomes,
        parameters.texts(params, "reason"),
    )


async def outcomes_body(engine: Engine, asked: OutcomesRequest) -> dict[str, Any]:
    """Answer `{start, end, intervals, groups}`; every number is whole."""
    times = range(asked.start, asked.end, asked.width)
    rows: Sequence[tuple[tuple[str | int, ...], int, int]] = ()
    if asked.projects:
        rows = await count_outcomes(
            engine,
            OutcomeQuestion(
                [int(project.id) for project in asked.projects],
                asked.start,
                asked.end,
                asked.width,
                asked.groups,
                {
                    "category": asked.categories,
                    "outcome": asked.outcomes,
                    "reason": asked.reasons,
                },
            ),
        )
    series: dict[tuple[str | int, ...], list[int]] = {}
    if not asked.groups and asked.projects:
        series[()] = [0] * len(times)
    for group, at, quantity in rows:
        values = series.setdefault(group, [0] * len(times))
        values[(at - asked.start) // asked.width] += quantity
    return {
        "start": _stamp(asked.start),
        "end": _stamp(asked.end),
        "intervals": [_stamp(at) for at in times],
        "groups": [
            {
                "by": dict(zip(asked.groups, group, strict=True)),
                "totals": dict.fromkeys(asked.fields, sum(values)),
                "series": dict.fromkeys(asked.fields, values),
            }
            for group, values in sorted(series.items(), key=lambda pair: str(pair[0]))
        ],
    }


def _width(text: str | None, seconds: float) -> int:
    width = HOUR_S if text is None else parse_period(text)
    if width is None or width < MIN_WIDTH_S or width % MIN_WIDTH_S:
        raise UserError(
            f"interval must be a number of whole minutes such as 1h, got {text!r}",
            code="bad_interval",
            field="interval",
        )

    if seconds / width > MAX_POINTS:
        raise UserError(
            f"interval {text!r} gives more than {MAX_POINTS} points", code="too_many_points",
            field="interval",
        )  # fmt: skip

    return int(width)


def _one_of(name: str, values: Sequence[str], allowed: Sequence[str]) -> None:
    for value in values:
        if value not in allowed:
            raise UserError(
                f"{name} must be one of {', '.join(allowed)}; got {value!r}", code="unknown_word",
                field=name,
            )  # fmt: skip


def _stamp(at: int) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
