"""One statement with the previous period answers what two statements do, however they lie."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from groundswell.model.tenancy import ProjectId
from groundswell.query.catalog import Catalog
from groundswell.query.compile import compile
from groundswell.query.question import Dataset, Groups, Question
from groundswell.store.engine import Engine
from groundswell.timeframe import TimeRange
from tests.asking import clock
from tests.rows import insert, new_project

HOUR = 3600
_GROUPS = Groups(("transaction",), (("/a",),), with_other=True)
_FUNCTIONS = ("count()", "p95(transaction.duration)", "failure_rate()", "count_unique(user)")


@pytest.fixture(scope="module")
def project(engine: Engine) -> ProjectId:
    number, choose = new_project(), random.Random(7)
    for table in ("transactions", "errors"):
        rows: list[dict[str, Any]] = [
            {
                "timestamp": clock("00:00") - timedelta(seconds=choose.randrange(3 * 86_400)),
                "transaction": choose.choice(("/a", "/b")),
                "user": choose.choice(("id:1", "id:2", "id:3")),
            }
            for _ in range(1500)
        ]
        if table == "transactions":
            for row in rows:
                row |= {"duration": choose.randrange(1000), "status": choose.choice(("ok", "x"))}
        insert(engine, table, number, rows)
    return ProjectId(number)


def _case(choose: random.Random) -> tuple[TimeRange, int, int]:
    """A window, a shift and a width; on the grid or not, overlapping or apart."""
    width = choose.choice((600, HOUR, 6 * HOUR, 86_400))
    step = choose.choice((width, 60, 1))
    length = max(choose.choice((HOUR, 5 * HOUR, 20 * HOUR, 30 * HOUR)) // step * step, step)
    end = clock("00:00") - timedelta(seconds=choose.randrange(0, 20 * HOUR) // step * step)
    shift = choose.choice((length, width, 2 * width, length // 2 + 1, length + 777, HOUR))
    return TimeRange(end - timedelta(seconds=length), end), shift, width


@pytest.mark.parametrize("seed", range(40))
async def test_one_statement_is_as_good_as_two(
    engine: Engine, project: ProjectId, seed: int
) -> None:
    choose = random.Random(seed)
    window, shift, width = _case(choose)
    dataset = choose.choice((Dataset.TRANSACTIONS, Dataset.DISCOVER))
    asked = Question(
        dataset,
        window,
        (project,),
        (choose.choice(_FUNCTIONS),),
        choose.choice(("", "transaction:/a", "level:error OR transaction:/b")),
        interval_s=width,
        groups=_GROUPS if choose.random() < 0.3 else None,
    )
    now = await _series(engine, asked)
    before = await _series(engine, asked, window.shifted(shift))
    apart = _first(window.start, width) - _first(window.shifted(shift).start, width)
    moved = {(time + apart, *rest): value for (time, *rest), value in before.items()}
    both = await _series(engine, asked, shift=shift)
    assert {key: values[0] for key, values in both.items()} == {
        key: now.get(key, (0,))[0] for key in {*now, *moved}
    }
    assert {key: values[1] for key, values in both.items()} == {
        key: moved.get(key, (0,))[0] for key in {*now, *moved}
    }


def _first(start: datetime, width: int) -> int:
    return int(start.timestamp()) // width * width


async def _series(
    engine: Engine, asked: Question, window: TimeRange | None = None, shift: int | None = None
) -> dict[tuple[int, ...], tuple[float, ...]]:
    question = replace(asked, window=window or asked.window, comparison_shift_s=shift)
    statement = compile(question, Catalog(projects={question.projects[0]: "web"}))
    result = await engine.query(statement.sql, statement.params)
    keys = 1 + (statement.rank is not None)
    return {
        tuple(int(part) for part in row[:keys]): tuple(float(part or 0) for part in row[keys:])
        for row in result.rows()
    }
