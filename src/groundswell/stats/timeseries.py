"""Rows of a series statement → series on one grid of buckets, filled with zero where empty."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeAlias

from groundswell.model.series import Cell, Series
from groundswell.query.question import Output, Statement
from groundswell.stats.decode import number
from groundswell.stats.request import SeriesRequest
from groundswell.timeframe import Grid, bucket_grid

Columns: TypeAlias = Mapping[str, Sequence[Any]]
Values: TypeAlias = tuple[float | int | None, ...]

TIME = "time"


def grid_of(request: SeriesRequest) -> Grid:
    """Lay the buckets of a request."""
    grid = bucket_grid(request.asking.window, request.interval_s, partial=request.partial)
    if not request.to_the_end:
        return grid

    first, last = grid.start, int(request.asking.window.end.timestamp())
    return replace(grid, starts=tuple(range(first, last + 1, grid.width_s)))


def outputs_of(request: SeriesRequest, statement: Statement) -> tuple[Output, ...]:
    """Find the output of each axis, in the order of the request."""
    by_name = {output.name: output for output in statement.outputs}
    return tuple(by_name[function] for function in request.functions)


def plain_series(
    request: SeriesRequest, statement: Statement, columns: Columns, grid: Grid
) -> tuple[Series, ...]:
    """Make one series per axis from the rows of all."""
    return series_of_rows(
        request, outputs_of(request, statement), columns, range(len(columns[TIME])), grid
    )


def series_of_rows(
    request: SeriesRequest,
    outputs: tuple[Output, ...],
    columns: Columns,
    rows: Sequence[int],
    grid: Grid,
) -> tuple[Series, ...]:
    """Make one series per axis from some rows (positions) of a result."""
    times = columns[TIME]
    row_at = {int(times[row]): row for row in rows}
    starts = grid.starts
    if not request.zerofill:
        starts = tuple(start for start in starts if start in row_at)
    found = [row_at.get(start) for start in starts]
    return tuple(
        Series(
            axis=axis,
            alias=output.alias,
            timestamps=starts,
            values=_values(columns[output.column], found),
            comparison=None
            if output.comparison is None
            else _values(columns[output.comparison], found),
            order=position,
            axis_order=position,
            type=output.type,
            unit=output.unit,
        )
        for position, (axis, output) in enumerate(zip(request.axes, outputs, strict=True))
    )


def _values(column: Sequence[Any], positions: Sequence[int | None]) -> Values:
    """A bucket without rows is 0; an aggregate without value in a bucket with rows is None."""
    return tuple(0 if at is None else number(column[at]) for at in positions)


def group_cells(
    columns: tuple[Output, ...], cells: tuple[Cell, ...]
) -> tuple[tuple[str, Cell], ...]:
    """Pair the columns of a group, as typed, with its values."""
    return tuple((column.name, value) for column, value in zip(columns, cells, strict=True))
