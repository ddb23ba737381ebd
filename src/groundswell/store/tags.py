"""Which tags events have, how often, and with which values; of many events from a part of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from groundswell.store.engine import Engine, Lane
from groundswell.store.volume import rows_in
from groundswell.timeframe import TimeRange

# Columns that everybody knows as tags.
COLUMNS: Mapping[str, tuple[str, ...]] = {
    "errors": ("environment", "release", "dist", "level", "transaction", "user"),
    "transactions": ("environment", "release", "dist", "transaction", "user"),
    "spans": ("environment", "release", "transaction", "user"),
}
# Of more rows than that a part is read: some rows of each of so many blocks, spread over all.
SAMPLE_ROWS = 160_000
SAMPLE_BLOCKS = 16
BLOCK_ROWS = 8_192
ROWS_OF_BLOCK = 2_048
MAX_KEYS = 1_000
TOP_VALUES = 10
# A pair that every row has: its count is that of the rows.
EVERY = ""
_ROWS = """
SELECT mapUpdate(CAST(tags, 'Map(String, String)'), map('', '1', $columns)) AS pairs
FROM $table $part
WHERE project_id IN {tag_projects:Array(UInt64)}
  AND timestamp >= fromUnixTimestamp64Milli({tag_start:Int64}, 'UTC')
  AND timestamp < fromUnixTimestamp64Milli({tag_end:Int64}, 'UTC')
  $among
LIMIT {tag_rows:UInt64}
"""
_KEYS = """
SELECT key, count() AS seen, uniq(text) AS different
FROM ($rows) ARRAY JOIN mapKeys(pairs) AS key, mapValues(pairs) AS text
WHERE text != ''
GROUP BY key ORDER BY key LIMIT {tag_keys:UInt64}
"""
_TOP = """
SELECT key, text, count() AS seen
FROM ($rows) ARRAY JOIN mapKeys(pairs) AS key, mapValues(pairs) AS text
WHERE text != ''
GROUP BY key, text
ORDER BY key, seen DESC, text
LIMIT {tag_values:UInt64} BY key
LIMIT 20000
"""
# Rows lie in blocks of a part of the table; the blocks of each part begin to count elsewhere.
_PART = """
PREWHERE (intDiv(_part_offset, {tag_block:UInt64}) + cityHash64(_part)) % {tag_of:UInt64} = 0
  AND _part_offset % {tag_block:UInt64} < {tag_block_rows:UInt64}"""
_PROJECTS = """
SELECT project_id, count() AS seen FROM $table $part
WHERE project_id IN {tag_projects:Array(UInt64)}
  AND timestamp >= fromUnixTimestamp64Milli({tag_start:Int64}, 'UTC')
  AND timestamp < fromUnixTimestamp64Milli({tag_end:Int64}, 'UTC')
  $among
GROUP BY project_id ORDER BY seen DESC
"""
_AMONG = {
    "issue": "AND group_id = {tag_issue:UInt64}",
    "events": "AND $id IN (SELECT * FROM ($events))",
}
_ID = {"errors": "event_id", "transactions": "event_id", "spans": "span_id"}


@dataclass(frozen=True, slots=True)
class TagRows:
    """Which events are looked at.

    issue_id: those of one issue. events: a SELECT of the ids of events with its bound values, or
    None for all. one_of: of so many blocks one is read.
    """

    table: str
    projects: Sequence[int]
    window: TimeRange
    issue_id: int | None = None
    events: str | None = None
    events_params: Mapping[str, Any] = field(default_factory=dict)
    one_of: int = 1

    @property
    def share(self) -> float:
        """How much of the rows is read."""
        return 1.0 if self.one_of == 1 else ROWS_OF_BLOCK / BLOCK_ROWS / self.one_of


@dataclass(frozen=True, slots=True)
class Counted:
    """How many events have a key, or one value of it; different: values of the key."""

    key: str
    seen: int
    value: str = ""
    different: int = 0


async def part_of(engine: Engine, rows: TagRows) -> TagRows:
    """Choose how much is read, by the rows that there are."""
    total = await rows_in(engine, [rows.table], rows.projects, rows.window)
    if total <= SAMPLE_ROWS:
        return rows

    return replace(rows, one_of=max(2, total // (SAMPLE_BLOCKS * BLOCK_ROWS)))


async def count_by_project(engine: Engine, rows: TagRows) -> dict[int, int]:
    """Count the events of each project, those with most first."""
    return {int(project): int(seen) for project, seen in await _ask(engine, _PROJECTS, rows)}


async def read_keys(engine: Engine, rows: TagRows) -> list[Counted]:
    """List the keys; the first, `EVERY`, is that of every event."""
    found = await _ask(engine, _KEYS, rows, tag_keys=MAX_KEYS)
    return [
        Counted(str(key), int(seen), different=int(different)) for key, seen, different in found
    ]


async def read_top_values(engine: Engine, rows: TagRows) -> list[Counted]:
    """List the most frequent values of each key, likewise."""
    found = await _ask(engine, _TOP, rows, tag_values=TOP_VALUES)
    return [Counted(str(key), int(seen), str(value)) for key, value, seen in found]


async def _ask(engine: Engine, sql: str, rows: TagRows, **more: int) -> list[tuple[Any, ...]]:
    columns = ", ".join(f"'{name}', toString({name})" for name in COLUMNS[rows.table])
    part = _PART if rows.one_of > 1 else ""
    written = (
        sql.replace("$rows", _ROWS)
        .replace("$among", _among(rows))
        .replace("$columns", columns)
        .replace("$table", rows.table)
        .replace("$part", part)
    )
    result = await engine.query(written, {**_params(rows), **more}, lane=Lane.HEAVY)
    return list(result.rows())


def _among(rows: TagRows) -> str:
    if rows.issue_id is not None:
        return _AMONG["issue"]

    if rows.events is None:
        return ""

    # The ids are looked for in the same part: whoever reads a tag reads the tags of all rows.
    events = rows.events.replace(f"FROM {rows.table} WHERE", f"FROM {rows.table} $part WHERE", 1)
    return _AMONG["events"].replace("$id", _ID[rows.table]).replace("$events", events)


def _params(rows: TagRows) -> dict[str, Any]:
    issue = {} if rows.issue_id is None else {"tag_issue": rows.issue_id}
    part = {"tag_of": rows.one_of, "tag_block": BLOCK_ROWS, "tag_block_rows": ROWS_OF_BLOCK}
    return {
        **rows.events_params,
        **issue,
        **(part if rows.one_of > 1 else {}),
        "tag_rows": SAMPLE_ROWS,
        "tag_projects": list(rows.projects),
        "tag_start": round(rows.window.start.timestamp() * 1000),
        "tag_end": round(rows.window.end.timestamp() * 1000),
    }
