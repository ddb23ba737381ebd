"""Tags of events: their keys, their most frequent values, and the values of one key."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from groundswell.model.tenancy import Project, Scope
from groundswell.query.question import Dataset, Limits, Question
from groundswell.query.registry.fields import FIELDS
from groundswell.store import tags as store
from groundswell.store.tags import Counted, TagRows
from groundswell.timeframe import TimeRange

if TYPE_CHECKING:
    from groundswell.stats.statistics import Statistics
    from groundswell.store.engine import Engine

MAX_VALUES = 1_000
# Where a search finds fewer events than that in a part, one so many times as large is read.
ENOUGH = 1_000
LARGER = 16
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


@dataclass(frozen=True, slots=True)
class _Part:
    """What was found in a part of the rows, in how many of them, and how large that part is."""

    found: list[Counted]
    seen: int
    share: float
    rows: TagRows


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
    for part in await asyncio.gather(*(_read(engine, rows, store.read_keys) for rows in asked)):
        for each in part.found:
            into = found.setdefault(each.key, _Sum())
            into.seen += round(each.seen / part.share)
            into.different = max(into.different, each.different)
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
    for part, owners in await asyncio.gather(*(_values(engine, rows) for rows in asked)):
        shares.append(part.share)
        for each in part.found:
            into = found.setdefault(each.key, {})
            into[each.value] = into.get(each.value, 0) + round(each.seen / part.share)
        for project, seen in owners.items():
            into = found.setdefault("project", {})
            into[str(project)] = into.get(str(project), 0) + seen
    slugs = {str(project.id): project.slug for project in projects}
    return Facets(
        tuple(_tag(key, values, slugs) for key, values in sorted(found.items())),
        min(shares, default=1.0),
    )


def _tag(key: str, values: dict[str, int], slugs: dict[str, str]) -> Tag:
    ordered = sorted(values.items(), key=lambda pair: (-pair[1], pair[0]))[: store.TOP_VALUES]
    names = slugs if key == "project" else {}
    top = tuple((names.get(value, value), value, seen) for value, seen in ordered)
    return Tag(key, sum(values.values()), len(values), top)


async def _values(engine: Engine, rows: TagRows) -> tuple[_Part, dict[int, int]]:
    """Find the values; the projects are counted in full where no search says which events."""
    if rows.events is None:
        part, owners = await asyncio.gather(
            _read(engine, rows, store.read_top_values), store.count_by_project(engine, rows)
        )
        total = sum(owners.values())
        return replace(part, share=min(1.0, part.seen / total) if part.seen else 1.0), owners

    part = await _read(engine, rows, store.read_top_values)
    owners = await store.count_by_project(engine, part.rows)
    return part, {project: round(seen / part.share) for project, seen in owners.items()}


async def _read(
    engine: Engine, rows: TagRows, read: Callable[[Engine, TagRows], Awaitable[list[Counted]]]
) -> _Part:
    """Read a part that is small enough, and a larger one where a search finds too little in it."""
    part = await store.part_of(engine, rows)
    found = await read(engine, part)
    if part.one_of > 1 and _seen(found) < ENOUGH:
        part = replace(part, one_of=max(1, part.one_of // LARGER))
        found = await read(engine, part)
    named = [each for each in found if each.key != store.EVERY]
    return _Part(named, _seen(found), part.share, part)


def _seen(found: Sequence[Counted]) -> int:
    return next((each.seen for each in found if each.key == store.EVERY), 0)


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
            window,
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
    return replace(rows, events=statement.sql, events_params=statement.params)


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
