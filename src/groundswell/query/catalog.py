"""What the compiler must know of the world, as plain data that its caller builds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from groundswell.model.tenancy import ProjectId


@dataclass(frozen=True, slots=True)
class Needs:
    """Which parts of a catalog a question depends on, so that callers fetch only those."""

    short_ids: frozenset[str] = frozenset()
    releases: bool = False
    thresholds: bool = False
    measurement_units: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Catalog:
    """The world of one question.

    projects: id → slug of the projects that the question covers.
    all_projects: slug → id of every project the caller may see (to tell unknown from unselected).
    issues: short id → issue id. releases: distinct versions, newest first, by project.
    thresholds_ms: apdex threshold by project where it is not 300. measurement_units: custom
    measurement → unit as sent ("byte", "second", …).
    """

    projects: Mapping[ProjectId, str] = field(default_factory=dict)
    all_projects: Mapping[str, ProjectId] = field(default_factory=dict)
    issues: Mapping[str, int] = field(default_factory=dict)
    releases: Mapping[ProjectId, tuple[str, ...]] = field(default_factory=dict)
    thresholds_ms: Mapping[ProjectId, int] = field(default_factory=dict)
    measurement_units: Mapping[str, str] = field(default_factory=dict)
