"""Filters on aggregates: taken out of a search, and turned into conditions on groups."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from groundswell.model.units import UNIT_BYTES, UNIT_MS
from groundswell.query.conditions.by_number import COMPARE, bind, operator_of
from groundswell.query.conditions.by_time import bounds
from groundswell.query.plan.selection import Item
from groundswell.query.registry.frame import Frame
from groundswell.query.registry.functions import Function
from groundswell.query.search.calls import FunctionCall
from groundswell.query.search.parser import refuse
from groundswell.query.search.tree import And, Filter, Has, Node, Or, Text
from groundswell.query.search.units import (
    parse_duration_ms,
    parse_number,
    parse_percent,
    parse_size_bytes,
)
from groundswell.query.sql.expression import (
    Expression,
    all_of,
    any_of,
    call,
)
from groundswell.query.sql.instants import instant, parse_iso, parse_relative


def split(node: Node, registry: Mapping[str, Function]) -> tuple[Node | None, Node | None]:
    """Part a search into its filters on rows and its filters on aggregates.

    Raises UserError where OR joins the two kinds.
    """
    match node:
        case Filter(key) if key.kind == "call":
            if key.name not in registry and not _is_value(node):
                sign = "!" if node.negated else ""
                return Text(f"{sign}{key.text}:{node.operator}{node.value}", node.at), None

            return None, node
        case And(items):
            pairs = [split(item, registry) for item in items]
            return _join(And, [row for row, _ in pairs]), _join(And, [one for _, one in pairs])
        case Or(items):
            pairs = [split(item, registry) for item in items]
            if all(one is None for _, one in pairs):
                return _join(Or, [row for row, _ in pairs]), None

            if all(row is None for row, _ in pairs):
                return None, _join(Or, [one for _, one in pairs])

            raise refuse(
                "OR cannot join a filter on rows with a filter on an aggregate; "
                "put parentheses around the filters of one kind",
                _first_aggregate(node),
            )
        case _:
            return node, None


def _first_aggregate(node: Node) -> int:
    match node:
        case And(items) | Or(items):
            return max((_first_aggregate(item) for item in items), default=0) or 1
        case Filter(key) if key.kind == "call":
            return node.at
        case _:
            return 0


def _is_value(node: Filter) -> bool:
    if node.items is not None:
        return False

    value = node.value
    return (
        any(
            parse(value) is not None
            for parse in (parse_number, parse_duration_ms, parse_percent, parse_size_bytes)
        )
        or parse_iso(value) is not None
    )


def _join(kind: type[And | Or], parts: list[Node | None]) -> Node | None:
    kept = tuple(part for part in parts if part is not None)
    if not kept:
        return None

    return kept[0] if len(kept) == 1 else kind(kept)


def calls_in(node: Node | None) -> list[Filter]:
    """List the filters on aggregates."""
    match node:
        case And(items) | Or(items):
            return [found for item in items for found in calls_in(item)]
        case Filter():
            return [node]
        case _:
            return []


def having(
    frame: Frame, node: Node, item_of: Callable[[Filter], tuple[Item, Expression]]
) -> Expression:
    """Compile the filters on aggregates."""
    match node:
        case And(items):
            return all_of(tuple(having(frame, item, item_of) for item in items))
        case Or(items):
            return any_of(tuple(having(frame, item, item_of) for item in items))
        case Filter():
            item, expression = item_of(node)
            return _compare(frame, item, expression, node)
        case Text() | Has():
            raise AssertionError("a filter on rows among those on aggregates")


def call_of(node: Filter) -> FunctionCall:
    return FunctionCall(node.key.name, node.key.args)


def _compare(frame: Frame, item: Item, expression: Expression, node: Filter) -> Expression:
    operator = operator_of(node)
    name = node.key.text
    if node.items is not None:
        raise refuse(f"{name}: an aggregate cannot be compared with a list", node.at)

    if not node.value and node.quoted and operator in {"=", "!="}:
        return call("isNull" if operator == "=" else "isNotNull", expression)

    if item.type == "date":
        found, either = bounds(name, node, frame.now)
        parts = tuple(call(COMPARE[sign], expression, instant(at)) for sign, at in found)
        return any_of(parts) if either else all_of(parts)

    return call(COMPARE[operator], expression, bind(_number(frame, item, node)))


def _number(frame: Frame, item: Item, node: Filter) -> float | int:
    name, value = node.key.text, node.value
    percent = parse_percent(value)
    if percent is not None:
        if item.type != "percentage":
            raise refuse(f"{name} is not a percentage, so {value} cannot be compared", node.at)

        return percent

    if item.type == "duration":
        duration = parse_duration_ms(value)
        if duration is not None:
            return duration / UNIT_MS[item.unit or "millisecond"]

    if item.type == "size":
        size = parse_size_bytes(value)
        if size is not None:
            return size / UNIT_BYTES[item.unit or "byte"]

    number = parse_number(value)
    if number is not None:
        return number

    if parse_iso(value) is not None or parse_relative(value, frame.now) is not None:
        raise refuse(f"{name} is not a date, so {value} cannot be compared", node.at)

    raise refuse(
        f"Invalid number for {name}: {node.operator}{value}; an aggregate is compared with a "
        f"number, like {name}:>5",
        node.at,
    )
