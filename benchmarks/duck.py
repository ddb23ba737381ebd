"""The same questions on DuckDB, over the same rows in its own file, in hand-written SQL."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path

import duckdb

from benchmarks.million import Store
from benchmarks.questions import QUESTIONS

RUNS = 3
_EXPORT = """
INSERT INTO FUNCTION file({path:String}, 'Parquet')
SELECT
    project_id, toUnixTimestamp64Milli(timestamp) AS ms, transaction, status, duration, user, tags
FROM transactions ORDER BY project_id, timestamp
"""


def compare(store: Store, ours_cpu_ms: Mapping[str, float], folder: Path) -> None:
    """Print the table of ratios."""
    parquet = folder / "transactions.parquet"
    store.engine.execute(_EXPORT, {"path": str(parquet)})
    print("\n| question | ours, CPU ms | DuckDB, CPU ms | ratio |\n|---|---|---|---|")
    with duckdb.connect(str(folder / "transactions.duckdb")) as connection:
        connection.execute(
            "CREATE TABLE transactions AS "
            "SELECT epoch_ms(ms) AS timestamp, * FROM read_parquet($1)",
            [str(parquet)],
        )
        for asked in QUESTIONS:
            if asked.duck is None:
                continue

            costs = []
            for turn in range(RUNS):
                begun = time.process_time()
                connection.execute(asked.duck(turn)).fetchall()
                costs.append(time.process_time() - begun)
            theirs = min(costs) * 1000
            ours = ours_cpu_ms[asked.name]
            print(f"| {asked.name} | {ours:.1f} | {theirs:.1f} | {ours / theirs:.2f} |", flush=True)
