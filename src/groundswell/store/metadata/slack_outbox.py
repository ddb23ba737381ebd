"""Messages on their way to Slack, the threads they belong to, and the log of what Slack said."""

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
    insert,
    select,
    update,
)

from groundswell.store.metadata.columns import (
    BigId,
    UtcTime,
    delivery_columns,
    insert_missing,
    registry,
    upsert,
)

KEEP_LOG = timedelta(days=14)

outbox = Table(
    "slack_outbox",
    registry,
    Column("id", BigId, primary_key=True),
    Column("key", String(200), nullable=False, unique=True),
    Column(
        "installation_id",
        BigId,
        ForeignKey("slack_installations.id", ondelete="CASCADE"),
        nullable=False,
    ),
    Column("channel", String(64), nullable=False),
    Column("message", JSON, nullable=False),
    *delivery_columns(),
    Index(None, "state", "due_at"),
    sqlite_autoincrement=True,
)
threads = Table(
    "slack_threads",
    registry,
    Column("key", String(200), primary_key=True),
    Column("channel", String(64), primary_key=True),
    Column("ts", String(32), nullable=False),
    Column("at", UtcTime, nullable=False),
)
steps = Table(
    "slack_steps",
    registry,
    Column("id", BigId, primary_key=True),
    Column("subject", String(200), nullable=False),
    Column("team", String(32), nullable=False),
    Column("step", String(64), nullable=False),
    Column("outcome", String(16), nullable=False),
    Column("detail", Text, nullable=False),
    Column("at", UtcTime, nullable=False),
    Index(None, "subject"),
    sqlite_autoincrement=True,
)


@dataclass(frozen=True, slots=True)
class Waiting:
    """A message that is not delivered yet."""

    id: int
    key: str
    installation_id: int
    channel: str
    message: Mapping[str, Any]
    attempts: int
    due_at: datetime
    expires_at: datetime


def enqueue(
    connection: Connection,
    key: str,
    installation_id: int,
    channel: str,
    message: Mapping[str, Any],
    now: datetime,
    expires_at: datetime,
) -> bool:
    """Take a message; False when one with this key was taken before."""
    row = {
        "key": key,
        "installation_id": installation_id,
        "channel": channel,
        "message": dict(message),
        "state": "waiting",
        "attempts": 0,
        "due_at": now,
        "expires_at": expires_at,
    }
    return insert_missing(connection, outbox, row)


def waiting(connection: Connection, limit: int = 1000) -> list[Waiting]:
    """List what waits, in the order in which it came."""
    rows = connection.execute(
        select(outbox).where(outbox.c.state == "waiting").order_by(outbox.c.id).limit(limit)
    ).all()
    return [
        Waiting(
            row.id,
            row.key,
            row.installation_id,
            row.channel,
            row.message,
            row.attempts,
            row.due_at,
            row.expires_at,
        )
        for row in rows
    ]


def claim(connection: Connection, id: int, now: datetime, until: datetime) -> bool:
    """Keep a message that is due from other processes until then; False when it is none of ours."""
    c = outbox.c
    mine = (c.id == id) & (c.state == "waiting") & (c.due_at <= now)
    return connection.execute(update(outbox).where(mine).values(due_at=until)).rowcount == 1


def settle(connection: Connection, id: int, state: str, answer: str) -> None:
    """Record the end of a message: `sent` or `failed`, with Slack's answer."""
    values: dict[str, Any] = {"state": state, "answer": answer[:2000]}
    if state == "sent":
        # Its key is remembered, so that it is not sent twice; what it said was for its readers.
        values["message"] = {}
    connection.execute(update(outbox).where(outbox.c.id == id).values(**values))


def postpone(connection: Connection, id: int, due_at: datetime, answer: str) -> None:
    """Record a failed attempt that will be made again."""
    connection.execute(
        update(outbox)
        .where(outbox.c.id == id)
        .values(due_at=due_at, attempts=outbox.c.attempts + 1, answer=answer[:2000])
    )


def thread_of(connection: Connection, key: str, channel: str) -> str | None:
    """Find the message that a thread began with."""
    found = connection.execute(
        select(threads.c.ts).where(threads.c.key == key, threads.c.channel == channel)
    ).scalar()
    return None if found is None else str(found)


def has_begun(connection: Connection, key: str, channel: str) -> bool:
    """Say whether a thread has a message, delivered or on its way."""
    if thread_of(connection, key, channel) is not None:
        return True

    return any(
        one.channel == channel and one.message.get("thread") == key for one in waiting(connection)
    )


def begin_thread(connection: Connection, key: str, channel: str, ts: str, now: datetime) -> None:
    upsert(connection, threads, {"key": key, "channel": channel}, {"ts": ts, "at": now})


def log_step(
    connection: Connection,
    subject: str,
    team: str,
    step: str,
    outcome: str,
    detail: str,
    now: datetime,
) -> None:
    """Write one line of the delivery log."""
    row = {"subject": subject[:200], "team": team[:32], "step": step[:64], "outcome": outcome}
    connection.execute(insert(steps).values(**row, detail=detail[:2000], at=now))


def read_log(
    connection: Connection, *, limit: int = 100, subject: str | None = None
) -> list[dict[str, Any]]:
    """Read the delivery log, newest last, with what is undelivered by its key."""
    query = select(steps).order_by(steps.c.id.desc()).limit(limit)
    if subject is not None:
        query = query.where(steps.c.subject == subject)
    rows = connection.execute(query).all()
    return [
        {
            "at": row.at.isoformat(),
            "team": row.team,
            "subject": row.subject,
            "step": row.step,
            "outcome": row.outcome,
            "detail": row.detail,
        }
        for row in reversed(rows)
    ]


def undelivered(connection: Connection) -> list[dict[str, Any]]:
    """List messages that wait or were given up."""
    rows = connection.execute(
        select(outbox).where(outbox.c.state != "sent").order_by(outbox.c.id)
    ).all()
    return [
        {
            "key": row.key,
            "channel": row.channel,
            "state": row.state,
            "attempts": row.attempts,
            "answer": row.answer,
            "expires_at": row.expires_at.isoformat(),
        }
        for row in rows
    ]


def forget(connection: Connection, now: datetime) -> None:
    """Drop what is settled and old."""
    edge = now - KEEP_LOG
    connection.execute(delete(steps).where(steps.c.at < edge))
    connection.execute(
        delete(outbox).where(outbox.c.state != "waiting", outbox.c.expires_at < edge)
    )
    connection.execute(delete(threads).where(threads.c.at < now - timedelta(days=90)))
