"""Releases that were announced; those that only events speak of are not here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy import JSON, Column, Connection, ForeignKey, String, Table, UniqueConstraint

from groundswell.store.metadata.columns import BigId, UtcTime, insert_missing, registry

releases = Table(
    "releases",
    registry,
    Column("id", BigId, primary_key=True),
    Column("org_id", BigId, ForeignKey("organizations.id", ondelete="CASCADE"), nullable=False),
    Column("version", String(250), nullable=False),
    Column("projects", JSON, nullable=False),
    Column("ref", String(250)),
    Column("url", sa.Text),
    Column("created_at", UtcTime, nullable=False),
    Column("released_at", UtcTime),
    UniqueConstraint("org_id", "version"),
    sqlite_autoincrement=True,
)


@dataclass(frozen=True, slots=True)
class Release:
    """One release of some projects (by id)."""

    id: int
    version: str
    projects: tuple[int, ...]
    ref: str | None
    url: str | None
    created_at: datetime
    released_at: datetime | None


def announce_release(
    connection: Connection, org_id: int, version: str, projects: Sequence[int], *, now: datetime
) -> tuple[Release, bool]:
    """Make a release, or add projects to the one that has the version; tell whether it is new."""
    values = {
        "org_id": org_id, "version": version, "projects": sorted(projects), "created_at": now,
    }  # fmt: skip
    is_new = insert_missing(connection, releases, values)
    found = find_release(connection, org_id, version)
    assert found is not None
    more = sorted({*found.projects, *projects})
    if more != list(found.projects):
        change_release(connection, found.id, {"projects": more})
        found = find_release(connection, org_id, version)
        assert found is not None
    return found, is_new


def find_release(connection: Connection, org_id: int, version: str) -> Release | None:
    """Find a release by its version."""
    c = releases.c
    query = sa.select(releases).where(c.org_id == org_id, c.version == version)
    row = connection.execute(query).one_or_none()
    return None if row is None else _row(row)


def list_releases(connection: Connection, org_id: int) -> list[Release]:
    """List the releases of an organization, the newest first."""
    c = releases.c
    query = sa.select(releases).where(c.org_id == org_id)
    return [_row(row) for row in connection.execute(query.order_by(c.created_at.desc(), c.id))]


def change_release(connection: Connection, release_id: int, values: Mapping[str, Any]) -> None:
    """Change what is given of `ref`, `url`, `released_at`, `projects`."""
    if values:
        query = sa.update(releases).where(releases.c.id == release_id)
        connection.execute(query.values(**values))


def delete_release(connection: Connection, release_id: int) -> None:
    """Delete an announced release; what events say of it stays."""
    connection.execute(sa.delete(releases).where(releases.c.id == release_id))


def _row(row: Any) -> Release:
    return Release(
        row.id, row.version, tuple(row.projects), row.ref, row.url, row.created_at,
        row.released_at,
    )  # fmt: skip
