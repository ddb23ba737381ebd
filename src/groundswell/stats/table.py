"""Rows of a table statement → rows under the names that the client typed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from groundswell.model.series import Cell, TableAnswer
from groundswell.query.question import Output, Statement
from groundswell.stats import decode
from groundswell.stats.decode import Names
from groundswell.stats.request import TableRequest
from groundswell.stats.timeseries import Columns

if TYPE_CHECKING:
    from collections.abc import Sequence


def table_answer(
    request: TableRequest, statement: Statement, columns: Columns, names: Names
) -> TableAnswer:
    """Decode the rows; one more row than asked for tells that there is a next page."""
    shown = tuple(output for output in statement.outputs if not output.hidden)
    decoded = [_column(output, columns[output.column], names) for output in shown]
    rows = [
        dict(zip((output.name for output in shown), cells, strict=True))
        for cells in zip(*decoded, strict=True)
    ]
    limit = request.page.limit
    return TableAnswer(
        rows=tuple(rows[:limit]),
        columns={output.name: (output.type, output.unit) for output in shown},
        dataset=request.asking.label,
        has_more=len(rows) > limit,
        tips=dict(statement.tips or {}),
        notes=statement.notes,
        is_extrapolated=request.asking.extrapolate,
    )


def _column(output: Output, raw: Sequence[object], names: Names) -> list[Cell]:
    return [decode.cell(output, value, names) for value in raw]


def nothing(request: TableRequest) -> TableAnswer:
    """The answer where no project is left to ask about."""
    columns: Mapping[str, tuple[str, str | None]] = {}
    return TableAnswer(rows=(), columns=columns, dataset=request.asking.label)
