"""Any question compiles to one guarded SELECT, and answers what a plain evaluator answers."""

from __future__ import annotations

import asyncio
import random
from datetime import timedelta
from typing import Any

import pytest
import sqlglot
from sqlglot import exp

from groundswell.errors import UserError
from groundswell.model.tenancy import ProjectId
from groundswell.query.catalog import Catalog
from groundswell.query.compile import compile
from groundswell.query.question import Dataset, Groups, Question, Statement
from groundswell.query.registry.fields import FIELDS
from groundswell.query.search.parser import parse
from groundswell.query.sql.vocabulary import TABLES
from groundswell.store.engine import Engine
from groundswell.timeframe import TimeRange
from tests.asking import clock
from tests.reference import matches
from tests.rows import insert, new_project

WINDOW = TimeRange(clock("10:00"), clock("14:00"))
_NAMES = ("/a", "/b", "/A/x", "")
_TAGS = ("x", "y*", "X", "")
_DURATIONS = (0, 5, 100, 1000)


def _row(choose: random.Random, kind: str) -> dict[str, Any]:
    row: dict[str, Any] = {
        "timestamp": WINDOW.start + timedelta(seconds=choose.randrange(4 * 3600)),
        "transaction": choose.choice(_NAMES),
        "environment": choose.choice(("prod", "dev", "")),
        "user": choose.choice(("id:1", "id:2", "")),
        "tags": {name: choose.choice(_TAGS) for name in ("t", "u") if choose.random() < 0.7},
    }
    if kind == "errors":
        row["message"] = choose.choice(("Boom: x", "other 100%", "", "Über"))
        row["exception_types"] = choose.sample(["A", "B", "Ab"], choose.randrange(3))
    else:
        row["duration"] = choose.choice(_DURATIONS)
        if choose.random() < 0.5:
            row["measurements"] = {"lcp": choose.choice((0.0, 5.0, 100.0))}
    return row


def _fields(row: dict[str, Any], kind: str) -> dict[str, Any]:
    found = {
        "transaction": row["transaction"],
        "environment": row["environment"],
        "user": row["user"],
        "message": row.get("message") if kind == "errors" else row["transaction"],
        "error.type": row.get("exception_types"),
        "transaction.duration": row.get("duration"),
        "measurements.lcp": row.get("measurements", {}).get("lcp"),
        "event.type": "error" if kind == "errors" else "transaction",
    }
    return {**row["tags"], **found}


@pytest.fixture(scope="module")
def stored(engine: Engine) -> tuple[ProjectId, dict[str, list[dict[str, Any]]]]:
    choose = random.Random(7)
    project = new_project()
    rows = {kind: [_row(choose, kind) for _ in range(60)] for kind in ("errors", "transactions")}
    for kind, of_kind in rows.items():
        for with_measurement in (True, False):
            part = [row for row in of_kind if ("measurements" in row) == with_measurement]
            if part:
                insert(engine, kind, project, part)
    insert(engine, "transactions", new_project(), rows["transactions"])  # somebody else's
    return ProjectId(project), rows


def _search(choose: random.Random, depth: int = 0) -> str:
    if depth < 3 and choose.random() < 0.45:
        joiner = choose.choice((" ", " OR "))
        return "(" + joiner.join(_search(choose, depth + 1) for _ in range(2)) + ")"

    sign = choose.choice(("", "", "!"))
    has = choose.choice(("environment", "user", "t", "u", "missing", "error.type"))
    number = choose.choice(("transaction.duration", "measurements.lcp"))
    text = choose.choice(("transaction", "environment", "user", "t", "u", "missing"))
    value = choose.choice(("/a", "/A*", "*x", "x", "prod", "id:1", '""', "*d*", "/*/*"))
    return sign + choose.choice(
        (
            f"{text}:{value}",
            f"{text}:{value}",
            f"{text}:!={value}",
            f'{text}:[x, "", /b]',
            f"has:{has}",
            f"has:{number}",
            f"{number}:{choose.choice(('', '>', '>=', '<', '!='))}{choose.choice((0, 5, 100))}",
            f"{number}:[0,100]",
            f"error.type:{choose.choice(('A', 'A*', '*b', '[A,B]'))}",
            f"message:{choose.choice(('boom', 'B*x', '100%', 'über', '[a,100]', '/a'))}",
        )
    )


def _answers(engine: Engine, statement: Statement) -> list[tuple[Any, ...]]:
    async def ask() -> list[tuple[Any, ...]]:
        result = await engine.query(statement.sql, statement.params)
        return list(result.rows())

    return asyncio.run(ask())


def _compile(project: ProjectId, dataset: Dataset, *select: str, **rest: Any) -> Statement:
    asked = Question(dataset, WINDOW, (project,), select, **rest)
    return compile(asked, Catalog(projects={project: "web"}))


@pytest.mark.parametrize("seed", range(60))
def test_filters_find_what_the_plain_evaluator_finds(
    engine: Engine, stored: tuple[ProjectId, dict[str, list[dict[str, Any]]]], seed: int
) -> None:
    project, rows = stored
    search = _search(random.Random(seed))
    if "message:[" in search:
        search = search.replace("message:[a,100]", "message:boom")
    tree = parse(search)
    for kind in ("errors", "transactions"):
        [(found,)] = _answers(engine, _compile(project, Dataset(kind), "count()", search=search))
        assert found == sum(matches(tree, _fields(row, kind)) for row in rows[kind]), search


def _calls(choose: random.Random) -> list[str]:
    return choose.sample(
        [
            "count()",
            "p95()",
            "failure_rate()",
            "apdex(300)",
            "user_misery(300)",
            "count_unique(user)",
            "count_if(t,equals,x)",
            "avg(measurements.lcp)",
            "last_seen()",
            "any(user)",
            "equation|count() * 2 / count_unique(t)",
            "epm()",
        ],
        3,
    )


@pytest.mark.parametrize("seed", range(40))
def test_any_question_is_one_guarded_select(
    engine: Engine, stored: tuple[ProjectId, object], seed: int
) -> None:
    choose = random.Random(seed)
    project = stored[0]
    dataset = choose.choice((Dataset.DISCOVER, Dataset.ERRORS, Dataset.TRANSACTIONS))
    columns = choose.sample(["transaction", "t", "environment", "error.type", "timestamp"], 2)
    calls = _calls(choose)
    rest: dict[str, Any] = {"search": _search(choose), "extrapolate": choose.random() < 0.3}
    shape = choose.choice(("table", "series", "groups", "comparison"))
    if shape == "table":
        calls += columns
        rest |= {"limit": 5, "order_by": ("-" + calls[0],)}
        if "epm()" in calls:
            rest["search"] += " epm():>0"
    else:
        calls = [call for call in calls if call not in {"last_seen()", "any(user)"}] or ["count()"]
        rest["interval_s"] = 600
    if shape == "groups":
        rest["groups"] = Groups(("transaction", "t"), (("/a", None), ("/b", "x")), bool(seed % 2))
    if shape == "comparison":
        rest["comparison_shift_s"] = choose.choice((3600, 14_400, 1000))
    statement = _compile(project, dataset, *calls, **rest)

    _answers(engine, statement)
    [tree] = sqlglot.parse(statement.sql, read="clickhouse")
    assert isinstance(tree, exp.Select)
    assert {table.name for table in tree.find_all(exp.Table)} <= TABLES
    scans = [one for one in tree.find_all(exp.Select) if one.find(exp.Table, bfs=True)]
    for scan in scans:
        if isinstance(scan.args["from_"].this, exp.Table):
            where = scan.args["where"]
            assert isinstance(where.this, (exp.And, exp.Paren))
            guard = where.sql("clickhouse")
            assert guard.startswith("WHERE ((project_id = {")
            assert guard.count("timestamp >= {")
            assert guard.count("timestamp < {")


@pytest.mark.parametrize(
    "evil",
    ["'", "\\", "`", "{x:String}", "%", "\n", "\0", "'; DROP TABLE errors --", '")', "x\\'"],
)
def test_text_of_users_is_only_ever_bound(
    engine: Engine, stored: tuple[ProjectId, object], evil: str
) -> None:
    project = stored[0]
    plain = _compile(project, Dataset.DISCOVER, "count()", search='t:"plain"').sql
    bound = _compile(
        project, Dataset.DISCOVER, "count()", search='t:"' + evil.replace('"', '\\"') + 'q"'
    )
    assert bound.sql == plain
    assert _answers(engine, bound) == [(0,)]
    for select in (evil, f"tags[{evil}]", f"count_unique({evil})", f"equation|{evil} + 1"):
        with pytest.raises(UserError):
            _compile(project, Dataset.DISCOVER, select)
    value = f'count_if(t,equals,"{evil}")'
    assert _answers(engine, _compile(project, Dataset.DISCOVER, value)) == [(0,)]
    environments = _compile(project, Dataset.DISCOVER, "count()", environments=(evil, "x"))
    assert _answers(engine, environments) == [(0,)]


@pytest.mark.parametrize("dataset", [Dataset.DISCOVER, Dataset.TRANSACTIONS])
def test_groups_and_the_rest_are_the_whole(
    engine: Engine, stored: tuple[ProjectId, dict[str, list[dict[str, Any]]]], dataset: Dataset
) -> None:
    project, _ = stored
    columns = ("transaction", "t", "environment")
    table = _answers(
        engine,
        _compile(project, dataset, *columns, "count()", order_by=("-count()",), limit=4),
    )
    groups = Groups(columns, tuple(row[:3] for row in table))
    series = _answers(engine, _compile(project, dataset, "count()", interval_s=3600, groups=groups))
    [(whole,)] = _answers(engine, _compile(project, dataset, "count()"))
    by_rank: dict[int, int] = {}
    for _, rank, count in series:
        by_rank[rank] = by_rank.get(rank, 0) + count
    assert [by_rank[rank] for rank in range(4)] == [row[3] for row in table]
    assert sum(by_rank.values()) == whole
    without = _compile(
        project, dataset, "count()", interval_s=3600, groups=Groups(columns, groups.rows, False)
    )
    assert {rank for _, rank, _ in _answers(engine, without)} == {0, 1, 2, 3}


@pytest.mark.parametrize("shift", [1800, 3600, 1000, 7200])
def test_compared_period_is_that_period_asked_alone(
    engine: Engine, stored: tuple[ProjectId, object], shift: int
) -> None:
    project = stored[0]
    window = TimeRange(clock("12:10"), clock("14:00"))
    asked = Question(Dataset.DISCOVER, window, (project,), ("count()",), interval_s=1800)
    catalog = Catalog(projects={project: "web"})
    both = compile(
        Question(
            Dataset.DISCOVER,
            window,
            (project,),
            ("count()",),
            interval_s=1800,
            comparison_shift_s=shift,
        ),
        catalog,
    )
    alone = dict(_answers(engine, compile(asked, catalog)))
    rows = _answers(engine, both)
    assert {time: now for time, now, _ in rows if now} == alone
    [(earlier,)] = _answers(
        engine,
        compile(
            Question(Dataset.DISCOVER, window.shifted(shift), (project,), ("count()",)), catalog
        ),
    )
    assert sum(before for _, _, before in rows) == earlier


@pytest.mark.parametrize("dataset", list(Dataset))
def test_every_field_can_be_selected_grouped_and_counted(
    engine: Engine, stored: tuple[ProjectId, object], dataset: Dataset
) -> None:
    project = stored[0]
    names = [
        name
        for name, field in FIELDS.items()
        if field.role not in {"total", "ignored", "ids"}
        and field.selectable
        and name != "function.duration"
    ]
    if dataset is Dataset.FUNCTIONS:
        names = [name for name in names if "functions" in FIELDS[name].sources]
    for at in range(0, len(names), 12):
        part = names[at : at + 12]
        for select in (
            part,
            [*part, "count()"],
            [f"count_unique({name})" for name in part],
            [f"any({name})" for name in part],
        ):
            _answers(engine, _compile(project, dataset, *select, limit=2))
        if dataset in {Dataset.DISCOVER, Dataset.SPANS}:
            has = " ".join(f"has:{name}" for name in part if not name.startswith("project"))
            _answers(engine, _compile(project, dataset, "count()", search=has))
