"""What the ingest door must know of the world: keys, options of projects, rate limits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Column, Connection, Integer, String, Table

from groundswell.store.metadata.columns import BigId, registry, upsert
from groundswell.store.metadata.tables import project_keys, project_options, projects
from groundswell.store.metadata.version import bump, version

rate_limits = Table(
    "rate_limits",
    registry,
    Column("scope", String(16), primary_key=True),
    Column("owner_id", BigId, primary_key=True, autoincrement=False),
    Column("category", String(32), primary_key=True),
    Column("quantity", BigId, nullable=False),
    Column("window_s", Integer, nullable=False),
)


@dataclass(frozen=True, slots=True)
class KeyRow:
    """A key with whom it belongs to."""

    key_id: int
    public_key: str
    project_id: int
    org_id: int
    is_active: bool
    rate_limit: tuple[int, int] | None


@dataclass(frozen=True, slots=True)
class World:
    """All of it at one version of the metadata. Limits: (scope, owner) → (category, n, window)."""

    version: int
    keys: Mapping[str, KeyRow]
    options: Mapping[int, Mapping[str, Any]]
    limits: Mapping[tuple[str, int], tuple[tuple[str, int, int], ...]]


def load(connection: Connection) -> World:
    """Read everything in one transaction; the version first, so that it is never too new."""
    at = version(connection)
    keys = connection.execute(
        sa.select(
            project_keys.c.id,
            project_keys.c.public_key,
            project_keys.c.project_id,
            projects.c.org_id,
            project_keys.c.is_active,
            project_keys.c.rate_limit_count,
            project_keys.c.rate_limit_window_s,
        ).join(projects, projects.c.id == project_keys.c.project_id)
    )
    rows = {row.public_key: _key(row) for row in keys}
    options: dict[int, dict[str, Any]] = {}
    for option in connection.execute(sa.select(project_options)):
        options.setdefault(option.project_id, {})[option.name] = option.value
    limits: dict[tuple[str, int], tuple[tuple[str, int, int], ...]] = {}
    for limit in connection.execute(sa.select(rate_limits)):
        owner = (limit.scope, limit.owner_id)
        row = (limit.category, limit.quantity, limit.window_s)
        limits[owner] = (*limits.get(owner, ()), row)
    return World(at, rows, options, limits)


def set_rate_limit(
    connection: Connection,
    scope: str,
    owner_id: int,
    category: str,
    quantity: int | None,
    window_s: int = 60,
) -> None:
    """Limit an "organization", "project" or "key" to `quantity` per window; None lifts it.

    category: a data category such as "error" or "transaction", "" for everything.
    """
    key = {"scope": scope, "owner_id": owner_id, "category": category}
    if quantity is None:
        same = (rate_limits.c[name] == value for name, value in key.items())
        connection.execute(sa.delete(rate_limits).where(*same))
    else:
        upsert(connection, rate_limits, key, {"quantity": quantity, "window_s": window_s})
    bump(connection)


def _key(row: Any) -> KeyRow:
    limit = None
    if row.rate_limit_count is not None and row.rate_limit_window_s:
        limit = (row.rate_limit_count, row.rate_limit_window_s)
    return KeyRow(row.id, row.public_key, row.project_id, row.org_id, bool(row.is_active), limit)
