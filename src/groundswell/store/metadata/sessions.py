"""Login sessions: hash of a random token, whose it is, until when. Logout deletes the row."""

from __future__ import annotations

import hashlib
import secrets
from datetime import datetime, timedelta

from sqlalchemy import Column, Connection, ForeignKey, Index, String, Table, delete, insert, select

from groundswell.model.tenancy import User, UserId
from groundswell.store.metadata.columns import BigId, UtcTime, registry
from groundswell.store.metadata.tables import users

sessions = Table(
    "sessions",
    registry,
    Column("token_hash", String(64), primary_key=True),
    Column("user_id", BigId, ForeignKey("users.id", ondelete="CASCADE"), nullable=False),
    Column("created_at", UtcTime, nullable=False),
    Column("expires_at", UtcTime, nullable=False),
    Index(None, "user_id"),
    Index(None, "expires_at"),
)


def begin(connection: Connection, user_id: UserId, *, now: datetime, lasts: timedelta) -> str:
    """Open a session and give its token, which is kept nowhere; old sessions are swept out."""
    token = secrets.token_urlsafe(32)
    connection.execute(delete(sessions).where(sessions.c.expires_at < now))
    connection.execute(
        insert(sessions).values(
            token_hash=_hash(token), user_id=user_id, created_at=now, expires_at=now + lasts
        )
    )
    return token


def person(connection: Connection, token: str, now: datetime) -> User | None:
    """Tell whose session it is; None when it ended or the person was switched off."""
    row = connection.execute(
        select(users)
        .join(sessions, sessions.c.user_id == users.c.id)
        .where(sessions.c.token_hash == _hash(token))
        .where(sessions.c.expires_at > now)
        .where(users.c.is_active)
    ).one_or_none()
    if row is None:
        return None

    return User(UserId(row.id), row.email, row.name, row.is_active, row.created_at)


def credentials(connection: Connection, email: str) -> tuple[UserId, str] | None:
    """Give the id and password hash of an active person who has a password."""
    row = connection.execute(
        select(users.c.id, users.c.password_hash)
        .where(users.c.email == email.strip().lower())
        .where(users.c.is_active)
        .where(users.c.password_hash.is_not(None))
    ).one_or_none()
    return (UserId(row.id), row.password_hash) if row else None


def end(connection: Connection, token: str) -> None:
    """Close a session."""
    connection.execute(delete(sessions).where(sessions.c.token_hash == _hash(token)))


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
