"""Trends that the watch found, and when it looked last."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import (
    JSON,
    Column,
    Connection,
    Float,
    ForeignKey,
    Index,
    Integer,
    String,
    Table,
    Text,
    insert,
    select,
    update,
)

from groundswell.model.tenancy import OrgId, ProjectId, UserId
from groundswell.model.trends import Status, Trend
from groundswell.store.metadata.columns import BigId, UtcTime, registry, upsert

MAX_ERROR = 500


def _owner(name: str, table: str, *, primary_key: bool = False) -> Column[int]:
    key = ForeignKey(f"{table}.id", ondelete="CASCADE")
    return Column(name, BigId, key, primary_key=primary_key, nullable=False)


watches = Table(
    "trend_watches",
    registry,
    _owner("project_id", "projects", primary_key=True),
    Column("scanned_at", UtcTime),
    Column("digested_at", UtcTime),
    Column("last_error", Text),
)
trends = Table(
    "trends",
    registry,
    Column("id", BigId, primary_key=True),
    _owner("org_id", "organizations"),
    _owner("project_id", "projects"),
    Column("group_name", Text, nullable=False),
    Column("function", String(255), nullable=False),
    Column("direction", Integer, nullable=False),
    Column("change", String(16), nullable=False),
    Column("at", UtcTime, nullable=False),
    Column("before", Float),
    Column("after", Float),
    Column("ratio", Float),
    Column("p_value", Float, nullable=False),
    Column("found_at", UtcTime, nullable=False),
    Column("seen_at", UtcTime, nullable=False),
    Column("status", String(16), nullable=False),
    Column("changed_at", UtcTime),
    Column("changed_by", BigId),
    Column("recovered_at", UtcTime),
    Column("announced_at", UtcTime),
    Column("evidence", JSON, nullable=False),
    Index(None, "org_id", "at"),
    Index(None, "project_id", "at"),
    sqlite_autoincrement=True,
)


@dataclass(frozen=True, slots=True)
class Looked:
    """When the watch was in a project last, and what went wrong then."""

    scanned_at: datetime | None = None
    digested_at: datetime | None = None
    last_error: str | None = None


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which trends a list shows; None and empty stand for all. words: part of the group's name."""

    projects: Collection[ProjectId]
    statuses: Collection[Status] = ()
    change: str | None = None
    function: str | None = None
    words: str = ""
    since: datetime | None = None


def looked(connection: Connection) -> dict[ProjectId, Looked]:
    """Give when each project was looked at last."""
    return {
        ProjectId(row.project_id): Looked(row.scanned_at, row.digested_at, row.last_error)
        for row in connection.execute(select(watches))
    }


def note_scan(
    connection: Connection, project_id: ProjectId, now: datetime, error: str | None = None
) -> None:
    """Write down that a project was looked at."""
    values = {"scanned_at": now, "last_error": error and error[:MAX_ERROR]}
    upsert(connection, watches, {"project_id": project_id}, values)


def note_digest(connection: Connection, project_id: ProjectId, now: datetime) -> None:
    """Write down that the week was told."""
    upsert(connection, watches, {"project_id": project_id}, {"digested_at": now})


def add_trend(connection: Connection, trend: Trend) -> int:
    """Keep a trend that was found; give its id."""
    values = {
        "org_id": trend.org_id,
        "project_id": trend.project_id,
        "group_name": trend.group,
        "function": trend.function,
        "direction": trend.direction,
        "change": trend.change,
        "at": trend.at,
        "found_at": trend.found_at,
        "status": trend.status.value,
        **_levels(trend),
    }
    made = connection.execute(insert(trends).values(**values).returning(trends.c.id))
    return int(made.scalar_one())


def see_again(connection: Connection, trend: Trend) -> None:
    """Keep the newer evidence of a trend; its moment stays, for it is its identity."""
    connection.execute(update(trends).where(trends.c.id == trend.id).values(**_levels(trend)))


def recover(connection: Connection, id: int, at: datetime, now: datetime) -> bool:
    """Mark an open trend as gone since `at`; False when it is no longer open."""
    open_ = [status.value for status in Status if status.is_open]
    match = (trends.c.id == id) & trends.c.status.in_(open_)
    values = {"status": Status.RECOVERED.value, "recovered_at": at, "changed_at": now}
    return connection.execute(update(trends).where(match).values(**values)).rowcount == 1


def set_status(
    connection: Connection, id: int, status: Status, user_id: UserId | None, now: datetime
) -> None:
    """Put a trend where a person wants it."""
    recovered = now if status is Status.RECOVERED else None
    values = {"status": status.value, "changed_at": now, "changed_by": user_id}
    connection.execute(
        update(trends).where(trends.c.id == id).values(**values, recovered_at=recovered)
    )


def announced(connection: Connection, ids: Collection[int], now: datetime) -> None:
    """Write down that people were told."""
    connection.execute(update(trends).where(trends.c.id.in_(list(ids))).values(announced_at=now))


def known_trends(connection: Connection, project_id: ProjectId, since: datetime) -> list[Trend]:
    """List the trends of a project that began after `since` or are still open, oldest first."""
    open_ = [status.value for status in Status if status.is_open]
    match = (trends.c.at >= since) | trends.c.status.in_(open_)
    query = select(trends).where(trends.c.project_id == project_id, match).order_by(trends.c.id)
    return [_trend(row) for row in connection.execute(query)]


def unannounced(connection: Connection, project_id: ProjectId) -> list[Trend]:
    """List new trends of a project that nobody was told of."""
    row = trends.c
    query = select(trends).where(
        row.project_id == project_id,
        row.status == Status.NEW.value,
        row.announced_at.is_(None),
    )
    return [_trend(one) for one in connection.execute(query.order_by(row.id))]


def list_trends(
    connection: Connection, org_id: OrgId, wanted: Wanted, *, offset: int = 0, limit: int = 100
) -> list[Trend]:
    """List trends, the newest change first."""
    row = trends.c
    query = select(trends).where(row.org_id == org_id, row.project_id.in_(list(wanted.projects)))
    if wanted.statuses:
        query = query.where(row.status.in_([status.value for status in wanted.statuses]))
    if wanted.change is not None:
        query = query.where(row.change == wanted.change)
    if wanted.function is not None:
        query = query.where(row.function == wanted.function)
    if wanted.words:
        query = query.where(row.group_name.icontains(wanted.words, autoescape=True))
    if wanted.since is not None:
        query = query.where(row.at >= wanted.since)
    query = query.order_by(row.at.desc(), row.id.desc()).offset(offset).limit(limit)
    return [_trend(one) for one in connection.execute(query)]


def find_trend(connection: Connection, org_id: OrgId, id: int) -> Trend | None:
    match = (trends.c.id == id) & (trends.c.org_id == org_id)
    row = connection.execute(select(trends).where(match)).one_or_none()
    return None if row is None else _trend(row)


def _levels(trend: Trend) -> Mapping[str, Any]:
    return {
        "before": trend.before,
        "after": trend.after,
        "ratio": trend.ratio,
        "p_value": trend.p_value,
        "seen_at": trend.seen_at,
        "evidence": dict(trend.evidence),
    }


def _trend(row: Any) -> Trend:
    return Trend(
        id=row.id,
        org_id=OrgId(row.org_id),
        project_id=ProjectId(row.project_id),
        group=row.group_name,
        function=row.function,
        direction=row.direction,
        change=row.change,
        at=row.at,
        before=row.before,
        after=row.after,
        ratio=row.ratio,
        p_value=row.p_value,
        found_at=row.found_at,
        seen_at=row.seen_at,
        status=Status(row.status),
        changed_at=row.changed_at,
        changed_by=None if row.changed_by is None else UserId(row.changed_by),
        recovered_at=row.recovered_at,
        announced_at=row.announced_at,
        evidence=row.evidence,
    )
