"""Pages of rows → files: names once, types kept, nothing half-written left behind."""

from __future__ import annotations

import csv
import json
from datetime import UTC, datetime
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from groundswell.cli.tables import Kind, open_writer
from groundswell.errors import UserError
from groundswell.http.extracts import Columns, Page

COLUMNS: Columns = {
    "a\nname": ("string", None),
    "when": ("date", None),
    "count()": ("integer", None),
    "p95()": ("duration", "millisecond"),
    "ok": ("boolean", None),
    "stack": ("array", None),
}
PAGES = (
    Page(COLUMNS, [["=1+1", "2026-11-01T10:00:00+00:00", 3, 1.5, True, ["x", "y"]]]),
    Page(COLUMNS, []),
    Page(COLUMNS, [[None, None, None, None, None, None]], is_last=True),
)


def written(path: Path, kind: Kind | None = None) -> Path:
    with open_writer(str(path), kind) as writer:
        for page in PAGES:
            writer.write(page)
    return path


def test_csv_has_its_names_once_and_runs_nothing(tmp_path: Path) -> None:
    with written(tmp_path / "out.CSV").open(newline="") as file:
        rows = list(csv.reader(file))
    assert rows[0] == list(COLUMNS)
    assert [row[0] for row in rows[1:]] == ["'=1+1", ""]


def test_json_lines_are_the_default(tmp_path: Path) -> None:
    rows = [json.loads(line) for line in written(tmp_path / "out").read_text().splitlines()]
    assert [row["stack"] for row in rows] == [["x", "y"], None]
    assert rows[0]["p95()"] == 1.5


def test_parquet_has_types_and_units(tmp_path: Path) -> None:
    table = pq.read_table(written(tmp_path / "out.bin", Kind.PARQUET))
    assert table.schema.field("p95()").metadata == {b"unit": b"millisecond"}
    assert table.to_pylist() == [
        {
            "a\nname": "=1+1",
            "when": datetime(2026, 11, 1, 10, tzinfo=UTC),
            "count()": 3,
            "p95()": 1.5,
            "ok": True,
            "stack": '["x","y"]',
        },
        dict.fromkeys(COLUMNS),
    ]


def test_a_file_is_whole_or_not_there(tmp_path: Path) -> None:
    def fail_midway() -> None:
        with open_writer(str(tmp_path / "out.csv"), None) as writer:
            writer.write(PAGES[0])
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail_midway()
    assert list(tmp_path.iterdir()) == []
    written(tmp_path / "out.csv")
    with pytest.raises(UserError, match="exists already"):
        written(tmp_path / "out.csv")
