"""Answers → CSV and JSON lines. A text cell that a spreadsheet would run is made harmless."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum

import msgspec

from groundswell.errors import UserError
from groundswell.model.series import Cell, SeriesAnswer, TableAnswer
from groundswell.stats.parameters import Params, first

# OWASP, "CSV Injection": a cell that starts with one of these may be read as a formula.
_RUNNABLE = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


class Format(StrEnum):
    """How an answer is written."""

    JSON = "json"
    CSV = "csv"
    JSONL = "jsonl"


def format_of(params: Params) -> Format:
    """Read `format`. Raises UserError that lists the formats."""
    asked = first(params, "format")
    if asked is None:
        return Format.JSON

    try:
        return Format(asked)
    except ValueError:
        raise UserError(
            f"format must be one of {', '.join(Format)}; got {asked!r}",
            code="unknown_format",
            field="format",
        ) from None


def table_records(answer: TableAnswer) -> tuple[tuple[str, ...], Iterable[Mapping[str, Cell]]]:
    """Give the columns and rows of a table."""
    return tuple(answer.columns), answer.rows


def series_records(
    answer: SeriesAnswer,
) -> tuple[tuple[str, ...], Iterable[Mapping[str, Cell]]]:
    """Give one row per bucket and group: `time`, `group` in top events, and one column per axis."""
    axes = tuple(dict.fromkeys(series.axis for series in answer.series))
    compared = any(series.comparison is not None for series in answer.series)
    head = ("time", "group") if answer.is_top_events else ("time",)
    rows: dict[tuple[str | None, int], dict[str, Cell]] = {}
    for series in answer.series:
        for position, timestamp in enumerate(series.timestamps):
            row = rows.setdefault((series.group, timestamp), {"time": timestamp})
            if answer.is_top_events:
                row["group"] = series.group or ""
            row[series.axis] = series.values[position]
            if series.comparison is not None:
                row["comparison"] = series.comparison[position]
    return (*head, *axes, *(("comparison",) if compared else ())), rows.values()


def write_csv(columns: Sequence[str], rows: Iterable[Mapping[str, Cell]]) -> bytes:
    """Write rows as CSV (RFC 4180) with a line of names; an absent value is an empty cell."""
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow([harmless(name) for name in columns])
    for row in rows:
        writer.writerow([_csv_cell(row.get(name)) for name in columns])
    return out.getvalue().encode()


def write_jsonl(columns: Sequence[str], rows: Iterable[Mapping[str, Cell]]) -> bytes:
    """Write rows as one JSON object per line."""
    encoder = msgspec.json.Encoder()
    return encoder.encode_lines([{name: row.get(name) for name in columns} for row in rows])


def harmless(text: str) -> str:
    """Put an apostrophe before a text that a spreadsheet would take for a formula."""
    return f"'{text}" if text.startswith(_RUNNABLE) else text


def _csv_cell(value: Cell) -> object:
    if isinstance(value, str):
        return harmless(value)

    if isinstance(value, list):
        return harmless(msgspec.json.encode(value).decode())

    return "" if value is None else value
