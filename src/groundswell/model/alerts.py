"""Rules, incidents and their parts, as plain data that everything else reads."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum, StrEnum
from typing import Any

from groundswell.model.tenancy import OrgId, ProjectId, UserId


class Level(IntEnum):
    """How bad it is; the numbers are those that clients read as the status of an incident."""

    OK = 2
    WARNING = 10
    CRITICAL = 20

    @property
    def word(self) -> str:
        return {Level.OK: "Resolved", Level.WARNING: "Warning", Level.CRITICAL: "Critical"}[self]


class Side(IntEnum):
    """Which values are bad: those above the threshold, below it, or on either side."""

    ABOVE = 0
    BELOW = 1
    BOTH = 2


class Detection(StrEnum):
    """What a value is compared with: numbers, the same time before, or what is likely."""

    STATIC = "static"
    PERCENT = "percent"
    DYNAMIC = "dynamic"


class Ending(IntEnum):
    """Why an incident ended."""

    RULE_CHANGED = 1
    BY_HAND = 2
    VALUE = 3


@dataclass(frozen=True, slots=True)
class Action:
    """Whom a trigger tells. kind: slack, email or webhook; target: channel, address or URL, or
    the id of a user or team where target_type says so."""

    kind: str
    target_type: str
    target: str
    integration: str | None = None
    id: int = 0


@dataclass(frozen=True, slots=True)
class Trigger:
    """One threshold. For rules about a change it is a percentage of change; None for dynamic."""

    level: Level
    threshold: float | None
    actions: tuple[Action, ...] = ()
    id: int = 0


@dataclass(frozen=True, slots=True)
class Rule:
    """What is watched, when it is bad, and who hears of it.

    periods: how many windows in a row must agree before something opens or ends. group_by: one
    incident for each value of this field, at most `group_limit` at once. minimum: events that a
    window needs to be judged. muted_until: nobody is told anything before.
    """

    id: int
    org_id: OrgId
    name: str
    dataset: str
    aggregate: str
    query: str
    window_min: int
    side: Side
    triggers: tuple[Trigger, ...]
    projects: tuple[ProjectId, ...]
    created_at: datetime
    changed_at: datetime
    detection: Detection = Detection.STATIC
    resolve: float | None = None
    periods: int = 1
    delta_min: int | None = None
    environment: str | None = None
    event_types: tuple[str, ...] = ()
    owner: str | None = None
    description: str = ""
    sensitivity: str = "medium"
    group_by: str | None = None
    group_limit: int = 20
    minimum: int = 0
    muted_until: datetime | None = None
    created_by: UserId | None = None

    @property
    def window_s(self) -> int:
        return self.window_min * 60

    @property
    def resolution_min(self) -> int:
        """How often it is judged: long windows move little in a minute."""
        return next(minutes for longest, minutes in _RESOLUTIONS if self.window_min <= longest)

    @property
    def is_additive(self) -> bool:
        """Whether a window without events has the value 0 rather than none."""
        return self.aggregate.startswith(_ADDITIVE)

    def trigger(self, level: Level) -> Trigger | None:
        return next((one for one in self.triggers if one.level is level), None)

    def is_muted(self, now: datetime) -> bool:
        return self.muted_until is not None and now < self.muted_until


_RESOLUTIONS = ((60, 1), (240, 5), (100_000, 15))
_ADDITIVE = (
    "count(", "count_unique(", "count_if(", "count_miserable(", "failure_count(", "epm(", "eps(",
    "tpm(", "tps(", "spm(", "sps(", "sum(", "count_web_vitals(",
)  # fmt: skip
# A mute without an end.
FOREVER = datetime.fromisoformat("9999-01-01T00:00:00+00:00")


@dataclass(frozen=True, slots=True)
class Incident:
    """One time that something was wrong.

    number: counted within the organization. group: the value that a per-group rule splits by, ""
    otherwise. announced: the level that people were told last, None before they were told.
    worst: the worst of what they were
    told. sent: how often. peak: the value farthest from good.
    """

    id: int
    org_id: OrgId
    number: int
    rule_id: int
    title: str
    group: str
    level: Level
    started_at: datetime
    detected_at: datetime
    closed_at: datetime | None = None
    ending: Ending | None = None
    announced: Level | None = None
    worst: Level | None = None
    sent: int = 0
    value: float | None = None
    peak: float | None = None
    acknowledged_by: UserId | None = None
    acknowledged_at: datetime | None = None
    muted_until: datetime | None = None
    suspect: dict[str, Any] | None = None

    @property
    def is_open(self) -> bool:
        return self.closed_at is None

    @property
    def status(self) -> int:
        return int(Level.OK if self.closed_at is not None else self.level)

    def is_muted(self, now: datetime) -> bool:
        return self.muted_until is not None and now < self.muted_until


@dataclass(frozen=True, slots=True)
class Activity:
    """One line of an incident's course. kind: detected, status, comment."""

    id: int
    incident_id: int
    kind: str
    at: datetime
    user_id: UserId | None = None
    value: str | None = None
    previous: str | None = None
    comment: str | None = None
