"""The one accessor of stored values: absent ones ('' , zero ids, missing map keys, -1) are NULL.

`value` is the value or NULL; `raw` is the same as stored, cheaper to compare; `key` is what to
group by.
"""

from __future__ import annotations

from typing import Protocol

from groundswell.query.registry.fields import SPANS, Field, Source
from groundswell.query.sql.expression import (
    ELEMENT,
    Call,
    Column,
    Each,
    Expression,
    Null,
    Number,
    Value,
    Word,
    call,
)

_NO_UUID = call("CAST", Word("00000000-0000-0000-0000-000000000000"), Word("UUID"))
_EMPTY = Word("")
_TRUE_WORDS = Value(("1", "true"), "Array(String)")
_FALSE_WORDS = Value(("0", "false"), "Array(String)")
_MODULES = ("cache", "db", "http", "queue", "resource")
_CLASSES = Value(("1", "2", "3"), "Array(String)")
_SPEEDS = Value(("low", "medium", "high"), "Array(String)")
_FOLLOWS = frozenset({"text", "uuid", "span", "flag", "keyed_text"})
STRINGS = frozenset({"text", "keyed_text", "display", "module", "truth", "constant"})
_NULL_TYPES = {
    "date": "DateTime64(3, 'UTC')",
    "timestamp": "DateTime64(3, 'UTC')",
    "duration": "Float64",
    "size": "Float64",
    "number": "Float64",
    "uuid": "UUID",
    "span": "UInt64",
    "boolean": "UInt8",
    "handled": "UInt8",
    "unhandled": "UInt8",
}


class Reader(Protocol):
    """Reads fields where a query stands: on a table, or on several merged into one."""

    def has(self, field: Field) -> bool: ...

    def value(self, field: Field) -> Expression: ...

    def raw(self, field: Field) -> Expression: ...

    def key(self, field: Field) -> Expression: ...

    def nullable(self, field: Field) -> bool: ...


def null_type(field: Field) -> str:
    """Give the type of an absent value of a field."""
    if field.role in {"array", "ids"}:
        return "Array(String)"

    if field.role in {"array_number", "array_boolean"}:
        return "Array(Int64)"

    if field.name == "transaction.duration":
        return "UInt32"

    if field.type == "integer":
        return "Int64"

    return _NULL_TYPES.get(field.role, "String")


class TableReader:
    """Reads fields of one stored table."""

    def __init__(self, table: str) -> None:
        self.table = table

    def source(self, field: Field) -> Source | None:
        return field.sources.get(self.table)

    def has(self, field: Field) -> bool:
        return self.table in field.sources

    def nullable(self, field: Field) -> bool:
        source = self.source(field)
        return source is None or source.storage not in {
            "plain",
            "number",
            "date",
            "hour",
            "day",
            "epoch",
            "texts",
            "numbers",
            "handled",
            "unhandled",
            "constant",
            "zero",
            "one",
            "calls",
        }

    def is_text(self, field: Field) -> bool:
        """Whether `raw` is a text in which '' means absent."""
        source = self.source(field)
        return source is None or source.storage in STRINGS

    def key(self, field: Field) -> Expression:
        """What to group by: the column itself where the value follows from it."""
        source = self.source(field)
        if source is not None and source.storage in _FOLLOWS:
            return self.raw(field)

        return self.value(field)

    def raw(self, field: Field) -> Expression:
        source = self.source(field)
        if source is None:
            return Null(null_type(field))

        match source.storage:
            case "text" | "uuid" | "span" | "flag":
                return Column(source.column)
            case "keyed_text":
                return call("item", Column(source.column), Value(source.key))
            case "display" | "truth":
                return call("ifNull", self.value(field), _EMPTY)
            case _:
                return self.value(field)

    def value(self, field: Field) -> Expression:
        source = self.source(field)
        if source is None:
            return Null(null_type(field))

        column = Column(source.column)
        match source.storage:
            case "plain" | "number" | "date" | "texts" | "numbers" | "calls":
                return column
            case "text" if field.role == "device_class":
                return _speed(column)
            case "keyed_text" if field.role == "device_class":
                return _speed(call("item", column, Value(source.key)))
            case "text":
                return call("nullIf", column, _EMPTY)
            case "uuid":
                return call("nullIf", column, _NO_UUID)
            case "span":
                return call("nullIf", column, Number(0))
            case "flag":
                return call("nullIf", column, Number(-1))
            case "keyed_text":
                return call("nullIf", call("item", column, Value(source.key)), _EMPTY)
            case "keyed":
                return _present(column, source.key)
            case _:
                return self._computed(source, column)

    def _computed(self, source: Source, column: Column) -> Expression:
        match source.storage:
            case "hour":
                return call("toStartOfHour", column)
            case "day":
                return call("toStartOfDay", column)
            case "epoch":
                return call("divide", call("toUnixTimestamp64Milli", column), Number(1000))
            case "constant":
                return Word(source.column)
            case "zero":
                return Number(0)
            case "one":
                return Number(1)
            case "handled":
                return call("arrayAll", Each(call("notEquals", ELEMENT, Number(0))), column)
            case "unhandled":
                return call("arrayExists", Each(call("equals", ELEMENT, Number(0))), column)
            case "keyed_number":
                return self._tag_number(column, source.key)
            case "ratio":
                return _ratio(source)
            case "truth":
                return _truth(call("item", column, Value(source.key)))
            case "display":
                return _display()
            case "module":
                return _module()
            case _:
                raise AssertionError(f"storage {source.storage!r}")

    def _tag_number(self, column: Column, key: str) -> Expression:
        number = call("toFloat64OrNull", call("item", column, Value(key)))
        if self.table != SPANS:
            return number

        measured = Column("measurements")
        return call(
            "if",
            call("mapContains", measured, Value(key)),
            call("item", measured, Value(key)),
            number,
        )


class MergedReader:
    """Reads fields of a subquery that puts tables below each other; notes which it must offer."""

    def __init__(self, tables: tuple[str, ...]) -> None:
        self.readers = tuple(TableReader(table) for table in tables)
        self._fields: dict[str, tuple[str, Field]] = {}

    def has(self, field: Field) -> bool:
        return any(reader.has(field) for reader in self.readers)

    def nullable(self, field: Field) -> bool:
        return any(reader.nullable(field) for reader in self.readers)

    def value(self, field: Field) -> Expression:
        known = self._fields.get(field.name)
        if known is None:
            known = self._fields[field.name] = (f"f{len(self._fields)}", field)
        return Column(known[0])

    raw = value
    key = value

    def columns(self, reader: TableReader) -> tuple[tuple[str, Expression], ...]:
        """List what one table of the merge offers."""
        offered = tuple((name, reader.value(field)) for name, field in self._fields.values())
        return offered or (("f0", Number(1)),)


def _present(column: Column, key: str) -> Expression:
    return call(
        "if",
        call("mapContains", column, Value(key)),
        call("item", column, Value(key)),
        Null("Float64"),
    )


def _ratio(source: Source) -> Expression:
    measured = Column("measurements")
    whole = call("item", measured, Value(source.key)) if source.key else Column("duration")
    share = call("divide", call("item", measured, Value(source.column)), whole)
    known = call("mapContains", measured, Value(source.column))
    return call("if", call("and", known, call("greater", whole, Number(0))), share, Null("Float64"))


def _speed(stored: Expression) -> Expression:
    return call("nullIf", call("transform", stored, _CLASSES, _SPEEDS, stored), _EMPTY)


def _truth(stored: Expression) -> Expression:
    small = call("lower", stored)
    return call(
        "multiIf",
        call("in", small, _TRUE_WORDS),
        Word("True"),
        call("in", small, _FALSE_WORDS),
        Word("False"),
        call("nullIf", stored, _EMPTY),
    )


def _display() -> Expression:
    names = ("user_email", "user_username", "user_id", "user_ip")
    return Call("coalesce", tuple(call("nullIf", Column(name), _EMPTY) for name in names))


def _module() -> Expression:
    category, op = Column("category"), Column("op")
    return call(
        "multiIf",
        call("equals", op, Word("db.redis")),
        Word("cache"),
        call("equals", op, Word("db.sql.room")),
        Word("other"),
        call("in", category, Value(_MODULES, "Array(String)")),
        category,
        Word("other"),
    )
