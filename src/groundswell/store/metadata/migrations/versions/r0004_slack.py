"""Slack installations, identities and what was handled."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

from groundswell.store.metadata.columns import BigId, UtcTime

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables of this room."""
    _create_workspaces()
    _create_memory()
    _create_outbox()


def _ref(name: str, table: str, *, primary_key: bool = False) -> sa.Column[Any]:
    key = sa.ForeignKey(f"{table}.id", ondelete="CASCADE")
    return sa.Column(name, BigId, key, primary_key=primary_key, nullable=False)


def _text(name: str, length: int, **options: Any) -> sa.Column[Any]:
    return sa.Column(name, sa.String(length), **{"nullable": False, **options})


def _time(name: str) -> sa.Column[Any]:
    return sa.Column(name, UtcTime, nullable=False)


def _create_workspaces() -> None:
    op.create_table(
        "slack_installations",
        sa.Column("id", BigId, primary_key=True),
        _text("team", 32, unique=True),
        _text("name", 255),
        sa.Column("token", sa.Text, nullable=False),
        _text("bot_user", 32, nullable=True),
        sa.Column("scopes", sa.Text, nullable=False),
        _text("broken", 255, nullable=True),
        _text("rung", 8, nullable=True),
        _time("created_at"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "slack_attachments",
        _ref("installation_id", "slack_installations", primary_key=True),
        _ref("org_id", "organizations", primary_key=True),
        _time("created_at"),
    )
    op.create_index(None, "slack_attachments", ["org_id"])
    op.create_table(
        "slack_identities",
        _ref("installation_id", "slack_installations", primary_key=True),
        _text("slack_user", 32, primary_key=True),
        _ref("user_id", "users"),
        _time("created_at"),
    )
    op.create_index(None, "slack_identities", ["user_id"])
    op.create_table(
        "slack_team_channels",
        _ref("installation_id", "slack_installations", primary_key=True),
        _ref("team_id", "teams", primary_key=True),
        _ref("org_id", "organizations"),
        _text("channel", 32),
        _text("channel_name", 255),
        _time("created_at"),
    )
    op.create_index(None, "slack_team_channels", ["installation_id", "channel"])
    op.create_table(
        "slack_channel_orgs",
        _ref("installation_id", "slack_installations", primary_key=True),
        _text("channel", 32, primary_key=True),
        _ref("org_id", "organizations"),
    )


def _create_memory() -> None:
    for table, key, length, time in (
        ("slack_handled", "event_id", 128, "handled_at"),
        ("slack_used_links", "nonce", 64, "used_at"),
    ):
        op.create_table(table, _text(key, length, primary_key=True), _time(time))
        op.create_index(None, table, [time])
    op.create_table(
        "slack_analytics",
        sa.Column("id", BigId, primary_key=True),
        _text("name", 64),
        sa.Column("org_id", BigId),
        sa.Column("user_id", BigId),
        sa.Column("data", sa.JSON, nullable=False),
        _time("at"),
        sqlite_autoincrement=True,
    )


def _create_outbox() -> None:
    op.create_table(
        "slack_outbox",
        sa.Column("id", BigId, primary_key=True),
        _text("key", 200, unique=True),
        _ref("installation_id", "slack_installations"),
        _text("channel", 64),
        sa.Column("message", sa.JSON, nullable=False),
        _text("state", 16),
        sa.Column("attempts", sa.Integer, nullable=False),
        _time("due_at"),
        _time("expires_at"),
        sa.Column("answer", sa.Text),
        sqlite_autoincrement=True,
    )
    op.create_index(None, "slack_outbox", ["state", "due_at"])
    op.create_table(
        "slack_threads",
        _text("key", 200, primary_key=True),
        _text("channel", 64, primary_key=True),
        _text("ts", 32),
        _time("at"),
    )
    op.create_table(
        "slack_steps",
        sa.Column("id", BigId, primary_key=True),
        _text("subject", 200),
        _text("team", 32),
        _text("step", 64),
        _text("outcome", 16),
        sa.Column("detail", sa.Text, nullable=False),
        _time("at"),
        sqlite_autoincrement=True,
    )
    op.create_index(None, "slack_steps", ["subject"])
