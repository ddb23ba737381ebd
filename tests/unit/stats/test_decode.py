"""Raw values → JSON values, and keys of groups."""

from __future__ import annotations

import math
from datetime import UTC, date, datetime, timedelta, timezone
from uuid import UUID

import pytest

from groundswell.model.series import Cell
from groundswell.query.question import Output
from groundswell.stats.decode import Names, cell, group_key, number, plain

NAMES = Names({7: "web"}, {12: "WEB-12"})


def output(name: str, decode: str = "plain", alias: str | None = None) -> Output:
    return Output(name=name, alias=alias or name, column="c0", type="string", decode=decode)


@pytest.mark.parametrize(
    ("decode", "raw", "expected"),
    [
        ("plain", "a", "a"),
        ("plain", None, None),
        ("plain", 5, 5),
        ("plain", 1.5, 1.5),
        ("plain", math.nan, 0),
        ("plain", math.inf, None),
        ("plain", (1.0, math.inf), [1.0, None]),
        ("date", datetime(2026, 3, 2, 10, 11, 12, tzinfo=UTC), "2026-03-02T10:11:12+00:00"),
        ("date", datetime(2026, 3, 2, 10, 11, 12), "2026-03-02T10:11:12+00:00"),  # noqa: DTZ001
        (
            "date",
            datetime(2026, 3, 2, 12, 11, 12, tzinfo=timezone(timedelta(hours=2))),
            "2026-03-02T10:11:12+00:00",
        ),
        ("date", date(2026, 3, 2), "2026-03-02T00:00:00+00:00"),
        ("uuid", UUID("0123456789abcdef0123456789abcdef"), "0123456789abcdef0123456789abcdef"),
        ("uuid", "01234567-89ab-cdef-0123-456789abcdef", "0123456789abcdef0123456789abcdef"),
        ("uuid", None, None),
        ("span_id", 0xABC, "0000000000000abc"),
        ("uuid", 0xABC, "0000000000000abc"),
        ("project", 7, "web"),
        ("issue", 12, "WEB-12"),
        ("issue", 0, "unknown"),
        ("issue", None, "unknown"),
        ("issue", 99, "unknown"),
        ("boolean", True, 1),
        ("boolean", 0, 0),
        ("boolean", None, None),
        ("array", ["a", None], ["a", None]),
    ],
)
def test_cell(decode: str, raw: object, expected: Cell) -> None:
    assert cell(output("x", decode), raw, NAMES) == expected


def test_numbers() -> None:
    assert [number(raw) for raw in (None, 3, 2.5, True, math.nan, -math.inf)] == [
        None, 3, 2.5, 1, 0, None
    ]  # fmt: skip
    assert plain([[1, math.nan]]) == [[1, 0]]
    assert plain({"k": 30.0, "b": math.inf}) == [30.0, None]


@pytest.mark.parametrize(
    ("columns", "cells", "key"),
    [
        # By the alphabetical order of the aliases, not the order of the request.
        ((("title", "title"), ("project", "project")), ("Boom", "web"), "web,Boom"),
        # A tag `count` counts as `tags_count`, so it comes after `message`.
        ((("count", "tags_count"), ("message", "message")), ("5", "hello"), "hello,5"),
        ((("environment", "environment"),), (None,), "None"),
        ((("customer", "tags_customer"),), ("",), ""),
        ((("error.type", "error.type"),), (["A", "B"],), "B"),
        ((("error.type", "error.type"),), ([],), ""),
        (
            (("transaction", "transaction"), ("transaction.duration", "transaction.duration")),
            ("/api/checkout/", 120000.0),
            "/api/checkout/,120000",
        ),
        ((("measurements.cls", "measurements.cls"),), (0.25,), "0.25"),
        ((("title", "title"),), ("Other",), "Other (title)"),
        ((("title", "title"), ("level", "level")), ("Other", "a"), "a,Other"),
    ],
)
def test_group_key(columns: tuple[tuple[str, str], ...], cells: tuple[Cell, ...], key: str) -> None:
    outputs = tuple(output(name, alias=alias) for name, alias in columns)

    assert group_key(outputs, cells) == key
