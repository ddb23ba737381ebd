"""Decisions on a plan: each pass takes a plan and gives a plan that answers the same.

`guard` is not a choice: the printer refuses a scan without it.
"""

from __future__ import annotations

import msgspec

from groundswell.query.sql.expression import (
    Call,
    Column,
    Each,
    Expression,
    Scalar,
    Value,
    Whole,
    all_of,
    call,
)
from groundswell.query.sql.instants import instant
from groundswell.query.sql.select import Derived, Merge, Scan, Select, Source, Union
from groundswell.timeframe import TimeRange


def guarded(plan: Select, projects: tuple[int, ...], window: TimeRange) -> Select:
    """Confine every scan to the projects and the range of the question."""
    bound = (
        call("equals", Column("project_id"), Value(projects[0], "UInt64"))
        if len(projects) == 1
        else call("in", Column("project_id"), Value(projects, "Array(UInt64)"))
    )
    guard = all_of(
        (
            bound,
            call("greaterOrEquals", Column("timestamp"), instant(window.start)),
            call("less", Column("timestamp"), instant(window.end)),
        )
    )
    return _guard_select(plan, guard)


def _guard_select(plan: Select, guard: Expression) -> Select:
    return msgspec.structs.replace(
        plan,
        source=_guard_source(plan.source, guard),
        columns=tuple((name, _guard_inside(part, guard)) for name, part in plan.columns),
        having=_guard_inside(plan.having, guard),
    )


def _guard_source(source: Source, guard: Expression) -> Source:
    match source:
        case Scan():
            return msgspec.structs.replace(source, guard=guard)
        case Merge(scans):
            return Merge(tuple(msgspec.structs.replace(scan, guard=guard) for scan in scans))
        case Derived(select):
            return Derived(_guard_select(select, guard))
        case Union(selects):
            return Union(tuple(_guard_select(select, guard) for select in selects))


def _guard_inside(node: Expression, guard: Expression) -> Expression:
    match node:
        case Scalar(select):
            return Scalar(_guard_select(select, guard))
        case Call(name, args, parameters) if has_query(node):
            return Call(name, tuple(_guard_inside(arg, guard) for arg in args), parameters)
        case _:
            return node


def has_query(node: Expression) -> bool:
    """Whether an expression holds a query of its own, made or still to be made."""
    match node:
        case Whole() | Scalar():
            return True
        case Call(_, args, _):
            return any(has_query(arg) for arg in args)
        case Each(body):
            return has_query(body)
        case _:
            return False


def with_wholes(plan: Select) -> Select:
    """Turn aggregates over everything into queries of their own on the same rows."""
    match plan.source:
        case Derived(select):
            plan = msgspec.structs.replace(plan, source=Derived(with_wholes(select)))
        case Union(selects):
            parts = tuple(with_wholes(select) for select in selects)
            plan = msgspec.structs.replace(plan, source=Union(parts))
    if not any(has_query(part) for _, part in plan.columns) and not has_query(plan.having):
        return plan

    return msgspec.structs.replace(
        plan,
        columns=tuple((name, _whole(part, plan)) for name, part in plan.columns),
        having=_whole(plan.having, plan),
    )


def _whole(node: Expression, plan: Select) -> Expression:
    match node:
        case Whole(aggregate, filtered):
            source = plan.source if filtered else _unfiltered(plan.source)
            return Scalar(Select(source, (("w0", aggregate),)))
        case Call(name, args, parameters) if has_query(node):
            return Call(name, tuple(_whole(arg, plan) for arg in args), parameters)
        case _:
            return node


def _unfiltered(source: Source) -> Source:
    match source:
        case Scan(table, _, guard, columns):
            return Scan(table, guard=guard, columns=columns)
        case Merge(scans):
            return Merge(tuple(Scan(scan.table, columns=scan.columns) for scan in scans))
        case Derived() | Union():
            return source
