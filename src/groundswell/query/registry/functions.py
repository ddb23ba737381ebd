"""Every function of the language: arguments, result, one sentence, and what it is made of.

`resolve` turns a call as typed into an expression with its type; the registry also feeds
autocompletion and the documentation.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeAlias

from groundswell.errors import UserError
from groundswell.query.registry.aggregates import Aggregates
from groundswell.query.registry.fields import FIELDS, Field
from groundswell.query.search.calls import FunctionCall, unquote
from groundswell.query.search.suggest import did_you_mean
from groundswell.query.sql.expression import Expression
from groundswell.query.sql.instants import parse_iso

Arguments: TypeAlias = Any
Body: TypeAlias = Callable[[Aggregates, Arguments], Expression]

CONDITIONS = ("equals", "notEquals", "lessOrEquals", "greaterOrEquals", "less", "greater")
PRIVATE = frozenset(
    [
        "group_uniq_array",
        "random_number",
        "modulo",
        "array_join",
        "histogram",
        "spans_histogram",
        "fn_span_count",
        "fn_span_exclusive_time",
        "rounded_timestamp",
        "column_hash",
        "percentileArray",
        "maxArray",
        "sumArray",
        "first_seen",
    ]
)
_NUMBER = re.compile(r"[+-]?\d+(\.\d+)?(e[+-]?\d+)?", re.ASCII | re.IGNORECASE)
_OF_INSTANTS = frozenset({"min", "max", "p100"})
REQUIRED = object()


@dataclass(frozen=True, slots=True)
class Arg:
    """One argument. kind: "numeric" or "column" (a field), "number", "interval", "condition",
    "text", "date", "choice". default: REQUIRED, None (may be left out) or a text as typed;
    "COLUMN" is the default column of the dataset."""

    name: str
    kind: str
    default: object = REQUIRED
    low: float | None = None
    high: float | None = None
    choices: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Function:
    """One function. type "reflect" is the type of its first column. about: the table that it
    needs ("transactions"), "" where any will do."""

    name: str
    args: tuple[Arg, ...]
    type: str
    doc: str
    body: Body
    unit: str | None = None
    about: str = ""
    is_aggregate: bool = True

    @property
    def signature(self) -> str:
        """The call as people write it: `percentile(column, p)`."""
        return f"{self.name}({', '.join(arg.name for arg in self.args)})"


@dataclass(frozen=True, slots=True)
class Resolved:
    """A call understood: its function and arguments, and the type of its result."""

    function: Function
    arguments: tuple[Any, ...]
    type: str
    unit: str | None
    decode: str = "plain"
    fields: tuple[Field, ...] = field(default=())

    def expression(self, aggregates: Aggregates) -> Expression:
        return self.function.body(aggregates, self.arguments)


def wrong(message: str) -> UserError:
    return UserError(message, code="invalid_function", field="field")


def resolve(
    call: FunctionCall,
    registry: Mapping[str, Function],
    find: Callable[[str], Field | None],
    default_column: str,
) -> Resolved:
    """Understand a call. Raises UserError that names the function and the argument."""
    function = registry.get(call.name)
    if function is None:
        if call.name in PRIVATE:
            raise wrong(f"{call.name}() is private: no access to it")

        raise wrong(f"{call.name}() is not a valid function.{did_you_mean(call.name, registry)}")

    typed = call.args
    _check_count(call, function)
    values = tuple(
        _argument(call, arg, typed[at] if at < len(typed) else None, find, default_column)
        for at, arg in enumerate(function.args)
    )
    fields = tuple(value for value in values if isinstance(value, Field))
    type_name, unit, decode = function.type, function.unit, "plain"
    if type_name == "reflect" and fields:
        type_name, unit = fields[0].type, fields[0].unit
        decode = decode_of(fields[0])
    elif type_name == "duration" and unit is None:
        unit = fields[0].unit if fields and fields[0].type == "duration" else "millisecond"
    elif type_name == "date":
        decode = "date"
    elif function.name in {"latest_event", "worst"}:
        decode = "uuid"
    return Resolved(function, values, type_name, unit, decode, fields)


def decode_of(found: Field) -> str:
    """Say how raw values of a field become values of the API."""
    match found.role:
        case "project":
            return "project"
        case "issue":
            return "issue"
        case "uuid":
            return "uuid"
        case "span":
            return "span_id"
        case "array" | "array_number" | "array_boolean":
            return "array"
        case "timestamp" | "date":
            return "date"
        case "boolean" | "handled" | "unhandled":
            return "boolean"
        case _:
            return "plain"


def _check_count(call: FunctionCall, function: Function) -> None:
    least = sum(arg.default is REQUIRED for arg in function.args)
    most = len(function.args)
    given = len(call.args)
    if least <= given <= most:
        return

    if least == most:
        wanted = f"expected {most} argument{'s' * (most != 1)}"
    else:
        wanted = f"expected at {'least' if given < least else 'most'} "
        wanted += f"{least if given < least else most} argument(s)"
    raise wrong(f"{call.text}: {wanted}, got {given}; write {function.signature}")


def _argument(
    call: FunctionCall,
    arg: Arg,
    typed: str | None,
    find: Callable[[str], Field | None],
    column: str,
) -> object:
    if typed is None:
        if arg.default == "COLUMN":
            return find(column)

        if arg.default is None or not isinstance(arg.default, str):
            return None if arg.default is REQUIRED else arg.default

        typed = arg.default
    match arg.kind:
        case "numeric" | "column":
            return _column(call, arg, typed, find)
        case "number" | "interval":
            return _number(call, arg, typed)
        case "condition" | "choice":
            choices = arg.choices or CONDITIONS
            value = unquote(typed)
            if value not in choices:
                raise _invalid(call, arg, f"must be one of {', '.join(choices)}")
            return value
        case "date":
            return _date(call, arg, typed)
        case _:
            return unquote(typed)


def _invalid(call: FunctionCall, arg: Arg, why: str) -> UserError:
    return wrong(f"{call.text}: {arg.name} argument invalid: {why}")


def _column(call: FunctionCall, arg: Arg, typed: str, find: Callable[[str], Field | None]) -> Field:
    found = find(typed)
    if found is None or found.role in {"total", "ignored"}:
        raise _invalid(call, arg, f"{typed} is not a valid column.{did_you_mean(typed, FIELDS)}")

    instant = found.role == "timestamp" and call.name in _OF_INSTANTS
    if arg.kind == "numeric" and not found.numeric and not instant:
        near = did_you_mean(typed, (name for name, row in FIELDS.items() if row.numeric))
        raise _invalid(call, arg, f"{typed} is not a numeric column.{near}")

    if arg.choices and found.name not in arg.choices:
        raise _invalid(call, arg, f"must be one of {', '.join(arg.choices)}")

    return found


def _number(call: FunctionCall, arg: Arg, typed: str) -> float:
    if not _NUMBER.fullmatch(typed):
        raise _invalid(call, arg, f"{typed} is not a number")

    value = float(typed)
    if arg.low is not None and value < arg.low:
        raise _invalid(call, arg, f"{typed} must be at least {arg.low:g}")

    if arg.kind == "number" and arg.name == "p" and not 0 < value < 1:
        raise _invalid(call, arg, f"{typed} must be more than 0 and less than 1")

    if arg.high is not None and value >= arg.high:
        raise _invalid(call, arg, f"{typed} must be less than {arg.high:g}")

    return value


def _date(call: FunctionCall, arg: Arg, typed: str) -> datetime:
    value = unquote(typed)
    found = parse_iso(value)
    if found is None and value.isdecimal() and len(value) <= 11:
        from datetime import UTC

        return datetime.fromtimestamp(int(value), UTC)

    if found is None:
        raise _invalid(call, arg, f"{typed} is not a date such as 2026-01-31T10:00:00")

    return found
