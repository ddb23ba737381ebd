"""Which block of rows came last into every partition: says after a crash whether an insert is in.

The engine's memory of tokens cannot say it after a power cut: it is written and not synced. The
numbers of blocks are part of the names of data that is. Embedded engine only, where one process
writes; every insert into a partition gets a higher number there, merges and mutations none.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TypeAlias

import pyarrow as pa
import pyarrow.compute as pc

from groundswell.store.engine import Engine

Blocks: TypeAlias = Mapping[str, Mapping[str, int]]
"""Table → partition → the number of its newest block."""

TABLES = ("errors", "transactions", "spans", "functions", "profiles", "outcomes")
# Below this the engine stores an insert as one block per partition, which is there or is not.
ONE_BLOCK_ROWS = 500_000
ONE_BLOCK_BYTES = 64 * 1024 * 1024
_NEWEST = """
SELECT table, partition, max(max_block_number) FROM system.parts
WHERE active AND database = currentDatabase() AND table IN {tables:Array(String)}
GROUP BY table, partition
"""


def newest_blocks(engine: Engine) -> Blocks | None:
    """Look where every partition is; None where nothing follows from it. Blocks."""
    if not engine.is_embedded:
        return None

    found: dict[str, dict[str, int]] = {}
    for table, partition, number in engine.execute(_NEWEST, {"tables": list(TABLES)}).rows():
        found.setdefault(table, {})[partition] = number
    return found


def grown(table: str, before: Blocks, now: Blocks) -> frozenset[str]:
    """Name the partitions of a table that took a block since."""
    earlier = before.get(table, {})
    return frozenset(
        partition
        for partition, number in now.get(table, {}).items()
        if number > earlier.get(partition, 0)
    )


def is_one_block(rows: pa.Table) -> bool:
    """Whether an insert of rows is whole in each partition, or not there at all."""
    return bool(rows.num_rows < ONE_BLOCK_ROWS and rows.nbytes < ONE_BLOCK_BYTES)


def without(table: str, rows: pa.Table, partitions: Collection[str]) -> pa.Table:
    """Leave out the rows that belong to some partitions."""
    there = pa.array(sorted(partitions), pa.string())
    return rows.filter(pc.invert(pc.is_in(_partitions_of(table, rows), there)))


def _partitions_of(table: str, rows: pa.Table) -> pa.ChunkedArray:
    """Name the partition of each row as the engine does, by the keys of the tables' schema."""
    moments = rows.column("timestamp")
    if table == "outcomes":
        return pc.strftime(moments, format="%Y%m")

    monday = pc.floor_temporal(moments, unit="week", week_starts_monday=True)
    days = pc.cast(rows.column("retention_days"), pa.string())
    return pc.binary_join_element_wise("(", days, ",'", pc.strftime(monday, "%Y-%m-%d"), "')", "")
