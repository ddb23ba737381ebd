"""API tokens: made once, shown once, kept as SHA-256 (they are random: no slow hash is needed)."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, delete, insert, select

from groundswell.errors import UserError
from groundswell.model.tenancy import OrgId, Token, TokenId, UserId
from groundswell.store.metadata.tables import tokens
from groundswell.store.metadata.version import bump

PREFIX = "groundswell_"


def create_token(
    connection: Connection,
    *,
    now: datetime,
    org_id: OrgId | None = None,
    user_id: UserId | None = None,
    scopes: Iterable[str] = (),
    label: str = "",
    expires_at: datetime | None = None,
) -> tuple[str, Token]:
    """Make a token that acts as a user (when given) or as an organization; no scopes mean all.

    Gives the token itself, which is not kept, and what is. Raises UserError.
    """
    if org_id is None and user_id is None:
        raise UserError("A token belongs to an organization or to a user.", field="org")

    secret = PREFIX + secrets.token_urlsafe(32)
    values = {
        "token_hash": _hash(secret),
        "last_four": secret[-4:],
        "label": label,
        "org_id": org_id,
        "user_id": user_id,
        "scopes": sorted(set(scopes)),
        "created_at": now,
        "expires_at": expires_at,
    }
    row = connection.execute(insert(tokens).values(**values).returning(tokens)).one()
    bump(connection)
    return secret, _token(row)


def find_token(connection: Connection, secret: str) -> Token | None:
    """Find what is kept of a token, expired or not."""
    query = select(tokens).where(tokens.c.token_hash == _hash(secret))
    row = connection.execute(query).one_or_none()
    return None if row is None else _token(row)


def list_tokens(
    connection: Connection, *, org_id: OrgId | None = None, user_id: UserId | None = None
) -> list[Token]:
    """List tokens, oldest first; of one organization or one user when given."""
    query = select(tokens).order_by(tokens.c.id)
    if org_id is not None:
        query = query.where(tokens.c.org_id == org_id)
    if user_id is not None:
        query = query.where(tokens.c.user_id == user_id)
    return [_token(row) for row in connection.execute(query)]


def delete_token(connection: Connection, token_id: TokenId) -> None:
    """Revoke a token: it stops working within a second."""
    connection.execute(delete(tokens).where(tokens.c.id == token_id))
    bump(connection)


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def _token(row: Row[Any]) -> Token:
    return Token(
        id=TokenId(row.id),
        label=row.label,
        last_four=row.last_four,
        org_id=None if row.org_id is None else OrgId(row.org_id),
        user_id=None if row.user_id is None else UserId(row.user_id),
        scopes=frozenset(row.scopes),
        created_at=row.created_at,
        expires_at=row.expires_at,
    )
