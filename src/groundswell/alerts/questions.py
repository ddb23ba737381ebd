"""Rules → questions to the statistics; rules that look at the same rows share one question."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, TypeAlias

from groundswell.alerts.validate import DATASETS
from groundswell.model.alerts import Detection, Rule
from groundswell.model.tenancy import ProjectId, Scope
from groundswell.query.question import Dataset, Groups, Output, Question
from groundswell.query.sql.patterns import quoted
from groundswell.stats.decode import UNKNOWN_ISSUE, Names, cell
from groundswell.stats.statistics import Answered, Statistics
from groundswell.timeframe import TimeRange

MAX_GROUPS = 1000
COUNT = "count()"
TIME = "time"

# Numbers by their functions.
Row: TypeAlias = Mapping[str, float | None]


@dataclass(frozen=True, slots=True)
class Subject:
    """What a rule looks at, apart from its number: rules with one subject share a query."""

    dataset: Dataset
    projects: tuple[ProjectId, ...]
    search: str
    environment: str | None
    window_s: int
    group_by: str | None


@dataclass(frozen=True, slots=True)
class Group:
    """One value that a rule splits by: as people and searches know it, and as the store does."""

    name: str
    raw: object


def subject_of(rule: Rule) -> Subject:
    return Subject(
        dataset=Dataset(DATASETS[rule.dataset]),
        projects=tuple(sorted(rule.projects)),
        search=_search(rule),
        environment=rule.environment,
        window_s=rule.window_s,
        group_by=rule.group_by,
    )


def in_group(subject: Subject, group: str) -> Subject:
    """Look at one group of a subject alone."""
    if not group or not subject.group_by:
        return subject

    only = f"{subject.group_by}:{quoted(group)}"
    joined = f"({subject.search}) {only}" if subject.search.strip() else only
    return replace(subject, search=joined, group_by=None)


def _search(rule: Rule) -> str:
    kinds = set(rule.event_types) & {"error", "default"}
    if DATASETS[rule.dataset] != "errors" or len(kinds) != 1:
        return rule.query

    only = f"event.type:{kinds.pop()}"
    return f"{only} ({rule.query})" if rule.query.strip() else only


def between(start: int, end: int) -> TimeRange:
    return TimeRange(datetime.fromtimestamp(start, UTC), datetime.fromtimestamp(end, UTC))


def narrowed(scope: Scope, subject: Subject) -> tuple[ProjectId, ...]:
    """Give the projects of a subject that still exist."""
    known = {project.id for project in scope.projects}
    return tuple(id for id in subject.projects if id in known)


def question(
    subject: Subject, scope: Scope, window: TimeRange, select: Sequence[str], **more: Any
) -> Question:
    """Ask about one time range."""
    return Question(
        dataset=subject.dataset,
        window=window,
        projects=narrowed(scope, subject),
        select=tuple(dict.fromkeys(select)),
        search=subject.search,
        environments=(subject.environment,) if subject.environment else (),
        aggregate_conditions=False,
        **more,
    )


async def ask_values(
    statistics: Statistics, subject: Subject, scope: Scope, window: TimeRange, select: Sequence[str]
) -> dict[str, Row]:
    """Give the numbers of one window, by group ("" where the subject has none)."""
    if not narrowed(scope, subject):
        return {} if subject.group_by else {"": {}}

    if subject.group_by is None:
        answered = await statistics.ask(question(subject, scope, window, select), scope)
        return {"": _row(answered, select, 0)}

    columns = (subject.group_by, *select)
    asked = question(subject, scope, window, columns, order_by=(f"-{select[0]}",), limit=MAX_GROUPS)
    answered = await statistics.ask(asked, scope)
    groups = await _groups_of(answered, subject.group_by, statistics, scope)
    return {one.name: _row(answered, select, n) for n, one in enumerate(groups) if one is not None}


async def ask_series(
    statistics: Statistics,
    subject: Subject,
    scope: Scope,
    window: TimeRange,
    select: Sequence[str],
    *,
    width_s: int | None = None,
) -> dict[int, Row]:
    """Give the numbers of every window that had events, by its start; the ends lie on the grid."""
    if not narrowed(scope, subject):
        return {}

    asked = question(subject, scope, window, select, interval_s=width_s or subject.window_s)
    answered = await statistics.ask(asked, scope)
    starts = answered.columns[TIME]
    return {int(start): _row(answered, select, n) for n, start in enumerate(starts)}


async def leading_groups(
    statistics: Statistics,
    subject: Subject,
    scope: Scope,
    window: TimeRange,
    select: Sequence[str],
    most: int,
) -> list[Group]:
    """List the groups with the largest first number."""
    if subject.group_by is None or not narrowed(scope, subject):
        return []

    columns = (subject.group_by, *select)
    asked = question(subject, scope, window, columns, order_by=(f"-{select[0]}",), limit=most)
    answered = await statistics.ask(asked, scope)
    groups = await _groups_of(answered, subject.group_by, statistics, scope)
    return [one for one in groups if one is not None]


async def ask_group_series(
    statistics: Statistics,
    subject: Subject,
    scope: Scope,
    window: TimeRange,
    select: Sequence[str],
    groups: Sequence[Group],
) -> dict[str, dict[int, Row]]:
    """Give the numbers of every window of these groups, by group and start."""
    if subject.group_by is None or not groups:
        return {}

    rows = tuple((group.raw,) for group in groups)
    split = Groups((subject.group_by,), rows, with_other=False)
    asked = question(subject, scope, window, select, interval_s=subject.window_s, groups=split)
    answered = await statistics.ask(asked, scope)
    rank = answered.statement.rank
    assert rank is not None, "a statement with groups has a rank"
    found: dict[str, dict[int, Row]] = {group.name: {} for group in groups}
    places = zip(answered.columns[rank], answered.columns[TIME], strict=True)
    for n, (place, start) in enumerate(places):
        found[groups[int(place)].name][int(start)] = _row(answered, select, n)
    return found


def judged(rule: Rule, now: Row, before: Row | None,
           ) -> float | None:  # fmt: skip
    """Make the number that is judged from the numbers of a window and of the compared one.

    None: too little traffic, or no number at all. For a rule about a change it is a percentage.
    """
    if rule.minimum and (now.get(COUNT) or 0) < rule.minimum:
        return None

    value = now.get(rule.aggregate)
    if value is None and rule.is_additive:
        value = 0.0
    if rule.delta_min is None or value is None:
        return value

    other = (before or {}).get(rule.aggregate)
    return None if not other else value / other * 100


def selected(rules: Sequence[Rule]) -> tuple[str, ...]:
    """List what rules of one subject ask for."""
    names = dict.fromkeys(rule.aggregate for rule in rules)
    if any(rule.minimum or rule.detection is Detection.DYNAMIC for rule in rules):
        names[COUNT] = None
    return tuple(names)


async def _groups_of(
    answered: Answered, column: str, statistics: Statistics, scope: Scope
) -> list[Group | None]:
    """Name the groups of a table as a search finds them; None where there is no value."""
    output = next(o for o in answered.statement.outputs if o.name == column)
    names = await statistics.names(scope, answered.statement, answered.columns)
    return [_group(output, raw, names) for raw in answered.columns[output.column]]


def _group(output: Output, raw: Any, names: Names) -> Group | None:
    if raw is None or raw in ("", []) or (output.decode == "issue" and not raw):
        return None

    shown = cell(output, raw, names)
    if shown is None or shown == UNKNOWN_ISSUE:
        shown = raw
    if isinstance(shown, list):
        shown = ", ".join(map(str, shown))
    return Group(str(shown), raw)


def _column(answered: Answered, name: str) -> Sequence[Any]:
    column = next(o.column for o in answered.statement.outputs if o.name == name)
    return answered.columns[column]


def _row(answered: Answered, select: Sequence[str], n: int) -> Row:
    found: dict[str, float | None] = {}
    for name in select:
        column = _column(answered, name)
        found[name] = _number(column[n]) if n < len(column) else None
    return found


def _number(value: Any) -> float | None:
    if value is None or isinstance(value, str | list | bool):
        return None

    number = float(value)
    return number if math.isfinite(number) else None
