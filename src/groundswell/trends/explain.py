"""Why did a level change? Which values of which columns account for how much of the change.

One statement for all columns, one for the spans of the same transactions, one for new releases.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from math import isfinite

from groundswell.errors import UserError
from groundswell.model.tenancy import Scope
from groundswell.query.question import Dataset, Output, Question, Statement
from groundswell.query.registry.fields import FIELDS
from groundswell.query.sql.patterns import quoted
from groundswell.stats import parameters
from groundswell.stats.datasets import SOURCES
from groundswell.stats.decode import UNKNOWN_ISSUE
from groundswell.stats.parameters import Params
from groundswell.stats.statistics import Statistics
from groundswell.store import shares
from groundswell.store.shares import Sums
from groundswell.timeframe import TimeRange, parse_instant
from groundswell.trends.asked import read_asked
from groundswell.trends.basis import (
    Levels,
    basis_of,
    contribution,
    level_between,
    own,
    value,
)
from groundswell.trends.conditions import taken_out
from groundswell.trends.panel import question_of
from groundswell.trends.parts import WIDE, ExplainRequest, contrast, instant_of, shares_of
from groundswell.trends.rows import Row
from groundswell.trends.sentence import sentence

_COMMON = ("release", "environment", "http.method")
_COLUMNS: dict[Dataset, tuple[str, ...]] = {
    Dataset.TRANSACTIONS: (*_COMMON, "transaction.status", "transaction.op"),
    Dataset.DISCOVER: (*_COMMON, "transaction"),
    Dataset.ERRORS: ("issue", *_COMMON, "transaction", "level", "error.type"),
    Dataset.SPANS: ("release", "environment", "transaction", "span.op", "span.status"),
    Dataset.FUNCTIONS: ("release", "environment", "transaction"),
}
_TAGGED = frozenset({Dataset.TRANSACTIONS, Dataset.ERRORS, Dataset.SPANS})
# Tags that only say again what a column says.
_SAID_TWICE = ("level", "user", "os", "browser", "url", "dist", "transaction")
_SPAN_COLUMNS = ("span.op", "span.description")
_MOST_CAUSES, _MOST_OF_A_KIND = 40, 6
_NEAR_RELEASE = timedelta(hours=6)
_MOST_RELEASES = 10
_MOST_TAGGED_ROWS = 500_000


def parse_explain(
    params: Params, scope: Scope, now: datetime, retention: timedelta
) -> ExplainRequest | None:
    """Read the parameters; None where no project is left. The group is said by `query`.

    Raises UserError that names the parameter and what is allowed, NotAllowed.
    """
    asked = read_asked(params, scope, now, retention)
    if asked is None:
        return None

    if asked.window.start < now < asked.window.end:
        # The hours that lie ahead would thin out what comes by the minute.
        asked = replace(asked, window=TimeRange(asked.window.start, now))
    window = asked.window
    at = parse_instant(parameters.first(params, "breakpoint") or "")
    if at is None or not window.start < at < window.end:
        raise UserError(
            "breakpoint must be an instant inside the window (ISO 8601 or unix seconds)",
            field="breakpoint",
        )

    search, _ = taken_out(asked.search)
    name = parameters.first(params, "transaction")
    if name is not None:
        search = f"transaction:{quoted(name)} {search}".strip()
    asking = asked.asking((), search=search)
    function = (parameters.first(params, "trendFunction") or "").strip()
    if not function:
        function = "count()" if asking.dataset is Dataset.ERRORS else "avg(transaction.duration)"
    return ExplainRequest(asking, at, function, basis_of(function, asking.dataset))


async def explain(statistics: Statistics, request: ExplainRequest) -> Row:
    """Rank what changed with the level, and name the releases that began near it.

    Raises UserError for words that mean nothing, NotFound for an unknown environment.
    """
    await statistics.require_environments(request.asking)
    (sides, level), (near, tags) = await asyncio.gather(
        _sides(statistics, request), _tags(statistics, request)
    )
    columns = _COLUMNS[request.asking.dataset]
    (whole, by_column), tagged = await asyncio.gather(
        shares_of(statistics, request, columns, level),
        _tag_causes(statistics, near, [_tagged(key) for key in tags], level),
    )
    levels = request.levels(whole)
    basis = request.basis
    compared = value(basis, levels)
    change = _change(*compared)
    # Numbers of unequal spans are compared by the minute.
    sides = compared if basis.name in ("count", "sum") else sides
    causes = _causes(request, columns, by_column, levels) + tagged
    await _name_issues(statistics, request, causes)
    spans, releases = await asyncio.gather(
        _spans(statistics, request, levels),
        _releases(statistics, request, by_column[columns.index("release")]),
    )
    causes = _ranked([*causes, *spans])
    answer: Row = {
        "breakpoint": int(request.breakpoint.timestamp()),
        "function": request.function,
        "basis": basis.name,
        "level": level if basis.name == "beyond" else None,
        "before": {"count": whole.n1, "mean": _mean(whole.s1, whole.m1), "value": sides[0]},
        "after": {"count": whole.n2, "mean": _mean(whole.s2, whole.m2), "value": sides[1]},
        "change": _change(*sides),
        "basis_change": change,
        "causes": causes,
        "releases": releases,
    }
    return {**answer, "sentence": sentence(answer)}


async def _sides(
    statistics: Statistics, request: ExplainRequest
) -> tuple[tuple[float | None, float | None], float]:
    """Ask for the function's own value on both sides; with the level between percentiles.

    Raises UserError for a function that means nothing.
    """
    asking = request.asking
    question = replace(question_of(asking), select=(request.function,), aggregate_conditions=False)
    statement = await statistics.compile(question, asking.scope)
    (output,) = (each for each in statement.outputs if each.name == request.function)
    if not output.is_aggregate:
        raise UserError(
            f"trendFunction {request.function!r} must be a function such as p95() or count()",
            code="not_a_number",
            field="trendFunction",
        )

    if request.basis.name in ("count", "sum"):
        return (None, None), 0.0

    asked = (
        statistics.ask(replace(question, window=window), asking.scope) for window in request.halves
    )
    answers = await asyncio.gather(*asked)
    before, after = (_number(each.columns[output.column]) for each in answers)
    level = level_between(before, after) if request.basis.name == "beyond" else 0.0
    return (before, after), level


def _number(column: Sequence[object]) -> float | None:
    found = column[0] if column else None
    return float(found) if isinstance(found, int | float) and isfinite(found) else None


async def _tags(
    statistics: Statistics, request: ExplainRequest
) -> tuple[ExplainRequest, list[str]]:
    """List the tags worth comparing: frequent ones with few values, in a sample of the events.

    Of very many events those near the breakpoint are asked about, for tags are slow to read.
    """
    if request.asking.dataset not in _TAGGED:
        return request, []

    request = await _near(statistics, request)
    asking = request.asking
    question = replace(question_of(asking), select=("id",), limit=shares.TAG_SAMPLE)
    rows = await statistics.compile(question, asking.scope)
    known = (*_COLUMNS[asking.dataset], *_SAID_TWICE)
    window = asking.window
    bound = shares.tag_params(
        [int(project.id) for project in asking.projects],
        round(window.start.timestamp() * 1000),
        round(window.end.timestamp() * 1000),
        known,
    )
    sql = shares.tag_keys(rows.sql, asking.dataset.value)
    answered = await statistics.run(Statement(sql, {**rows.params, **bound}, ()), window)
    return request, [str(key) for key in answered["key"] if "]" not in str(key)]


def _tagged(key: str) -> str:
    """Name a tag as people know it: some are columns of the language (`os.name`)."""
    return key if key in FIELDS else f"tags[{key}]"


async def _tag_causes(
    statistics: Statistics, near: ExplainRequest, columns: Sequence[str], level: float
) -> list[Row]:
    if not columns:
        return []

    whole, by_column = await shares_of(statistics, near, columns, level)
    return _causes(near, columns, by_column, near.levels(whole))


async def _near(statistics: Statistics, request: ExplainRequest) -> ExplainRequest:
    """Shorten both sides alike where the projects have more events than tags are read of."""
    asking, at = request.asking, request.breakpoint
    question = replace(question_of(asking), select=("count()",), search="", environments=())
    (row,) = await statistics.records(question, asking.scope)
    part = min(1.0, _MOST_TAGGED_ROWS / max(1, int(row["count()"])))
    before, after = at - asking.window.start, asking.window.end - at
    window = TimeRange(at - before * part, at + after * part)
    return replace(request, asking=replace(asking, window=window))


def _causes(
    request: ExplainRequest,
    columns: Sequence[str],
    by_column: Sequence[dict[tuple[str, ...], Sums]],
    levels: Levels,
) -> list[Row]:
    """Give the values of columns that have several; an issue is named even where it is alone."""
    change = _change(*value(request.basis, levels))
    return [
        cause
        for name, parts in zip(columns, by_column, strict=True)
        if len(parts) > 1 or name == "issue"
        for cause in _values(request, name, parts, levels, change)
    ]


def _values(
    request: ExplainRequest,
    kind: str,
    parts: dict[tuple[str, ...], Sums],
    levels: Levels,
    change: float,
) -> list[Row]:
    whole = levels.sums
    found = []
    for (name,), part in parts.items():
        added = contribution(request.basis, levels, part)
        before, after = own(request.basis, levels, part)
        found.append(
            {
                "kind": kind,
                "value": name,
                "contribution": added,
                "share_of_change": added / change if change else None,
                "share_before": part.n1 / whole.n1 if whole.n1 else 0.0,
                "share_after": part.n2 / whole.n2 if whole.n2 else 0.0,
                "mean_before": before if part.n1 else None,
                "mean_after": after if part.n2 else None,
            }
        )
    return found


async def _name_issues(statistics: Statistics, request: ExplainRequest, causes: list[Row]) -> None:
    """Put short ids in the place of the ids of issues."""
    mine = [cause for cause in causes if cause["kind"] == "issue"]
    if not mine:
        return

    named = Statement("", {}, (Output("issue", "issue", "id", "string", decode="issue"),))
    ids = [int(cause["value"] or 0) for cause in mine]
    names = await statistics.names(request.asking.scope, named, {"id": ids})
    for cause, id in zip(mine, ids, strict=True):
        cause["issue_id"] = str(id)
        cause["value"] = names.issues.get(id, UNKNOWN_ISSUE)


async def _spans(statistics: Statistics, request: ExplainRequest, levels: Levels) -> list[Row]:
    """Say what spans of one operation and description add to a transaction, before and after.

    Self times add up to durations, so their share is that of the change of the mean.
    """
    whole = levels.sums
    of_durations = request.basis.column == "transaction.duration"
    is_level = request.basis.name in ("mean", "beyond")
    if not (of_durations and is_level and whole.m1 and whole.m2):
        return []

    rise = whole.s2 / whole.m2 - whole.s1 / whole.m1
    spans = replace(request.asking, source=SOURCES["spans"])
    try:
        _, (parts,) = await contrast(
            statistics, request, spans, _SPAN_COLUMNS, [(0, 1)], "number", 0.0, "span.self_time"
        )
    except UserError:
        # A search may use words that spans do not know.
        return []

    found = []
    for (op, description), part in parts.items():
        before, after = part.s1 / whole.n1, part.s2 / whole.n2
        found.append(
            {
                "kind": "span",
                "value": " ".join(each for each in (op, description) if each),
                "op": op,
                "description": description,
                "contribution": after - before,
                "share_of_change": (after - before) / rise if rise else None,
                "mean_before": before,
                "mean_after": after,
            }
        )
    return found


async def _releases(
    statistics: Statistics, request: ExplainRequest, parts: dict[tuple[str, ...], Sums]
) -> list[Row]:
    """Name the releases whose first event in their projects lies near the breakpoint."""
    at = request.breakpoint
    near = [
        version
        for (version,), part in parts.items()
        if version and abs(part.first - at.timestamp()) <= _NEAR_RELEASE.total_seconds()
    ]
    if not near:
        return []

    asking = request.asking
    window = TimeRange(asking.window.start, min(at + _NEAR_RELEASE, asking.window.end))
    first = "min(timestamp)"
    wanted = ", ".join(quoted(version) for version in near[:_MOST_RELEASES])
    question: Question = replace(
        question_of(replace(asking, window=window)),
        select=("release", first),
        search=f"release:[{wanted}]",
        environments=(),
        limits=WIDE,
    )
    found = []
    for row in await statistics.records(question, asking.scope):
        seen = instant_of(row[first])
        away = abs(seen - at)
        if away <= _NEAR_RELEASE:
            found.append((away, str(row["release"]), int(seen.timestamp())))
    return [{"version": version, "first_seen": seen} for _, version, seen in sorted(found)]


def _ranked(causes: list[Row]) -> list[Row]:
    """Put what accounts for most first; of each kind a few."""
    causes.sort(
        key=lambda each: (-abs(each["share_of_change"] or 0.0), each["kind"], each["value"])
    )
    kept, seen = [], dict.fromkeys((each["kind"] for each in causes), 0)
    for cause in causes:
        seen[cause["kind"]] += 1
        if seen[cause["kind"]] <= _MOST_OF_A_KIND:
            kept.append(cause)
    return kept[:_MOST_CAUSES]


def _mean(total: float, measured: int) -> float | None:
    return total / measured if measured else None


def _change(before: float | None, after: float | None) -> float:
    return (after or 0.0) - (before or 0.0)
