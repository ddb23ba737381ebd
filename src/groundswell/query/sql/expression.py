"""Expressions of the statement: typed nodes of a closed vocabulary. No text of a user is ever
anything but a `Value`; columns, functions and types are names that this package wrote down."""

from __future__ import annotations

from typing import Any, TypeAlias

import msgspec


class Column(msgspec.Struct, frozen=True, gc=False):
    """A column of a stored table, or of our own subquery."""

    name: str


class Value(msgspec.Struct, frozen=True, gc=False):
    """A value that is bound: `type` is the type it has in the engine."""

    value: str | int | float | tuple[str, ...] | tuple[int, ...] | tuple[float, ...]
    type: str = "String"


class Number(msgspec.Struct, frozen=True, gc=False):
    """A number of ours (a bucket width, a divisor), printed as it is."""

    value: int | float


class Word(msgspec.Struct, frozen=True, gc=False):
    """A constant text of ours from the source code (a type name, a status), printed in quotes."""

    value: str


class Null(msgspec.Struct, frozen=True, gc=False):
    """An absent value of a type."""

    type: str = "String"


class Call(msgspec.Struct, frozen=True):
    """A function of the engine, with its parameters (`quantile(0.5)(x)`) where it has some."""

    name: str
    args: tuple[Expression, ...] = ()
    parameters: tuple[float, ...] = ()


class Each(msgspec.Struct, frozen=True):
    """The function `x -> body`; the element is `Column("x")`."""

    body: Expression


class Pairs(msgspec.Struct, frozen=True, gc=False):
    """The entries of a map as texts `key=value`, written as the index on them is."""

    column: str


class Whole(msgspec.Struct, frozen=True):
    """An aggregate over all rows of the question, with its filters or without: a pass turns it
    into a query of its own."""

    aggregate: Expression
    filtered: bool


class Scalar(msgspec.Struct, frozen=True):
    """A query (`Select`) that gives one value."""

    select: Any


Expression: TypeAlias = Column | Value | Number | Word | Null | Call | Each | Pairs | Whole | Scalar

TRUE = Number(1)
FALSE = Number(0)
ELEMENT = Column("x")


def call(name: str, *args: Expression) -> Call:
    return Call(name, args)


def text(value: str) -> Value:
    return Value(value)


def strings(values: tuple[str, ...]) -> Value:
    return Value(values, "Array(String)")


def all_of(parts: tuple[Expression, ...]) -> Expression:
    """Join with AND; constants fold away."""
    if FALSE in parts:
        return FALSE

    kept = tuple(part for part in parts if part != TRUE)
    if not kept:
        return TRUE

    return kept[0] if len(kept) == 1 else Call("and", kept)


def any_of(parts: tuple[Expression, ...]) -> Expression:
    """Join with OR; constants fold away."""
    if TRUE in parts:
        return TRUE

    kept = tuple(part for part in parts if part != FALSE)
    if not kept:
        return FALSE

    return kept[0] if len(kept) == 1 else Call("or", kept)


def negate(part: Expression) -> Expression:
    if part == TRUE:
        return FALSE

    return TRUE if part == FALSE else Call("not", (part,))
