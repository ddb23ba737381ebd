"""Issues with their running numbers, the progress of spools, and rate limits."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from groundswell.store.metadata.columns import BigId, UtcTime

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables of this room."""
    op.create_table(
        "issues",
        sa.Column("id", BigId, primary_key=True),
        sa.Column(
            "project_id", BigId, sa.ForeignKey("projects.id", ondelete="CASCADE"), nullable=False
        ),
        sa.Column("primary_hash", sa.String(32), nullable=False),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("title", sa.Text, nullable=False),
        sa.Column("culprit", sa.Text, nullable=False),
        sa.Column("level", sa.String(16), nullable=False),
        sa.Column("type", sa.String(16), nullable=False),
        sa.Column("platform", sa.String(64), nullable=False),
        sa.Column("first_seen", UtcTime, nullable=False),
        sa.Column("last_seen", UtcTime, nullable=False),
        sa.Column("times_seen", BigId, nullable=False),
        sa.Column("status", sa.String(16), nullable=False),
        sa.Column("substatus", sa.String(32), nullable=False),
        sa.Column("assigned_to", sa.String(64)),
        sa.UniqueConstraint("project_id", "primary_hash"),
        sa.UniqueConstraint("project_id", "number", name="uq_issues_number"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_issues_last_seen", "issues", ["project_id", "last_seen"])
    op.create_table(
        "issue_counters",
        sa.Column(
            "project_id",
            BigId,
            sa.ForeignKey("projects.id", ondelete="CASCADE"),
            primary_key=True,
            autoincrement=False,
        ),
        sa.Column("last_number", sa.Integer, nullable=False),
    )
    op.create_table(
        "spool_progress",
        sa.Column("spool_id", sa.String(32), primary_key=True),
        sa.Column("cut", BigId, nullable=False),
    )
    op.create_table(
        "rate_limits",
        sa.Column("scope", sa.String(16), primary_key=True),
        sa.Column("owner_id", BigId, primary_key=True, autoincrement=False),
        sa.Column("category", sa.String(32), primary_key=True),
        sa.Column("quantity", BigId, nullable=False),
        sa.Column("window_s", sa.Integer, nullable=False),
    )
