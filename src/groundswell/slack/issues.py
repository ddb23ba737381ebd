"""A link to an issue → what it is, for somebody who may see its project."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection

from groundswell import access
from groundswell.errors import UserError
from groundswell.model.tenancy import Caller, User
from groundswell.slack.links import Link
from groundswell.slack.messages.unfurls import issue_unfurl
from groundswell.store.metadata import Metadata
from groundswell.store.metadata import issues as rows

if TYPE_CHECKING:
    from groundswell.slack.unfurl import Shared


class IssueLinks:
    """Unfurls links to issues."""

    def __init__(self, metadata: Metadata) -> None:
        self._metadata = metadata

    async def unfurl(self, link: Link, user: User | None, shared: Shared) -> dict[str, Any] | None:
        """Tell of an issue; None where the sharer may not see it, or strangers read along."""
        if user is None or shared.is_external:
            return None

        try:
            found = await self._metadata.run(_find, link, user)
        except UserError:
            return None

        if found is None:
            return None

        issue, project = found
        details = (
            f"{issue.times_seen:,} event{'s' if issue.times_seen != 1 else ''}",
            issue.status,
            issue.level,
            f"first seen {_day(issue.first_seen)}, last {_day(issue.last_seen)}",
            f"project {project}",
        )
        short = rows.short_id(project, issue.number)
        return issue_unfurl(link.url.replace("&amp;", "&"), short, issue.title, details)


def _find(connection: Connection, link: Link, user: User) -> tuple[rows.Issue, str] | None:
    scope = access.scope(connection, Caller(user=user, org_id=None, scopes=frozenset()), link.org)
    issue = rows.get(connection, [int(link.item)]).get(int(link.item))
    if issue is None:
        return None

    slugs = {project.id: project.slug for project in scope.projects}
    slug = next((slug for id, slug in slugs.items() if id == issue.project_id), None)
    return None if slug is None else (issue, slug)


def _day(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M} UTC"
