"""Every captured envelope becomes rows, and rows fit the store's tables."""

from __future__ import annotations

import re
from importlib.resources import files

import msgspec
import pytest

from groundswell.ingest.normalize import columns
from groundswell.ingest.normalize.rows import build_tables
from groundswell.ingest.records import DigestContext
from groundswell.store.engine import Engine, Lane
from tests.unit.ingest.normalize.building import captured

COUNTS = {
    "transactions": {"transactions": 150, "spans": 2593},
    "errors": {"errors": 120},
    "flask_mixed": {"errors": 5, "transactions": 26, "spans": 25},
    "profiles_v1": {"transactions": 15, "spans": 15, "profiles": 15, "functions": 42},
    "profile_chunks_v2": {"transactions": 10, "profiles": 5, "functions": 94},
    "spans_v2_streamed": {"transactions": 8, "spans": 56},
    "other_items": {"errors": 1},
    "edge_cases": {"errors": 4},
    "client_reports": {},
}


@pytest.mark.parametrize(("name", "expected"), COUNTS.items())
def test_captured_envelopes_become_rows(name: str, expected: dict[str, int]) -> None:
    built = build_tables(captured(name), DigestContext())
    assert {k: t.num_rows for k, t in built.tables.items() if t.num_rows} == expected
    assert built.rejected == []


def test_the_same_records_give_the_same_rows() -> None:
    records = [r for name in COUNTS for r in captured(name)]
    first, second = (build_tables(records, DigestContext()) for _ in range(2))
    assert first == second


def test_a_batch_and_its_halves_give_the_same_rows() -> None:
    records = captured("transactions")[:40]
    whole = build_tables(records, DigestContext()).tables["spans"]
    left = build_tables(records[:17], DigestContext()).tables["spans"]
    right = build_tables(records[17:], DigestContext()).tables["spans"]
    assert whole.to_pylist() == left.to_pylist() + right.to_pylist()


@pytest.mark.parametrize("table", columns.TABLES)
def test_columns_are_those_of_the_migration(table: str) -> None:
    script = (files("groundswell.store.schema") / "0001_events.sql").read_text()
    body = re.search(rf"CREATE TABLE IF NOT EXISTS {table}\n\((.*?)\n\)\nENGINE", script, re.S)
    assert body is not None
    names = re.findall(r"^    `?(\w+)`? (?!ix_)[A-Z]\w+", body[1], re.M)
    assert columns.TABLES[table].names == [n for n in names if n != "INDEX"]


async def test_the_store_takes_every_table(engine: Engine) -> None:
    project = 987_001
    records = [
        msgspec.structs.replace(r, project_id=project) for name in COUNTS for r in captured(name)
    ]
    built = build_tables(records, DigestContext())
    for name, table in built.tables.items():
        engine.insert(name, table, f"normalize-{name}")
        sql = f"SELECT count() FROM {name} WHERE project_id = {{p:UInt64}}"
        result = await engine.query(sql, {"p": project}, lane=Lane.LIGHT)
        assert result.scalar() == table.num_rows
