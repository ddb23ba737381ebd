"""Every rule of every parameter: what is understood, and what is refused in which words."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from groundswell.errors import NotAllowed, UserError
from groundswell.query.question import Dataset
from groundswell.stats.parameters import Page
from groundswell.stats.request import (
    SeriesRequest,
    TableRequest,
    TopEvents,
    parse_series,
    parse_table,
    parse_timeseries,
)
from tests.scopes import scope_of

NOW = datetime(2026, 3, 2, 10, 11, 12, tzinfo=UTC)
RETENTION = timedelta(days=90)
SCOPE = scope_of({1: "web", 2: "api", 3: "secret"}, member_of={1, 2})
Params = dict[str, list[str]]


def series(**params: list[str]) -> SeriesRequest:
    return parse_series({"statsPeriod": ["1d"], **params}, SCOPE, NOW, RETENTION)


def table(**params: list[str]) -> TableRequest:
    return parse_table({"statsPeriod": ["1d"], **params}, SCOPE, NOW, RETENTION)


def slugs(request: SeriesRequest | TableRequest) -> tuple[str, ...]:
    return tuple(project.slug for project in request.asking.projects)


@pytest.mark.parametrize(
    ("params", "expected"),
    [
        ({}, ("web", "api")),
        ({"project": ["1"]}, ("web",)),
        ({"project": ["2", "1", "2"]}, ("api", "web")),
        ({"project": ["3"]}, ("secret",)),
        ({"project": ["-1"]}, ("web", "api", "secret")),
        ({"project": [""]}, ("web", "api")),
        ({"projectSlug": ["api"]}, ("api",)),
        ({"projectSlug": ["api"], "project": ["99"]}, ("api",)),
        ({"projectSlug": ["$all"]}, ("web", "api", "secret")),
    ],
)
def test_projects(params: Params, expected: tuple[str, ...]) -> None:
    assert slugs(series(**params)) == expected
    assert slugs(table(field=["title"], **params)) == expected


@pytest.mark.parametrize("params", [{"project": ["1", "99"]}, {"projectSlug": ["web", "nope"]}])
def test_unknown_project_is_forbidden(params: Params) -> None:
    with pytest.raises(NotAllowed):
        series(**params)


def test_without_projects_nothing_else_is_judged() -> None:
    nobody = scope_of({1: "web"}, member_of=set())

    assert not parse_series({"topEvents": ["x"]}, nobody, NOW, RETENTION).asking.projects
    assert not parse_table({}, nobody, NOW, RETENTION).asking.projects
    assert not parse_timeseries({"dataset": ["x"]}, nobody, NOW, RETENTION).asking.projects


REFUSED: list[tuple[Params, tuple[str, ...]]] = [
    ({"project": ["web"]}, ("project", "numeric")),
    ({"topEvents": ["x"], "field": ["title"]}, ("topEvents", "10")),
    ({"topEvents": ["0"], "field": ["title"]}, ("topEvents", "10")),
    ({"topEvents": ["-1"], "field": ["title"]}, ("topEvents", "10")),
    ({"topEvents": ["11"], "field": ["title"]}, ("topEvents", "10")),
    ({"topEvents": ["1.5"], "field": ["title"]}, ("topEvents", "10")),
    ({"topEvents": [""], "field": ["title"]}, ("topEvents", "10")),
    ({"topEvents": ["5"]}, ("field", "columns")),
    ({"comparisonDelta": ["x"]}, ("comparisonDelta",)),
    ({"comparisonDelta": ["0"]}, ("comparisonDelta",)),
    ({"comparisonDelta": ["3600"], "yAxis": ["count()", "p95()"]}, ("comparisonDelta", "one")),
    ({"comparisonDelta": [str(90 * 86_400)]}, ("comparisonDelta", "retention")),
    ({"dataset": ["nope"]}, ("dataset", "nope", "discover", "spansMetrics", "profileFunctions")),
    ({"field": [f"f{n}" for n in range(21)]}, ("20", "field")),
    (
        {"useOnDemandMetrics": ["true"], "onDemandType": ["odd"]},
        ("onDemandType", "simple_query", "dynamic_query"),
    ),
    ({"statsPeriod": ["soon"]}, ("statsPeriod", "soon")),
]


@pytest.mark.parametrize(("params", "words"), REFUSED)
def test_refused_series(params: Params, words: tuple[str, ...]) -> None:
    with pytest.raises(UserError) as refused:
        series(**params)

    assert refused.value.status == 400
    assert all(word in refused.value.message for word in words), refused.value.message


@pytest.mark.parametrize(
    ("params", "words"),
    [
        ({}, ("field", "column")),
        ({"field": ["title"], "per_page": ["0"]}, ("per_page", "100")),
        ({"field": ["title"], "per_page": ["101"]}, ("per_page", "100")),
        ({"field": ["title"], "per_page": ["many"]}, ("per_page", "100")),
        ({"field": ["title"], "cursor": ["a:b"]}, ("cursor",)),
        ({"field": ["title"], "cursor": ["0:-1:0"]}, ("cursor",)),
        ({"field": [f"f{n}" for n in range(21)]}, ("20", "field")),
        ({"field": ["title"], "dataset": ["nope"]}, ("dataset", "errors")),
    ],
)
def test_refused_table(params: Params, words: tuple[str, ...]) -> None:
    with pytest.raises(UserError) as refused:
        table(**params)

    assert all(word in refused.value.message for word in words), refused.value.message


@pytest.mark.parametrize(
    ("params", "words"),
    [
        ({"groupBy": ["timestamp"]}, ("groupBy", "timestamp")),
        ({"groupBy": ["title"], "sort": ["-timestamp"]}, ("sort", "timestamp")),
        ({"topEvents": ["5"]}, ("groupBy",)),
        ({"topEvents": ["5"], "groupBy": ["title"], "dataset": ["profiles"]}, ("topEvents",)),
    ],
)
def test_refused_timeseries(params: Params, words: tuple[str, ...]) -> None:
    with pytest.raises(UserError) as refused:
        parse_timeseries({"statsPeriod": ["1d"], **params}, SCOPE, NOW, RETENTION)

    assert all(word in refused.value.message for word in words), refused.value.message


def test_plain_defaults() -> None:
    request = series()

    assert request.axes == request.functions == ("count()",)
    assert request.top is None
    assert request.asking.dataset is Dataset.DISCOVER
    assert request.asking.label == "discover"
    assert (request.partial, request.zerofill, request.names_as_typed) == (False, True, False)
    assert request.interval_s == 300, "a day is a day, however it is rounded"


def test_everything_that_can_be_said() -> None:
    request = series(
        yAxis=["user_count", "event_count", "p95()", "p95()"],
        topEvents=["3"],
        field=["title", "count()"],
        sort=["-count()"],
        orderby=["title"],
        excludeOther=["1"],
        partial=["1"],
        withoutZerofill=["1"],
        transformAliasToInputFormat=["1"],
        interval=["30m"],
        environment=["prod", ""],
        query=["level:error"],
        dataset=["errors"],
        comparisonDelta=["3600"],
    )

    assert request.axes == ("user_count", "event_count", "p95()")
    assert request.functions == ("count_unique(user)", "count()", "p95()")
    assert request.top == TopEvents(3, ("title", "count()"), ("-count()",), with_other=False)
    assert (request.partial, request.zerofill, request.names_as_typed) == (True, False, True)
    assert request.interval_s == 1800
    assert request.asking.environments == ("prod", "")
    assert request.asking.search == "level:error"
    assert request.asking.dataset is Dataset.ERRORS
    assert request.comparison_s is None, "top events are never compared"


def test_orderby_counts_where_there_is_no_sort() -> None:
    assert table(field=["title"], orderby=["-title"]).sort == ("-title",)
    assert table(field=["title"], orderby=["-title"], sort=["title"]).sort == ("title",)


@pytest.mark.parametrize(
    ("params", "page"),
    [
        ({}, Page(100, 0)),
        ({"per_page": ["10"]}, Page(10, 0)),
        ({"per_page": ["10"], "cursor": ["0:20:0"]}, Page(10, 20)),
        ({"cursor": ["0:20:1"]}, Page(100, 20)),
        ({"cursor": [""]}, Page(100, 0)),
    ],
)
def test_page(params: Params, page: Page) -> None:
    assert table(field=["title"], **params).page == page


@pytest.mark.parametrize(
    ("name", "dataset", "search"),
    [
        ("discover", Dataset.DISCOVER, "a:b"),
        ("errors", Dataset.ERRORS, "a:b"),
        ("transactions", Dataset.TRANSACTIONS, "a:b"),
        ("spans", Dataset.SPANS, "a:b"),
        ("spansIndexed", Dataset.SPANS, "a:b"),
        ("spansMetrics", Dataset.SPANS, "a:b"),
        ("profileFunctions", Dataset.FUNCTIONS, "a:b"),
        ("metrics", Dataset.TRANSACTIONS, "a:b"),
        ("metricsEnhanced", Dataset.TRANSACTIONS, "a:b"),
        ("metricsEnhanced", Dataset.DISCOVER, "event.type:error"),
        ("metricsEnhanced", Dataset.DISCOVER, "error.type:KeyError"),
        ("metricsEnhanced", Dataset.TRANSACTIONS, "event.type:transaction"),
        ("profiles", Dataset.TRANSACTIONS, "a:b"),
    ],
)
def test_dataset(name: str, dataset: Dataset, search: str) -> None:
    asking = series(dataset=[name], query=[search]).asking

    assert asking.dataset is dataset
    assert asking.label == name
    assert search in asking.search


def test_top_events_where_the_dataset_has_none_are_of_all_events() -> None:
    asking = series(dataset=["profiles"], topEvents=["5"], field=["title"]).asking

    assert asking.dataset is Dataset.DISCOVER
    assert asking.label == "profiles"
