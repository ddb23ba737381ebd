"""Issues in the shapes that clients read. `count` is a string, `userCount` a number."""

from __future__ import annotations

from typing import Any

import msgspec

from groundswell.http.event_shapes import issue_metadata
from groundswell.http.shapes import Shape, instant
from groundswell.model.tenancy import Organization, Project
from groundswell.stats.issue_list import Sightings
from groundswell.store.metadata import issues
from groundswell.store.metadata.issues import Issue


class IssueProject(Shape, frozen=True, kw_only=True):
    id: str
    slug: str
    name: str
    platform: str | None


class Actor(Shape, frozen=True, kw_only=True, omit_defaults=True):
    """Somebody who looks after an issue: `type` is user or team."""

    type: str
    id: str
    name: str
    email: str | None = None


class IssueShape(Shape, frozen=True, kw_only=True):
    id: str
    short_id: str
    title: str
    culprit: str
    permalink: str
    level: str
    status: str
    substatus: str | None
    platform: str
    project: IssueProject
    type: str
    metadata: dict[str, str]
    count: str
    user_count: int
    first_seen: str
    last_seen: str
    assigned_to: Actor | None
    logger: str | None = None
    share_id: str | None = None
    status_details: dict[str, Any] = msgspec.field(default_factory=dict)
    is_public: bool = False
    is_bookmarked: bool = False
    is_subscribed: bool = False
    is_unhandled: bool = False
    has_seen: bool = True
    subscription_details: dict[str, Any] | None = None
    num_comments: int = 0
    annotations: list[Any] = msgspec.field(default_factory=list)
    issue_type: str = "error"
    issue_category: str = "error"
    priority: str = "medium"
    priority_locked_at: str | None = None
    stats: dict[str, Any] = msgspec.field(default_factory=dict)


class IssueDetail(IssueShape, frozen=True, kw_only=True):
    activity: list[Any] = msgspec.field(default_factory=list)
    participants: list[Any] = msgspec.field(default_factory=list)
    seen_by: list[Any] = msgspec.field(default_factory=list)
    plugin_actions: list[Any] = msgspec.field(default_factory=list)
    plugin_issues: list[Any] = msgspec.field(default_factory=list)
    plugin_contexts: list[Any] = msgspec.field(default_factory=list)
    user_report_count: int = 0
    tags: list[dict[str, Any]] = msgspec.field(default_factory=list)
    first_release: dict[str, Any] | None = None
    last_release: dict[str, Any] | None = None


def issue_values(
    issue: Issue,
    seen: Sightings,
    organization: Organization,
    project: Project,
    actor: Actor | None,
    base_url: str,
) -> dict[str, Any]:
    """Give the fields that a listed and a detailed issue share."""
    return {
        "id": str(issue.id),
        "short_id": issues.short_id(project.slug, issue.number),
        "title": issue.title,
        "culprit": issue.culprit,
        "permalink": f"{base_url}/organizations/{organization.slug}/issues/{issue.id}/",
        "level": issue.level,
        "status": issue.status,
        "substatus": issue.substatus or None,
        "platform": issue.platform,
        "project": IssueProject(
            id=str(project.id), slug=project.slug, name=project.name, platform=project.platform
        ),
        "type": issue.type if issue.type in {"error", "default"} else "csp",
        "metadata": issue_metadata(issue.title, issue.type),
        "count": str(seen.count),
        "user_count": seen.users,
        "first_seen": instant(issue.first_seen),
        "last_seen": instant(issue.last_seen),
        "assigned_to": actor,
        "status_details": {},
    }
