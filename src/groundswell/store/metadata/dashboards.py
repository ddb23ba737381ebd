"""Dashboards and their widgets, in the order in which people put them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy import JSON, Column, Connection, ForeignKey, Index, Integer, String, Table

from groundswell.errors import NotFound
from groundswell.store.metadata.columns import BigId, UtcTime, registry

dashboards = Table(
    "dashboards",
    registry,
    Column("id", BigId, primary_key=True),
    Column("org_id", BigId, ForeignKey("organizations.id", ondelete="CASCADE"), nullable=False),
    Column("created_by", BigId, ForeignKey("users.id", ondelete="SET NULL")),
    Column("title", String(255), nullable=False),
    Column("body", JSON, nullable=False),
    Column("created_at", UtcTime, nullable=False),
    Column("updated_at", UtcTime, nullable=False),
    Column("last_visited", UtcTime),
    Index(None, "org_id", "title"),
    sqlite_autoincrement=True,
)
dashboard_widgets = Table(
    "dashboard_widgets",
    registry,
    Column("id", BigId, primary_key=True),
    Column("dashboard_id", BigId, ForeignKey("dashboards.id", ondelete="CASCADE"), nullable=False),
    Column("position", Integer, nullable=False),
    Column("title", String(255), nullable=False),
    Column("widget_type", String(32)),
    Column("body", JSON, nullable=False),
    Column("split", String(32)),
    Column("dataset_source", String(32), nullable=False),
    Column("created_at", UtcTime, nullable=False),
    Index(None, "dashboard_id"),
    sqlite_autoincrement=True,
)
_ORDERS = {
    "title": dashboards.c.title,
    "dateCreated": dashboards.c.created_at,
    "mydashboards": dashboards.c.title,
    "myDashboardsAndRecentlyViewed": dashboards.c.last_visited,
    "mostPopular": dashboards.c.title,
    "recentlyViewed": dashboards.c.last_visited,
}
SORTS = tuple(_ORDERS)


@dataclass(frozen=True, slots=True)
class Widget:
    """One widget. id 0: not stored yet. split, dataset_source: what was decided and by whom."""

    id: int
    title: str
    widget_type: str | None
    body: Mapping[str, Any]
    split: str | None = None
    dataset_source: str = "user"
    created_at: datetime | None = None
    dashboard_id: int = 0


@dataclass(frozen=True, slots=True)
class Dashboard:
    """One dashboard; `body` holds its filters and the like as the client gave them."""

    id: int
    org_id: int
    created_by: int | None
    title: str
    body: Mapping[str, Any]
    created_at: datetime
    widgets: tuple[Widget, ...] = ()


def create_dashboard(
    connection: Connection, org_id: int, title: str, body: Mapping[str, Any],
    widgets: Sequence[Widget], *, user_id: int | None, now: datetime,
) -> Dashboard:  # fmt: skip
    """Make a dashboard."""
    made = connection.execute(
        sa.insert(dashboards)
        .values(
            org_id=org_id, created_by=user_id, title=title, body=dict(body), created_at=now,
            updated_at=now,
        )
        .returning(dashboards.c.id)
    ).scalar_one()  # fmt: skip
    _put_widgets(connection, made, widgets, now)
    return get_dashboard(connection, org_id, made)


def get_dashboard(connection: Connection, org_id: int, dashboard_id: int) -> Dashboard:
    """Give a dashboard with its widgets. Raises NotFound."""
    c = dashboards.c
    row = connection.execute(
        sa.select(dashboards).where(c.id == dashboard_id, c.org_id == org_id)
    ).one_or_none()
    if row is None:
        raise NotFound

    return replace(_row(row), widgets=_widgets(connection, [dashboard_id])[dashboard_id])


def list_dashboards(
    connection: Connection, org_id: int, *, word: str = "", sort: str = "title",
    descending: bool = False, limit: int, offset: int, first_of: int | None = None,
) -> list[Dashboard]:  # fmt: skip
    """List dashboards whose title holds a word; first_of: the person whose come first."""
    c = dashboards.c
    key = _ORDERS[sort]
    order: list[Any] = [key.desc() if descending else key.asc(), c.id.asc()]
    if first_of is not None:
        order.insert(0, sa.case((c.created_by == first_of, 0), else_=1))
    query = (
        sa.select(dashboards)
        .where(c.org_id == org_id)
        .where(sa.func.lower(c.title).contains(word.lower(), autoescape=True))
        .order_by(*order)
        .limit(limit)
        .offset(offset)
    )
    found = [_row(row) for row in connection.execute(query)]
    widgets = _widgets(connection, [each.id for each in found])
    return [replace(each, widgets=widgets[each.id]) for each in found]


def change_dashboard(
    connection: Connection, dashboard_id: int, *, title: str, body: Mapping[str, Any],
    widgets: Sequence[Widget] | None, now: datetime,
) -> None:  # fmt: skip
    """Replace a dashboard; widgets: those it has from now on, None keeps them."""
    connection.execute(
        sa.update(dashboards)
        .where(dashboards.c.id == dashboard_id)
        .values(title=title, body=dict(body), updated_at=now)
    )
    if widgets is not None:
        _put_widgets(connection, dashboard_id, widgets, now)


def favor_dashboard(connection: Connection, dashboard_id: int, body: Mapping[str, Any]) -> None:
    """Keep another body, which nobody counts as a change of the dashboard."""
    row = dashboards.c.id == dashboard_id
    connection.execute(sa.update(dashboards).where(row).values(body=dict(body)))


def visit_dashboard(connection: Connection, dashboard_id: int, now: datetime) -> None:
    """Remember that somebody looked."""
    connection.execute(
        sa.update(dashboards).where(dashboards.c.id == dashboard_id).values(last_visited=now)
    )


def delete_dashboard(connection: Connection, dashboard_id: int) -> None:
    """Delete a dashboard with its widgets."""
    connection.execute(sa.delete(dashboards).where(dashboards.c.id == dashboard_id))


def find_widget(connection: Connection, org_id: int, widget_id: int) -> Widget | None:
    """Find a widget of an organization."""
    query = (
        sa.select(dashboard_widgets)
        .join(dashboards, dashboards.c.id == dashboard_widgets.c.dashboard_id)
        .where(dashboard_widgets.c.id == widget_id, dashboards.c.org_id == org_id)
    )
    row = connection.execute(query).one_or_none()
    return None if row is None else _widget(row)


def split_widget(connection: Connection, widget_id: int, split: str, source: str) -> None:
    """Remember which events a widget is about, and how that was found out."""
    connection.execute(
        sa.update(dashboard_widgets)
        .where(dashboard_widgets.c.id == widget_id)
        .values(split=split, dataset_source=source)
    )


def _put_widgets(
    connection: Connection, dashboard_id: int, widgets: Sequence[Widget], now: datetime
) -> None:
    c = dashboard_widgets.c
    kept = [widget.id for widget in widgets if widget.id]
    connection.execute(
        sa.delete(dashboard_widgets).where(c.dashboard_id == dashboard_id, c.id.not_in(kept))
    )
    for position, widget in enumerate(widgets):
        values = {
            "position": position, "title": widget.title, "widget_type": widget.widget_type,
            "body": dict(widget.body), "split": widget.split,
            "dataset_source": widget.dataset_source,
        }  # fmt: skip
        if widget.id:
            connection.execute(
                sa.update(dashboard_widgets)
                .where(c.id == widget.id, c.dashboard_id == dashboard_id)
                .values(**values)
            )
        else:
            connection.execute(
                sa.insert(dashboard_widgets).values(
                    **values, dashboard_id=dashboard_id, created_at=now
                )
            )


def _widgets(connection: Connection, ids: Sequence[int]) -> dict[int, tuple[Widget, ...]]:
    c = dashboard_widgets.c
    query = (
        sa.select(dashboard_widgets)
        .where(c.dashboard_id.in_(list(ids)))
        .order_by(c.dashboard_id, c.position, c.id)
    )
    found: dict[int, tuple[Widget, ...]] = dict.fromkeys(ids, ())
    for row in connection.execute(query):
        found[row.dashboard_id] += (_widget(row),)
    return found


def _widget(row: Any) -> Widget:
    return Widget(
        row.id, row.title, row.widget_type, row.body, row.split, row.dataset_source,
        row.created_at, row.dashboard_id,
    )  # fmt: skip


def _row(row: Any) -> Dashboard:
    return Dashboard(row.id, row.org_id, row.created_by, row.title, row.body, row.created_at)
