"""Plan → SQL text and bound values. Syntax only: nothing is decided here.

Values become `{pN:Type}` parameters. Names of columns, functions, tables and types must be in the
closed vocabularies below, so that no text of a user can become syntax.
"""

from __future__ import annotations

import math
import re

from groundswell.query.question import Param
from groundswell.query.sql.expression import (
    TRUE,
    Call,
    Column,
    Each,
    Expression,
    Null,
    Number,
    Pairs,
    Scalar,
    Value,
    Whole,
    Word,
)
from groundswell.query.sql.select import Derived, Merge, Scan, Select, Source, Union
from groundswell.query.sql.vocabulary import FUNCTIONS, TABLES, TYPES

_INFIX = {
    "and": " AND ",
    "or": " OR ",
    "equals": " = ",
    "notEquals": " != ",
    "less": " < ",
    "lessOrEquals": " <= ",
    "greater": " > ",
    "greaterOrEquals": " >= ",
    "plus": " + ",
    "minus": " - ",
    "multiply": " * ",
    "divide": " / ",
    "in": " IN ",
    "notIn": " NOT IN ",
}
_OWN_NAME = re.compile(r"[a-z][a-z0-9]*", re.ASCII)
_WORD = re.compile(r"[A-Za-z0-9_(), ./:-]*", re.ASCII)


class Printer:
    """Writes one plan. `params` collects the bound values; equal values share a parameter."""

    def __init__(self) -> None:
        self.params: dict[str, Param] = {}
        self._names: dict[tuple[str, object, type], str] = {}

    def select(self, plan: Select) -> str:
        parts = [
            "SELECT "
            + ", ".join(f"{self.expression(part)} AS {_own(name)}" for name, part in plan.columns)
        ]
        parts.append(f"FROM {self._source(plan.source)}")
        where = plan.where
        if isinstance(plan.source, Scan):
            parts.append("WHERE " + self._guarded(plan.source, where))
        elif where != TRUE:
            parts.append(f"WHERE {self.expression(where)}")
        if plan.group_by:
            parts.append("GROUP BY " + ", ".join(map(self.expression, plan.group_by)))
        if plan.having != TRUE:
            parts.append(f"HAVING {self.expression(plan.having)}")
        if plan.order:
            parts.append(
                "ORDER BY "
                + ", ".join(
                    f"{self.expression(part)} {'DESC' if descending else 'ASC'}"
                    for part, descending in plan.order
                )
            )
        if plan.limit is not None:
            parts.append(f"LIMIT {int(plan.limit)}")
            if plan.offset:
                parts.append(f"OFFSET {int(plan.offset)}")

        return " ".join(parts)

    def _source(self, source: Source) -> str:
        match source:
            case Scan(table):
                return _table(table)
            case Merge(scans):
                return f"({' UNION ALL '.join(map(self._branch, scans))})"
            case Derived(select):
                return f"({self.select(select)})"
            case Union(selects):
                return f"({' UNION ALL '.join(map(self.select, selects))})"

    def _branch(self, scan: Scan) -> str:
        columns = ", ".join(
            f"{self.expression(part)} AS {_own(name)}" for name, part in scan.columns
        )
        where = self._guarded(scan, TRUE)
        return " ".join(("SELECT", columns, "FROM", _table(scan.table), "WHERE", where))

    def _guarded(self, scan: Scan, where: Expression) -> str:
        if scan.guard is None:
            raise AssertionError(f"scan of {scan.table} without a guard")

        guard = self.expression(scan.guard)
        rest = [part for part in (scan.where, where) if part != TRUE]
        return " AND ".join([guard, *(f"({self.expression(part)})" for part in rest)])

    def expression(self, node: Expression) -> str:
        match node:
            case Call(name, args, parameters):
                return self._call(name, args, parameters)
            case Column(name):
                return f"`{name}`" if name == "group" else _own_or_stored(name)
            case Value(value, type):
                return self._bind(value, type)
            case Number(value):
                return _number(value)
            case Word(value):
                return _word(value)
            case Null(type) if type.startswith("Array"):
                return f"CAST([], '{_type(type)}')"
            case Null(type):
                escaped = _type(type).replace("'", "\\'")
                return f"CAST(NULL, 'Nullable({escaped})')"
            case Each(body):
                return f"x -> {self.expression(body)}"
            case Pairs(column):
                name = _own_or_stored(column)
                return f"arrayMap((k, v) -> concat(k, '=', v), mapKeys({name}), mapValues({name}))"
            case Scalar(select):
                return f"({self.select(select)})"
            case Whole():
                raise AssertionError("an aggregate over everything was not made a query")

    def _call(self, name: str, args: tuple[Expression, ...], parameters: tuple[float, ...]) -> str:
        printed = [self.expression(arg) for arg in args]
        infix = _INFIX.get(name)
        if infix is not None:
            return f"({infix.join(printed)})"

        if name == "not":
            return f"NOT {printed[0]}" if printed[0].startswith("(") else f"NOT ({printed[0]})"

        if name == "item":
            return f"{printed[0]}[{printed[1]}]"

        if name not in FUNCTIONS:
            raise AssertionError(f"function {name!r} is not in the vocabulary")

        levels = f"({', '.join(map(_number, parameters))})" if parameters else ""
        return f"{name}{levels}({', '.join(printed)})"

    def _bind(self, value: object, type_name: str) -> str:
        identity = (type_name, value, type(value))
        name = self._names.get(identity)
        if name is None:
            name = self._names[identity] = f"p{len(self._names)}"
            self.params[name] = list(value) if isinstance(value, tuple) else value  # type: ignore[assignment]
        return f"{{{name}:{_type(type_name)}}}"


def _own(name: str) -> str:
    if not _OWN_NAME.fullmatch(name):
        raise AssertionError(f"result name {name!r}")

    return name


def _own_or_stored(name: str) -> str:
    if not name.isidentifier() or not name.isascii():
        raise AssertionError(f"column name {name!r}")

    return name


def _table(name: str) -> str:
    if name not in TABLES:
        raise AssertionError(f"table {name!r} is not in the vocabulary")

    return name


def _type(name: str) -> str:
    if name not in TYPES:
        raise AssertionError(f"type {name!r} is not in the vocabulary")

    return name


def _word(value: str) -> str:
    if not _WORD.fullmatch(value):
        raise AssertionError(f"constant {value!r}")

    return f"'{value}'"


def _number(value: int | float) -> str:
    if isinstance(value, float) and not math.isfinite(value):
        raise AssertionError(f"number {value!r}")

    return repr(value)
