"""The groups of top events → the rank of each row: 0 for the first group, their number for the
rest. Absent values are compared as such, so no row is lost and none is counted twice."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

from groundswell.query.plan.selection import Item, expression_of
from groundswell.query.question import Groups
from groundswell.query.registry.aggregates import Aggregates
from groundswell.query.registry.fields import Field
from groundswell.query.registry.reader import Reader, TableReader
from groundswell.query.sql.expression import (
    Call,
    Expression,
    Null,
    Number,
    Value,
    Word,
    all_of,
    call,
    strings,
)
from groundswell.query.sql.instants import instant


def rank_of(
    items: list[Item], groups: Groups, reader: Reader, aggregates: Aggregates
) -> tuple[Expression, tuple[Expression, ...]]:
    """Give the rank of a row, and the condition of each group."""
    conditions = tuple(
        all_of(
            tuple(
                _is(reader, item.meaning, value)
                if isinstance(item.meaning, Field)
                else _calculated(expression_of(item, aggregates), value)
                for item, value in zip(items, row, strict=True)
            )
        )
        for row in groups.rows
    )
    looked_up = _looked_up(items, groups, reader)
    if looked_up is not None:
        return looked_up, conditions

    branches: list[Expression] = []
    for rank, condition in enumerate(conditions):
        branches += [condition, Number(rank)]
    if not branches:
        return Number(0), conditions

    return Call("multiIf", (*branches, Number(len(groups.rows)))), conditions


def _looked_up(items: list[Item], groups: Groups, reader: Reader) -> Expression | None:
    """The rank by one column of texts: looked up once per word of its dictionary, not per row."""
    if len(items) != 1 or not groups.rows or not isinstance(items[0].meaning, Field):
        return None

    field = items[0].meaning
    values = [row[0] for row in groups.rows]
    if not _is_text(reader, field) or field.role == "device_class":
        return None

    if not all(value is None or isinstance(value, str) for value in values):
        return None

    return call(
        "transform",
        _stored(reader, field),
        strings(tuple(str(value or "") for value in values)),
        call("array", *map(Number, range(len(values)))),
        Number(len(values)),
    )


def _calculated(expression: Expression, value: object) -> Expression:
    """Compare a function of the row, such as `to_other(…)`."""
    if value is None:
        return call("isNull", expression)

    return call("equals", expression, Value(str(value)))


def _is_text(reader: Reader, field: Field) -> bool:
    """Tell texts as stored; a field that the table does not have is an absent value, no text."""
    return (
        isinstance(reader, TableReader)
        and reader.is_text(field)
        and not isinstance(reader.raw(field), Null)
    )


def _stored(reader: Reader, field: Field) -> Expression:
    """What an equal value is compared with."""
    text = _is_text(reader, field) and field.role != "device_class"
    stored = reader.raw(field) if text else reader.value(field)
    if isinstance(stored, Call) and stored.name == "nullIf":
        return stored.args[0]

    return stored


def _is(reader: Reader, field: Field, value: object) -> Expression:
    if value is None:
        if _is_text(reader, field):
            return call("equals", reader.raw(field), Word(""))

        return call("isNull", reader.value(field))

    return call("equals", _stored(reader, field), bind(field, value))


def bind(field: Field, value: object) -> Expression:
    """Bind a raw value of a column as what it is."""
    match value:
        case bool() | int():
            return Value(int(value), "UInt64" if value >= 0 else "Int64")
        case float():
            return Value(value, "Float64")
        case UUID():
            return Value(str(value), "UUID")
        case datetime():
            return instant(value)
        case date():
            return instant(datetime(value.year, value.month, value.day))  # noqa: DTZ001
        case list() | tuple():
            if field.role in {"array_number", "array_boolean"}:
                return Value(tuple(int(one) for one in value), "Array(Int64)")
            return Value(tuple(str(one) for one in value), "Array(String)")
        case _ if field.role == "uuid":
            return Value(str(UUID(str(value))), "UUID")
        case _ if field.role == "span":
            return Value(int(str(value), 16), "UInt64")
        case _:
            return Value(str(value))
