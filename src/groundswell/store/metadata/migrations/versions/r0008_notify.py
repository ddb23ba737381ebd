"""The queue of notices."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from groundswell.store.metadata.columns import BigId, UtcTime

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables of this room."""
    owner = sa.ForeignKey("organizations.id", ondelete="CASCADE")
    op.create_table(
        "notices",
        sa.Column("id", BigId, primary_key=True),
        sa.Column("org_id", BigId, owner, nullable=False),
        sa.Column("key", sa.String(255), nullable=False, unique=True),
        sa.Column("subject", sa.String(200), nullable=False),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("channel", sa.String(16), nullable=False),
        sa.Column("target", sa.Text, nullable=False),
        sa.Column("body", sa.JSON, nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("answer", sa.Text),
        sa.Column("created_at", UtcTime, nullable=False),
        sa.Column("due_at", UtcTime, nullable=False),
        sa.Column("expires_at", UtcTime, nullable=False),
        sa.Column("settled_at", UtcTime),
        sqlite_autoincrement=True,
    )
    op.create_index(None, "notices", ["state", "due_at"])
    op.create_index(None, "notices", ["subject"])
