"""Units of custom measurements, as the SDKs sent them with the newest event."""

from __future__ import annotations

from collections.abc import Sequence

from groundswell.store.engine import Engine, Lane
from groundswell.timeframe import TimeRange

_UNITS = """
SELECT name, argMax(unit, timestamp)
FROM transactions
ARRAY JOIN mapKeys(measurement_units) AS name, mapValues(measurement_units) AS unit
WHERE project_id IN {projects:Array(UInt64)}
  AND timestamp >= fromUnixTimestamp64Milli({start:Int64}, 'UTC')
  AND timestamp < fromUnixTimestamp64Milli({end:Int64}, 'UTC')
  AND name IN {names:Array(String)}
  AND unit != ''
GROUP BY name
"""


async def units_of(
    engine: Engine, projects: Sequence[int], names: Sequence[str], window: TimeRange
) -> dict[str, str]:
    """Find the unit ("byte", "second", …) of each measurement; unknown ones are missing."""
    result = await engine.query(
        _UNITS,
        {
            "projects": list(projects),
            "names": list(names),
            "start": round(window.start.timestamp() * 1000),
            "end": round(window.end.timestamp() * 1000),
        },
        lane=Lane.LIGHT,
    )
    return {str(name): str(unit) for name, unit in result.rows()}
