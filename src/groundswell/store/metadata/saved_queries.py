"""Saved questions of Discover; one of a person may be their homepage."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy import JSON, Boolean, Column, Connection, ForeignKey, Index, Integer, String, Table

from groundswell.errors import NotFound
from groundswell.store.metadata.columns import BigId, UtcTime, registry

saved_queries = Table(
    "saved_queries",
    registry,
    Column("id", BigId, primary_key=True),
    Column("org_id", BigId, ForeignKey("organizations.id", ondelete="CASCADE"), nullable=False),
    Column("created_by", BigId, ForeignKey("users.id", ondelete="SET NULL")),
    Column("name", String(255), nullable=False),
    Column("body", JSON, nullable=False),
    Column("is_homepage", Boolean, nullable=False),
    Column("split", String(32)),
    Column("visits", Integer, nullable=False),
    Column("created_at", UtcTime, nullable=False),
    Column("updated_at", UtcTime, nullable=False),
    Index(None, "org_id", "name"),
    sqlite_autoincrement=True,
)
_ORDERS = {
    "name": saved_queries.c.name,
    "dateCreated": saved_queries.c.created_at,
    "dateUpdated": saved_queries.c.updated_at,
    "mostPopular": saved_queries.c.visits,
    "recentlyViewed": saved_queries.c.updated_at,
    "myqueries": saved_queries.c.name,
}
# What clients mean without a minus sign: the most popular and recent ones come first.
_NEWEST_FIRST = {"mostPopular", "recentlyViewed"}
SORTS = tuple(_ORDERS)


@dataclass(frozen=True, slots=True)
class SavedQuery:
    """One saved question; `body` as the client gave it, without its name."""

    id: int
    org_id: int
    created_by: int | None
    name: str
    body: Mapping[str, Any]
    is_homepage: bool
    split: str | None
    visits: int
    created_at: datetime
    updated_at: datetime


def create_saved_query(
    connection: Connection, org_id: int, name: str, body: Mapping[str, Any], *,
    user_id: int | None, now: datetime, is_homepage: bool = False,
) -> SavedQuery:  # fmt: skip
    """Save a question."""
    values = {
        "org_id": org_id, "created_by": user_id, "name": name, "body": dict(body),
        "is_homepage": is_homepage, "split": None, "visits": 1, "created_at": now,
        "updated_at": now,
    }  # fmt: skip
    made = connection.execute(sa.insert(saved_queries).values(**values).returning(saved_queries))
    return _row(made.one())


def list_saved_queries(
    connection: Connection, org_id: int, *, word: str = "", sort: str = "name",
    descending: bool = False, limit: int, offset: int, first_of: int | None = None,
) -> list[SavedQuery]:  # fmt: skip
    """List saved questions whose name holds a word; first_of: the person whose come first."""
    c = saved_queries.c
    key = _ORDERS[sort]
    order: list[Any] = [
        key.desc() if descending != (sort in _NEWEST_FIRST) else key.asc(),
        c.id.asc(),
    ]
    if first_of is not None:
        order.insert(0, sa.case((c.created_by == first_of, 0), else_=1))
    query = (
        sa.select(saved_queries)
        .where(c.org_id == org_id, c.is_homepage.is_(False))
        .where(sa.func.lower(c.name).contains(word.lower(), autoescape=True))
        .order_by(*order)
        .limit(limit)
        .offset(offset)
    )
    return [_row(row) for row in connection.execute(query)]


def get_saved_query(connection: Connection, org_id: int, query_id: int) -> SavedQuery:
    """Give a saved question. Raises NotFound."""
    c = saved_queries.c
    query = sa.select(saved_queries).where(c.id == query_id, c.org_id == org_id)
    row = connection.execute(query).one_or_none()
    if row is None:
        raise NotFound

    return _row(row)


def find_homepage(connection: Connection, org_id: int, user_id: int | None) -> SavedQuery | None:
    """Find the homepage of a person, or of the organization's tokens."""
    c = saved_queries.c
    query = sa.select(saved_queries).where(
        c.org_id == org_id, c.is_homepage.is_(True), c.created_by.is_not_distinct_from(user_id)
    )
    row = connection.execute(query).first()
    return None if row is None else _row(row)


def change_saved_query(
    connection: Connection, query_id: int, name: str, body: Mapping[str, Any], *, now: datetime
) -> None:
    """Give a saved question another name and body; what was decided of it is forgotten."""
    connection.execute(
        sa.update(saved_queries)
        .where(saved_queries.c.id == query_id)
        .values(name=name, body=dict(body), updated_at=now, split=None)
    )


def visit_saved_query(connection: Connection, query_id: int) -> None:
    """Count a visit."""
    c = saved_queries.c
    connection.execute(sa.update(saved_queries).where(c.id == query_id).values(visits=c.visits + 1))


def split_saved_query(connection: Connection, query_id: int, split: str) -> None:
    """Remember which events a saved question is about."""
    connection.execute(
        sa.update(saved_queries).where(saved_queries.c.id == query_id).values(split=split)
    )


def delete_saved_queries(connection: Connection, ids: Sequence[int]) -> None:
    """Delete saved questions."""
    connection.execute(sa.delete(saved_queries).where(saved_queries.c.id.in_(list(ids))))


def _row(row: Any) -> SavedQuery:
    return SavedQuery(**row._mapping)
