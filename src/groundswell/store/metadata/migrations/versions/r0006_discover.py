"""Saved queries, dashboards and announced releases."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

from groundswell.store.metadata.columns import BigId, UtcTime

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables of this room."""
    op.create_table(
        "saved_queries",
        sa.Column("id", BigId, primary_key=True),
        _owner(),
        _author(),
        sa.Column("name", sa.String(255), nullable=False),
        sa.Column("body", sa.JSON, nullable=False),
        sa.Column("is_homepage", sa.Boolean, nullable=False),
        sa.Column("split", sa.String(32)),
        sa.Column("visits", sa.Integer, nullable=False),
        sa.Column("created_at", UtcTime, nullable=False),
        sa.Column("updated_at", UtcTime, nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_saved_queries_org_id_name", "saved_queries", ["org_id", "name"])
    op.create_table(
        "dashboards",
        sa.Column("id", BigId, primary_key=True),
        _owner(),
        _author(),
        sa.Column("title", sa.String(255), nullable=False),
        sa.Column("body", sa.JSON, nullable=False),
        sa.Column("created_at", UtcTime, nullable=False),
        sa.Column("updated_at", UtcTime, nullable=False),
        sa.Column("last_visited", UtcTime),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_dashboards_org_id_title", "dashboards", ["org_id", "title"])
    _create_widgets()
    _create_releases()


def _create_widgets() -> None:
    op.create_table(
        "dashboard_widgets",
        sa.Column("id", BigId, primary_key=True),
        sa.Column(
            "dashboard_id",
            BigId,
            sa.ForeignKey("dashboards.id", ondelete="CASCADE"),
            nullable=False,
        ),
        sa.Column("position", sa.Integer, nullable=False),
        sa.Column("title", sa.String(255), nullable=False),
        sa.Column("widget_type", sa.String(32)),
        sa.Column("body", sa.JSON, nullable=False),
        sa.Column("split", sa.String(32)),
        sa.Column("dataset_source", sa.String(32), nullable=False),
        sa.Column("created_at", UtcTime, nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_dashboard_widgets_dashboard_id", "dashboard_widgets", ["dashboard_id"])


def _create_releases() -> None:
    op.create_table(
        "releases",
        sa.Column("id", BigId, primary_key=True),
        _owner(),
        sa.Column("version", sa.String(250), nullable=False),
        sa.Column("projects", sa.JSON, nullable=False),
        sa.Column("ref", sa.String(250)),
        sa.Column("url", sa.Text),
        sa.Column("created_at", UtcTime, nullable=False),
        sa.Column("released_at", UtcTime),
        sa.UniqueConstraint("org_id", "version", name="uq_releases_org_id_version"),
        sqlite_autoincrement=True,
    )


def _owner() -> sa.Column[Any]:
    key = sa.ForeignKey("organizations.id", ondelete="CASCADE")
    return sa.Column("org_id", BigId, key, nullable=False)


def _author() -> sa.Column[Any]:
    return sa.Column("created_by", BigId, sa.ForeignKey("users.id", ondelete="SET NULL"))
