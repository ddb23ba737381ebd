"""How many rows a question may read is known before it is asked."""

from __future__ import annotations

from datetime import timedelta

from groundswell.model.tenancy import ProjectId
from groundswell.query.catalog import Catalog
from groundswell.query.compile import compile
from groundswell.query.question import Dataset, Question, Statement
from groundswell.stats.volume import Volume
from groundswell.store.engine import Engine
from groundswell.timeframe import TimeRange
from tests.asking import clock
from tests.rows import every, insert, new_project

WINDOW = TimeRange(clock("10:00"), clock("12:00"))


def _statement(project: ProjectId, dataset: Dataset, window: TimeRange = WINDOW) -> Statement:
    asked = Question(dataset, window, (project,), ("count()",), "transaction:nothing-like-it")
    return compile(asked, Catalog(projects={project: "web"}))


async def test_rows_are_estimated_by_project_and_time(engine: Engine) -> None:
    project = ProjectId(new_project())
    insert(engine, "transactions", project, every(clock("10:00"), 1, 500, transaction="/a"))
    insert(engine, "errors", project, every(clock("10:00"), 60, 30, title="Boom"))
    volume = Volume(engine)

    assert await volume.rows_of(_statement(project, Dataset.TRANSACTIONS)) >= 500  # type: ignore[operator]
    assert await volume.rows_of(_statement(project, Dataset.DISCOVER)) >= 530  # type: ignore[operator]
    years_ago = WINDOW.shifted(int(timedelta(days=900).total_seconds()))
    assert await volume.rows_of(_statement(project, Dataset.TRANSACTIONS, years_ago)) == 0
    assert await volume.rows_of(Statement("SELECT 1", {}, ())) is None
