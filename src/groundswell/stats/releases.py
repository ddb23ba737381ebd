"""Versions of each project, newest first: by semantic version where the project follows it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from groundswell.model.tenancy import ProjectId

_SEMVER = re.compile(
    r"(?:.*@)?(\d{1,9})\.(\d{1,9})(?:\.(\d{1,9}))?(?:\.(\d{1,9}))?(?:-([0-9A-Za-z.-]+))?(?:\+.*)?",
    re.ASCII | re.DOTALL,
)
_SAMPLE = 10
_MOST = 0.7


def newest_first(
    projects: Sequence[int], versions: Sequence[str]
) -> Mapping[ProjectId, tuple[str, ...]]:
    """Order the versions of each project.

    versions come ordered by first appearance, newest first. A project follows semantic versioning
    when most of its newest versions do.
    """
    by_project: dict[ProjectId, list[str]] = {}
    for project, version in zip(projects, versions, strict=True):
        if version:
            by_project.setdefault(ProjectId(int(project)), []).append(version)
    return {project: tuple(_ordered(found)) for project, found in by_project.items()}


def _ordered(versions: list[str]) -> list[str]:
    sample = versions[:_SAMPLE]
    following = sum(_SEMVER.fullmatch(version) is not None for version in sample)
    if following < _MOST * len(sample):
        return versions

    parsed = [version for version in versions if _SEMVER.fullmatch(version)]
    others = [version for version in versions if not _SEMVER.fullmatch(version)]
    return [*sorted(parsed, key=_rank, reverse=True), *others]


def _rank(version: str) -> tuple[object, ...]:
    match = _SEMVER.fullmatch(version)
    assert match is not None
    major, minor, patch, revision, prerelease = match.groups()
    numbers = (int(major), int(minor), int(patch or 0), int(revision or 0))
    return (*numbers, prerelease is None, prerelease or "")
