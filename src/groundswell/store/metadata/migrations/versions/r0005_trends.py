"""Findings of the trend watch."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

from groundswell.store.metadata.columns import BigId, UtcTime

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables of this room."""
    op.create_table(
        "trend_watches",
        _ref("project_id", "projects", primary_key=True),
        sa.Column("scanned_at", UtcTime),
        sa.Column("digested_at", UtcTime),
        sa.Column("last_error", sa.Text),
    )
    op.create_table(
        "trends",
        sa.Column("id", BigId, primary_key=True),
        _ref("org_id", "organizations"),
        _ref("project_id", "projects"),
        sa.Column("group_name", sa.Text, nullable=False),
        sa.Column("function", sa.String(255), nullable=False),
        sa.Column("direction", sa.Integer, nullable=False),
        sa.Column("change", sa.String(16), nullable=False),
        sa.Column("at", UtcTime, nullable=False),
        sa.Column("before", sa.Float),
        sa.Column("after", sa.Float),
        sa.Column("ratio", sa.Float),
        sa.Column("p_value", sa.Float, nullable=False),
        sa.Column("found_at", UtcTime, nullable=False),
        sa.Column("seen_at", UtcTime, nullable=False),
        sa.Column("status", sa.String(16), nullable=False),
        sa.Column("changed_at", UtcTime),
        sa.Column("changed_by", BigId),
        sa.Column("recovered_at", UtcTime),
        sa.Column("announced_at", UtcTime),
        sa.Column("evidence", sa.JSON, nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_index(None, "trends", ["org_id", "at"])
    op.create_index(None, "trends", ["project_id", "at"])


def _ref(name: str, table: str, *, primary_key: bool = False) -> sa.Column[Any]:
    key = sa.ForeignKey(f"{table}.id", ondelete="CASCADE")
    return sa.Column(name, BigId, key, primary_key=primary_key, nullable=False)
