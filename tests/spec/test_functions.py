"""What the functions answer, over a handful of known rows in the real engine."""

from __future__ import annotations

import math
from datetime import timedelta
from typing import Any

import pytest

from groundswell.errors import UserError
from groundswell.model.tenancy import ProjectId
from groundswell.query.catalog import Catalog
from groundswell.query.compile import compile
from groundswell.query.question import Dataset, Question
from groundswell.query.registry.datasets import functions_of
from groundswell.store.engine import Engine
from groundswell.timeframe import TimeRange
from tests.asking import clock
from tests.questions import CATALOG, question
from tests.rows import insert, new_project

START, END = clock("10:00"), clock("12:00")
MIDDLE = clock("11:00").strftime("%Y-%m-%dT%H:%M:%S")
_DURATIONS = (100, 200, 300, 400, 1300)
_STATUSES = ("ok", "internal_error", "cancelled", "unknown", "not_found")
_USERS = ("id:1", "id:1", "id:2", "", "id:3")


@pytest.fixture(scope="module")
def project(engine: Engine) -> ProjectId:
    """Five transactions (two before eleven, three after) and one error."""
    number = new_project()
    rows: list[dict[str, Any]] = [
        {
            "timestamp": clock("10:30") + timedelta(minutes=15 * at),
            "transaction": "/a" if at < 3 else "/b",
            "duration": duration,
            "status": status,
            "user": user,
            "user_id": user.removeprefix("id:"),
            "tags": {"n": str(at)},
        }
        for at, (duration, status, user) in enumerate(
            zip(_DURATIONS, _STATUSES, _USERS, strict=True)
        )
    ]
    rows[0]["measurements"] = {"lcp": 2000.0, "score.lcp": 0.9, "score.weight.lcp": 1.0}
    rows[1]["measurements"] = {"lcp": 3000.0, "score.lcp": 0.3, "score.weight.lcp": 1.0}
    rows[1]["sample_rate"] = 0.5
    insert(engine, "transactions", number, [rows.pop(1)])
    insert(engine, "transactions", number, rows)
    insert(
        engine,
        "errors",
        number,
        [{"timestamp": clock("10:10"), "title": "Boom", "exception_types": ["A", "B"]}],
    )
    insert(engine, "spans", number, _spans())
    insert(engine, "functions", number, _functions())
    return ProjectId(number)


def _spans() -> list[dict[str, Any]]:
    def span(**row: Any) -> dict[str, Any]:
        return {"timestamp": clock("10:30"), "exclusive_time": 10.0, "duration": 20.0, **row}

    return [
        span(op="http.client", status_code="200", transaction_status="ok"),
        span(op="http.client", status_code="503", transaction_status="internal_error"),
        span(op="cache.get", tags={"cache.hit": "true"}, measurements={"cache.item_size": 10.0}),
        span(op="cache.get", tags={"cache.hit": "false"}, exclusive_time=70.0, release="2"),
    ]


def _functions() -> list[dict[str, Any]]:
    return [
        {"timestamp": clock("10:30"), "name": "f", "self_times": [0, 100, 300]},
        {"timestamp": clock("11:30"), "name": "f", "self_times": [500]},
    ]


async def ask(engine: Engine, project: ProjectId, *select: str, **rest: Any) -> list[Any]:
    window = rest.pop("window", TimeRange(START, END))
    asked = Question(rest.pop("dataset", Dataset.TRANSACTIONS), window, (project,), select, **rest)
    statement = compile(asked, Catalog(projects={project: "web"}))
    result = await engine.query(statement.sql, statement.params)
    return list(result.rows())


EVENTS: list[tuple[str, object]] = [
    ("count()", 5),
    ("count_unique(user)", 3),
    ("count_unique(n)", 5),
    ("count_if(transaction,equals,/a)", 3),
    ("count_if(transaction, notEquals, /a)", 2),
    ("count_if(transaction.duration,greater,300ms)", 2),
    ("count_if(transaction.duration,greater,1s)", 1),
    ("count_if(transaction.status,equals,ok)", 1),
    ("count_if(user,notEquals,id:1)", 3),
    ("count_if(measurements.lcp,greater,2.5s)", 1),
    ('count_if(n,equals,"4")', 1),
    ("avg(transaction.duration)", 460.0),
    ("avg(measurements.lcp)", 2500.0),
    ("sum(transaction.duration)", 2300),
    ("min(transaction.duration)", 100),
    ("max(transaction.duration)", 1300),
    ("p50()", 300.0),
    ("p75()", 400.0),
    ("p95(transaction.duration)", 1120.0),
    ("p100()", 1300),
    ("percentile(transaction.duration, 0.5)", 300.0),
    ("p50(measurements.lcp)", 2500.0),
    ("var(measurements.lcp)", 500000.0),
    ("stddev(measurements.lcp)", math.sqrt(500000)),
    ("failure_count()", 2),
    ("failure_rate()", 0.4),
    ("apdex(300)", (3 + 1 / 2) / 5),
    ("apdex()", (3 + 1 / 2) / 5),
    ("count_miserable(user,300)", 1),
    ("user_misery(300)", (1 + 5.8875) / (3 + 5.8875 + 111.8625)),
    ("eps()", 5 / 7200),
    ("epm()", 5 / 120),
    ("tpm(60)", 5.0),
    ("floored_epm()", 0.01),
    ("count_at_least(transaction.duration, 400)", 2),
    ("count_web_vitals(measurements.lcp, good)", 1),
    ("count_web_vitals(measurements.lcp, meh)", 1),
    ("count_web_vitals(measurements.lcp, any)", 2),
    ("performance_score(measurements.score.lcp)", 0.6),
    ("total_opportunity_score()", 0.3 * (2 - 1.2) / 2),
    ("compare_numeric_aggregate(count, greater, 4)", 1),
    ("compare_numeric_aggregate(count, greater, 5)", 0),
    ("opportunity_score(measurements.score.lcp)", 0.8),
    ("count_scores(measurements.score.lcp)", 2),
    ("any(transaction)", "/a"),
    (f"count_range(greater, {MIDDLE})", 2),
    (f"count_range(lessOrEquals, {MIDDLE})", 3),
    (f"avg_range(transaction.duration, greater, {MIDDLE})", 150.0),
    (f"percentile_range(transaction.duration, 0.5, less, {MIDDLE})", 850.0),
    ("corr(transaction.duration, transaction.duration)", 1.0),
    ("equation|count() * 2 + 1", 11),
    ("equation|(count() - 6) / 2", -0.5),
    ("equation|failure_count() / count()", 0.4),
    ("equation|p50() / (count() - 5)", None),
    ("upsampled_count()", 6),
]


@pytest.mark.parametrize(("call", "answer"), EVENTS, ids=[call for call, _ in EVENTS])
async def test_function_of_transactions(
    engine: Engine, project: ProjectId, call: str, answer: object
) -> None:
    [(found,)] = await ask(engine, project, call)
    assert found == (pytest.approx(answer) if isinstance(answer, float) else answer)


async def test_instants_and_the_newest_event(engine: Engine, project: ProjectId) -> None:
    [(newest, latest)] = await ask(engine, project, "last_seen()", "max(timestamp)")
    assert newest == latest == clock("11:30")


WITHOUT_ROWS: list[tuple[str, object]] = [
    *((f"{name}()", 0) for name in ("count", "failure_count", "failure_rate", "eps", "epm")),
    *((f"{name}()", 0) for name in ("apdex", "user_misery")),
    ("count_unique(user)", 0),
    ("count_if(n,equals,1)", 0),
    *((f"{name}(transaction.duration)", None) for name in ("avg", "sum", "min", "max", "p95")),
    *((f"{name}(measurements.lcp)", None) for name in ("avg", "sum", "min", "max", "p95")),
    ("last_seen()", None),
    ("any(transaction)", None),
]


@pytest.mark.parametrize(("call", "answer"), WITHOUT_ROWS, ids=[call for call, _ in WITHOUT_ROWS])
async def test_aggregates_of_nothing_are_one_row(
    engine: Engine, project: ProjectId, call: str, answer: object
) -> None:
    assert await ask(engine, project, call, search="n:none") == [(answer,)]


SPANS: list[tuple[str, object]] = [
    ("count()", 4),
    ("avg(span.self_time)", 25.0),
    ("p100()", 70.0),
    ("sum(span.duration)", 80.0),
    ("avg(cache.item_size)", 10.0),
    ("count_op(cache.get)", 2),
    ("count_if(span.op,cache.get)", 2),
    ("count_if(span.op,notEquals,cache.get)", 2),
    ("avg_if(span.self_time,span.op,http.client)", 10.0),
    ("http_response_count(5)", 1),
    ("http_response_rate(5)", 0.25),
    ("http_error_rate()", 0.25),
    ("cache_hit_rate()", 0.5),
    ("cache_miss_rate()", 0.5),
    ("trace_error_rate()", 0.25),
    ("trace_status_rate(ok)", 0.25),
    ("division(span.self_time, span.duration)", 1.25),
    ("avg_compare(span.self_time, span.op, http.client, cache.get)", 3.0),
    ("spm()", 4 / 120),
    ("time_spent_percentage()", 1.0),
]


@pytest.mark.parametrize(("call", "answer"), SPANS, ids=[call for call, _ in SPANS])
async def test_function_of_spans(
    engine: Engine, project: ProjectId, call: str, answer: object
) -> None:
    [(found,)] = await ask(engine, project, call, dataset=Dataset.SPANS)
    assert found == pytest.approx(answer)


async def test_time_spent_is_a_share_of_everything(engine: Engine, project: ProjectId) -> None:
    for scope, share in (("app", 0.8), ("local", 1.0)):
        [(found,)] = await ask(
            engine,
            project,
            f"time_spent_percentage({scope}, span.self_time)",
            dataset=Dataset.SPANS,
            search="span.op:cache.get",
        )
        assert found == pytest.approx(share)


PROFILES: list[tuple[str, object]] = [
    ("count()", 3),
    ("sum()", 900),
    ("avg(function.duration)", 300.0),
    ("p50()", 300.0),
    ("percentile(function.duration, 0.75)", 400.0),
    ("p100()", 500),
    ("cpm()", 3 / 120),
    (f"cpm_before({MIDDLE})", 2 / 60),
    (f"cpm_after({MIDDLE})", 1 / 60),
    (f"cpm_delta({MIDDLE})", -1 / 60),
    (f"percentile_before(function.duration, 0.5, {MIDDLE})", 200.0),
    (f"percentile_delta(function.duration, 0.5, {MIDDLE})", 300.0),
    (f"regression_score(function.duration, 0.5, {MIDDLE})", 500 / 60 - 200 * 2 / 60),
]


@pytest.mark.parametrize(("call", "answer"), PROFILES, ids=[call for call, _ in PROFILES])
async def test_function_of_profiles(
    engine: Engine, project: ProjectId, call: str, answer: object
) -> None:
    [(found,)] = await ask(engine, project, call, dataset=Dataset.FUNCTIONS)
    assert found == pytest.approx(answer)


async def test_examples_are_profiles(engine: Engine, project: ProjectId) -> None:
    [(worst, examples, unique, everything)] = await ask(
        engine,
        project,
        "worst()",
        "examples()",
        "unique_examples()",
        "all_examples()",
        dataset=Dataset.FUNCTIONS,
    )
    assert examples[0] == worst
    assert len(examples) == len(set(examples)) == len(unique) == len(everything) == 2


async def test_discover_counts_both_kinds(engine: Engine, project: ProjectId) -> None:
    for select, search, answer in [
        (("count()",), "", (6,)),
        (("count()",), "event.type:transaction", (5,)),
        (("count()",), "!event.type:transaction", (1,)),
        (("count()",), "error.type:B", (1,)),
        (("count()",), "!error.type:B", (0,)),
        (("count()", "avg(transaction.duration)"), "", (5, 460.0)),
        (("count()",), "title:[Boom,/a]", (4,)),
        (("count()", "count_if(title,equals,Boom)"), "", (6, 1)),
    ]:
        rows = await ask(engine, project, *select, search=search, dataset=Dataset.DISCOVER)
        assert rows == [answer], (select, search)


async def test_weights_stand_for_what_was_not_sent(engine: Engine, project: ProjectId) -> None:
    [(count, total, mean)] = await ask(
        engine,
        project,
        "count()",
        "sum(transaction.duration)",
        "avg(transaction.duration)",
        extrapolate=True,
    )
    assert (count, total) == (6, 2500)
    assert mean == pytest.approx(2500 / 6)


async def test_an_aggregate_is_compared_by_its_alias(engine: Engine, project: ProjectId) -> None:
    mean = "avg(transaction.duration)"
    compared = "compare_numeric_aggregate(avg_transaction_duration, less, 300)"
    rows = await ask(engine, project, "transaction", mean, compared, order_by=("transaction",))
    assert rows == [("/a", 200.0, 1), ("/b", 850.0, 0)]
    kept = await ask(engine, project, "transaction", mean, search=f"{compared}:1")
    assert kept == [("/a", 200.0)]


REFUSED: list[tuple[str, str]] = [
    ("compare_numeric_aggregate(p96, less, 3)", "p96() is not a valid function"),
    ("compare_numeric_aggregate(title, less, 3)", "title() is not a valid function"),
    ("nope()", "nope() is not a valid function"),
    ("count(id, title)", "expected at most 1 argument"),
    ("p95() as 5", "p95() as 5"),
    ("release.version", "can only be searched for; select release"),
    ("conut()", "Did you mean `count`?"),
    ("p95(transction.duration)", "Did you mean `transaction.duration`?"),
    ("p95(title)", "title is not a numeric column"),
    ("avg(stack.colno)", "stack.colno is not a numeric column"),
    ("percentile(transaction.duration)", "expected 2 arguments"),
    ("percentile(transaction.duration, 1)", "less than 1"),
    ("percentile(transaction.duration, 1.5)", "less than 1"),
    ("percentile(transaction.duration, x)", "x is not a number"),
    ("count_if(title, is, x)", "must be one of equals"),
    ("count_if(transaction.status, equals, nope)", "nope"),
    ("count_if(issue, equals, WEB-1)", "issue cannot be compared"),
    ("count_if(error.type, less, x)", "only equals and notEquals"),
    ("count_web_vitals(measurements.foo, good)", "not a web vital"),
    ("count_web_vitals(measurements.lcp, great)", "good, meh, poor, any"),
    ("epm(0)", "at least 1"),
    ("failure_rate(1)", "expected 0 arguments"),
    ("random_number()", "private"),
    ("title'; DROP TABLE errors", "invalid characters"),
    ("equation|count()", "at least two terms"),
    ("equation|1 + 2", "needs a field or a function"),
    ("equation|count() / 0", "divides by 0"),
    ("equation|count() + transaction.duration", "mixes"),
    ("equation|count() +", "cannot be parsed"),
    ("equation|" + " + ".join(["count()"] * 12), "at most 10"),
    ("equation|title + 1", "title"),
    ("equation|last_seen() + 1", "no number"),
]


@pytest.mark.parametrize(("select", "words"), REFUSED, ids=[text for text, _ in REFUSED])
def test_bad_columns_are_refused_in_their_own_words(select: str, words: str) -> None:
    with pytest.raises(UserError) as refused:
        compile(question(select), CATALOG)

    assert words in refused.value.message
    assert refused.value.field == "field"


def test_bare_field_beside_its_aggregate_is_refused() -> None:
    with pytest.raises(UserError, match=r"transaction.duration is selected by itself"):
        compile(question("transaction.duration", "p95(transaction.duration)"), CATALOG)


def test_sorting_needs_the_field() -> None:
    with pytest.raises(UserError, match=r"sort: cannot sort by p95\(\)"):
        compile(question("title", "count()", order_by=("-p95()",)), CATALOG)


@pytest.mark.parametrize(
    ("call", "alias", "type_name", "unit"),
    [
        ("count()", "count", "integer", None),
        ("p95(transaction.duration)", "p95_transaction_duration", "duration", "millisecond"),
        ("p95()", "p95", "duration", "millisecond"),
        (
            "percentile(transaction.duration, 0.95)",
            "percentile_transaction_duration_0_95",
            "duration",
            "millisecond",
        ),
        ("count_unique(tags[foo.bar])", "count_unique_tags_foo_bar", "integer", None),
        ("apdex(300)", "apdex_300", "number", None),
        ("count_miserable(user,300)", "count_miserable_user_300", "integer", None),
        ("p95() as slow", "slow", "duration", "millisecond"),
        ("epm()", "epm", "rate", "1/minute"),
        ("tps()", "tps", "rate", "1/second"),
        ("failure_rate()", "failure_rate", "percentage", None),
        ("avg(measurements.cls)", "avg_measurements_cls", "number", None),
        ("avg(measurements.lcp)", "avg_measurements_lcp", "duration", "millisecond"),
        ("avg(measurements.size)", "avg_measurements_size", "size", "byte"),
        ("avg(measurements.wait)", "avg_measurements_wait", "duration", "second"),
        ("last_seen()", "last_seen", "date", None),
        ("max(timestamp)", "max_timestamp", "date", None),
        ("any(title)", "any_title", "string", None),
        ("equation|count() * 2", "equation[0]", "number", None),
        ("user_count", "count_unique_user", "integer", None),
        ("customer", "tags_customer", "string", None),
        ("tags[customer]", "tags[customer]", "string", None),
    ],
)
def test_names_types_and_units(call: str, alias: str, type_name: str, unit: str | None) -> None:
    [output] = compile(question(call), CATALOG).outputs
    assert (output.name, output.alias, output.type, output.unit) == (call, alias, type_name, unit)


def test_every_function_is_described() -> None:
    for dataset in Dataset:
        for name, row in functions_of(dataset).items():
            assert row.name == name
            assert row.doc.endswith(".")
