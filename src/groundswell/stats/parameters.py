"""Parameters that every question shares: first values, whole numbers, projects, environments."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from groundswell.errors import NotAllowed, UserError
from groundswell.model.tenancy import Project, Scope

Params: TypeAlias = Mapping[str, Sequence[str]]

ALL_PROJECTS = -1
ALL_SLUGS = "$all"
DEFAULT_PER_PAGE = 100

_WHOLE = re.compile(r"\s*[+-]?\d{1,18}\s*", re.ASCII)
_CURSOR = re.compile(r"(-?\d{1,18}):(-?\d{1,18}):(-?\d{1,18})", re.ASCII)


@dataclass(frozen=True, slots=True)
class Page:
    """A slice of a list: `limit` rows from row `offset` on."""

    limit: int
    offset: int


FIRST_PAGE = Page(DEFAULT_PER_PAGE, 0)


def first(params: Params, name: str) -> str | None:
    """Give the first value of a parameter, None where it is absent."""
    values = params.get(name)
    return values[0] if values else None


def texts(params: Params, name: str) -> tuple[str, ...]:
    """Give the values of a repeated parameter: no blanks, no duplicates, order kept."""
    return tuple(dict.fromkeys(value for value in params.get(name, ()) if value.strip()))


def is_on(params: Params, name: str) -> bool:
    """Tell whether a switch is `1`."""
    return first(params, name) == "1"


def whole(params: Params, name: str, meaning: str) -> int | None:
    """Read a whole number, None where the parameter is absent.

    meaning: what the number is, for the text of the refusal.
    """
    text = first(params, name)
    if text is None:
        return None

    if not _WHOLE.fullmatch(text):
        raise UserError(f"{name} must be {meaning}, got {text!r}", code="not_a_number", field=name)

    return int(text)


def sorting(params: Params) -> tuple[str, ...]:
    """Read `sort`, or its deprecated alias `orderby` where there is no `sort`."""
    return texts(params, "sort") or texts(params, "orderby")


def page(params: Params, *, default: int = DEFAULT_PER_PAGE, maximum: int = 100) -> Page:
    """Read `per_page` and `cursor`.

    Raises UserError for a `per_page` outside 1..maximum, and for a cursor that is not three whole
    numbers.
    """
    allowed = f"a whole number between 1 and {maximum}"
    limit = whole(params, "per_page", allowed)
    if limit is None:
        limit = min(default, maximum)
    if not 1 <= limit <= maximum:
        raise UserError(
            f"per_page must be {allowed}, got {limit}", code="per_page_range", field="per_page"
        )

    cursor = first(params, "cursor")
    if not cursor:
        return Page(limit, 0)

    match = _CURSOR.fullmatch(cursor)
    if match is None or int(match[2]) < 0:
        raise UserError(
            f"cursor must be three whole numbers such as 0:100:0, got {cursor!r}",
            code="bad_cursor",
            field="cursor",
        )

    return Page(limit, int(match[2]))


def projects(params: Params, scope: Scope) -> tuple[Project, ...]:
    """Choose the projects that a request covers.

    `projectSlug` wins over `project`; `-1` and `$all` are every project that the caller may read,
    nothing given those of which the caller is a member.
    Raises UserError for a project that is not a number, NotAllowed for one that is not there.
    """
    slugs = texts(params, "projectSlug")
    if slugs:
        if ALL_SLUGS in slugs:
            return scope.projects

        return _all_or_nothing(slugs, {project.slug: project for project in scope.projects})

    given = texts(params, "project")
    for text in given:
        if not _WHOLE.fullmatch(text):
            raise UserError(
                f"project must be the numeric id of a project, got {text!r}; "
                "for slugs use projectSlug",
                code="project_not_numeric",
                field="project",
            )

    ids = tuple(dict.fromkeys(int(text) for text in given))
    if not ids:
        return scope.member_projects

    if ALL_PROJECTS in ids:
        return scope.projects

    return _all_or_nothing(ids, {int(project.id): project for project in scope.projects})


def _all_or_nothing(
    wanted: Sequence[object], known: Mapping[str, Project] | Mapping[int, Project]
) -> tuple[Project, ...]:
    found = tuple(known.get(name) for name in wanted)  # type: ignore[call-overload]
    if None in found:
        raise NotAllowed

    return tuple(project for project in found if project is not None)


def environments(params: Params) -> tuple[str, ...]:
    """Read the environments; an empty one stands for events without any."""
    return tuple(dict.fromkeys(params.get("environment", ())))
