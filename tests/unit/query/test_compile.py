"""The compiler as its callers know it: outputs, routing, what it needs, what it may import."""

from __future__ import annotations

import subprocess
import sys

import pytest

from groundswell.errors import UserError
from groundswell.query.compile import compile, needs
from groundswell.query.question import Dataset, Groups
from groundswell.query.registry.datasets import DATASETS
from groundswell.query.registry.fields import FIELDS, find
from groundswell.query.sql.clickhouse import Printer
from groundswell.query.sql.expression import TRUE, Call, Column
from groundswell.query.sql.select import Scan, Select
from tests.questions import CATALOG, question


@pytest.mark.parametrize(
    ("search", "select", "table"),
    [
        ("", "count()", "errors+transactions"),
        ("event.type:transaction", "count()", "transactions"),
        ("event.type:error foo:bar", "count()", "errors"),
        ("event.type:csp", "count()", "errors"),
        ("!event.type:transaction", "count()", "errors"),
        ("!event.type:error", "count()", "errors+transactions"),
        ("error.type:X", "count()", "errors"),
        ("has:stack.filename", "count()", "errors"),
        ("transaction.duration:>5", "count()", "transactions"),
        ("measurements.lcp:>5", "count()", "transactions"),
        ("", "p95()", "transactions"),
        ("", "failure_rate()", "transactions"),
        ("", "apdex(300)", "transactions"),
        ("", "equation|p95() * 2", "transactions"),
        ("", "count_unique(error.type)", "errors"),
        ("event.type:transaction OR foo:bar", "count()", "errors+transactions"),
        ("!error.type:X", "p95()", "errors+transactions"),
    ],
)
def test_discover_reads_the_tables_it_needs(search: str, select: str, table: str) -> None:
    assert compile(question(select, search=search), CATALOG).table == table


def test_table_outputs_say_how_to_read_them() -> None:
    asked = question("title", "issue", "project", "count()", dataset=Dataset.ERRORS)
    outputs = compile(asked, CATALOG).outputs
    assert [(one.name, one.column, one.decode, one.is_aggregate) for one in outputs] == [
        ("title", "c0", "plain", False),
        ("issue", "c1", "issue", False),
        ("project", "c2", "project", False),
        ("count()", "c3", "plain", True),
    ]


def test_fields_that_clients_expect_are_added() -> None:
    def names(*select: str) -> list[str]:
        return [one.name for one in compile(question(*select, auto_fields=True), CATALOG).outputs]

    assert names("title") == ["title", "id", "project.name"]
    assert names("title", "project") == ["title", "project", "id"]
    assert names("id", "count()") == ["id", "count()", "project.name"]
    assert names("title", "count()") == ["title", "count()"]
    assert names("issue", "count()") == ["issue", "count()", "issue.id"]


def test_same_column_twice_is_selected_once() -> None:
    outputs = compile(question("count()", "title", "count()"), CATALOG).outputs
    assert [one.name for one in outputs] == ["count()", "title"]


@pytest.mark.parametrize(
    "sort", ["-count()", "-count", "-p95_transaction_duration", "equation[0]", "project"]
)
def test_sort_takes_names_aliases_and_equations(sort: str) -> None:
    asked = question(
        "project",
        "count()",
        "p95(transaction.duration)",
        "equation|count() * 2",
        order_by=(sort,),
        limit=5,
    )
    assert "ORDER BY" in compile(asked, CATALOG).sql


def test_rates_of_a_series_are_over_the_bucket() -> None:
    assert "/ 10.0" in compile(question("epm()", interval_s=600), CATALOG).sql
    assert "/ 2880.0" in compile(question("epm()"), CATALOG).sql


def test_series_needs_an_aggregate() -> None:
    with pytest.raises(UserError, match="yAxis: title is not a function"):
        compile(question("title", interval_s=3600), CATALOG)


def test_question_without_project_or_column_is_refused() -> None:
    with pytest.raises(UserError, match="project"):
        compile(question(projects=()), CATALOG)
    with pytest.raises(UserError, match="field"):
        compile(question(""), CATALOG)


def test_groups_come_back_as_ranks() -> None:
    groups = Groups(("transaction", "foo"), (("/a", None), ("/b", "x")))
    statement = compile(
        question("count()", dataset=Dataset.TRANSACTIONS, interval_s=60, groups=groups), CATALOG
    )
    assert statement.rank == "rank"
    assert "multiIf(" in statement.sql


def test_scan_without_guard_is_never_printed() -> None:
    plan = Select(Scan("errors"), (("c0", Call("count")),))
    with pytest.raises(AssertionError, match="without a guard"):
        Printer().select(plan)


@pytest.mark.parametrize(
    "node", [Call("file", (Column("title"),)), Column("title; DROP"), Column("a.b")]
)
def test_words_outside_the_vocabulary_are_never_printed(node: Call | Column) -> None:
    plan = Select(Scan("errors", guard=TRUE), (("c0", node),))
    with pytest.raises(AssertionError):
        Printer().select(plan)


def test_needs_name_what_the_question_depends_on() -> None:
    asked = question(
        "apdex()",
        "avg(measurements.size)",
        search="issue:[web-1,unknown] release:latest measurements.lcp:>5 (measurements.wait:>1s)",
    )
    found = needs(asked)
    assert found.short_ids == {"WEB-1"}
    assert found.releases
    assert found.thresholds
    assert found.measurement_units == {"size", "wait"}
    assert not needs(question("apdex(300)", search="release:1.0")).releases
    assert not needs(question("apdex(300)")).thresholds
    assert needs(question("count()", search="user_misery():>0.5")).thresholds


def test_every_dataset_has_a_name() -> None:
    assert set(DATASETS.values()) == set(Dataset)


def test_every_field_is_described_and_kept_somewhere() -> None:
    for name, field in FIELDS.items():
        assert field.doc.endswith("."), name
        assert find(name) is field
        assert field.sources or field.role in {"ignored", "ids"}, name


def test_equal_questions_are_equal_statements() -> None:
    one, two = (compile(question(search="foo:bar"), CATALOG) for _ in range(2))
    other = compile(question(search="foo:baz"), CATALOG)
    assert one.key == two.key
    assert hash(one.key) == hash(two.key)
    assert one.sql == other.sql
    assert one.key != other.key


def test_compiler_imports_no_store_web_or_sockets() -> None:
    code = (
        "import sys, groundswell.query.compile as _;"
        "bad = [m for m in sys.modules if m.split('.')[0] in "
        "{'chdb', 'clickhouse_connect', 'litestar', 'sqlalchemy', 'aiohttp', 'httpx', 'socket'}"
        " or m.startswith(('groundswell.store', 'groundswell.http', 'groundswell.stats'))];"
        "print(bad)"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"


@pytest.mark.parametrize(
    ("search", "select", "asked"),
    [
        ("customer:acme", "count()", True),
        ("!customer:[acme, zeta] level:error", "p95()", True),
        ("os.name:Linux OR customer:acme", "count()", True),
        ("customer:acme", "count_unique(plan)", False),
        ("customer:acme has:plan", "count()", False),
        ('customer:""', "count()", False),
        ("customer:ac*", "count()", False),
        ("transaction:/a", "count()", False),
    ],
)
def test_tags_are_asked_of_their_index_where_nothing_else_reads_them(
    search: str, select: str, asked: bool
) -> None:
    sql = compile(question(select, search=search, dataset=Dataset.TRANSACTIONS), CATALOG).sql
    assert ("mapValues(tags)" in sql) == asked
    assert ("tags[" in sql) != asked or "tags" not in sql
