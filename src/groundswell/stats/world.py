"""What the compiler must know of the world, fetched only where a question depends on it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from groundswell.model.tenancy import ProjectId, Scope
from groundswell.query.catalog import Catalog, Needs
from groundswell.stats.decode import Names
from groundswell.store.metadata import issues

if TYPE_CHECKING:
    from groundswell.query.question import Question
    from groundswell.store.metadata import Metadata


async def catalog_of(
    question: Question,
    scope: Scope,
    needs: Needs,
    metadata: Metadata,
    releases: Mapping[ProjectId, tuple[str, ...]],
) -> Catalog:
    """Build the catalog of one question. releases: known versions, newest first, by project."""
    slugs = {project.id: project.slug for project in scope.projects}
    short_ids: Mapping[str, int] = {}
    if needs.short_ids:
        short_ids = await metadata.run(
            issues.ids_of, scope.organization.id, tuple(sorted(needs.short_ids))
        )
    return Catalog(
        projects={id: slugs[id] for id in question.projects if id in slugs},
        all_projects={project.slug: project.id for project in scope.projects},
        issues=short_ids,
        releases=releases,
    )


async def names_of(scope: Scope, issue_ids: Iterable[int], metadata: Metadata) -> Names:
    """Fetch the names that stand for the ids of an answer."""
    wanted = tuple(sorted({id for id in issue_ids if id}))
    short_ids: Mapping[int, str] = {}
    if wanted:
        short_ids = await metadata.run(issues.short_ids_of, scope.organization.id, wanted)
    return Names({int(project.id): project.slug for project in scope.projects}, short_ids)
