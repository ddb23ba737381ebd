"""What each value of many columns had before and after an instant, in one pass over the rows.

The rows come as a compiled SELECT without aggregates, which carries the guards and bound values.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

MAX_VALUES = 100
MAX_TAGS = 8
# A tag with more values than that, or with one for each event or two, names single events.
MAX_TAG_VALUES = 200
TAG_SAMPLE = 5_000
_NUMBERS = ("n1", "n2", "m1", "m2", "s1", "s2", "e1", "e2", "first")
_SHARES = """
SELECT grouping($names) AS mask, $names,
  countIf(before) AS n1, countIf(NOT before) AS n2,
  countIf(before AND x IS NOT NULL) AS m1, countIf(NOT before AND x IS NOT NULL) AS m2,
  ifNull(sumIf(x, before), 0) AS s1, ifNull(sumIf(x, NOT before), 0) AS s2,
  countIf(before AND x > {sh_level:Float64}) AS e1,
  countIf(NOT before AND x > {sh_level:Float64}) AS e2,
  toUnixTimestamp(min(at)) AS first
FROM (
  SELECT $values, $measure AS x, $time AS at,
    $time < fromUnixTimestamp64Milli({sh_middle:Int64}, 'UTC') AS before
  FROM ($rows)
)
GROUP BY GROUPING SETS ($sets)
ORDER BY mask, n1 + n2 DESC, $names
LIMIT {sh_values:UInt64} BY mask
"""
_TAGS = """
SELECT key, count() AS seen
FROM $table ARRAY JOIN mapKeys(tags) AS key, mapValues(tags) AS text
WHERE project_id IN {sh_projects:Array(UInt64)}
  AND timestamp >= fromUnixTimestamp64Milli({sh_start:Int64}, 'UTC')
  AND timestamp < fromUnixTimestamp64Milli({sh_end:Int64}, 'UTC')
  AND $id IN (SELECT * FROM ($rows))
  AND NOT has({sh_known:Array(String)}, key)
GROUP BY key
HAVING uniq(text) <= least({sh_most:UInt64}, intDiv(seen, 2))
ORDER BY seen DESC, key
LIMIT {sh_tags:UInt64}
"""
_IDS = {"errors": "event_id", "transactions": "event_id", "spans": "span_id"}
MEASURES = {
    "number": "CAST($column, 'Nullable(Float64)')",
    "failed": "CAST(ifNull($column, '') NOT IN {sh_good:Array(String)}, 'Nullable(Float64)')",
    "none": "CAST(NULL, 'Nullable(Float64)')",
}


@dataclass(frozen=True, slots=True)
class Sums:
    """What one value had, before (1) and after (2) the instant.

    n: rows; m: rows with a measure; s: its sum; e: rows beyond the level. first: unix seconds.
    """

    n1: int = 0
    n2: int = 0
    m1: int = 0
    m2: int = 0
    s1: float = 0.0
    s2: float = 0.0
    e1: int = 0
    e2: int = 0
    first: int = 0


def shares(
    rows: str, columns: Sequence[str], *, time: str, measure: str | None, kind: str = "number",
    sets: Sequence[Sequence[int]], lists: Collection[str] = (),
) -> str:  # fmt: skip
    """Write the statement.

    rows: the compiled SELECT; columns, time, measure: columns of its result; kind: of the measure,
    one of `MEASURES`; sets: which columns are looked at together. The last set is always that of
    all rows. lists: the columns that hold lists of texts, which are told with commas.
    """
    names = [f"v{i}" for i in range(len(columns))]
    values = ", ".join(
        f"arrayStringConcat({column}, ', ') AS {name}"
        if column in lists
        else f"ifNull(toString({column}), '') AS {name}"
        for column, name in zip(columns, names, strict=True)
    )
    grouped = ", ".join(f"({', '.join(names[i] for i in each)})" for each in sets)
    return (
        _SHARES.replace("$names", ", ".join(names))
        .replace("$values", values)
        .replace("$measure", MEASURES[kind].replace("$column", measure or ""))
        .replace("$time", time)
        .replace("$sets", f"{grouped}, ()")
        .replace("$rows", rows)
    )


def params(
    middle_ms: int, *, level: float = 0.0, good: Sequence[str] | None = None
) -> dict[str, Any]:
    """Bind the values of `shares`."""
    bound: dict[str, Any] = {"sh_middle": middle_ms, "sh_level": level, "sh_values": MAX_VALUES}
    return bound if good is None else {**bound, "sh_good": list(good)}


def read(
    columns: Mapping[str, Sequence[Any]], sets: Sequence[Sequence[int]], width: int
) -> tuple[Sums, list[dict[tuple[str, ...], Sums]]]:
    """Read the answer of `shares` → sums of all rows, and for each set those of each value."""
    # A bit of the mask is set for each column that the set lacks, the first column's highest.
    masks = {_mask(each, width): i for i, each in enumerate(sets)}
    whole = Sums()
    found: list[dict[tuple[str, ...], Sums]] = [{} for _ in sets]
    for row in range(len(columns["mask"])):
        sums = Sums(*(columns[name][row] for name in _NUMBERS))
        place = masks.get(int(columns["mask"][row]))
        if place is None:
            whole = sums
        else:
            found[place][tuple(str(columns[f"v{i}"][row]) for i in sets[place])] = sums
    return whole, found


def tag_keys(rows: str, table: str) -> str:
    """Write the statement that lists the keys of tags of the sampled events, frequent first."""
    return _TAGS.replace("$table", table).replace("$id", _IDS[table]).replace("$rows", rows)


def tag_params(
    projects: Sequence[int], start_ms: int, end_ms: int, known: Sequence[str]
) -> dict[str, Any]:
    """Bind the values of `tag_keys`. known: keys that are looked at anyway."""
    return {
        "sh_projects": list(projects),
        "sh_start": start_ms,
        "sh_end": end_ms,
        "sh_known": list(known),
        "sh_most": MAX_TAG_VALUES,
        "sh_tags": MAX_TAGS,
    }


def _mask(chosen: Sequence[int], width: int) -> int:
    return sum(1 << (width - 1 - i) for i in range(width) if i not in chosen)
