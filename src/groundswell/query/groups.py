"""The groups of top events → the rank of each row: 0 for the first group, their number for the
rest. Absent values are compared as such, so no row is lost and none is counted twice."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

from groundswell.query.aggregates import Aggregates
from groundswell.query.expression import Call, Expression, Null, Number, Value, Word, all_of, call
from groundswell.query.fields import Field
from groundswell.query.instants import instant
from groundswell.query.question import Groups
from groundswell.query.reader import Reader, TableReader
from groundswell.query.selection import Item, expression_of


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
    branches: list[Expression] = []
    for rank, condition in enumerate(conditions):
        branches += [condition, Number(rank)]
    if not branches:
        return Number(0), conditions

    return Call("multiIf", (*branches, Number(len(groups.rows)))), conditions


def _calculated(expression: Expression, value: object) -> Expression:
    """Compare a function of the row, such as `to_other(…)`."""
    if value is None:
        return call("isNull", expression)

    return call("equals", expression, Value(str(value)))


def _is(reader: Reader, field: Field, value: object) -> Expression:
    # A field that the table does not have is an absent value, not an empty text.
    text = (
        isinstance(reader, TableReader)
        and reader.is_text(field)
        and not isinstance(reader.raw(field), Null)
    )
    if value is None:
        if text:
            return call("equals", reader.raw(field), Word(""))

        return call("isNull", reader.value(field))

    stored = reader.raw(field) if text and field.role != "device_class" else reader.value(field)
    if isinstance(stored, Call) and stored.name == "nullIf":
        stored = stored.args[0]
    return call("equals", stored, bind(field, value))


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
