"""Tags of events: their keys, their most frequent values, and the values of one key."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from groundswell.model.tenancy import Project, Scope
from groundswell.query.fields import FIELDS
from groundswell.query.question import Dataset, Limits, Question
from groundswell.store import tags as store
from groundswell.store.tags import TagRows
from groundswell.timeframe import TimeRange

if TYPE_CHECKING:
    from groundswell.stats.statistics import Statistics
    from groundswell.store.engine import Engine

TOP_VALUES = 10
MAX_VALUES = 1_000
_TABLES = {
    Dataset.DISCOVER: (Dataset.ERRORS, Dataset.TRANSACTIONS),
    Dataset.ERRORS: (Dataset.ERRORS,),
    Dataset.TRANSACTIONS: (Dataset.TRANSACTIONS,),
    Dataset.SPANS: (Dataset.SPANS,),
    Dataset.FUNCTIONS: (),
}
_NAMES = {"os": "OS", "os.name": "OS Name", "url": "URL", "user": "User", "dist": "Distribution"}


@dataclass(frozen=True, slots=True)
class Tag:
    """One key: how many events have it, how many values it has, the most frequent of them.

    top: (name, value, events).
    """

    key: str
    seen: int
    different: int = 0
    top: tuple[tuple[str, str, int], ...] = ()

    @property
    def name(self) -> str:
        return name_of(self.key)

    def brief(self) -> dict[str, Any]:
        """Give the key as a list of keys shows it."""
        return {
            "key": self.key, "name": self.name, "totalValues": self.seen,
            "uniqueValues": self.different,
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class Facets:
    """Tags with values; `share` < 1: read from so much of the events and scaled up."""

    tags: tuple[Tag, ...] = ()
    share: float = 1.0


@dataclass(slots=True)
class _Sum:
    seen: int = 0
    different: int = 0
    top: dict[str, int] = field(default_factory=dict)


def name_of(key: str) -> str:
    """Give the name that people read: `browser.name` → "Browser Name"."""
    return _NAMES.get(key) or key.replace("_", " ").replace(".", " ").title()


async def tag_keys(
    statistics: Statistics, engine: Engine, scope: Scope, projects: Sequence[Project],
    window: TimeRange, *, dataset: Dataset = Dataset.ERRORS, search: str = "",
    environments: tuple[str, ...] = (), issue_id: int | None = None,
) -> list[Tag]:  # fmt: skip
    """List the keys of tags, by name."""
    asked = await _rows(
        statistics, scope, projects, window, dataset, search, environments, issue_id
    )
    found: dict[str, _Sum] = {}
    for share, keys in await asyncio.gather(*(_keys(engine, rows) for rows in asked)):
        for key, seen, different in keys:
            into = found.setdefault(key, _Sum())
            into.seen += round(seen / share)
            into.different = max(into.different, different)
    return [Tag(key, each.seen, each.different) for key, each in sorted(found.items())]


async def facets(
    statistics: Statistics, engine: Engine, scope: Scope, projects: Sequence[Project],
    window: TimeRange, *, dataset: Dataset = Dataset.DISCOVER, search: str = "",
    environments: tuple[str, ...] = (), issue_id: int | None = None,
) -> Facets:  # fmt: skip
    """List the keys with their most frequent values, by key; the projects are one of the keys."""
    asked = await _rows(
        statistics, scope, projects, window, dataset, search, environments, issue_id
    )
    found: dict[str, dict[str, int]] = {}
    shares = []
    for share, values, owners in await asyncio.gather(*(_values(engine, each) for each in asked)):
        shares.append(share)
        for key, value, seen in values:
            into = found.setdefault(key, {})
            into[value] = into.get(value, 0) + round(seen / share)
        for project, seen in owners:
            into = found.setdefault("project", {})
            into[str(project)] = into.get(str(project), 0) + round(seen / share)
    slugs = {str(project.id): project.slug for project in projects}
    return Facets(
        tuple(_tag(key, values, slugs) for key, values in sorted(found.items())),
        min(shares, default=1.0),
    )


def _tag(key: str, values: dict[str, int], slugs: dict[str, str]) -> Tag:
    ordered = sorted(values.items(), key=lambda pair: (-pair[1], pair[0]))[:TOP_VALUES]
    names = slugs if key == "project" else {}
    top = tuple((names.get(value, value), value, seen) for value, seen in ordered)
    return Tag(key, sum(values.values()), len(values), top)


async def _keys(engine: Engine, rows: TagRows) -> tuple[float, list[tuple[str, int, int]]]:
    total, keys = await asyncio.gather(
        store.count_rows(engine, rows), store.read_keys(engine, rows)
    )
    return _share(total), keys


async def _values(
    engine: Engine, rows: TagRows
) -> tuple[float, list[tuple[str, str, int]], list[tuple[int, int]]]:
    total, values, owners = await asyncio.gather(
        store.count_rows(engine, rows),
        store.read_top_values(engine, rows, TOP_VALUES),
        store.read_projects(engine, rows),
    )
    return _share(total), values, owners


def _share(total: int) -> float:
    return min(1.0, store.SAMPLE_ROWS / total) if total else 1.0


async def _rows(
    statistics: Statistics, scope: Scope, projects: Sequence[Project], window: TimeRange,
    dataset: Dataset, search: str, environments: tuple[str, ...], issue_id: int | None,
) -> list[TagRows]:  # fmt: skip
    tables = _TABLES[dataset] if projects else ()
    found = []
    for table in tables:
        rows = TagRows(
            table.value,
            [int(project.id) for project in projects],
            round(window.start.timestamp() * 1000),
            round(window.end.timestamp() * 1000),
            issue_id,
        )
        if search.strip() or environments:
            rows = await _narrowed(
                statistics, scope, projects, window, table, search, environments, rows
            )
        found.append(rows)
    return found


async def _narrowed(
    statistics: Statistics, scope: Scope, projects: Sequence[Project], window: TimeRange,
    table: Dataset, search: str, environments: tuple[str, ...], rows: TagRows,
) -> TagRows:  # fmt: skip
    question = Question(
        dataset=table,
        window=window,
        projects=tuple(project.id for project in projects),
        select=("id",),
        search=search,
        environments=environments,
    )
    statement = await statistics.compile(question, scope)
    return TagRows(
        rows.table, rows.projects, rows.start_ms, rows.end_ms, rows.issue_id,
        statement.sql, statement.params,
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class TagValue:
    """One value of a key, and when events had it."""

    value: str
    name: str
    count: int
    first_seen: datetime
    last_seen: datetime


async def tag_values(
    statistics: Statistics, scope: Scope, projects: Sequence[Project], window: TimeRange,
    key: str, *, dataset: Dataset = Dataset.DISCOVER, search: str = "", part: str = "",
    sort: str = "-count()", environments: tuple[str, ...] = (),
) -> list[TagValue]:  # fmt: skip
    """List the values of a key; part: what they hold.

    Raises UserError for a key that cannot be one.
    """
    if not projects or not _TABLES[dataset]:
        return []

    column = key if key in FIELDS else f"tags[{key}]"
    question = Question(
        dataset=dataset,
        window=window,
        projects=tuple(project.id for project in projects),
        select=(column, "count()", "min(timestamp)", "max(timestamp)"),
        search=search,
        environments=environments,
        order_by=(sort, column),
        limit=MAX_VALUES,
        limits=Limits(max_length=100_000),
    )
    slugs = {str(project.id): project.slug for project in scope.projects}
    found = []
    for row in await statistics.records(question, scope):
        raw = row[column]
        if raw is None or raw == "":
            continue

        value = str(raw)
        name = slugs.get(value, value) if key.startswith("project") else value
        if part.lower() in name.lower():
            found.append(
                TagValue(
                    value, name, int(row["count()"]), row["min(timestamp)"], row["max(timestamp)"]
                )
            )
    return found
