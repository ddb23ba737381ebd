"""Organizations, projects, keys, people, teams, tokens."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from groundswell.store.metadata.columns import BigId, UtcTime

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables of who owns what."""
    _create_organizations()
    _create_people()
    _create_credentials()


def _owner(name: str, table: str, *, nullable: bool = False) -> sa.Column[int]:
    key = sa.ForeignKey(f"{table}.id", ondelete="CASCADE")
    return sa.Column(name, BigId, key, nullable=nullable)


def _create_organizations() -> None:
    op.create_table(
        "organizations",
        sa.Column("id", BigId, primary_key=True),
        sa.Column("slug", sa.String(50), nullable=False, unique=True),
        sa.Column("name", sa.String(128), nullable=False),
        sa.Column("open_membership", sa.Boolean, nullable=False, server_default=sa.true()),
        sa.Column("created_at", UtcTime, nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "projects",
        sa.Column("id", BigId, primary_key=True),
        _owner("org_id", "organizations"),
        sa.Column("slug", sa.String(50), nullable=False),
        sa.Column("name", sa.String(128), nullable=False),
        sa.Column("platform", sa.String(64)),
        sa.Column("created_at", UtcTime, nullable=False),
        sa.UniqueConstraint("org_id", "slug"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "project_keys",
        sa.Column("id", BigId, primary_key=True),
        _owner("project_id", "projects"),
        sa.Column("public_key", sa.String(32), nullable=False, unique=True),
        sa.Column("label", sa.String(64), nullable=False),
        sa.Column("is_active", sa.Boolean, nullable=False, server_default=sa.true()),
        sa.Column("rate_limit_count", sa.Integer),
        sa.Column("rate_limit_window_s", sa.Integer),
        sa.Column("created_at", UtcTime, nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_project_keys_project_id", "project_keys", ["project_id"])
    op.create_table(
        "project_options",
        _owner("project_id", "projects"),
        sa.Column("name", sa.String(64), nullable=False),
        sa.Column("value", sa.JSON, nullable=False),
        sa.PrimaryKeyConstraint("project_id", "name"),
    )
    op.create_table(
        "features",
        _owner("org_id", "organizations"),
        sa.Column("name", sa.String(64), nullable=False),
        sa.Column("enabled", sa.Boolean, nullable=False),
        sa.PrimaryKeyConstraint("org_id", "name"),
    )


def _create_people() -> None:
    op.create_table(
        "users",
        sa.Column("id", BigId, primary_key=True),
        sa.Column("email", sa.String(254), nullable=False, unique=True),
        sa.Column("name", sa.String(128), nullable=False),
        sa.Column("password_hash", sa.String(255)),
        sa.Column("is_active", sa.Boolean, nullable=False, server_default=sa.true()),
        sa.Column("created_at", UtcTime, nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "memberships",
        _owner("org_id", "organizations"),
        _owner("user_id", "users"),
        sa.Column("role", sa.String(16), nullable=False),
        sa.Column("created_at", UtcTime, nullable=False),
        sa.PrimaryKeyConstraint("org_id", "user_id"),
    )
    op.create_index("ix_memberships_user_id", "memberships", ["user_id"])
    op.create_table(
        "teams",
        sa.Column("id", BigId, primary_key=True),
        _owner("org_id", "organizations"),
        sa.Column("slug", sa.String(50), nullable=False),
        sa.Column("name", sa.String(128), nullable=False),
        sa.Column("created_at", UtcTime, nullable=False),
        sa.UniqueConstraint("org_id", "slug"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "team_members",
        _owner("team_id", "teams"),
        _owner("user_id", "users"),
        sa.PrimaryKeyConstraint("team_id", "user_id"),
    )
    op.create_index("ix_team_members_user_id", "team_members", ["user_id"])
    op.create_table(
        "team_projects",
        _owner("team_id", "teams"),
        _owner("project_id", "projects"),
        sa.PrimaryKeyConstraint("team_id", "project_id"),
    )
    op.create_index("ix_team_projects_project_id", "team_projects", ["project_id"])


def _create_credentials() -> None:
    op.create_table(
        "tokens",
        sa.Column("id", BigId, primary_key=True),
        sa.Column("token_hash", sa.String(64), nullable=False, unique=True),
        sa.Column("last_four", sa.String(4), nullable=False),
        sa.Column("label", sa.String(64), nullable=False),
        _owner("org_id", "organizations", nullable=True),
        _owner("user_id", "users", nullable=True),
        sa.Column("scopes", sa.JSON, nullable=False),
        sa.Column("created_at", UtcTime, nullable=False),
        sa.Column("expires_at", UtcTime),
        sqlite_autoincrement=True,
    )
    version = op.create_table(
        "metadata_version",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("value", BigId, nullable=False),
    )
    op.bulk_insert(version, [{"id": 1, "value": 1}])
