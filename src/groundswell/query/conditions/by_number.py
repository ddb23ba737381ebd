"""Filters on keys whose values are numbers, durations, sizes and truths."""

from __future__ import annotations

from groundswell.model.units import UNIT_BYTES, UNIT_MS
from groundswell.query.registry.fields import Field
from groundswell.query.registry.frame import Frame
from groundswell.query.registry.reader import TableReader
from groundswell.query.search.parser import refuse
from groundswell.query.search.tree import Filter
from groundswell.query.search.units import (
    MAX_DURATION_MS,
    parse_duration_ms,
    parse_number,
    parse_size_bytes,
)
from groundswell.query.sql.expression import (
    ELEMENT,
    FALSE,
    TRUE,
    Column,
    Each,
    Expression,
    Number,
    Value,
    all_of,
    any_of,
    call,
    negate,
)

COMPARE = {
    "": "equals",
    "=": "equals",
    "!=": "notEquals",
    ">": "greater",
    ">=": "greaterOrEquals",
    "<": "less",
    "<=": "lessOrEquals",
}
NEGATED = {"": "!=", "=": "!=", "!=": "=", ">": "<=", ">=": "<", "<": ">=", "<=": ">"}
_TRUTHS = {"true": 1, "1": 1, "false": 0, "0": 0}
_INTEGERS = {"project_id", "issue_id", "fingerprint"}
_UINT64 = 2**64
_EXACT = 2**53


def operator_of(node: Filter) -> str:
    return NEGATED[node.operator] if node.negated else node.operator or "="


def bind(value: float | int) -> Expression:
    """Bind a number as what it is."""
    if isinstance(value, int) and abs(value) < 2**63:
        return Value(value, "Int64")

    return Value(float(value), "Float64")


def read_number(field: Field, text: str, at: int) -> float | int:
    """Read the value of a numeric key in the unit that the field is stored in.

    Raises UserError that names the key, what was wrong, and the forms that are allowed.
    """
    if field.role == "duration":
        duration = parse_duration_ms(text)
        if duration is not None:
            if duration > MAX_DURATION_MS:
                raise refuse(f"{field.name}: {text} is too large a duration", at)

            return whole(duration / UNIT_MS[field.unit or "millisecond"])

    if field.role == "size":
        size = parse_size_bytes(text)
        if size is not None:
            return whole(size / UNIT_BYTES[field.unit or "byte"])

    return read_plain(field, text, at)


def whole(value: float) -> float | int:
    """Make a whole number an integer: columns of integers are compared faster with those."""
    return int(value) if value.is_integer() and abs(value) < _EXACT else value


def read_plain(field: Field, text: str, at: int) -> float | int:
    """Read a value that has no unit."""
    number = parse_number(text)
    if number is None or (field.role in _INTEGERS and not isinstance(number, int)):
        raise refuse(f"Invalid number for {field.name}: {text!r}; {_forms(field)}", at)

    return number


def _forms(field: Field) -> str:
    if field.role == "duration":
        return "write 300, 1.5s, 2min or 1h"

    if field.role == "size":
        return "write 300, 5kb or 1.5mib"

    return "write 5, -1.5, 2k or 1m (k thousand, m million, b billion)"


def number(frame: Frame, reader: TableReader, field: Field, node: Filter) -> Expression:
    """Compare numbers. An absent one is only unequal."""
    if node.items is not None:
        values = tuple(read_plain(field, item, node.at) for item in node.items)
        return _listed(reader, field, values, node.negated)

    value = read_number(field, node.value, node.at)
    operator = operator_of(node)
    if not reader.has(field):
        return TRUE if operator == "!=" else FALSE

    if field.role == "project_id" and not 0 <= value < _UINT64:
        raise refuse(f"Invalid number for {field.name}: {node.value!r}", node.at)

    return _present(
        reader,
        field,
        lambda stored: call(COMPARE[operator], stored, bind(value)),
        absent=operator == "!=",
    )


def _listed(
    reader: TableReader, field: Field, values: tuple[float | int, ...], negated: bool
) -> Expression:
    if not reader.has(field):
        return TRUE if negated else FALSE

    if all(isinstance(value, int) for value in values):
        bound = Value(tuple(int(value) for value in values), "Array(Int64)")
    else:
        bound = Value(tuple(float(value) for value in values), "Array(Float64)")
    name = "notIn" if negated else "in"
    return _present(reader, field, lambda stored: call(name, stored, bound), absent=negated)


def _present(reader: TableReader, field: Field, compare: object, *, absent: bool) -> Expression:
    """Apply a comparison where the value is there; where it is not, the answer is `absent`."""
    assert callable(compare)
    source = reader.source(field)
    assert source is not None
    if source.storage == "keyed":
        column, key = Column(source.column), Value(source.key)
        there = call("mapContains", column, key)
        found: Expression = compare(call("item", column, key))
        return any_of((negate(there), found)) if absent else all_of((there, found))

    value = reader.value(field)
    found = compare(value)
    if absent and reader.nullable(field):
        return any_of((call("isNull", value), found))

    return found


def array_number(frame: Frame, reader: TableReader, field: Field, node: Filter) -> Expression:
    """Any element satisfies the comparison."""
    if node.items is not None:
        values = tuple(read_number(field, item, node.at) for item in node.items)
        bound = Value(tuple(int(value) for value in values), "Array(Int64)")
        found = call("hasAny", reader.raw(field), bound) if reader.has(field) else FALSE
        return negate(found) if node.negated else found

    value = read_number(field, node.value, node.at)
    operator = operator_of(node)
    if not reader.has(field):
        return TRUE if operator == "!=" else FALSE

    column = reader.raw(field)
    if operator in {"=", "!="}:
        found = call("has", column, bind(value))
        return found if operator == "=" else negate(found)

    return call("arrayExists", Each(call(COMPARE[operator], ELEMENT, bind(value))), column)


def array_boolean(frame: Frame, reader: TableReader, field: Field, node: Filter) -> Expression:
    """Any element is as asked."""
    wanted = truth(field, node)
    return call("has", reader.raw(field), Number(wanted)) if reader.has(field) else FALSE


def boolean(frame: Frame, reader: TableReader, field: Field, node: Filter) -> Expression:
    """Compare a truth; what is not known is neither."""
    wanted = truth(field, node)
    if not reader.has(field):
        return FALSE

    source = reader.source(field)
    assert source is not None
    if source.storage in {"zero", "one"}:
        return TRUE if (source.storage == "one") == bool(wanted) else FALSE

    if field.role in {"handled", "unhandled"}:
        found = reader.value(field)
        return found if wanted else negate(found)

    return call("equals", reader.raw(field), Number(wanted))


def truth(field: Field, node: Filter) -> int:
    """Read true, false, 1 or 0 of any case; `!` turns it round."""
    value = _TRUTHS.get(node.value.lower())
    if value is None or node.items is not None or node.operator not in {"", "=", "!="}:
        raise refuse(
            f"Invalid boolean for {field.name}: write {field.name}:true, :false, :1 or :0", node.at
        )

    return value ^ (node.negated != (node.operator == "!="))
