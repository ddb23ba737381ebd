"""The cluster form of the migrations, as text: no cluster runs here."""

from __future__ import annotations

import re
from importlib.resources import files

import pytest

from groundswell.store.schema import DATA_TABLES
from groundswell.store.schema.cluster import for_cluster
from groundswell.store.schema.statements import split


def generated() -> list[str]:
    folder = files("groundswell.store.schema")
    migrations = sorted(file.name for file in folder.iterdir() if file.name.endswith(".sql"))
    return [
        statement
        for name in migrations
        for plain in split((folder / name).read_text())
        for statement in for_cluster(plain, "main")
    ]


@pytest.mark.parametrize("table", DATA_TABLES)
def test_a_table_is_replicated_below_and_distributed_above(table: str) -> None:
    (local,) = [sql for sql in generated() if f" {table}_local ON CLUSTER main\n(" in sql]
    assert re.search(
        r"ENGINE = Replicated(Summing)?MergeTree\('/clickhouse/tables/\{shard\}/", local
    )
    assert "'{replica}'" in local
    (over,) = [sql for sql in generated() if f" {table} ON CLUSTER main AS {table}_local" in sql]
    assert f"Distributed(main, currentDatabase(), {table}_local, cityHash64(" in over


def test_summed_columns_stay_summed() -> None:
    assert any("'{replica}', quantity)" in sql for sql in generated())


@pytest.mark.parametrize("table", ["errors", "transactions", "spans"])
def test_rows_of_one_trace_share_a_shard(table: str) -> None:
    assert any(f"{table}_local, cityHash64(trace_id)" in sql for sql in generated())


def test_tokens_count_once_on_replicas_too() -> None:
    for sql in generated():
        if "ReplicatedMergeTree" in sql:
            assert " replicated_deduplication_window = 1000" in sql
            assert "non_replicated" not in sql
            assert "fsync_after_insert = 1" in sql


def test_changes_go_to_the_local_tables_everywhere() -> None:
    changes = [sql for sql in generated() if sql.startswith("ALTER")]
    assert changes
    assert all(re.match(r"ALTER TABLE \w+_local ON CLUSTER main", sql) for sql in changes)
