"""Which groups lead, and a series for each of them and for the rest.

The table of the groups comes first; its rows name the groups of one series statement, in which
everything else is `Other`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from groundswell.model.series import Cell, Series
from groundswell.query.question import Groups, Output, Question, Statement
from groundswell.stats import decode
from groundswell.stats.decode import Names
from groundswell.stats.request import EQUATION, SeriesRequest, TopEvents
from groundswell.stats.timeseries import TIME, Columns, group_cells, outputs_of, series_of_rows
from groundswell.timeframe import Grid

_CALL = re.compile(r"[\w.]+\(.*\)( as \w+)?", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Leaders:
    """The groups that lead, in order of rank. `raw` as the store knows them, `cells` as we do.

    columns are empty where the fields are aggregates alone: the one group is everything.
    """

    columns: tuple[Output, ...]
    raw: tuple[tuple[object, ...], ...]
    cells: tuple[tuple[Cell, ...], ...]
    with_other: bool
    keys: tuple[str, ...]

    def groups(self) -> Groups | None:
        """Say it to the compiler; None where there is nothing to split by."""
        if not self.columns:
            return None

        return Groups(tuple(column.name for column in self.columns), self.raw, self.with_other)


def leaders_question(question: Question, top: TopEvents, functions: Sequence[str]) -> Question:
    """Make the question for the groups out of the common parts of a question.

    Fields without an aggregate are grouped all the same; groups that nothing else orders come by
    their first aggregate, largest first, and equal ones by their columns.
    """
    extra = [name for name in functions if _is_sorted_by(name, top) and name not in top.fields]
    if not extra and not any(is_aggregate(name) for name in top.fields):
        extra = ["count()" if top.sort else functions[0]]
    select = (*top.fields, *extra)
    plain = tuple(name for name in top.fields if not is_aggregate(name))
    order = top.sort or ("-" + next(name for name in select if is_aggregate(name)),)
    ties = tuple(name for name in plain if name not in {part.lstrip("-") for part in order})
    return replace(
        question,
        select=select,
        order_by=(*order, *ties) if plain else top.sort,
        limit=top.limit,
        aggregate_conditions=True,
        auto_aggregations=True,
    )


def is_aggregate(field: str) -> bool:
    """Tell an aggregate, or an equation of aggregates, from a column by its form."""
    if field.startswith(EQUATION):
        return "(" in field and bool(re.search(r"\w\(", field))

    return _CALL.fullmatch(field) is not None


def _is_sorted_by(function: str, top: TopEvents) -> bool:
    alias = re.sub(r"\W+", "_", function).strip("_")
    return any(part.removeprefix("-") in {function, alias} for part in top.sort)


def leaders(statement: Statement, columns: Columns, names: Names, top: TopEvents) -> Leaders:
    """Read the groups out of the answer to the leaders' question."""
    outputs = tuple(
        output
        for output in statement.outputs
        if not (output.is_aggregate or output.hidden or output.name.startswith(EQUATION))
    )
    raw = tuple(zip(*(columns[output.column] for output in outputs), strict=True))
    cells = tuple(
        tuple(decode.cell(output, value, names) for output, value in zip(outputs, row, strict=True))
        for row in raw
    )
    keys = tuple(decode.group_key(outputs, row, names) for row in cells)
    return Leaders(outputs, raw, cells, top.with_other and len(raw) == top.limit, keys)


def top_series(
    request: SeriesRequest,
    found: Leaders,
    statement: Statement,
    columns: Columns | None,
    grid: Grid,
) -> tuple[Series, ...]:
    """Make the series of each group, and of the rest, from the rows of the series statement.

    columns: None where there was no group to ask about.

    Nothing found gives one placeholder per axis: without a group where there is one axis, with the
    group "" where there are several.
    """
    if columns is None or not len(columns[TIME]):
        return _placeholder(request, statement, grid)

    outputs = outputs_of(request, statement)
    if not found.columns:
        everything = series_of_rows(request, outputs, columns, range(len(columns[TIME])), grid)
        return tuple(replace(series, group="", order=0) for series in everything)

    rows_of = _rows_by_rank(columns, statement.rank)
    by_key: dict[str, tuple[Series, ...]] = {}
    for rank, (key, cells) in enumerate(zip(found.keys, found.cells, strict=True)):
        by_key.pop(key, None)
        by_key[key] = tuple(
            replace(
                series,
                group=key,
                order=rank,
                group_values=group_cells(found.columns, cells),
            )
            for series in series_of_rows(request, outputs, columns, rows_of.get(rank, ()), grid)
        )
    rest = rows_of.get(len(found.cells), ())
    if found.with_other and rest:
        by_key[decode.OTHER] = tuple(
            replace(series, group=decode.OTHER, order=len(found.cells), is_other=True)
            for series in series_of_rows(request, outputs, columns, rest, grid)
        )
    return tuple(series for group in by_key.values() for series in group)


def _rows_by_rank(columns: Columns, rank: str | None) -> dict[int, list[int]]:
    assert rank is not None, "a statement with groups has a rank"
    rows: dict[int, list[int]] = {}
    for position, value in enumerate(columns[rank]):
        rows.setdefault(int(value), []).append(position)
    return rows


def _placeholder(request: SeriesRequest, statement: Statement, grid: Grid) -> tuple[Series, ...]:
    starts = grid.starts if request.zerofill else ()
    return tuple(
        Series(
            axis=axis,
            alias=output.alias,
            timestamps=starts,
            values=(0,) * len(starts),
            axis_order=position,
            group=None if len(request.axes) == 1 else "",
            type=output.type,
            unit=output.unit,
        )
        for position, (axis, output) in enumerate(
            zip(request.axes, outputs_of(request, statement), strict=True)
        )
    )
