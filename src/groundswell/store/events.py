"""Whole events by id: their columns, and for errors the payload as the SDK sent it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from groundswell.store.engine import Engine, Lane

Table = Literal["errors", "transactions"]
_COMMON = """project_id, timestamp, received, event_id, transaction, platform, environment, release,
    dist, sdk_name, sdk_version, user, user_id, user_username, user_email, user_ip, http_method,
    http_url, trace_id, span_id, parent_span_id, tags, contexts"""
_COLUMNS: Mapping[str, str] = {
    "errors": _COMMON + ", type, level, group_id, title, message, culprit, location, payload",
    "transactions": _COMMON + ", start_timestamp, op, status, duration, spans_count, measurements",
}
_EVENTS = """
SELECT $columns FROM $table
WHERE project_id IN {projects:Array(UInt64)}
  AND event_id IN (SELECT toUUID(arrayJoin({ids:Array(String)})))
ORDER BY timestamp DESC
LIMIT {limit:UInt64}
"""
_SPANS = """
SELECT span_id, parent_span_id, trace_id, op, description, start_timestamp, timestamp, duration,
    exclusive_time, status, origin, `group`, tags
FROM spans
WHERE project_id = {project:UInt64}
  AND timestamp >= fromUnixTimestamp64Milli({start:Int64}, 'UTC')
  AND timestamp <= fromUnixTimestamp64Milli({end:Int64}, 'UTC')
  AND transaction_id = {id:UUID} AND is_segment = 0
ORDER BY start_timestamp LIMIT 1000
"""
_TRACE_SPANS = """
SELECT project_id, span_id, parent_span_id, segment_id, transaction_id, is_segment, op, description,
    start_timestamp, timestamp, duration, transaction, sdk_name, profile_id, status, platform
FROM spans
WHERE project_id IN {projects:Array(UInt64)}
  AND timestamp >= fromUnixTimestamp64Milli({start:Int64}, 'UTC')
  AND timestamp < fromUnixTimestamp64Milli({end:Int64}, 'UTC')
  AND trace_id = {id:UUID}
ORDER BY start_timestamp LIMIT {limit:UInt64}
"""
_TRACE_TRANSACTIONS = """
SELECT project_id, span_id, parent_span_id, event_id AS transaction_id, op, transaction,
    transaction AS description, start_timestamp, timestamp, toFloat64(duration) AS duration,
    sdk_name, profile_id, status, platform, 1 AS is_segment
FROM transactions
WHERE project_id IN {projects:Array(UInt64)}
  AND timestamp >= fromUnixTimestamp64Milli({start:Int64}, 'UTC')
  AND timestamp < fromUnixTimestamp64Milli({end:Int64}, 'UTC')
  AND trace_id = {id:UUID}
ORDER BY start_timestamp LIMIT {limit:UInt64}
"""
_TRACE_ERRORS = """
SELECT project_id, event_id, span_id, group_id, title, message, culprit, level, transaction,
    timestamp
FROM errors
WHERE project_id IN {projects:Array(UInt64)}
  AND timestamp >= fromUnixTimestamp64Milli({start:Int64}, 'UTC')
  AND timestamp < fromUnixTimestamp64Milli({end:Int64}, 'UTC')
  AND trace_id = {id:UUID}
ORDER BY timestamp LIMIT {limit:UInt64}
"""
_TRACE_COUNTS = """
SELECT op, count() AS spans FROM
(
    SELECT op, span_id FROM spans
    WHERE project_id IN {projects:Array(UInt64)}
      AND timestamp >= fromUnixTimestamp64Milli({start:Int64}, 'UTC')
      AND timestamp < fromUnixTimestamp64Milli({end:Int64}, 'UTC')
      AND trace_id = {id:UUID}
    UNION DISTINCT
    SELECT op, span_id FROM transactions
    WHERE project_id IN {projects:Array(UInt64)}
      AND timestamp >= fromUnixTimestamp64Milli({start:Int64}, 'UTC')
      AND timestamp < fromUnixTimestamp64Milli({end:Int64}, 'UTC')
      AND trace_id = {id:UUID}
)
GROUP BY op
"""
_TRACE_CHILDREN = """
SELECT transaction_id, count() AS spans FROM spans
WHERE project_id IN {projects:Array(UInt64)}
  AND timestamp >= fromUnixTimestamp64Milli({start:Int64}, 'UTC')
  AND timestamp < fromUnixTimestamp64Milli({end:Int64}, 'UTC')
  AND trace_id = {id:UUID}
GROUP BY transaction_id LIMIT 1000
"""
_TRACE_ERROR_COUNT = """
SELECT count() FROM errors
WHERE project_id IN {projects:Array(UInt64)}
  AND timestamp >= fromUnixTimestamp64Milli({start:Int64}, 'UTC')
  AND timestamp < fromUnixTimestamp64Milli({end:Int64}, 'UTC')
  AND trace_id = {id:UUID}
"""


async def read_events(
    engine: Engine, table: Table, projects: Sequence[int], ids: Sequence[str]
) -> list[dict[str, Any]]:
    """Read events of these projects by id (32 hex digits), newest first."""
    if not ids or not projects:
        return []

    sql = _EVENTS.replace("$columns", _COLUMNS[table]).replace("$table", table)
    result = await engine.query(
        sql,
        {"projects": list(projects), "ids": [dashed(id) for id in ids], "limit": 2 * len(ids)},
        lane=Lane.LIGHT,
    )
    return list(result.records())


async def read_spans(
    engine: Engine, project: int, transaction_id: str, start_ms: int, end_ms: int
) -> list[dict[str, Any]]:
    """Read the spans of a transaction event, in order of their start."""
    result = await engine.query(
        _SPANS,
        {"project": project, "id": dashed(transaction_id), "start": start_ms, "end": end_ms},
        lane=Lane.LIGHT,
    )
    return list(result.records())


class TraceReader:
    """Reads what belongs to one trace, in projects and a time."""

    def __init__(
        self, engine: Engine, projects: Sequence[int], trace_id: str, start_ms: int, end_ms: int
    ) -> None:
        self._engine = engine
        self._params: dict[str, Any] = {
            "projects": list(projects), "id": dashed(trace_id), "start": start_ms, "end": end_ms,
        }  # fmt: skip

    async def spans(self, limit: int) -> list[dict[str, Any]]:
        return await self._ask(_TRACE_SPANS, limit=limit)

    async def transactions(self, limit: int) -> list[dict[str, Any]]:
        return await self._ask(_TRACE_TRANSACTIONS, limit=limit)

    async def errors(self, limit: int) -> list[dict[str, Any]]:
        return await self._ask(_TRACE_ERRORS, limit=limit)

    async def spans_by_op(self) -> dict[str, int]:
        return {str(row["op"]): int(row["spans"]) for row in await self._ask(_TRACE_COUNTS)}

    async def spans_by_transaction(self) -> dict[str, int]:
        rows = await self._ask(_TRACE_CHILDREN)
        return {row["transaction_id"].hex: int(row["spans"]) for row in rows}

    async def error_count(self) -> int:
        result = await self._engine.query(_TRACE_ERROR_COUNT, self._params, lane=Lane.LIGHT)
        return int(result.scalar())

    async def _ask(self, sql: str, **more: int) -> list[dict[str, Any]]:
        result = await self._engine.query(sql, {**self._params, **more}, lane=Lane.LIGHT)
        return list(result.records())


def dashed(event_id: str) -> str:
    """32 hex digits → the form that the engine reads as a UUID."""
    return f"{event_id[:8]}-{event_id[8:12]}-{event_id[12:16]}-{event_id[16:20]}-{event_id[20:]}"
