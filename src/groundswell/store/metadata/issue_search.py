"""Issues as lists: found by what the metadata knows of them, and changed by people."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy import ColumnElement, Connection

from groundswell.store.metadata.issues import Issue, issues

ORDERS = {"date": issues.c.last_seen, "new": issues.c.first_seen, "freq": issues.c.times_seen}


@dataclass(frozen=True, slots=True)
class IssueFilter:
    """What is asked of issues; None asks nothing.

    statuses, not_statuses: "unresolved", "resolved", "ignored". assigned: of these
    ("user:1", "team:2"), an empty tuple: of nobody. bounds: (column, operator, value) of
    "first_seen", "last_seen", "times_seen".
    """

    projects: tuple[int, ...]
    statuses: tuple[str, ...] | None = None
    not_statuses: tuple[str, ...] = ()
    substatuses: tuple[str, ...] | None = None
    assigned: tuple[str, ...] | None = None
    not_assigned: tuple[str, ...] | None = None
    bounds: tuple[tuple[str, str, datetime | int], ...] = ()
    numbers: tuple[tuple[int, int], ...] | None = None
    ids: tuple[int, ...] | None = None


@dataclass(frozen=True, slots=True)
class IssueChange:
    """What changes; None stays. assigned_to: "" takes the assignment away."""

    status: str | None = None
    substatus: str | None = None
    assigned_to: str | None = None


def find_issues(
    connection: Connection, wanted: IssueFilter, *, order: str, limit: int, offset: int = 0
) -> list[Issue]:
    """List issues, the largest first by `order` ("date", "new", "freq")."""
    columns = [issues.c[name] for name in Issue.__dataclass_fields__]
    query = (
        sa.select(*columns)
        .where(*_conditions(wanted))
        .order_by(ORDERS[order].desc(), issues.c.id.desc())
        .limit(limit)
        .offset(offset)
    )
    return [Issue(**row._mapping) for row in connection.execute(query)]


def change_issues(connection: Connection, ids: Sequence[int], change: IssueChange) -> None:
    """Give issues another status or somebody to look after them."""
    values: dict[str, Any] = {}
    if change.status is not None:
        values["status"] = change.status
        values["substatus"] = change.substatus or ""
    if change.assigned_to is not None:
        values["assigned_to"] = change.assigned_to or None
    if values:
        connection.execute(sa.update(issues).where(issues.c.id.in_(list(ids))).values(**values))


def delete_issues(connection: Connection, ids: Sequence[int]) -> None:
    """Forget issues; an event of theirs that comes later makes a new one."""
    connection.execute(sa.delete(issues).where(issues.c.id.in_(list(ids))))


def _conditions(wanted: IssueFilter) -> list[ColumnElement[bool]]:
    c = issues.c
    found: list[ColumnElement[bool]] = [c.project_id.in_(wanted.projects)]
    if wanted.statuses is not None:
        found.append(c.status.in_(wanted.statuses))
    if wanted.not_statuses:
        found.append(c.status.not_in(wanted.not_statuses))
    if wanted.substatuses is not None:
        found.append(c.substatus.in_(wanted.substatuses))
    if wanted.assigned is not None:
        found.append(c.assigned_to.in_(wanted.assigned) if wanted.assigned else _nobody())
    if wanted.not_assigned is not None:
        found.append(
            sa.or_(_nobody(), c.assigned_to.not_in(wanted.not_assigned))
            if wanted.not_assigned
            else c.assigned_to.is_not(None)
        )
    if wanted.numbers is not None:
        found.append(sa.tuple_(c.project_id, c.number).in_(wanted.numbers))
    if wanted.ids is not None:
        found.append(c.id.in_(wanted.ids))
    for name, operator, value in wanted.bounds:
        found.append(_COMPARE[operator](c[name], value))
    return found


def _nobody() -> ColumnElement[bool]:
    return issues.c.assigned_to.is_(None)


_COMPARE = {
    ">": lambda column, value: column > value,
    ">=": lambda column, value: column >= value,
    "<": lambda column, value: column < value,
    "<=": lambda column, value: column <= value,
    "=": lambda column, value: column == value,
    "!=": lambda column, value: column != value,
}
