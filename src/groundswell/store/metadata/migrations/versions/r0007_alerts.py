"""Alert rules and incidents."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

from groundswell.store.metadata.columns import BigId, UtcTime

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables of this room."""
    _create_rules()
    _create_incidents()
    op.create_table(
        "leases",
        sa.Column("name", sa.String(64), primary_key=True),
        sa.Column("holder", sa.String(64), nullable=False),
        _time("until", nullable=False),
    )


def _ref(name: str, table: str, *, primary_key: bool = False) -> sa.Column[Any]:
    key = sa.ForeignKey(f"{table}.id", ondelete="CASCADE")
    return sa.Column(name, BigId, key, primary_key=primary_key, nullable=False)


def _time(name: str, *, nullable: bool = True) -> sa.Column[Any]:
    return sa.Column(name, UtcTime, nullable=nullable)


def _create_rules() -> None:
    op.create_table(
        "alert_rules",
        sa.Column("id", BigId, primary_key=True),
        _ref("org_id", "organizations"),
        sa.Column("name", sa.String(256), nullable=False),
        sa.Column("body", sa.JSON, nullable=False),
        _time("muted_until"),
        sa.Column("revision", sa.Integer, nullable=False),
        sa.Column("last_end", sa.BigInteger, nullable=False),
        sa.Column("last_error", sa.Text),
        _time("evaluated_at"),
        _time("created_at", nullable=False),
        _time("changed_at", nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_index(None, "alert_rules", ["org_id"])
    op.create_table(
        "alert_states",
        _ref("rule_id", "alert_rules", primary_key=True),
        sa.Column("group_key", sa.String(255), primary_key=True),
        sa.Column("state", sa.JSON, nullable=False),
    )


def _create_incidents() -> None:
    op.create_table(
        "incidents",
        sa.Column("id", BigId, primary_key=True),
        _ref("org_id", "organizations"),
        _ref("rule_id", "alert_rules"),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("title", sa.String(256), nullable=False),
        sa.Column("group_key", sa.String(255), nullable=False),
        sa.Column("level", sa.Integer, nullable=False),
        _time("started_at", nullable=False),
        _time("detected_at", nullable=False),
        _time("closed_at"),
        sa.Column("ending", sa.Integer),
        sa.Column("announced", sa.Integer),
        sa.Column("worst", sa.Integer),
        sa.Column("sent", sa.Integer, nullable=False),
        sa.Column("value", sa.Float),
        sa.Column("peak", sa.Float),
        sa.Column("acknowledged_by", BigId),
        _time("acknowledged_at"),
        _time("muted_until"),
        sa.Column("suspect", sa.JSON),
        sa.Column("rule_body", sa.JSON, nullable=False),
        sa.UniqueConstraint("org_id", "number"),
        sqlite_autoincrement=True,
    )
    op.create_index(None, "incidents", ["rule_id"])
    op.create_table(
        "incident_activities",
        sa.Column("id", BigId, primary_key=True),
        _ref("incident_id", "incidents"),
        sa.Column("kind", sa.String(16), nullable=False),
        _time("at", nullable=False),
        sa.Column("user_id", BigId),
        sa.Column("value", sa.String(64)),
        sa.Column("previous", sa.String(64)),
        sa.Column("comment", sa.Text),
        sqlite_autoincrement=True,
    )
    op.create_index(None, "incident_activities", ["incident_id"])
