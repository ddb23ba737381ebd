"""Filters on instants: absolute, a day, around a moment, relative to now."""

from __future__ import annotations

from datetime import datetime, timedelta

from groundswell.query.conditions.by_number import COMPARE, NEGATED
from groundswell.query.registry.fields import Field
from groundswell.query.registry.frame import Frame
from groundswell.query.registry.reader import TableReader
from groundswell.query.search.parser import refuse
from groundswell.query.search.tree import Filter
from groundswell.query.sql.expression import FALSE, Expression, all_of, any_of, call
from groundswell.query.sql.instants import (
    DATE_FORMS,
    DATE_LENGTH,
    instant,
    parse_iso,
    parse_relative,
)

Bound = tuple[str, datetime]


def bounds(name: str, node: Filter, now: datetime) -> tuple[tuple[Bound, ...], bool]:
    """Read the value of a key of instants → comparisons to join, and whether by OR.

    A date alone is that day, an instant alone its surroundings (5 minutes before, 6 after).
    """
    if node.items is not None:
        raise _refuse(name, node, "a list")

    operator = node.operator
    moment = parse_iso(node.value)
    if moment is not None and operator not in {"", "=", "!="}:
        return ((NEGATED[operator] if node.negated else operator, moment),), False

    negated = node.negated != (operator == "!=")
    if moment is not None:
        bare_date = len(node.value) == DATE_LENGTH
        low = moment if bare_date else moment - timedelta(minutes=5)
        high = moment + (timedelta(days=1) if bare_date else timedelta(minutes=6))
        if negated:
            return (("<", low), (">=", high)), True

        return ((">=", low), ("<", high)), False

    relative = parse_relative(node.value, now) if not operator else None
    if relative is None:
        raise _refuse(name, node, repr(operator + node.value))

    sign, moment = relative
    if node.negated:
        sign = NEGATED[sign]
    return ((sign, moment),), False


def _refuse(name: str, node: Filter, got: str) -> Exception:
    return refuse(f"Invalid date for {name}: {got}; write {DATE_FORMS}", node.at)


def timestamp(frame: Frame, reader: TableReader, field: Field, node: Filter) -> Expression:
    """Compare instants; what lies outside the range of the question is refused."""
    found, either = bounds(field.name, node, frame.now)
    if field.role == "timestamp" and not either and len(found) == 1:
        _check_range(frame, field, node, found[0])
    if not reader.has(field):
        return FALSE

    column = reader.raw(field)
    parts = tuple(call(COMPARE[operator], column, instant(at)) for operator, at in found)
    return any_of(parts) if either else all_of(parts)


def _check_range(frame: Frame, field: Field, node: Filter, bound: Bound) -> None:
    operator, at = bound
    before = operator in {"<", "<="} and at < frame.window.start
    after = operator in {">", ">="} and at > frame.window.end
    if before or after:
        raise refuse(
            f"{field.name}: {at.isoformat()} is outside the selected date range "
            f"({frame.window.start.isoformat()} to {frame.window.end.isoformat()})",
            node.at,
        )
