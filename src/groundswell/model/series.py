"""What a statistics question answers with: series on one time grid, and tables of rows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

Scalar: TypeAlias = str | int | float | bool | None
Cell: TypeAlias = Scalar | list[Scalar] | list[list[Scalar]]


@dataclass(frozen=True, slots=True)
class Series:
    """One line of a chart: `values[i]` belongs to the bucket that starts at `timestamps[i]`.

    timestamps: unix seconds, ascending, the same grid for every series of one answer.
    values: float or int; None where the aggregate has no value (the serializer decides 0 or null).
    comparison: values of the shifted period, paired by position, or None.
    axis: the aggregate as the client typed it; alias: its name by the alias rule; axis_order: its
    position in the request. group: the key of the group as clients see it ("web,TimeoutError"),
    None in a plain series. order: rank of the group, or position of the axis in a plain series.
    group_values: (column, value) in request order.
    type, unit: meta type ("duration", "integer", …) and unit ("millisecond", None).
    """

    axis: str
    timestamps: tuple[int, ...]
    values: tuple[float | int | None, ...]
    order: int = 0
    group: str | None = None
    group_values: tuple[tuple[str, Cell], ...] = ()
    is_other: bool = False
    comparison: tuple[float | int | None, ...] | None = None
    type: str = "number"
    unit: str | None = None
    alias: str = ""
    axis_order: int = 0


@dataclass(frozen=True, slots=True)
class SeriesAnswer:
    """Every series of one question. `start`, `end` are unix seconds as the API answers them.

    is_top_events: series are keyed by `group`; a series without a group is the placeholder of a
    question that found nothing. column_types: type and unit of the columns that make the groups.
    """

    series: tuple[Series, ...]
    start: int
    end: int
    interval_s: int
    dataset: str
    is_top_events: bool = False
    column_types: Mapping[str, tuple[str, str | None]] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    is_extrapolated: bool = False


@dataclass(frozen=True, slots=True)
class TableAnswer:
    """Rows as the client typed the fields; `columns` maps name → (type, unit) in order."""

    rows: tuple[Mapping[str, Cell], ...]
    columns: Mapping[str, tuple[str, str | None]]
    dataset: str
    has_more: bool = False
    tips: Mapping[str, str | None] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    is_extrapolated: bool = False
