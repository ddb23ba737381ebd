"""Login sessions: hash of a random token, whose it is, until when. Logout deletes the row."""

from __future__ import annotations

import hashlib
import secrets
from datetime import datetime, timedelta

from sqlalchemy import Column, Connection, ForeignKey, Index, String, Table, delete, insert, select

from groundswell.model.tenancy import UserId
from groundswell.store.metadata.columns import BigId, UtcTime, registry
from groundswell.store.metadata.people import session_fingerprint

sessions = Table(
    "sessions",
    registry,
    Column("token_hash", String(64), primary_key=True),
    Column("user_id", BigId, ForeignKey("users.id", ondelete="CASCADE"), nullable=False),
    Column("fingerprint", String(32), nullable=False),
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
            token_hash=_hash(token),
            user_id=user_id,
            fingerprint=session_fingerprint(connection, user_id),
            created_at=now,
            expires_at=now + lasts,
        )
    )
    return token


def user_of(connection: Connection, token: str, now: datetime) -> UserId | None:
    """Tell whose session it is; None when it ended, or the password was changed since."""
    row = connection.execute(
        select(sessions.c.user_id, sessions.c.fingerprint)
        .where(sessions.c.token_hash == _hash(token))
        .where(sessions.c.expires_at > now)
    ).one_or_none()
    if row is None or row.fingerprint != session_fingerprint(connection, row.user_id):
        return None

    return UserId(row.user_id)


def end(connection: Connection, token: str) -> None:
    """Close a session."""
    connection.execute(delete(sessions).where(sessions.c.token_hash == _hash(token)))


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
