"""What is asked (`Question`) and what it compiles to (`Statement`): the compiler's two edges."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import TypeAlias

from groundswell.model.tenancy import ProjectId
from groundswell.timeframe import TimeRange

Param: TypeAlias = str | int | float | list[str] | list[int] | list[float]


class Dataset(StrEnum):
    """Which rows a question is about. Aliases of clients are resolved before this point."""

    DISCOVER = "discover"
    ERRORS = "errors"
    TRANSACTIONS = "transactions"
    SPANS = "spans"
    FUNCTIONS = "profileFunctions"


@dataclass(frozen=True, slots=True)
class Limits:
    """Limits a user can feel; going over one is a UserError that names it."""

    max_length: int = 4096
    max_terms: int = 100
    max_depth: int = 32
    max_fields: int = 20
    max_columns: int = 60


@dataclass(frozen=True, slots=True)
class Groups:
    """The groups that a series question is split by.

    columns: as typed. rows: one tuple of raw values per group, in order of rank; None is an absent
    value. with_other: rows outside the list come back too, as rank `len(rows)`.
    """

    columns: tuple[str, ...]
    rows: tuple[tuple[object, ...], ...]
    with_other: bool = True


@dataclass(frozen=True, slots=True)
class Question:
    """One question, before its words are understood.

    select: fields, functions and `equation|…`, as typed. order_by: likewise, `-` for descending.
    interval_s: bucket width; None asks for a table, a number for a series (bucket starts come
    back as unix seconds in the output named `time`).
    groups: series only. comparison_shift_s: series only; the same numbers of the period that lies
    so many seconds back come in the same statement.
    aggregate_conditions: whether conditions on aggregates in `search` count (HAVING) or are noted
    and skipped. auto_aggregations: allow conditions on aggregates that are not selected.
    auto_fields: add `id` and `project.name` (and `issue.id` beside `issue`) as the table does.
    now: what relative dates in the search count from; None: the end of the window.
    span_column: what functions of spans take where no column is given.
    estimated_above: the rows above which values are too many to keep; given where the range has
    more, and then quantiles are by a t-digest.
    """

    dataset: Dataset
    window: TimeRange
    projects: tuple[ProjectId, ...]
    select: tuple[str, ...]
    search: str = ""
    environments: tuple[str, ...] = ()
    order_by: tuple[str, ...] = ()
    limit: int | None = None
    offset: int = 0
    interval_s: int | None = None
    groups: Groups | None = None
    comparison_shift_s: int | None = None
    aggregate_conditions: bool = True
    auto_aggregations: bool = True
    auto_fields: bool = False
    extrapolate: bool = False
    limits: Limits = Limits()
    now: datetime | None = None
    span_column: str = "span.self_time"
    estimated_above: int | None = None


@dataclass(frozen=True, slots=True)
class Output:
    """One column of the answer.

    name: as typed; alias: by the alias rule (`p95_transaction_duration`); column: its name in the
    result. type, unit: meta type and unit. comparison: the column of the shifted period.
    decode: how raw values become API values: "plain", "date" (ISO 8601), "uuid", "span_id",
    "project" (id → slug), "issue" (id → short id), "array", "boolean".
    hidden: selected only to compute something else.
    """

    name: str
    alias: str
    column: str
    type: str
    unit: str | None = None
    is_aggregate: bool = False
    decode: str = "plain"
    comparison: str | None = None
    hidden: bool = False


@dataclass(frozen=True, slots=True)
class Statement:
    """One SELECT with bound values, and how to read its answer.

    rank: column that holds the rank of the group in a series split by groups (0-based; the number
    of groups for Other), None otherwise.
    notes: warnings for people; tips: {"query": …} suggestions. table: the tables that are read,
    joined by "+"; projects and window: whose rows of when. keeps_values: whether it has
    exact quantiles, for which every value of a column is kept in memory.
    """

    sql: str
    params: Mapping[str, Param]
    outputs: tuple[Output, ...]
    rank: str | None = None
    notes: tuple[str, ...] = ()
    tips: Mapping[str, str | None] | None = None
    table: str = ""
    projects: tuple[int, ...] = ()
    window: TimeRange | None = None
    keeps_values: bool = False

    @property
    def key(self) -> tuple[object, ...]:
        """Identity of the question for caches and shared flights: text and bound values."""
        return (
            self.sql,
            tuple(
                sorted(
                    (name, tuple(value) if isinstance(value, list) else value)
                    for name, value in self.params.items()
                )
            ),
        )
