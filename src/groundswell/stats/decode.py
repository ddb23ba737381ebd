"""Values as the store gives them → values as clients read them, and keys of groups."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from groundswell.model.series import Cell, Scalar
from groundswell.query.question import Output

OTHER = "Other"
ISSUE_ID = "issue.id"
UNKNOWN_ISSUE = "unknown"
_EXACT_FLOAT = 2**53


@dataclass(frozen=True, slots=True)
class Names:
    """Names that stand for ids: slugs of projects, short ids of issues."""

    projects: Mapping[int, str] = field(default_factory=dict)
    issues: Mapping[int, str] = field(default_factory=dict)


NO_NAMES = Names()


def cell(output: Output, raw: Any, names: Names) -> Cell:
    """Turn one raw value of a column into what JSON answers hold."""
    if output.decode == "issue":
        return names.issues.get(int(raw or 0), UNKNOWN_ISSUE)

    if raw is None:
        return None

    match output.decode:
        case "project":
            return names.projects.get(int(raw), str(raw))
        case "uuid" | "span_id":
            return f"{raw:016x}" if isinstance(raw, int) else str(plain(raw)).replace("-", "")
        case "boolean":
            return int(raw)
        case _:
            return plain(raw)


def plain(raw: Any) -> Cell:
    """Turn a value into JSON's kinds: NaN → 0, ±inf → None, instants in ISO 8601 with offset."""
    if isinstance(raw, dict):  # a tuple whose elements have names
        raw = tuple(raw.values())
    if isinstance(raw, (list, tuple)):
        items: list[Any] = [plain(item) for item in raw]
        return items

    return _scalar(raw)


def number(raw: Any) -> float | int | None:
    """Turn a raw value of a numeric column into a number: NaN → 0, ±inf → None."""
    if raw is None or isinstance(raw, bool) or type(raw) is int:
        return int(raw) if isinstance(raw, bool) else raw

    value = float(raw)
    if math.isnan(value):
        return 0

    return None if math.isinf(value) else value


def _scalar(raw: Any) -> Scalar:
    match raw:
        case None | bool() | int() | str():
            return raw
        case float() | Decimal():
            return number(raw)
        case datetime():
            return (raw if raw.tzinfo else raw.replace(tzinfo=UTC)).astimezone(UTC).isoformat()
        case date():
            return datetime(raw.year, raw.month, raw.day, tzinfo=UTC).isoformat()
        case UUID():
            return raw.hex
        case bytes():
            return raw.decode("utf-8", "replace")
        case _:
            return str(raw)


def group_key(columns: tuple[Output, ...], cells: tuple[Cell, ...], names: Names = NO_NAMES) -> str:
    """Join the values of a group in the alphabetical order of the aliases of its columns.

    The id of an issue is its short id, an absent value the word `None`, an array its last
    element; a whole number has no point. A key of one column that equals `Other` says which
    column it is of.
    """
    pairs = sorted(zip(columns, cells, strict=True), key=lambda pair: pair[0].alias)
    key = ",".join(
        names.issues.get(int(str(value or 0)), UNKNOWN_ISSUE)
        if column.name == ISSUE_ID
        else _word(value)
        for column, value in pairs
    )
    return f"{OTHER} ({columns[0].name})" if key == OTHER and len(columns) == 1 else key


def _word(value: Cell) -> str:
    if isinstance(value, list):
        value = value[-1] if value else ""
    if isinstance(value, float) and value.is_integer() and abs(value) < _EXACT_FLOAT:
        value = int(value)
    return str(value)
