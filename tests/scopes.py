"""Scopes for tests of questions: who may see which projects."""

from __future__ import annotations

from datetime import UTC, datetime

from groundswell.model.tenancy import (
    Caller,
    Organization,
    OrgId,
    Project,
    ProjectId,
    Scope,
)

BORN = datetime(2026, 1, 1, tzinfo=UTC)


def project_of(id: int, slug: str) -> Project:
    return Project(ProjectId(id), OrgId(1), slug, slug.title(), "python", BORN)


def scope_of(projects: dict[int, str], member_of: set[int] | None = None, org_id: int = 1) -> Scope:
    """Make the scope of a token of the organization, or of somebody who is in some projects."""
    seen = tuple(project_of(id, slug) for id, slug in projects.items())
    return Scope(
        organization=Organization(OrgId(org_id), "acme", "Acme", BORN),
        caller=Caller(user=None, org_id=OrgId(org_id), scopes=frozenset()),
        role=None,
        projects=seen,
        member_projects=tuple(p for p in seen if member_of is None or int(p.id) in member_of),
    )
