"""Which tags events have, how often, and with which values; of many events from a part of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from groundswell.store.engine import Engine, Lane

# Columns that everybody knows as tags.
COLUMNS: Mapping[str, tuple[str, ...]] = {
    "errors": ("environment", "release", "dist", "level", "transaction", "user"),
    "transactions": ("environment", "release", "dist", "transaction", "user"),
    "spans": ("environment", "release", "transaction", "user"),
}
SAMPLE_ROWS = 200_000
MAX_KEYS = 1_000
_ROWS = """
SELECT project_id, mapUpdate(CAST(tags, 'Map(String, String)'), map($columns)) AS pairs
FROM $table
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
_PROJECTS = "SELECT project_id, count() AS seen FROM ($rows) GROUP BY project_id ORDER BY seen DESC"
_COUNT = """
SELECT count() FROM $table
WHERE project_id IN {tag_projects:Array(UInt64)}
  AND timestamp >= fromUnixTimestamp64Milli({tag_start:Int64}, 'UTC')
  AND timestamp < fromUnixTimestamp64Milli({tag_end:Int64}, 'UTC')
  $among
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
    None for all.
    """

    table: str
    projects: Sequence[int]
    start_ms: int
    end_ms: int
    issue_id: int | None = None
    events: str | None = None
    events_params: Mapping[str, Any] = field(default_factory=dict)


async def count_rows(engine: Engine, rows: TagRows) -> int:
    """Count the events."""
    result = await engine.query(
        _COUNT.replace("$among", _among(rows)).replace("$table", rows.table), _params(rows)
    )
    return int(result.scalar())


async def read_keys(engine: Engine, rows: TagRows) -> list[tuple[str, int, int]]:
    """List (key, events that have it, different values) of up to `SAMPLE_ROWS` events."""
    result = await _ask(engine, _KEYS, rows, tag_keys=MAX_KEYS)
    return [(str(key), int(seen), int(values)) for key, seen, values in result]


async def read_top_values(engine: Engine, rows: TagRows, values: int) -> list[tuple[str, str, int]]:
    """List (key, value, events) of the most frequent values of each key, likewise."""
    result = await _ask(engine, _TOP, rows, tag_values=values)
    return [(str(key), str(value), int(seen)) for key, value, seen in result]


async def read_projects(engine: Engine, rows: TagRows) -> list[tuple[int, int]]:
    """List (project, events), likewise."""
    return [(int(project), int(seen)) for project, seen in await _ask(engine, _PROJECTS, rows)]


async def _ask(engine: Engine, sql: str, rows: TagRows, **more: int) -> list[tuple[Any, ...]]:
    columns = ", ".join(f"'{name}', toString({name})" for name in COLUMNS[rows.table])
    inner = (
        _ROWS.replace("$among", _among(rows))
        .replace("$columns", columns)
        .replace("$table", rows.table)
    )
    params = {**_params(rows), **more, "tag_rows": SAMPLE_ROWS}
    result = await engine.query(sql.replace("$rows", inner), params, lane=Lane.HEAVY)
    return list(result.rows())


def _among(rows: TagRows) -> str:
    if rows.issue_id is not None:
        return _AMONG["issue"]

    if rows.events is None:
        return ""

    return _AMONG["events"].replace("$id", _ID[rows.table]).replace("$events", rows.events)


def _params(rows: TagRows) -> dict[str, Any]:
    issue = {} if rows.issue_id is None else {"tag_issue": rows.issue_id}
    return {
        **rows.events_params,
        **issue,
        "tag_projects": list(rows.projects),
        "tag_start": rows.start_ms,
        "tag_end": rows.end_ms,
    }
