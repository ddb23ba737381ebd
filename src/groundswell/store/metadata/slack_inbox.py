"""What Slack sent and we acknowledged: each id once a day, its payload kept until its work is done.

An unfinished row has a time when it is due: later than now while somebody works on it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import (
    Column,
    Connection,
    Index,
    Integer,
    String,
    Table,
    Text,
    delete,
    select,
    update,
)

from groundswell.store.metadata.columns import UtcTime, insert_missing, registry

HANDLED_FOR = timedelta(hours=24)

handled = Table(
    "slack_handled",
    registry,
    Column("event_id", String(128), primary_key=True),
    Column("handled_at", UtcTime, nullable=False),
    Column("door", String(16)),
    Column("payload", Text),
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("due_at", UtcTime),
    Index(None, "handled_at"),
    Index(None, "due_at"),
)
used_links = Table(
    "slack_used_links",
    registry,
    Column("nonce", String(64), primary_key=True),
    Column("used_at", UtcTime, nullable=False),
    Index(None, "used_at"),
)


@dataclass(frozen=True, slots=True)
class Accepted:
    """One payload as it arrived. attempts: how often its work was begun."""

    id: str
    door: str
    payload: str
    accepted_at: datetime
    attempts: int = 1


def accept(connection: Connection, one: Accepted, due_at: datetime) -> bool:
    """Take what arrived; False when it was taken before, by anybody.

    due_at: when somebody else may take it up, if its work is not finished by then.
    """
    row = {
        "event_id": one.id,
        "handled_at": one.accepted_at,
        "door": one.door,
        "payload": one.payload,
        "attempts": one.attempts,
        "due_at": due_at,
    }
    return insert_missing(connection, handled, row)


def finish(connection: Connection, id: str) -> None:
    """Record that the work is done, or given up; the id stays known."""
    match = handled.c.event_id == id
    connection.execute(update(handled).where(match).values(payload=None, due_at=None))


def postpone(connection: Connection, id: str, due_at: datetime) -> None:
    """Record that the work is done again later."""
    connection.execute(update(handled).where(handled.c.event_id == id).values(due_at=due_at))


def take_due(
    connection: Connection, now: datetime, next_due_at: datetime, limit: int = 500
) -> list[Accepted]:
    """Take up what is unfinished and due, each by one process only."""
    query = select(handled).where(handled.c.due_at <= now).order_by(handled.c.handled_at)
    taken = []
    for row in connection.execute(query.limit(limit)).all():
        mine: Any = connection.execute(
            update(handled)
            .where(handled.c.event_id == row.event_id, handled.c.due_at == row.due_at)
            .values(due_at=next_due_at, attempts=row.attempts + 1)
        )
        if mine.rowcount == 1:
            taken.append(
                Accepted(
                    row.event_id, row.door or "", row.payload or "", row.handled_at,
                    row.attempts + 1,
                )
            )  # fmt: skip
    return taken


def unfinished(connection: Connection) -> list[dict[str, Any]]:
    """List what was acknowledged and is not done."""
    query = select(handled).where(handled.c.due_at.is_not(None)).order_by(handled.c.handled_at)
    return [
        {
            "event": row.event_id,
            "door": row.door,
            "accepted": row.handled_at.isoformat(),
            "attempts": row.attempts,
        }
        for row in connection.execute(query)
    ]


def use_link(connection: Connection, nonce: str, now: datetime) -> bool:
    """Use up a signed link; False when it was used before."""
    return insert_missing(connection, used_links, {"nonce": nonce, "used_at": now})


def is_link_used(connection: Connection, nonce: str) -> bool:
    query = select(used_links.c.nonce).where(used_links.c.nonce == nonce)
    return connection.execute(query).first() is not None


def forget(connection: Connection, now: datetime) -> None:
    """Drop what is older than it needs to be remembered."""
    edge = now - HANDLED_FOR
    connection.execute(delete(handled).where(handled.c.handled_at < edge))
    connection.execute(delete(used_links).where(used_links.c.used_at < edge))
