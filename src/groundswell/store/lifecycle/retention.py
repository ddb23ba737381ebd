"""How long rows live: by project and kind of data when they are written, by whole weeks when
they go.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from groundswell.errors import UserError
from groundswell.store.engine import Engine

OPTION = "retention"
KINDS = ("errors", "transactions", "spans", "functions", "profiles")
LONGEST_DAYS = 3650
_WEEK = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Expired:
    """A partition of which every row is past its retention."""

    table: str
    partition: str
    rows: int


def retention_days(default_days: int, options: Mapping[str, Any], kind: str) -> int:
    """Say how many days rows of a kind live in a project.

    options: those of the project; `retention` maps kinds to days, "default" stands for the rest.
    """
    chosen = options.get(OPTION)
    if not isinstance(chosen, Mapping):
        return default_days

    days = chosen.get(kind, chosen.get("default", default_days))
    return days if isinstance(days, int) and 1 <= days <= LONGEST_DAYS else default_days


def parse_retention(given: Any) -> dict[str, int]:
    """Check what somebody wants as a project's `retention` option. Raises UserError."""
    if not isinstance(given, Mapping):
        raise UserError(
            'retention maps kinds of data to days, for example {"default": 90, "spans": 14}.',
            field="retention",
        )

    for kind, days in given.items():
        if kind not in (*KINDS, "default"):
            allowed = ", ".join((*KINDS, "default"))
            raise UserError(
                f"retention has no kind {kind!r}; there are {allowed}.", field="retention"
            )

        whole = isinstance(days, int) and not isinstance(days, bool)
        if not whole or not 1 <= days <= LONGEST_DAYS:
            raise UserError(
                f"retention of {kind} must be 1 to {LONGEST_DAYS} days, got {days!r}.",
                field="retention",
            )

    return dict(given)


def find_expired(engine: Engine, now: datetime) -> list[Expired]:
    """List the partitions that are past their retention as a whole."""
    parts = engine.execute(
        "SELECT table, partition, sum(rows) AS held FROM system.parts"
        " WHERE active AND database = currentDatabase() AND table IN {tables:Array(String)}"
        " GROUP BY table, partition ORDER BY table, partition",
        {"tables": list(KINDS)},
    )
    return [
        Expired(table, partition, rows)
        for table, partition, rows in parts.rows()
        if _end(partition) <= now
    ]


def drop_expired(engine: Engine, now: datetime) -> list[Expired]:
    """Drop what is past its retention and say what went. TTL does the same, but when it likes."""
    expired = find_expired(engine, now)
    for part in expired:
        engine.execute(f"ALTER TABLE {part.table} DROP PARTITION {part.partition}")
    return expired


def _end(partition: str) -> datetime:
    """Say when the last row of a partition "(days,'Monday')" is past its retention."""
    days, monday = partition.strip("()").split(",")
    begin = datetime.fromisoformat(monday.strip("' ")).replace(tzinfo=UTC)
    return begin + _WEEK + timedelta(days=int(days))
