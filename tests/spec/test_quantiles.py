"""Percentiles are exact up to a stated number of rows, and estimated with a word about it above."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from groundswell.config import Settings
from groundswell.stats.statistics import Statistics
from groundswell.store.engine import Engine
from groundswell.store.metadata import Metadata
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


@pytest.fixture
def hurried(engine: Engine, settings: Settings, project: int, tmp_path: Path) -> Iterator[Asker]:
    """The same rows where one row less is as many as an exact percentile may keep."""
    metadata = Metadata.open(f"sqlite:///{tmp_path / 'metadata.db'}")
    metadata.migrate()
    fewer = settings.with_values(QUERY_EXACT_ROWS=ROWS - 1)
    yield Asker(Statistics(engine, metadata, fewer), scope_of({project: "web"}))
    metadata.close()


async def test_exact_up_to_the_stated_size(asker: Asker, settings: Settings) -> None:
    assert settings.integer("QUERY_EXACT_ROWS") == 50_000_000
    body = await asker.events_stats(dataset="transactions", yAxis="p95()")
    assert counts(body)[0] == pytest.approx(EXACT)
    assert "warnings" not in body["meta"]


async def test_estimated_above_it(hurried: Asker) -> None:
    body = await hurried.events_stats(dataset="transactions", yAxis="p95()")
    assert counts(body)[0] == pytest.approx(EXACT, rel=0.01)
    assert any("more than 2,999 events" in each for each in body["meta"]["warnings"])

    table = await hurried.events(dataset="transactions", field=["p95()", "count()"])
    assert table["data"][0]["p95()"] == counts(body)[0]
    assert any("estimated" in each for each in table["meta"]["warnings"])

    plain = await hurried.events(dataset="transactions", field=["max(transaction.duration)"])
    assert "warnings" not in plain["meta"]


async def test_one_definition_per_chart(hurried: Asker) -> None:
    body = await hurried.events_stats(
        dataset="transactions", yAxis="p95()", topEvents="1", field=["transaction", "count()"],
        sort="-count()",
    )  # fmt: skip
    assert set(body) == {"/a", "Other"}
    for series in body.values():
        assert any("estimated" in each for each in series["meta"]["warnings"])
