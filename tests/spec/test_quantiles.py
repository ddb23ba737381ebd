"""Percentiles are exact up to a stated number of rows, and estimated with a word about it above."""

from __future__ import annotations

from typing import Any

import pytest

from groundswell.stats.statistics import EXACT_ROWS, Statistics
from groundswell.store.engine import Engine
from tests.asking import Asker, clock, counts
from tests.rows import insert, new_project
from tests.scopes import scope_of

ROWS = 3000
EXACT = 0.95 * (ROWS - 1) + 1


@pytest.fixture(scope="module")
def project(engine: Engine) -> int:
    number = new_project()
    rows: list[dict[str, Any]] = [
        {"timestamp": clock("10:05"), "transaction": "/a" if at % 3 else "/b", "duration": at + 1}
        for at in range(ROWS)
    ]
    insert(engine, "transactions", number, rows)
    return number


@pytest.fixture
def asker(statistics: Statistics, project: int) -> Asker:
    return Asker(statistics, scope_of({project: "web"}))


async def test_exact_up_to_the_stated_size(asker: Asker) -> None:
    assert asker.statistics.exact_rows == EXACT_ROWS == 50_000_000
    body = await asker.events_stats(dataset="transactions", yAxis="p95()")
    assert counts(body)[0] == pytest.approx(EXACT)
    assert "warnings" not in body["meta"]


async def test_estimated_above_it(asker: Asker, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asker.statistics, "exact_rows", ROWS - 1)
    body = await asker.events_stats(dataset="transactions", yAxis="p95()")
    assert counts(body)[0] == pytest.approx(EXACT, rel=0.01)
    assert any("estimated" in each for each in body["meta"]["warnings"])

    table = await asker.events(dataset="transactions", field=["p95()", "count()"])
    assert table["data"][0]["p95()"] == counts(body)[0]
    assert any("estimated" in each for each in table["meta"]["warnings"])

    plain = await asker.events(dataset="transactions", field=["max(transaction.duration)"])
    assert "warnings" not in plain["meta"]


async def test_one_definition_per_chart(asker: Asker, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asker.statistics, "exact_rows", ROWS - 1)
    body = await asker.events_stats(
        dataset="transactions", yAxis="p95()", topEvents="1", field=["transaction", "count()"],
        sort="-count()",
    )  # fmt: skip
    assert set(body) == {"/a", "Other"}
    for series in body.values():
        assert any("estimated" in each for each in series["meta"]["warnings"])
