"""`count_if(column, condition, value)`: a comparison of a column of a row with a value as typed."""

from __future__ import annotations

from uuid import UUID

from groundswell.model.statuses import STATUSES
from groundswell.model.units import UNIT_MS
from groundswell.query.registry.aggregates import Aggregates
from groundswell.query.registry.fields import Field
from groundswell.query.registry.functions import wrong
from groundswell.query.search.suggest import did_you_mean
from groundswell.query.search.units import parse_duration_ms, parse_number
from groundswell.query.sql.expression import (
    Expression,
    Null,
    Number,
    Value,
    Word,
    any_of,
    call,
    negate,
)

_REFUSED = frozenset({"issue", "user.display", "timestamp.to_hour", "timestamp.to_day"})
_TRUTHS = {"1": 1, "true": 1, "0": 0, "false": 0}


def compare(a: Aggregates, column: Field, condition: str, value: str) -> Expression:
    """Compare a column of a row. Absent values are unequal to everything, else they do not count.

    Raises UserError that names the column and the value where they do not fit.
    """
    if column.name in _REFUSED or column.role == "project":
        raise wrong(f"count_if: {column.name} cannot be compared here")

    if column.role in {"array", "array_number"}:
        return _in_array(a, column, condition, value)

    bound = _bound(column, value)
    stored = a.value(column)
    if isinstance(stored, Null):
        return call("equals", Number(1 if condition == "notEquals" else 0), Number(1))

    if column.role == "text" and not value:
        present = call("isNotNull", stored)
        return present if condition == "notEquals" else negate(present)

    found = call(condition, stored, bound)
    if condition == "notEquals" and a.reader.nullable(column):
        return any_of((call("isNull", stored), found))

    return found


def _bound(column: Field, value: str) -> Expression:
    match column.role:
        case "duration" | "number" | "size" | "project_id" | "issue_id" | "fingerprint":
            return _number(column, value)
        case "status":
            if value not in STATUSES:
                raise wrong(
                    f"count_if: {value!r} is not a status.{did_you_mean(value, STATUSES)} "
                    f"Allowed are {', '.join(STATUSES)}"
                )
            return Value(value)
        case "truth":
            return Value({1: "True", 0: "False"}.get(_TRUTHS.get(value.lower(), 2), value))
        case "boolean" | "handled" | "unhandled":
            truth = _TRUTHS.get(value.lower())
            if truth is None:
                raise wrong(f"count_if: {column.name} is a boolean, use 1 or 0")
            return Number(truth)
        case "uuid":
            try:
                return Value(str(UUID(value)), "UUID")
            except ValueError:
                raise wrong(f"count_if: {column.name} must be a UUID, got {value!r}") from None
        case "span":
            try:
                return Value(int(value, 16) % 2**64, "UInt64")
            except ValueError:
                raise wrong(f"count_if: {column.name} must be 16 hexadecimal digits") from None
        case "timestamp" | "date":
            raise wrong(f"count_if: {column.name} cannot be compared here")
        case _:
            return Value(value)


def _number(column: Field, value: str) -> Expression:
    if column.role == "duration":
        duration = parse_duration_ms(value)
        if duration is not None:
            return Value(duration / UNIT_MS[column.unit or "millisecond"], "Float64")

    number = parse_number(value)
    if number is None:
        raise wrong(f"count_if: {value!r} is not a number for {column.name}")

    return Value(float(number), "Float64")


def _in_array(a: Aggregates, column: Field, condition: str, value: str) -> Expression:
    if condition not in {"equals", "notEquals"}:
        raise wrong(f"count_if: {column.name} is a list, only equals and notEquals compare it")

    stored = a.value(column)
    if column.role == "array_number":
        found = call("has", stored, _number(column, value))
    else:
        found = call("has", stored, Value(value) if value else Word(""))
    return found if condition == "equals" else negate(found)
