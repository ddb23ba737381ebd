"""The projects of an organization, read again only after something changed: every request needs
them, and there may be thousands."""

from __future__ import annotations

from weakref import WeakKeyDictionary

from sqlalchemy import Connection, Engine

from groundswell.model.tenancy import OrgId, Project
from groundswell.store.metadata.projects import list_projects
from groundswell.store.metadata.version import version

_KNOWN: WeakKeyDictionary[Engine, dict[OrgId, tuple[int, tuple[Project, ...]]]] = (
    WeakKeyDictionary()
)


def projects_of(connection: Connection, org_id: OrgId) -> tuple[Project, ...]:
    """Give the projects of an organization, by slug, as `list_projects` does."""
    known = _KNOWN.setdefault(connection.engine, {})
    # Read first: what changes in between is then kept under a version that is already old.
    now = version(connection)
    found = known.get(org_id)
    if found is None or found[0] != now:
        found = now, tuple(list_projects(connection, org_id))
        known[org_id] = found
    return found[1]
