"""Stored chart images: a random name, the image, whose it is. A name that is gone stays gone."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import (
    Column,
    Connection,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    delete,
    func,
    insert,
    select,
)

from groundswell.model.tenancy import OrgId, ProjectId
from groundswell.store.metadata.columns import BigId, UtcTime, registry

snapshots = Table(
    "snapshots",
    registry,
    Column("name", String(32), primary_key=True),
    Column("org_id", BigId, ForeignKey("organizations.id", ondelete="CASCADE"), nullable=False),
    Column("installation", String(64)),
    # How many projects it shows: one that lost a project shows data of somebody who is gone.
    Column("project_count", Integer, nullable=False),
    Column("png", LargeBinary, nullable=False),
    Column("created_at", UtcTime, nullable=False),
    Index(None, "created_at"),
    Index(None, "installation"),
)
snapshot_projects = Table(
    "snapshot_projects",
    registry,
    Column("name", String(32), ForeignKey("snapshots.name", ondelete="CASCADE"), primary_key=True),
    Column("project_id", BigId, ForeignKey("projects.id", ondelete="CASCADE"), primary_key=True),
    Index(None, "project_id"),
)


def add(
    connection: Connection,
    name: str,
    png: bytes,
    *,
    org_id: OrgId,
    project_ids: Iterable[ProjectId],
    installation: str | None,
    now: datetime,
) -> None:
    """Keep an image under `name`, with the projects whose data it shows."""
    shown = [{"name": name, "project_id": project} for project in sorted(set(project_ids))]
    row = {"name": name, "png": png, "org_id": org_id, "installation": installation}
    connection.execute(insert(snapshots).values(**row, project_count=len(shown), created_at=now))
    if shown:
        connection.execute(insert(snapshot_projects), shown)


def find(connection: Connection, name: str) -> bytes | None:
    """Give the image of that name, None when it was revoked or never was."""
    present = (
        select(func.count())
        .select_from(snapshot_projects)
        .where(snapshot_projects.c.name == snapshots.c.name)
        .scalar_subquery()
    )
    return connection.execute(
        select(snapshots.c.png)
        .where(snapshots.c.name == name)
        .where(snapshots.c.project_count == present)
    ).scalar_one_or_none()


def revoke_installation(connection: Connection, installation: str) -> int:
    """Drop every image made for one installation of a chat; tell how many."""
    gone = delete(snapshots).where(snapshots.c.installation == installation)
    return connection.execute(gone).rowcount


def revoke_project(connection: Connection, project_id: ProjectId) -> int:
    """Drop every image that shows data of a project."""
    named = select(snapshot_projects.c.name).where(snapshot_projects.c.project_id == project_id)
    return connection.execute(delete(snapshots).where(snapshots.c.name.in_(named))).rowcount


def revoke_older(connection: Connection, before: datetime) -> int:
    """Drop images older than the retention."""
    return connection.execute(delete(snapshots).where(snapshots.c.created_at < before)).rowcount
