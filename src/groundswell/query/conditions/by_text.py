"""Filters on keys whose values are text: plain, message, arrays, ids, statuses."""

from __future__ import annotations

import re
from dataclasses import replace
from uuid import UUID

from groundswell.model.statuses import STATUSES
from groundswell.query.registry.fields import FIELDS, Field
from groundswell.query.registry.frame import Frame
from groundswell.query.registry.reader import TableReader
from groundswell.query.search.parser import refuse
from groundswell.query.search.tree import Filter
from groundswell.query.sql.expression import (
    ELEMENT,
    FALSE,
    TRUE,
    Each,
    Expression,
    Number,
    Value,
    Word,
    all_of,
    any_of,
    call,
    negate,
    strings,
)
from groundswell.query.sql.patterns import (
    contains,
    contains_pattern,
    is_pattern,
    literal,
    matches,
    matches_exactly,
)

_UUID = re.compile(
    r"[0-9a-f]{32}|[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}",
    re.IGNORECASE | re.ASCII,
)
_SPAN_ID = re.compile(r"[0-9a-f]{16}", re.IGNORECASE | re.ASCII)
_NO_UUID = "00000000-0000-0000-0000-000000000000"
_CLASSES = {"low": "1", "medium": "2", "high": "3"}
_TRUTHS = {"1": "True", "true": "True", "0": "False", "false": "False"}
_COMPARE = {">": "greater", ">=": "greaterOrEquals", "<": "less", "<=": "lessOrEquals"}
_NEGATED = {">": "<=", ">=": "<", "<": ">=", "<=": ">"}
_INTEGER = re.compile(r"\d{1,9}", re.ASCII)


def meant(node: Filter) -> tuple[str, bool]:
    """Give the value as text and whether it must not be equal. Only = and != are operators of
    text; any other one is a part of the value."""
    if node.operator in {"", "="}:
        return node.value, node.negated

    if node.operator == "!=":
        return node.value, not node.negated

    return node.operator + node.value, node.negated


def text(frame: Frame, reader: TableReader, field: Field, node: Filter) -> Expression:
    """Compare text: equal with case, wildcards without. An absent value is ''."""
    if node.items is not None:
        if any(is_pattern(item) for item in node.items):
            frame.note(f"{field.name}: a * inside a list stands for itself, not for any text")
        return within(reader, field, tuple(map(literal, node.items)), node.negated)

    _note_literal(frame, field, node)
    value, negated = meant(node)
    if is_pattern(value):
        found = matches(_raw(reader, field), value)
        return negate(found) if negated else found

    return equal(reader, field, literal(value), negated)


def _note_literal(frame: Frame, field: Field, node: Filter) -> None:
    if node.operator not in {"", "=", "!="}:
        frame.note(
            f"{field.name} is text, so {node.operator} is a part of the searched value; "
            f"for numbers use tags[{field.name},number]"
        )
    elif "," in node.value and not node.quoted and field.name in FIELDS:
        frame.note(
            f"{field.name}:{node.value} looks for that very text; "
            f"for several values write {field.name}:[{node.value}]"
        )


def _raw(reader: TableReader, field: Field) -> Expression:
    return reader.raw(field) if reader.has(field) else Word("")


def equal(reader: TableReader, field: Field, value: str, negated: bool) -> Expression:
    """Compare with one text; what is known now is not asked of the engine."""
    source = reader.source(field)
    if source is None or source.storage == "constant":
        stored = source.column if source is not None else ""
        return TRUE if (stored == value) != negated else FALSE

    return call("notEquals" if negated else "equals", reader.raw(field), Value(value))


def within(reader: TableReader, field: Field, values: tuple[str, ...], negated: bool) -> Expression:
    source = reader.source(field)
    if source is None or source.storage == "constant":
        stored = source.column if source is not None else ""
        return TRUE if (stored in values) != negated else FALSE

    if len(values) == 1:
        return equal(reader, field, values[0], negated)

    return call("notIn" if negated else "in", reader.raw(field), strings(values))


def message(frame: Frame, reader: TableReader, field: Field, node: Filter) -> Expression:
    """Look for a text in the message; a list looks for any of its elements."""
    if not reader.has(field):
        return FALSE if not node.negated else TRUE

    column = reader.raw(field)
    if node.items is not None:
        found = any_of(tuple(_in_message(column, item) for item in node.items))
        return negate(found) if node.negated else found

    value, negated = meant(node)
    found = _in_message(column, value)
    return negate(found) if negated else found


def _in_message(column: Expression, value: str) -> Expression:
    if not value:
        return call("equals", column, Word(""))

    if is_pattern(value):
        return contains_pattern(column, value)

    return contains(column, literal(value))


def array(frame: Frame, reader: TableReader, field: Field, node: Filter) -> Expression:
    """Any element equals; negated: none does."""
    negated = node.negated
    if not reader.has(field):
        found: Expression = FALSE
        negated = meant(node)[1] if node.items is None else negated
    elif node.items is not None:
        items = tuple(map(literal, node.items))
        found = call("hasAny", reader.raw(field), strings(items))
    else:
        value, negated = meant(node)
        column = reader.raw(field)
        if is_pattern(value):
            found = call("arrayExists", Each(matches_exactly(ELEMENT, value)), column)
        elif not value:
            found = call("empty", column)
        else:
            found = call("has", column, Value(literal(value)))
    return negate(found) if negated else found


def uuid(frame: Frame, reader: TableReader, field: Field, node: Filter) -> Expression:
    """Compare an id of 32 hexadecimal digits."""
    values, negated = _ids(field, node, _UUID, "a UUID of 32 hexadecimal digits")
    if not reader.has(field):
        return TRUE if ("" in values) != negated else FALSE

    bound = tuple(str(UUID(value)) if value else _NO_UUID for value in values)
    return _among(reader.raw(field), bound, "UUID", negated)


def span_id(frame: Frame, reader: TableReader, field: Field, node: Filter) -> Expression:
    """Compare an id of 16 hexadecimal digits."""
    values, negated = _ids(field, node, _SPAN_ID, "an id of 16 hexadecimal digits")
    if not reader.has(field):
        return TRUE if ("" in values) != negated else FALSE

    bound = tuple(int(value, 16) if value else 0 for value in values)
    return _among(reader.raw(field), bound, "UInt64", negated)


def _ids(
    field: Field, node: Filter, shape: re.Pattern[str], wanted: str
) -> tuple[tuple[str, ...], bool]:
    if node.items is not None:
        values, negated = node.items, node.negated
    else:
        value, negated = meant(node)
        values = (value,)
    for value in values:
        if is_pattern(value):
            raise refuse(
                f"{field.name}: wildcards (*) cannot be used here, the value must be {wanted}",
                node.at,
            )

        if value and not shape.fullmatch(value):
            raise refuse(f"{field.name} must be {wanted}, got {value!r}", node.at)

    return values, negated


def _among(
    column: Expression, values: tuple[str, ...] | tuple[int, ...], kind: str, negated: bool
) -> Expression:
    if len(values) == 1:
        return call("notEquals" if negated else "equals", column, Value(values[0], kind))

    return call("notIn" if negated else "in", column, Value(values, f"Array({kind})"))


def domain(frame: Frame, reader: TableReader, field: Field, node: Filter) -> Expression:
    """Compare the names of a comma separated list: any of them."""
    if node.items is None:
        value, negated = meant(node)
        if not value or is_pattern(value):
            return text(frame, reader, field, node)

        values: tuple[str, ...] = (literal(value),)
    else:
        values, negated = node.items, node.negated
    if not reader.has(field):
        return TRUE if negated else FALSE

    names = call("splitByChar", Word(","), reader.raw(field))
    found = all_of((call("hasAny", names, strings(values)),))
    return negate(found) if negated else found


def status(frame: Frame, reader: TableReader, field: Field, node: Filter) -> Expression:
    """Compare the name of a status; names that do not exist are refused."""
    values = node.items if node.items is not None else (meant(node)[0],)
    for value in values:
        if value and value not in STATUSES and not is_pattern(value):
            raise refuse(
                f"transaction.status must be one of {', '.join(STATUSES)}; got {value!r}", node.at
            )

    return text(frame, reader, field, node)


def device_class(frame: Frame, reader: TableReader, field: Field, node: Filter) -> Expression:
    """Compare low, medium, high; stored under their numbers."""
    values = node.items if node.items is not None else (meant(node)[0],)
    negated = node.negated if node.items is not None else meant(node)[1]
    stored: list[str] = []
    for value in values:
        if value in {"", "Unknown", "unknown"}:
            stored.append("")
        elif value.lower() in _CLASSES:
            stored += [_CLASSES[value.lower()], value.lower()]
        else:
            raise refuse(
                f"device.class must be one of low, medium, high, Unknown; got {value!r}", node.at
            )

    return within(reader, field, tuple(stored), negated)


def truth(frame: Frame, reader: TableReader, field: Field, node: Filter) -> Expression:
    """Compare True and False, in any case and as 1 and 0."""
    if node.items is not None:
        items = tuple(_TRUTHS.get(item.lower(), item) for item in node.items)
        return text(frame, reader, field, replace(node, items=items))

    value = _TRUTHS.get(node.value.lower(), node.value)
    return text(frame, reader, field, replace(node, value=value))


def http_status(frame: Frame, reader: TableReader, field: Field, node: Filter) -> Expression:
    """Compare as a number where an operator is given, as text otherwise."""
    if node.operator in _COMPARE and _INTEGER.fullmatch(node.value) and reader.has(field):
        operator = _NEGATED[node.operator] if node.negated else node.operator
        number = call("toInt32OrNull", reader.raw(field))
        return call(_COMPARE[operator], number, Value(int(node.value), "Int64"))

    return text(frame, reader, field, node)


__all__ = ["Number", "array", "device_class", "domain", "http_status", "meant", "message"]
