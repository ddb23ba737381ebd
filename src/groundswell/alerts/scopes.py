"""What an organization itself may see: rules are judged and drawn for all of it."""

from __future__ import annotations

from sqlalchemy import Connection

from groundswell.model.tenancy import Caller, OrgId, Scope
from groundswell.store.metadata import tenancy


def scope_of(connection: Connection, org_id: OrgId) -> Scope | None:
    """Give everything of an organization; None when it is gone."""
    organization = tenancy.find_organization(connection, org_id)
    if organization is None:
        return None

    projects = tuple(tenancy.list_projects(connection, org_id))
    caller = Caller(user=None, org_id=org_id, scopes=frozenset())
    return Scope(organization, caller, None, projects, projects)
