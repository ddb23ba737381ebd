"""CSV and JSON lines; no cell is a formula."""

from __future__ import annotations

import csv
import io

import msgspec
import pytest

from groundswell.errors import UserError
from groundswell.model.series import Series, SeriesAnswer
from groundswell.stats.export import Format, format_of, series_records, write_csv, write_jsonl


def read(written: bytes) -> list[list[str]]:
    return list(csv.reader(io.StringIO(written.decode())))


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("=cmd|' /C calc'!A0", "'=cmd|' /C calc'!A0"),
        ("+1", "'+1"),
        ("-1+1", "'-1+1"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("\t=1", "'\t=1"),
        ("\r=1", "'\r=1"),
        ("\n=1", "'\n=1"),
        ("＝1", "'＝1"),
        ("plain", "plain"),
        ("a=b", "a=b"),
        ('say "hi", twice', 'say "hi", twice'),
        ("two\nlines", "two\nlines"),
        ("", ""),
        (None, ""),
        (-5, "-5"),
        (0.5, "0.5"),
        (["=a", 1], '["=a",1]'),
    ],
)
def test_cells(value: object, shown: str) -> None:
    written = write_csv(("a", "=b"), [{"a": value, "=b": "x"}])  # type: ignore[dict-item]

    assert read(written) == [["a", "'=b"], [shown, "x"]]


def test_jsonl_keeps_values_as_they_are() -> None:
    written = write_jsonl(("a", "b"), [{"a": "=1", "b": None}, {"b": 2}])

    assert [msgspec.json.decode(line) for line in written.splitlines()] == [
        {"a": "=1", "b": None},
        {"a": None, "b": 2},
    ]
    assert write_jsonl(("a",), []) == b""


def test_series_become_one_row_per_bucket_and_group() -> None:
    def series(axis: str, group: str, values: tuple[int, ...]) -> Series:
        return Series(axis=axis, timestamps=(60, 120), values=values, group=group)

    answer = SeriesAnswer(
        series=(
            series("count()", "a", (1, 2)),
            series("p95()", "a", (10, 20)),
            series("count()", "Other", (3, 4)),
        ),
        start=60,
        end=180,
        interval_s=60,
        dataset="discover",
        is_top_events=True,
    )
    columns, rows = series_records(answer)

    assert columns == ("time", "group", "count()", "p95()")
    assert list(rows) == [
        {"time": 60, "group": "a", "count()": 1, "p95()": 10},
        {"time": 120, "group": "a", "count()": 2, "p95()": 20},
        {"time": 60, "group": "Other", "count()": 3},
        {"time": 120, "group": "Other", "count()": 4},
    ]


def test_format() -> None:
    assert format_of({}) is Format.JSON
    assert format_of({"format": ["csv"]}) is Format.CSV
    with pytest.raises(UserError, match=r"format must be one of json, csv, jsonl; got 'xml'"):
        format_of({"format": ["xml"]})
