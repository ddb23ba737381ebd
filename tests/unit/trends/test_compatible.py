"""The contract of the original's breakpoint detector: request in, rows out."""

from __future__ import annotations

from typing import Any

import msgspec
import numpy as np
import pytest

from groundswell.errors import UserError
from groundswell.trends.compatible import breakpoint_detector

T0, HOUR = 1_732_147_200, 3600


def series(values: Any, **more: Any) -> dict[str, Any]:
    data = [[T0 + HOUR * i, [{"count": v}]] for i, v in enumerate(values)]
    end = T0 + HOUR * len(data)
    window = {"data_start": T0, "data_end": end, "request_start": T0, "request_end": end}
    return {"data": data, **window, **more}


def step(ratio: float, at: int = 100, level: float = 100.0) -> list[float]:
    values = level * np.exp(np.random.default_rng(3).normal(0, 0.05, 168))
    values[at:] *= ratio
    return [float(v) for v in values]


def rows(data: dict[str, Any], **request: Any) -> list[Any]:
    answer = breakpoint_detector({"data": data, "sort": "", "trendFunction": "p95()", **request})
    return list(msgspec.json.decode(msgspec.json.encode(answer))["data"])


def test_a_row_has_every_field_of_the_original() -> None:
    (row,) = rows({"1,/checkout": series(step(1.5))})

    assert (row["project"], row["transaction"], row["change"]) == ("1", "/checkout", "regression")
    assert row["breakpoint"] == T0 + 100 * HOUR
    assert row["trend_percentage"] == pytest.approx(1.5, rel=0.05)
    assert row["trend_difference"] == pytest.approx(50, rel=0.1)
    assert row["unweighted_t_value"] < -10
    assert {"data_start", "data_end", "request_start", "request_end"} <= set(row)
    assert row["absolute_percentage_change"] == row["trend_percentage"]


def test_a_name_may_hold_commas() -> None:
    (row,) = rows({"7,GET /a,b, c": series(step(2.0))})

    assert (row["project"], row["transaction"]) == ("7", "GET /a,b, c")


@pytest.mark.parametrize(
    ("sort", "names"),
    [
        ("trend_percentage()", ["1,down"]),
        ("-trend_percentage()", ["1,up"]),
        ("", ["1,up", "1,down"]),
    ],
)
def test_sort_is_the_direction(sort: str, names: list[str]) -> None:
    data = {"1,up": series(step(1.5)), "1,flat": series(step(1)), "1,down": series(step(0.5))}

    assert [f"{r['project']},{r['transaction']}" for r in rows(data, sort=sort)] == names


@pytest.mark.parametrize(
    ("request_", "found"),
    [
        ({"trend_percentage()": 0.4}, 1),
        ({"trend_percentage()": 0.6}, 0),
        ({"trend_percentage": 0.6}, 0),
        ({"min_change()": 40}, 1),
        ({"min_change()": 60}, 0),
        ({"min_change": 60}, 0),
        ({"allow_midpoint": "1"}, 1),
        ({"validate_tail_hours": 12}, 1),
    ],
)
def test_thresholds(request_: dict[str, Any], found: int) -> None:
    assert len(rows({"1,a": series(step(1.5))}, **request_)) == found


def test_a_tail_that_recovered_does_not_pass() -> None:
    values = step(2.0, at=60)
    values[-4:] = [v / 2 for v in values[-4:]]

    assert len(rows({"1,a": series(values)})) == 1
    assert rows({"1,a": series(values)}, validate_tail_hours=4) == []


def test_only_changes_inside_the_requested_window_are_reported() -> None:
    assert rows({"1,a": series(step(2.0, at=50), request_start=T0 + 90 * HOUR)}) == []
    assert len(rows({"1,a": series(step(2.0), request_start=T0 + 90.4 * HOUR)})) == 1


def test_zero_is_missing_for_durations_but_a_value_for_counts() -> None:
    values = [v if i % 4 else 0.0 for i, v in enumerate(step(1.0))]
    fallen = [*step(1.0)[:120], *[0.0] * 48]

    assert rows({"1,a": series(values)}) == []
    assert rows({"1,a": series(fallen)}) == []
    assert len(rows({"1,a": series(fallen)}, trendFunction="count()")) == 1


def test_flat_levels_give_null_for_an_infinite_t() -> None:
    (row,) = rows({"1,a": series([100.0] * 80 + [200.0] * 80)})

    assert (row["unweighted_t_value"], row["unweighted_p_value"]) == (None, 0)


@pytest.mark.parametrize("values", [[], [5.0], [5.0, 6.0], [0.0] * 100, [None] * 100, [7] * 50])
def test_nothing_to_find_is_an_empty_list(values: list[Any]) -> None:
    assert rows({"1,a": series(values)}) == []


@pytest.mark.parametrize(
    ("request_", "field"),
    [
        ({}, "data"),
        ({"data": []}, "data"),
        ({"data": {"1,a": 5}}, "data"),
        ({"data": {"1,a": {"data": [[1]]}}}, "data"),
        ({"data": {"1,a": {"data": [["x", [{"count": 1}]]]}}}, "data"),
        ({"data": {"1,a": {"data": 5}}}, "data"),
        ({"data": {}, "sort": "name"}, "sort"),
        ({"data": {}, "min_change()": "much"}, "min_change"),
        ({"data": {"1,a": series([1.0, 2.0], request_start="now")}}, "request_start"),
    ],
)
def test_unreadable_requests_name_the_field(request_: dict[str, Any], field: str) -> None:
    with pytest.raises(UserError) as refused:
        breakpoint_detector(request_)

    assert refused.value.field == field
