"""Which events the store has: asked before something is inserted that may be there already."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from groundswell.store.engine import Engine, Lane

TABLES = ("errors", "transactions")
IDS_PER_QUESTION = 500
REFILL_ROWS = 1_000_000
_KNOWN = """
SELECT DISTINCT replaceAll(toString(event_id), '-', '') FROM $table
WHERE project_id = {project:UInt64}
  AND event_id IN (SELECT toUUID(arrayJoin({ids:Array(String)})))
"""
_RECEIVED = """
SELECT project_id, replaceAll(toString(event_id), '-', '') FROM $table
WHERE received >= fromUnixTimestamp64Milli(toInt64({since:Float64} * 1000))
ORDER BY received DESC LIMIT {rows:UInt64}
"""


async def known_events(engine: Engine, project_id: int, event_ids: Sequence[str]) -> set[str]:
    """Say which of these events (32 hex digits) a project has."""
    found: set[str] = set()
    for begin in range(0, len(event_ids), IDS_PER_QUESTION):
        part = list(event_ids[begin : begin + IDS_PER_QUESTION])
        for table in TABLES:
            answer = await engine.query(
                _KNOWN.replace("$table", table),
                {"project": project_id, "ids": [_dashed(one) for one in part]},
                lane=Lane.LIGHT,
            )
            found.update(answer.columns[0])
    return found


async def received_since(engine: Engine, since: float) -> Iterable[tuple[int, str]]:
    """Give (project, event id) of what was received from `since` (unix s) on, newest first."""
    rows: list[tuple[int, str]] = []
    for table in TABLES:
        answer = await engine.query(
            _RECEIVED.replace("$table", table), {"since": since, "rows": REFILL_ROWS}
        )
        rows.extend(answer.rows())
    return rows


def _dashed(event_id: str) -> str:
    return f"{event_id[:8]}-{event_id[8:12]}-{event_id[12:16]}-{event_id[16:20]}-{event_id[20:]}"
