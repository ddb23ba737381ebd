"""Issues: the group of a fingerprint within a project, with an id that is never given twice."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy import Column, Connection, ForeignKey, Integer, String, Table, UniqueConstraint

from groundswell.store.metadata.columns import BigId, UtcTime, insert_missing, registry, upsert
from groundswell.store.metadata.tables import projects

issues = Table(
    "issues",
    registry,
    Column("id", BigId, primary_key=True),
    Column("project_id", BigId, ForeignKey("projects.id", ondelete="CASCADE"), nullable=False),
    Column("primary_hash", String(32), nullable=False),
    Column("number", Integer, nullable=False),
    Column("title", sa.Text, nullable=False),
    Column("culprit", sa.Text, nullable=False),
    Column("level", String(16), nullable=False),
    Column("type", String(16), nullable=False),
    Column("platform", String(64), nullable=False),
    Column("first_seen", UtcTime, nullable=False),
    Column("last_seen", UtcTime, nullable=False),
    Column("times_seen", BigId, nullable=False),
    Column("status", String(16), nullable=False),
    Column("substatus", String(32), nullable=False),
    Column("assigned_to", String(64)),
    UniqueConstraint("project_id", "primary_hash"),
    UniqueConstraint("project_id", "number", name="uq_issues_number"),
    sa.Index("ix_issues_last_seen", "project_id", "last_seen"),
    sqlite_autoincrement=True,
)
issue_counters = Table(
    "issue_counters",
    registry,
    Column(
        "project_id",
        BigId,
        ForeignKey("projects.id", ondelete="CASCADE"),
        primary_key=True,
        autoincrement=False,
    ),
    Column("last_number", Integer, nullable=False),
)
spool_progress = Table(
    "spool_progress",
    registry,
    Column("spool_id", String(32), primary_key=True),
    Column("cut", BigId, nullable=False),
)
DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUV"


@dataclass(frozen=True, slots=True)
class Sighting:
    """What one batch saw of an issue. `primary_hash` is 32 hex digits."""

    project_id: int
    primary_hash: str
    title: str
    culprit: str
    level: str
    type: str
    platform: str
    first_seen: datetime
    last_seen: datetime
    count: int


@dataclass(frozen=True, slots=True)
class Issue:
    """One issue. `short_id` needs the slug of its project: `short_id(slug, number)`."""

    id: int
    project_id: int
    number: int
    title: str
    culprit: str
    level: str
    type: str
    platform: str
    first_seen: datetime
    last_seen: datetime
    times_seen: int
    status: str
    substatus: str
    assigned_to: str | None


def short_id(project_slug: str, number: int) -> str:
    """Project slug in capitals, a hyphen, the running number in base 32: `WEB-1A`."""
    digits = ""
    while True:
        number, digit = divmod(number, 32)
        digits = DIGITS[digit] + digits
        if not number:
            return f"{project_slug.upper()}-{digits}"


def record_batch(
    connection: Connection, spool_id: str, cut: int, sightings: Sequence[Sighting]
) -> list[int]:
    """Give the ids of the issues of a batch, making new ones; count a batch once.

    A batch comes again after a crash: then only the ids are looked up.
    """
    is_new = _advance(connection, spool_id, cut)
    # One order for everybody, so that two processes never wait for each other's rows.
    ordered = sorted(sightings, key=lambda row: (row.project_id, row.primary_hash))
    found = {(row.project_id, row.primary_hash): _sight(connection, row, is_new) for row in ordered}
    return [found[row.project_id, row.primary_hash] for row in sightings]


def get(connection: Connection, issue_ids: Sequence[int]) -> dict[int, Issue]:
    """Read issues by id; those that do not exist are missing."""
    columns = [issues.c[name] for name in Issue.__dataclass_fields__]
    rows = connection.execute(sa.select(*columns).where(issues.c.id.in_(list(issue_ids))))
    return {row.id: Issue(**row._mapping) for row in rows}


def find_by_number(connection: Connection, project_id: int, number: int) -> int | None:
    """Find the id of a project's issue by its running number."""
    return connection.scalar(
        sa.select(issues.c.id).where(issues.c.project_id == project_id, issues.c.number == number)
    )


def parse_number(text: str) -> int | None:
    """Base 32 → number: the part of a short id after the last hyphen; None if it is none."""
    try:
        return int(text, 32) if text and text.isascii() and text.isalnum() else None
    except ValueError:
        return None


def _advance(connection: Connection, spool_id: str, cut: int) -> bool:
    """Tell whether this batch comes for the first time, and remember it."""
    done = connection.scalar(
        sa.select(spool_progress.c.cut).where(spool_progress.c.spool_id == spool_id)
    )
    if done is not None and done >= cut:
        return False

    upsert(connection, spool_progress, {"spool_id": spool_id}, {"cut": cut})
    return True


def _sight(connection: Connection, row: Sighting, is_new: bool) -> int:
    known = _id_of(connection, row)
    if known is None and not _exists(connection, row.project_id):
        # Its project was deleted after the event was accepted.
        return 0

    if known is None:
        known = _create(connection, row)
    elif is_new:
        connection.execute(_update(known, row))
    return known


def _update(issue_id: int, row: Sighting) -> sa.Update:
    columns = issues.c
    is_newer = columns.last_seen <= row.last_seen
    newest = {
        name: sa.case((is_newer, getattr(row, name)), else_=columns[name])
        for name in ("title", "culprit", "level", "last_seen")
    }
    was_resolved = columns.status == "resolved"
    return (
        sa.update(issues)
        .where(columns.id == issue_id)
        .values(
            times_seen=columns.times_seen + row.count,
            first_seen=sa.case(
                (columns.first_seen > row.first_seen, row.first_seen), else_=columns.first_seen
            ),
            status=sa.case((was_resolved, "unresolved"), else_=columns.status),
            substatus=sa.case((was_resolved, "regressed"), else_=columns.substatus),
            **newest,
        )
    )


def _create(connection: Connection, row: Sighting) -> int:
    insert_missing(connection, issue_counters, {"project_id": row.project_id, "last_number": 0})
    number = connection.scalar(
        sa.update(issue_counters)
        .where(issue_counters.c.project_id == row.project_id)
        .values(last_number=issue_counters.c.last_number + 1)
        .returning(issue_counters.c.last_number)
    )
    # Another process may have been faster: then its row counts and our number stays unused.
    inserted = insert_missing(
        connection,
        issues,
        {
            "project_id": row.project_id,
            "primary_hash": row.primary_hash,
            "number": number,
            "title": row.title,
            "culprit": row.culprit,
            "level": row.level,
            "type": row.type,
            "platform": row.platform,
            "first_seen": row.first_seen,
            "last_seen": row.last_seen,
            "times_seen": row.count,
            "status": "unresolved",
            "substatus": "new",
        },
    )
    issue_id = _id_of(connection, row)
    assert issue_id is not None, "the row is there, whoever made it"
    if not inserted:
        connection.execute(_update(issue_id, row))
    return issue_id


def _exists(connection: Connection, project_id: int) -> bool:
    return (
        connection.scalar(sa.select(projects.c.id).where(projects.c.id == project_id)) is not None
    )


def _id_of(connection: Connection, row: Sighting) -> int | None:
    return connection.scalar(
        sa.select(issues.c.id).where(
            issues.c.project_id == row.project_id, issues.c.primary_hash == row.primary_hash
        )
    )
