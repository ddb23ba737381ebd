"""Organizations and their feature switches."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, delete, select, update

from groundswell.errors import NotFound
from groundswell.model.tenancy import Organization, OrgId
from groundswell.store.metadata.columns import insert_missing, upsert
from groundswell.store.metadata.naming import is_id, name_of, slug_of
from groundswell.store.metadata.tables import features, organizations
from groundswell.store.metadata.version import bump


def create_organization(
    connection: Connection, slug: str, *, now: datetime, name: str | None = None
) -> Organization:
    """Make an organization, or give the one that has the slug. Raises UserError for a bad slug."""
    slug = slug_of(slug)
    values = {"slug": slug, "name": name_of(name, slug), "created_at": now}
    if insert_missing(connection, organizations, values):
        bump(connection)
    return get_organization(connection, slug)


def list_organizations(connection: Connection) -> list[Organization]:
    """List all, by slug."""
    rows = connection.execute(select(organizations).order_by(organizations.c.slug))
    return [_organization(row) for row in rows]


def find_organization(connection: Connection, slug_or_id: str | int) -> Organization | None:
    """Find one by slug, or by id (an int or a string of digits)."""
    column = organizations.c.id if is_id(slug_or_id) else organizations.c.slug
    value = int(slug_or_id) if is_id(slug_or_id) else slug_or_id
    row = connection.execute(select(organizations).where(column == value)).one_or_none()
    return None if row is None else _organization(row)


def get_organization(connection: Connection, slug_or_id: str | int) -> Organization:
    """Give one by slug or id. Raises NotFound."""
    found = find_organization(connection, slug_or_id)
    if found is None:
        raise NotFound(missing=f"organization {slug_or_id}")

    return found


def set_open_membership(connection: Connection, org_id: OrgId, is_open: bool) -> None:
    """Say whether members see every project or only those of their teams."""
    row = organizations.c.id == org_id
    connection.execute(update(organizations).where(row).values(open_membership=is_open))
    bump(connection)


def delete_organization(connection: Connection, org_id: OrgId) -> None:
    """Delete an organization with everything that hangs on it; its events are not touched here."""
    connection.execute(delete(organizations).where(organizations.c.id == org_id))
    bump(connection)


def set_feature(connection: Connection, org_id: OrgId, name: str, enabled: bool) -> None:
    """Switch a feature of an organization on or off."""
    upsert(connection, features, {"org_id": org_id, "name": name}, {"enabled": enabled})
    bump(connection)


def list_features(connection: Connection, org_id: OrgId) -> dict[str, bool]:
    """Give the switches that differ from the defaults."""
    rows = connection.execute(select(features).where(features.c.org_id == org_id))
    return {row.name: row.enabled for row in rows}


def _organization(row: Row[Any]) -> Organization:
    return Organization(OrgId(row.id), row.slug, row.name, row.created_at, row.open_membership)
