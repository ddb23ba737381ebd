"""What became of everything that was sent, counted from the outcomes table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from groundswell.store.engine import Engine, Lane

# Names of groups → columns. The only words that reach the statement.
GROUPS: Mapping[str, str] = {
    "project": "project_id", "category": "category", "outcome": "outcome", "reason": "reason",
}  # fmt: skip
_COUNTS = """
SELECT $groups toUInt32(intDiv(toUnixTimestamp(timestamp), {width:UInt32}) * {width:UInt32}) AS at,
    sum(quantity) AS total
FROM outcomes
WHERE project_id IN {projects:Array(UInt64)}
  AND timestamp >= fromUnixTimestamp({start:Int64}) AND timestamp < fromUnixTimestamp({end:Int64})
  $filters
GROUP BY $groups at
ORDER BY at
LIMIT 1000000
"""


@dataclass(frozen=True, slots=True)
class OutcomeQuestion:
    """Which outcomes: unix seconds, `width` of a bucket, groups by name, values by name."""

    projects: Sequence[int]
    start: int
    end: int
    width: int
    groups: tuple[str, ...] = ()
    among: Mapping[str, Sequence[str]] = field(default_factory=dict)


async def count_outcomes(
    engine: Engine, asked: OutcomeQuestion
) -> list[tuple[tuple[str | int, ...], int, int]]:
    """List (values of the groups, start of the bucket, quantity)."""
    columns = [GROUPS[name] for name in asked.groups]
    filters = [
        f"AND {GROUPS[name]} IN {{among_{name}:Array(String)}}"
        for name, values in asked.among.items()
        if values
    ]
    sql = _COUNTS.replace("$groups", "".join(f"{name}, " for name in columns)).replace(
        "$filters", " ".join(filters)
    )
    result = await engine.query(
        sql,
        {
            "projects": list(asked.projects), "start": asked.start, "end": asked.end,
            "width": asked.width,
            **{f"among_{name}": list(values) for name, values in asked.among.items() if values},
        },
        lane=Lane.LIGHT,
    )  # fmt: skip
    return [(tuple(row[:-2]), int(row[-2]), int(row[-1])) for row in result.rows()]
