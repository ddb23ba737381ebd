"""Admins of teams; events kept until their work is done; who proved that a workspace is theirs."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from groundswell.store.metadata.columns import UtcTime

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add columns; what exists keeps its meaning."""
    op.add_column(
        "team_members",
        sa.Column("role", sa.String(16), nullable=False, server_default="contributor"),
    )
    for column in (
        sa.Column("door", sa.String(16)),
        sa.Column("payload", sa.Text),
        sa.Column("attempts", sa.Integer, nullable=False, server_default="0"),
        sa.Column("due_at", UtcTime),
    ):
        op.add_column("slack_handled", column)
    op.create_index(None, "slack_handled", ["due_at"])
    op.add_column("slack_attachments", sa.Column("token", sa.Text))
    op.add_column(
        "slack_attachments",
        sa.Column("proof", sa.String(16), nullable=False, server_default="token"),
    )
    op.add_column(
        "slack_channel_orgs",
        sa.Column("is_chosen", sa.Boolean, nullable=False, server_default=sa.false()),
    )
