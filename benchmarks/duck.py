"""The same questions on DuckDB, over the same rows in its own file, in hand-written SQL."""

from __future__ import annotations

import time
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path

import duckdb

from benchmarks.million import DAYS, PROJECTS, WINDOW, Store
from benchmarks.questions import QUESTIONS
from groundswell.query.question import Param

RUNS = 3
# A day of one project at a time, so that neither side ever holds more than that.
_EXPORT = """
INSERT INTO FUNCTION file({path:String}, 'Parquet')
SELECT
    project_id, toUnixTimestamp64Milli(timestamp) AS ms, transaction, status, duration, user, tags
FROM transactions
WHERE project_id = {project:UInt64}
    AND timestamp >= fromUnixTimestamp64Milli({start:Int64}, 'UTC')
    AND timestamp < fromUnixTimestamp64Milli({end:Int64}, 'UTC')
ORDER BY timestamp
SETTINGS engine_file_truncate_on_insert = 1
"""
_TABLE = "CREATE TABLE transactions AS SELECT epoch_ms(ms) AS timestamp, * FROM read_parquet($1)"
_MORE = "INSERT INTO transactions SELECT epoch_ms(ms) AS timestamp, * FROM read_parquet($1)"
_MEMORY = "4GB"


def compare(store: Store, ours_cpu_ms: Mapping[str, float], folder: Path) -> None:
    """Print the table of ratios."""
    print("\n| question | ours, CPU ms | DuckDB, CPU ms | ratio |\n|---|---|---|---|")
    with duckdb.connect(str(folder / "transactions.duckdb")) as connection:
        connection.execute(f"SET memory_limit = '{_MEMORY}'")
        connection.execute("SET temp_directory = $1", [str(folder / "spill")])
        _fill(store, connection, folder / "day.parquet")
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


def _fill(store: Store, connection: duckdb.DuckDBPyConnection, file: Path) -> None:
    """Give DuckDB the rows in the order in which the service keeps them."""
    statement = _TABLE
    for project in PROJECTS:
        for day in range(DAYS):
            start = WINDOW.start + timedelta(days=day)
            end = start + timedelta(days=1)
            params: dict[str, Param] = {
                "path": str(file),
                "project": project,
                "start": int(start.timestamp() * 1000),
                "end": int(end.timestamp() * 1000),
            }
            store.engine.execute(_EXPORT, params)
            connection.execute(statement, [str(file)])
            statement = _MORE
    file.unlink()
