"""How many rows a question may read, by the index alone: some milliseconds, and no row is read."""

from __future__ import annotations

from collections.abc import Sequence

from groundswell.store.engine import Engine, Lane
from groundswell.store.engine.protocol import Param
from groundswell.timeframe import TimeRange

_TABLES = ("errors", "transactions", "spans", "functions")
_ESTIMATE = """
EXPLAIN ESTIMATE SELECT sum(project_id) FROM transactions
WHERE project_id IN {projects:Array(UInt64)}
  AND timestamp >= fromUnixTimestamp64Milli({start:Int64}, 'UTC')
  AND timestamp < fromUnixTimestamp64Milli({end:Int64}, 'UTC')
"""
_ESTIMATES = {table: _ESTIMATE.replace("transactions", table) for table in _TABLES}


async def rows_in(
    engine: Engine, tables: Sequence[str], projects: Sequence[int], window: TimeRange
) -> int:
    """Estimate the rows of some projects in a range.

    A cluster only knows of the shard that is asked.
    """
    params: dict[str, Param] = {
        "projects": list(projects),
        "start": round(window.start.timestamp() * 1000),
        "end": round(window.end.timestamp() * 1000),
    }
    found = 0
    for table in tables:
        result = await engine.query(_ESTIMATES[table], params, lane=Lane.LIGHT)
        if len(result):
            found += sum(int(rows) for rows in result.column("rows"))
    return found
