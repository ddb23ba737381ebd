"""The tables of who owns what. Rooms with tables of their own put them on the same `registry`."""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    String,
    Table,
    UniqueConstraint,
    true,
)

from groundswell.store.metadata.columns import BigId, UtcTime, registry


def _owner(table: str, *, primary_key: bool = False, nullable: bool = False) -> Column[int]:
    """Refer to the row that this one belongs to and goes with."""
    name = {"organizations": "org_id"}.get(table, table.removesuffix("s") + "_id")
    return Column(
        name,
        BigId,
        ForeignKey(f"{table}.id", ondelete="CASCADE"),
        primary_key=primary_key,
        nullable=nullable,
    )


organizations = Table(
    "organizations",
    registry,
    Column("id", BigId, primary_key=True),
    Column("slug", String(50), nullable=False, unique=True),
    Column("name", String(128), nullable=False),
    Column("open_membership", Boolean, nullable=False, server_default=true()),
    Column("created_at", UtcTime, nullable=False),
    # An id is never given twice: rows of a deleted project may outlive it for a moment.
    sqlite_autoincrement=True,
)
projects = Table(
    "projects",
    registry,
    Column("id", BigId, primary_key=True),
    _owner("organizations"),
    Column("slug", String(50), nullable=False),
    Column("name", String(128), nullable=False),
    Column("platform", String(64)),
    Column("created_at", UtcTime, nullable=False),
    UniqueConstraint("org_id", "slug"),
    sqlite_autoincrement=True,
)
project_keys = Table(
    "project_keys",
    registry,
    Column("id", BigId, primary_key=True),
    _owner("projects"),
    Column("public_key", String(32), nullable=False, unique=True),
    Column("label", String(64), nullable=False),
    Column("is_active", Boolean, nullable=False, server_default=true()),
    Column("rate_limit_count", Integer),
    Column("rate_limit_window_s", Integer),
    Column("created_at", UtcTime, nullable=False),
    Index(None, "project_id"),
    sqlite_autoincrement=True,
)
project_options = Table(
    "project_options",
    registry,
    _owner("projects", primary_key=True),
    Column("name", String(64), primary_key=True),
    Column("value", JSON, nullable=False),
)
features = Table(
    "features",
    registry,
    _owner("organizations", primary_key=True),
    Column("name", String(64), primary_key=True),
    Column("enabled", Boolean, nullable=False),
)
users = Table(
    "users",
    registry,
    Column("id", BigId, primary_key=True),
    Column("email", String(254), nullable=False, unique=True),
    Column("name", String(128), nullable=False),
    Column("password_hash", String(255)),
    Column("is_active", Boolean, nullable=False, server_default=true()),
    Column("created_at", UtcTime, nullable=False),
    sqlite_autoincrement=True,
)
memberships = Table(
    "memberships",
    registry,
    _owner("organizations", primary_key=True),
    _owner("users", primary_key=True),
    Column("role", String(16), nullable=False),
    Column("created_at", UtcTime, nullable=False),
    Index(None, "user_id"),
)
teams = Table(
    "teams",
    registry,
    Column("id", BigId, primary_key=True),
    _owner("organizations"),
    Column("slug", String(50), nullable=False),
    Column("name", String(128), nullable=False),
    Column("created_at", UtcTime, nullable=False),
    UniqueConstraint("org_id", "slug"),
    sqlite_autoincrement=True,
)
team_members = Table(
    "team_members",
    registry,
    _owner("teams", primary_key=True),
    _owner("users", primary_key=True),
    Column("role", String(16), nullable=False, server_default="contributor"),
    Index(None, "user_id"),
)
team_projects = Table(
    "team_projects",
    registry,
    _owner("teams", primary_key=True),
    _owner("projects", primary_key=True),
    Index(None, "project_id"),
)
tokens = Table(
    "tokens",
    registry,
    Column("id", BigId, primary_key=True),
    Column("token_hash", String(64), nullable=False, unique=True),
    Column("last_four", String(4), nullable=False),
    Column("label", String(64), nullable=False),
    _owner("organizations", nullable=True),
    _owner("users", nullable=True),
    Column("scopes", JSON, nullable=False),
    Column("created_at", UtcTime, nullable=False),
    Column("expires_at", UtcTime),
    sqlite_autoincrement=True,
)
# One row: a number that every change of who owns what raises, so that other processes notice.
metadata_version = Table(
    "metadata_version",
    registry,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("value", BigId, nullable=False),
)
