"""Notices on their way: one row for each target, kept as a record when it is settled."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import (
    JSON,
    Column,
    Connection,
    ForeignKey,
    Index,
    String,
    Table,
    Text,
    delete,
    func,
    select,
    update,
)

from groundswell.model.notices import Notice
from groundswell.model.tenancy import OrgId
from groundswell.store.metadata.columns import (
    BigId,
    UtcTime,
    delivery_columns,
    insert_missing,
    registry,
)

KEEP_RECORDS = timedelta(days=30)

notices = Table(
    "notices",
    registry,
    Column("id", BigId, primary_key=True),
    Column("org_id", BigId, ForeignKey("organizations.id", ondelete="CASCADE"), nullable=False),
    # The notice's key and the target, hashed where they would be too long.
    Column("key", String(255), nullable=False, unique=True),
    Column("subject", String(200), nullable=False),
    Column("kind", String(32), nullable=False),
    Column("channel", String(16), nullable=False),
    Column("target", Text, nullable=False),
    Column("body", JSON, nullable=False),
    *delivery_columns(),
    Column("created_at", UtcTime, nullable=False),
    Column("settled_at", UtcTime),
    Index(None, "state", "due_at"),
    Index(None, "subject"),
    sqlite_autoincrement=True,
)


@dataclass(frozen=True, slots=True)
class Delivery:
    """One notice for one target. subject: the notice's key; state: waiting, sent or failed."""

    id: int
    org_id: OrgId
    key: str
    subject: str
    kind: str
    channel: str
    target: str
    body: Mapping[str, Any]
    state: str
    attempts: int
    answer: str | None
    created_at: datetime
    due_at: datetime
    expires_at: datetime
    settled_at: datetime | None


def enqueue(
    connection: Connection,
    notice: Notice,
    now: datetime,
    expires_at: datetime,
    *,
    due_at: datetime | None = None,
) -> int:
    """Take a notice for each of its targets; give how many of them were not taken before."""
    taken = 0
    for channel, target in dict.fromkeys(notice.targets):
        row = {
            "org_id": notice.org_id,
            "key": _key(notice.key, channel, target),
            "subject": notice.key[:200],
            "kind": notice.kind,
            "channel": channel,
            "target": target,
            "body": dict(notice.body),
            "state": "waiting",
            "attempts": 0,
            "created_at": now,
            "due_at": due_at or now,
            "expires_at": expires_at,
        }
        taken += insert_missing(connection, notices, row)
    return taken


def waiting(connection: Connection, limit: int = 500) -> list[Delivery]:
    """List what is not settled, in the order in which it came."""
    query = select(notices).where(notices.c.state == "waiting").order_by(notices.c.id)
    return [_delivery(row) for row in connection.execute(query.limit(limit))]


def settle(connection: Connection, id: int, state: str, answer: str, now: datetime) -> None:
    """Record the end of a delivery: `sent` or `failed`."""
    values = {"state": state, "answer": answer[:2000], "settled_at": now}
    values["attempts"] = notices.c.attempts + 1
    connection.execute(update(notices).where(notices.c.id == id).values(**values))


def postpone(
    connection: Connection, id: int, due_at: datetime, answer: str, *, is_attempt: bool = True
) -> None:
    """Record that a delivery is made later."""
    values: dict[str, Any] = {"due_at": due_at, "answer": answer[:2000]}
    if is_attempt:
        values["attempts"] = notices.c.attempts + 1
    connection.execute(update(notices).where(notices.c.id == id).values(**values))


def amend(
    connection: Connection, subject_prefix: str, changes: Mapping[str, Any], now: datetime
) -> list[Delivery]:
    """Change the bodies of what waits, and let go what was held back; give what may have been
    sent with the body as it was."""
    match = notices.c.subject.startswith(subject_prefix, autoescape=True)
    gone = []
    for row in connection.execute(select(notices).where(match).order_by(notices.c.id)).all():
        if row.state == "sent" or (row.state == "waiting" and row.due_at <= now):
            gone.append(_delivery(row))
        if row.state == "waiting":
            values = {"body": {**row.body, **changes}, "due_at": min(row.due_at, now)}
            if row.attempts:
                del values["due_at"]
            connection.execute(update(notices).where(notices.c.id == row.id).values(**values))
    return gone


def cancel(connection: Connection, subject_prefix: str) -> None:
    """Drop what was not delivered yet."""
    match = notices.c.subject.startswith(subject_prefix, autoescape=True)
    connection.execute(delete(notices).where(notices.c.state == "waiting", match))


def sent_since(connection: Connection, channel: str, target: str, since: datetime) -> int:
    """Count what a target got."""
    query = select(func.count()).where(
        notices.c.channel == channel,
        notices.c.target == target,
        notices.c.state == "sent",
        notices.c.settled_at >= since,
    )
    return int(connection.execute(query).scalar_one())


def records(
    connection: Connection, org_id: OrgId, *, subject_prefix: str = "", limit: int = 100
) -> list[Delivery]:
    """List deliveries of an organization, newest first."""
    query = select(notices).where(notices.c.org_id == org_id)
    if subject_prefix:
        query = query.where(notices.c.subject.startswith(subject_prefix, autoescape=True))
    return [
        _delivery(row)
        for row in connection.execute(query.order_by(notices.c.id.desc()).limit(limit))
    ]


def forget(connection: Connection, now: datetime) -> None:
    """Drop records that are old."""
    old = notices.c.settled_at < now - KEEP_RECORDS
    connection.execute(delete(notices).where(notices.c.state != "waiting", old))


def _key(key: str, channel: str, target: str) -> str:
    full = f"{key}|{channel}|{target}"
    if len(full) <= 255:
        return full

    import hashlib

    return hashlib.sha256(full.encode()).hexdigest()


def _delivery(row: Any) -> Delivery:
    return Delivery(
        row.id, OrgId(row.org_id), row.key, row.subject, row.kind, row.channel, row.target,
        row.body, row.state, row.attempts, row.answer, row.created_at, row.due_at,
        row.expires_at, row.settled_at,
    )  # fmt: skip
