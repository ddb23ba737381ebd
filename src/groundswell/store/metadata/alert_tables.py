"""Tables of alert rules, what the evaluator remembers, incidents and leases."""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    BigInteger,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    String,
    Table,
    Text,
    UniqueConstraint,
)

from groundswell.store.metadata.columns import BigId, UtcTime, registry


def _owner(table: str, name: str, *, primary_key: bool = False) -> Column[int]:
    key = ForeignKey(f"{table}.id", ondelete="CASCADE")
    return Column(name, BigId, key, primary_key=primary_key, nullable=False)


# last_end: end of the last judged window; revision: raised by every change, so that an evaluation
# that began before a change or deletion is not written down.
alert_rules = Table(
    "alert_rules",
    registry,
    Column("id", BigId, primary_key=True),
    _owner("organizations", "org_id"),
    Column("name", String(256), nullable=False),
    Column("body", JSON, nullable=False),
    Column("muted_until", UtcTime),
    Column("revision", Integer, nullable=False),
    Column("last_end", BigInteger, nullable=False),
    Column("last_error", Text),
    Column("evaluated_at", UtcTime),
    Column("created_at", UtcTime, nullable=False),
    Column("changed_at", UtcTime, nullable=False),
    Index(None, "org_id"),
    sqlite_autoincrement=True,
)
alert_states = Table(
    "alert_states",
    registry,
    _owner("alert_rules", "rule_id", primary_key=True),
    Column("group_key", String(255), primary_key=True),
    Column("state", JSON, nullable=False),
)
incidents = Table(
    "incidents",
    registry,
    Column("id", BigId, primary_key=True),
    _owner("organizations", "org_id"),
    _owner("alert_rules", "rule_id"),
    Column("number", Integer, nullable=False),
    Column("title", String(256), nullable=False),
    Column("group_key", String(255), nullable=False),
    Column("level", Integer, nullable=False),
    Column("started_at", UtcTime, nullable=False),
    Column("detected_at", UtcTime, nullable=False),
    Column("closed_at", UtcTime),
    Column("ending", Integer),
    Column("announced", Integer),
    Column("worst", Integer),
    Column("sent", Integer, nullable=False),
    Column("value", Float),
    Column("peak", Float),
    Column("acknowledged_by", BigId),
    Column("acknowledged_at", UtcTime),
    Column("muted_until", UtcTime),
    Column("suspect", JSON),
    Column("rule_body", JSON, nullable=False),
    UniqueConstraint("org_id", "number"),
    Index(None, "rule_id"),
    sqlite_autoincrement=True,
)
activities = Table(
    "incident_activities",
    registry,
    Column("id", BigId, primary_key=True),
    _owner("incidents", "incident_id"),
    Column("kind", String(16), nullable=False),
    Column("at", UtcTime, nullable=False),
    Column("user_id", BigId),
    Column("value", String(64)),
    Column("previous", String(64)),
    Column("comment", Text),
    Index(None, "incident_id"),
    sqlite_autoincrement=True,
)
# Which process does a piece of recurring work, until when.
leases = Table(
    "leases",
    registry,
    Column("name", String(64), primary_key=True),
    Column("holder", String(64), nullable=False),
    Column("until", UtcTime, nullable=False),
)
