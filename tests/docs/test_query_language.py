"""Every example of the guide to the query language means something, and the answers are true."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from groundswell.cli.reference import query_reference
from groundswell.errors import UserError
from groundswell.model.tenancy import ProjectId
from groundswell.query.catalog import Catalog
from groundswell.query.compile import compile
from groundswell.query.question import Dataset, Question
from groundswell.query.registry.datasets import DATASETS, functions_of
from groundswell.query.registry.fields import FIELDS
from groundswell.store.engine import Engine
from groundswell.timeframe import TimeRange
from tests.asking import clock
from tests.questions import CATALOG, question
from tests.rows import insert, new_project

DOCS = Path(__file__).resolve().parents[2] / "docs"
GUIDE = (DOCS / "query-language.md").read_text()
_BLOCK = re.compile(r"^```(\w+)(?: (\w+))?\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_WINDOW = TimeRange(clock("10:00"), clock("12:00"))


def examples(kind: str) -> list[tuple[Dataset, str]]:
    """List the lines of all blocks of a kind, each with its dataset."""
    return [
        (DATASETS[dataset or "discover"], line)
        for found, dataset, body in _BLOCK.findall(GUIDE)
        if found == kind
        for line in body.splitlines()
    ]


def table(head: str) -> Iterator[list[str]]:
    """Read the rows of the table that begins with a heading."""
    lines = GUIDE[GUIDE.index(f"| {head}") :].splitlines()[2:]
    for line in lines:
        if not line.startswith("|"):
            return

        cells = re.split(r"(?<!\\)\|", line)[1:-1]
        yield [cell.strip().replace("\\|", "|").strip("`") for cell in cells]


@pytest.mark.parametrize(("dataset", "search"), examples("search"))
def test_search(dataset: Dataset, search: str) -> None:
    statement = compile(question("count()", search=search, dataset=dataset), CATALOG)
    assert not [note for note in statement.notes if "no effect" in note]


@pytest.mark.parametrize(("dataset", "column"), examples("columns"))
def test_column(dataset: Dataset, column: str) -> None:
    [output, *_] = compile(question(column, dataset=dataset), CATALOG).outputs
    assert output.name == column


@pytest.mark.parametrize(("dataset", "line"), examples("refused"))
def test_refused(dataset: Dataset, line: str) -> None:
    typed, why = line.split(" => ")
    asked = (
        question(typed, dataset=dataset)
        if dataset is Dataset.TRANSACTIONS
        else question("count()", search=typed, dataset=dataset)
    )
    with pytest.raises(UserError) as refusal:
        compile(asked, CATALOG)
    assert why in refusal.value.message


@pytest.fixture(scope="module")
def project(engine: Engine) -> ProjectId:
    """The events of the page."""
    number = new_project()
    for at, kind, name, duration, status, level, environment, customer, message in table("time"):
        row: dict[str, Any] = {
            "timestamp": clock(at) + timedelta(milliseconds=1),
            "transaction": name,
            "environment": environment,
            "tags": {"customer": customer} if customer else {},
        }
        if kind == "transaction":
            row |= {"duration": int(duration), "status": status}
        else:
            row |= {"level": level, "message": message}
        insert(engine, f"{kind}s", number, [row])
    return ProjectId(number)


async def _ask(
    engine: Engine, project: ProjectId, dataset: Dataset, column: str, search: str
) -> Any:
    asked = Question(dataset, _WINDOW, (project,), (column,), search)
    statement = compile(asked, Catalog(projects={project: "web"}))
    result = await engine.query(statement.sql, statement.params)
    return next(iter(result.rows()))[0]


async def test_the_counts_of_the_page_are_true(engine: Engine, project: ProjectId) -> None:
    shown = list(table("search"))
    assert len(shown) > 5
    for search, events in shown:
        found = await _ask(engine, project, Dataset.DISCOVER, "count()", search)
        assert found == int(events), search


async def test_the_answers_of_the_page_are_true(engine: Engine, project: ProjectId) -> None:
    shown = list(table("columns of"))
    assert len(shown) > 4
    for column, answer in shown:
        found = await _ask(engine, project, Dataset.TRANSACTIONS, column, "transaction:/checkout")
        assert found == pytest.approx(float(answer)), column


def test_the_reference_is_up_to_date() -> None:
    assert (DOCS / "query-reference.md").read_text() == query_reference(), "run `make docs`"


def test_everything_is_in_the_reference() -> None:
    page = query_reference()
    assert [name for name in FIELDS if f"`{name}`" not in page] == []
    signatures = {row.signature for dataset in Dataset for row in functions_of(dataset).values()}
    assert [each for each in signatures if f"`{each}`" not in page] == []
