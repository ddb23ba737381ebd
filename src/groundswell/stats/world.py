"""What the compiler must know of the world, fetched only where a question depends on it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from groundswell.model.tenancy import ProjectId, Scope
from groundswell.query.catalog import Catalog, Needs
from groundswell.stats.decode import Names
from groundswell.store.metadata import issues, tenancy

# Option of a project: the duration in milliseconds up to which its users are satisfied.
APDEX_THRESHOLD = "apdex_threshold"

if TYPE_CHECKING:
    from sqlalchemy import Connection

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
    known: Mapping[str, int] = {}
    if needs.short_ids:
        known = await metadata.run(_issue_ids, scope, sorted(needs.short_ids))
    thresholds: Mapping[ProjectId, int] = {}
    if needs.thresholds:
        thresholds = await metadata.run(_thresholds_ms, question.projects)
    return Catalog(
        projects={id: slugs[id] for id in question.projects if id in slugs},
        all_projects={project.slug: project.id for project in scope.projects},
        issues=known,
        releases=releases,
        thresholds_ms=thresholds,
    )


async def names_of(scope: Scope, issue_ids: Iterable[int], metadata: Metadata) -> Names:
    """Fetch the names that stand for the ids of an answer."""
    slugs = {int(project.id): project.slug for project in scope.projects}
    wanted = sorted({id for id in issue_ids if id})
    found = await metadata.run(issues.get, wanted) if wanted else {}
    return Names(
        slugs,
        {
            id: issues.short_id(slugs[issue.project_id], issue.number)
            for id, issue in found.items()
            if issue.project_id in slugs
        },
    )


def _issue_ids(connection: Connection, scope: Scope, short_ids: Iterable[str]) -> dict[str, int]:
    """Short id → issue id, of the projects that the caller may see."""
    projects = {project.slug.upper(): project.id for project in scope.projects}
    found: dict[str, int] = {}
    for text in short_ids:
        slug, _, digits = text.upper().rpartition("-")
        number = issues.parse_number(digits)
        if slug not in projects or number is None:
            continue

        id = issues.find_by_number(connection, projects[slug], number)
        if id is not None:
            found[text] = id
    return found


def _thresholds_ms(connection: Connection, projects: tuple[ProjectId, ...]) -> dict[ProjectId, int]:
    options = tenancy.options_by_project(connection, projects)
    chosen = {project: found.get(APDEX_THRESHOLD) for project, found in options.items()}
    return {
        project: int(threshold)
        for project, threshold in chosen.items()
        if isinstance(threshold, int | float) and threshold > 0
    }
