"""Grafana's walk over events-stats: it must find series, never panic, and all of one length.

A port of how the Sentry data source reads: every object with `data` is one series, named by the
keys on the way; `order` and what is no object is skipped; each row is a number and a list that is
not empty; the times of one series serve for all.
"""

from __future__ import annotations

from typing import Any

import pytest

from tests.asking import Asker

SHAPES: list[tuple[dict[str, Any], set[str]]] = [
    ({}, {""}),
    ({"yAxis": ["count()", "p95()"]}, {"count()", "p95()"}),
    ({"comparisonDelta": "3600"}, {""}),
    ({"topEvents": "10", "field": ["count()"]}, {""}),
    (
        {"topEvents": "10", "field": ["count()", "epm()"], "yAxis": ["count()", "epm()"]},
        {": count()", ": epm()"},
    ),
    (
        {"topEvents": "9", "field": ["count()", "title"], "dataset": "errors", "sort": "-count()"},
        {"Boom", "Other (title)", "Third"},
    ),
    (
        {
            "topEvents": "1",
            "field": ["count()", "epm()", "title"],
            "yAxis": ["count()", "epm()"],
            "sort": "-count()",
            "dataset": "errors",
            "excludeOther": "1",
        },
        {"Boom: count()", "Boom: epm()"},
    ),
    ({"topEvents": "5", "field": ["count()", "title"], "query": "title:None"}, {""}),
    (
        {
            "topEvents": "5",
            "field": ["count()", "title"],
            "query": "title:None",
            "yAxis": ["count()", "epm()"],
        },
        {": count()", ": epm()"},
    ),
]


def walk(node: Any, path: tuple[str, ...] = ()) -> dict[str, list[tuple[float, float | None]]]:
    if "data" in node:
        return {": ".join(path): [read_row(row) for row in node["data"]]}

    found: dict[str, list[tuple[float, float | None]]] = {}
    for key, child in node.items():
        if key != "order" and isinstance(child, dict):
            found |= walk(child, (*path, key))
    return found


def read_row(row: Any) -> tuple[float, float | None]:
    timestamp, values = row
    assert isinstance(timestamp, int)
    value = values[0]["count"]
    assert value is None or isinstance(value, int | float)
    return timestamp, value


@pytest.mark.parametrize(("params", "names"), SHAPES)
async def test_walk(web: Asker, params: dict[str, Any], names: set[str]) -> None:
    body = await web.between("10:10", "13:40").events_stats(partial="1", **params)
    found = walk(body)

    assert set(found) == names
    grids = {tuple(timestamp for timestamp, _ in rows) for rows in found.values()}
    assert len(grids) == 1
    assert len(grids.pop()) == 4


def test_the_walk_sees_a_row_without_values() -> None:
    with pytest.raises(IndexError):
        walk({"data": [[0, []]]})
