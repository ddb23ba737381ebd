"""Projects, the keys that SDKs send with, and the options of a project."""

from __future__ import annotations

import secrets
from collections.abc import Collection
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from sqlalchemy import Connection, Row, delete, insert, select, update

from groundswell.errors import NotFound, UserError
from groundswell.model import trends
from groundswell.model.tenancy import KeyId, OrgId, Project, ProjectId, ProjectKey
from groundswell.store.lifecycle import retention
from groundswell.store.metadata.columns import insert_missing, upsert
from groundswell.store.metadata.naming import is_id, name_of, slug_of
from groundswell.store.metadata.tables import project_keys, project_options, projects
from groundswell.store.metadata.version import bump

DEFAULT_KEY = "Default"


def create_project(
    connection: Connection,
    org_id: OrgId,
    slug: str,
    *,
    now: datetime,
    name: str | None = None,
    platform: str | None = None,
) -> Project:
    """Make a project with a first key, or give the one that has the slug.

    Raises UserError for a bad slug.
    """
    slug = slug_of(slug)
    values = {
        "org_id": org_id,
        "slug": slug,
        "name": name_of(name, slug),
        "platform": platform,
        "created_at": now,
    }
    is_new = insert_missing(connection, projects, values)
    project = get_project(connection, org_id, slug)
    if is_new:
        create_key(connection, project.id, now=now)
    return project


def list_projects(connection: Connection, org_id: OrgId | None = None) -> list[Project]:
    """List the projects of one organization, or of all, by slug."""
    query = select(projects).order_by(projects.c.slug, projects.c.id)
    if org_id is not None:
        query = query.where(projects.c.org_id == org_id)
    return [_project(row) for row in connection.execute(query)]


def get_project(connection: Connection, org_id: OrgId, slug_or_id: str | int) -> Project:
    """Give a project of an organization by slug or id. Raises NotFound."""
    by_id = is_id(slug_or_id)
    match = projects.c.id == int(slug_or_id) if by_id else projects.c.slug == slug_or_id
    query = select(projects).where(match, projects.c.org_id == org_id)
    row = connection.execute(query).one_or_none()
    if row is None:
        raise NotFound(missing=f"project {slug_or_id}")

    return _project(row)


def project_by_id(connection: Connection, project_id: ProjectId) -> Project | None:
    """Find a project of any organization."""
    row = connection.execute(select(projects).where(projects.c.id == project_id)).one_or_none()
    return None if row is None else _project(row)


def change_project(
    connection: Connection, project_id: ProjectId, *, name: str | None, platform: str | None,
    slug: str | None = None,
) -> None:  # fmt: skip
    """Give a project another name, platform or slug; None leaves it. Raises UserError."""
    values = {
        "name": name, "platform": platform, "slug": None if slug is None else slug_of(slug),
    }  # fmt: skip
    changed = {column: value for column, value in values.items() if value is not None}
    if changed:
        connection.execute(update(projects).where(projects.c.id == project_id).values(**changed))
        bump(connection)


def delete_project(connection: Connection, project_id: ProjectId) -> None:
    """Delete a project with its keys and options; its events are not touched here."""
    connection.execute(delete(projects).where(projects.c.id == project_id))
    bump(connection)


def create_key(
    connection: Connection, project_id: ProjectId, *, now: datetime, label: str = DEFAULT_KEY
) -> ProjectKey:
    """Make a key that is active at once."""
    values = {
        "project_id": project_id,
        "public_key": secrets.token_hex(16),
        "label": label,
        "created_at": now,
    }
    query = insert(project_keys).values(**values).returning(project_keys)
    key = _key(connection.execute(query).one())
    bump(connection)
    return key


def list_keys(connection: Connection, project_id: ProjectId) -> list[ProjectKey]:
    """List the keys of a project, oldest first."""
    query = select(project_keys).where(project_keys.c.project_id == project_id)
    return [_key(row) for row in connection.execute(query.order_by(project_keys.c.id))]


def default_key(connection: Connection, project_id: ProjectId) -> ProjectKey | None:
    """Give the oldest active key, the one that is shown as the project's DSN."""
    return next((key for key in list_keys(connection, project_id) if key.is_active), None)


def key_by_public_key(connection: Connection, public_key: str) -> ProjectKey | None:
    """Find a key, active or not."""
    query = select(project_keys).where(project_keys.c.public_key == public_key)
    row = connection.execute(query).one_or_none()
    return None if row is None else _key(row)


def set_key_active(connection: Connection, key_id: KeyId, is_active: bool) -> None:
    """Switch a key on or off."""
    _change_key(connection, key_id, is_active=is_active)


def set_key_label(connection: Connection, key_id: KeyId, label: str) -> None:
    """Give a key another name."""
    connection.execute(
        update(project_keys).where(project_keys.c.id == key_id).values(label=label[:64])
    )


def set_key_rate_limit(
    connection: Connection, key_id: KeyId, count: int | None, window_s: int | None
) -> None:
    """Allow `count` events per window; None for no limit. Raises UserError."""
    if (count is None) != (window_s is None) or (window_s is not None and window_s < 1):
        raise UserError("A rate limit needs a count and a window of at least 1 s.", field="count")

    if count is not None and count < 0:
        raise UserError("count must not be negative.", field="count")

    _change_key(connection, key_id, rate_limit_count=count, rate_limit_window_s=window_s)


def delete_key(connection: Connection, key_id: KeyId) -> None:
    """Delete a key: what is sent with it is refused from now on."""
    connection.execute(delete(project_keys).where(project_keys.c.id == key_id))
    bump(connection)


def dsn(base_url: str, key: ProjectKey) -> str:
    """Print what an SDK is configured with."""
    address = urlsplit(base_url)
    path = address.path.rstrip("/")
    return f"{address.scheme}://{key.public_key}@{address.netloc}{path}/{key.project_id}"


def set_option(connection: Connection, project_id: ProjectId, name: str, value: Any) -> None:
    """Keep one option of a project; the value is plain JSON. Raises UserError."""
    if name == retention.OPTION:
        value = retention.parse_retention(value)
    elif name == trends.OPTION:
        trends.parse_settings(value)
    upsert(connection, project_options, {"project_id": project_id, "name": name}, {"value": value})
    bump(connection)


def unset_option(connection: Connection, project_id: ProjectId, name: str) -> None:
    """Go back to the default."""
    row = (project_options.c.project_id == project_id) & (project_options.c.name == name)
    connection.execute(delete(project_options).where(row))
    bump(connection)


def project_options_of(connection: Connection, project_id: ProjectId) -> dict[str, Any]:
    """Give every option of a project that was set."""
    return options_by_project(connection, [project_id]).get(project_id, {})


def options_by_project(
    connection: Connection, project_ids: Collection[ProjectId] | None = None
) -> dict[ProjectId, dict[str, Any]]:
    """Give the options that were set, by project; of all projects when none are named."""
    query = select(project_options)
    if project_ids is not None:
        query = query.where(project_options.c.project_id.in_(list(project_ids)))
    options: dict[ProjectId, dict[str, Any]] = {}
    for row in connection.execute(query):
        options.setdefault(ProjectId(row.project_id), {})[row.name] = row.value
    return options


def _change_key(connection: Connection, key_id: KeyId, **values: int | bool | None) -> None:
    query = update(project_keys).where(project_keys.c.id == key_id).values(**values)
    if connection.execute(query).rowcount == 0:
        raise NotFound

    bump(connection)


def _project(row: Row[Any]) -> Project:
    return Project(
        ProjectId(row.id), OrgId(row.org_id), row.slug, row.name, row.platform, row.created_at
    )


def _key(row: Row[Any]) -> ProjectKey:
    return ProjectKey(
        id=KeyId(row.id),
        project_id=ProjectId(row.project_id),
        public_key=row.public_key,
        label=row.label,
        is_active=row.is_active,
        created_at=row.created_at,
        rate_limit_count=row.rate_limit_count,
        rate_limit_window_s=row.rate_limit_window_s,
    )
