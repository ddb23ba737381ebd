"""What the rooms of ingest hand to each other: spool records, their items, outcomes, options."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

import msgspec


class Kind(StrEnum):
    """What is done with an item; several item types of the wire share one kind."""

    EVENT = "event"
    TRANSACTION = "transaction"
    SPANS = "spans"
    SPAN = "span"
    PROFILE = "profile"
    PROFILE_CHUNK = "profile_chunk"
    CLIENT_REPORT = "client_report"
    UNSUPPORTED = "unsupported"
    UNKNOWN = "unknown"


class Verdict(StrEnum):
    """What became of an item; the `outcome` column of the outcomes table."""

    ACCEPTED = "accepted"
    FILTERED = "filtered"
    RATE_LIMITED = "rate_limited"
    INVALID = "invalid"
    CLIENT_DISCARD = "client_discard"


class TraceHeader(msgspec.Struct, frozen=True):
    """The dynamic sampling context of an envelope, as far as statistics need it."""

    trace_id: str | None = None
    public_key: str | None = None
    release: str | None = None
    environment: str | None = None
    transaction: str | None = None
    sample_rate: str | None = None


class Item(msgspec.Struct, frozen=True):
    """One item of an envelope. `index` counts from 0 in the envelope as sent.

    `type` is the item type of the wire, `payload` the bytes of the item, `item_count` and
    `platform` come from the item header where present.
    """

    index: int
    kind: Kind
    type: str
    payload: bytes
    item_count: int | None = None
    platform: str = ""
    content_type: str = ""


class Record(msgspec.Struct, frozen=True):
    """One accepted request, as kept in the spool, with its items split.

    received_at: unix seconds. event_id: 32 hex digits, never zeros; it wins over the payloads'.
    sent_at: unix seconds of the sender's clock, or None. `items` are those still to be stored:
    rate-limited, unsupported, filtered and duplicate ones are gone already.
    """

    seq: int
    received_at: float
    project_id: int
    key_id: int
    client_ip: str
    user_agent: str
    content_encoding: str
    body: bytes
    event_id: str = ""
    sent_at: float | None = None
    trace: TraceHeader | None = None
    sdk_name: str = ""
    sdk_version: str = ""
    items: tuple[Item, ...] = ()


class Outcome(msgspec.Struct, frozen=True):
    """`quantity` things of one category had this verdict in the minute of `minute` (unix s)."""

    project_id: int
    key_id: int
    minute: int
    category: str
    verdict: Verdict
    reason: str = ""
    quantity: int = 1


class Rejected(msgspec.Struct, frozen=True):
    """An item that gives no row: which one (`seq` of its record, `index` of the item) and why."""

    seq: int
    index: int
    verdict: Verdict
    reason: str


KILLER = "it ends the digest worker"
"""The reason of a record that no worker survives, or whose items do not add up."""


class Poisoned(msgspec.Struct, frozen=True):
    """A record that breaks the digest or the store, and how."""

    seq: int
    reason: str


class Group(msgspec.Struct, frozen=True):
    """An issue as one batch saw it. Times are unix seconds of the events' own timestamps."""

    project_id: int
    primary_hash: int
    title: str
    culprit: str
    level: str
    type: str
    platform: str
    first_seen: float
    last_seen: float
    count: int


@dataclass(frozen=True, slots=True)
class Scrubbing:
    """What a project removes from its events. Names are compared without case."""

    enabled: bool = True
    defaults: bool = True
    ip_addresses: bool = False
    keys: tuple[str, ...] = ()
    safe_keys: tuple[str, ...] = ()
    patterns: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Filters:
    """What a project does not want: patterns are globs (`*`), the rest are switches."""

    releases: tuple[str, ...] = ()
    error_messages: tuple[str, ...] = ()
    health_checks: bool = False
    localhost: bool = False
    crawlers: bool = False

    @property
    def any(self) -> bool:
        return bool(
            self.releases
            or self.error_messages
            or self.health_checks
            or self.localhost
            or self.crawlers
        )


@dataclass(frozen=True, slots=True)
class ProjectOptions:
    """The options of one project that change rows.

    retention: days by kind of data where they differ from `retention_days`.
    """

    retention_days: int = 90
    retention: Mapping[str, int] = field(default_factory=dict)
    scrubbing: Scrubbing = field(default_factory=Scrubbing)
    filters: Filters = field(default_factory=Filters)

    def days(self, kind: str) -> int:
        """Say how long rows of a kind (a table) are kept."""
        return self.retention.get(kind, self.retention_days)


@dataclass(frozen=True, slots=True)
class DigestContext:
    """Everything but the records that rows depend on. The time is `Record.received_at`, always."""

    projects: Mapping[int, ProjectOptions] = field(default_factory=dict)
    default: ProjectOptions = field(default_factory=ProjectOptions)

    def options(self, project_id: int) -> ProjectOptions:
        return self.projects.get(project_id, self.default)
