"""In which release each issue was seen first, counted by release."""

from __future__ import annotations

from collections.abc import Sequence

from groundswell.store.engine import Engine, Lane
from groundswell.store.engine.protocol import Param
from groundswell.timeframe import TimeRange

_NEW = """
SELECT project_id, first_release, count() AS issues
FROM (
  SELECT project_id, group_id, argMin(release, timestamp) AS first_release
  FROM errors
  WHERE project_id IN {new_projects:Array(UInt64)}
    AND timestamp >= fromUnixTimestamp64Milli({new_start:Int64}, 'UTC')
    AND timestamp < fromUnixTimestamp64Milli({new_end:Int64}, 'UTC')
    AND group_id != 0
  GROUP BY project_id, group_id
)
WHERE first_release != ''
GROUP BY project_id, first_release
LIMIT 100000
"""
_ENDS = """
SELECT argMin(release, timestamp) AS first_release, argMax(release, timestamp) AS last_release
FROM errors
WHERE project_id = {new_project:UInt64} AND group_id = {new_issue:UInt64}
  AND timestamp >= fromUnixTimestamp64Milli({new_start:Int64}, 'UTC')
  AND timestamp < fromUnixTimestamp64Milli({new_end:Int64}, 'UTC')
"""


async def new_issues(
    engine: Engine, projects: Sequence[int], window: TimeRange
) -> dict[tuple[int, str], int]:
    """Count the issues of each (project, release) whose first event is of that release."""
    params: dict[str, Param] = {"new_projects": list(projects), **_bounds(window)}
    found = await engine.query(_NEW, params, lane=Lane.HEAVY)
    return {(int(project), str(release)): int(count) for project, release, count in found.rows()}


async def releases_of_issue(
    engine: Engine, project: int, issue: int, window: TimeRange
) -> tuple[str, str]:
    """Give the releases of an issue's first and last event; "" where that has none."""
    params: dict[str, Param] = {"new_project": project, "new_issue": issue, **_bounds(window)}
    found = list((await engine.query(_ENDS, params, lane=Lane.LIGHT)).rows())
    return (str(found[0][0]), str(found[0][1])) if found else ("", "")


def _bounds(window: TimeRange) -> dict[str, Param]:
    return {
        "new_start": round(window.start.timestamp() * 1000),
        "new_end": round(window.end.timestamp() * 1000),
    }
