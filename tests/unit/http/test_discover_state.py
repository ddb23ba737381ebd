"""The address of a Discover page and what it shows: one and the same, both ways."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs

import pytest

from groundswell.http.web.cells import cells_of, columns_of, term
from groundswell.http.web.overview import paths
from groundswell.http.web.state import DEFAULT_FIELDS, State, project_choices
from groundswell.model.series import TableAnswer
from groundswell.slack.links import Kind, Link
from groundswell.slack.requests import from_link
from tests.scopes import scope_of

NOW = datetime(2026, 3, 2, tzinfo=UTC)
SCOPE = scope_of({1: "web", 2: "api"})


def state(query=""):
    params = {name: tuple(values) for name, values in parse_qs(query, True).items()}
    link = Link("", Kind.DISCOVER, "acme", "results", params=params)
    asked = from_link(link, None, now=NOW, retention=timedelta(days=90))
    return State(params, asked, project_choices(params, SCOPE))


def test_empty_address_shows_the_defaults():
    shown = state()
    assert (shown.query, list(shown.axes), shown.display) == ("", ["count()"], "default")
    assert shown.fields == DEFAULT_FIELDS
    assert shown.sort == ("-timestamp",)
    assert shown.period == "90d"


@pytest.mark.parametrize(
    ("query", "sort"),
    [
        ("field=title&field=count()&field=p95()", ("-count()",)),
        ("field=title&field=count()&sort=title", ("title",)),
        ("field=title&field=count()&sort=-gone", ("-count()",)),
        ("field=title&field=p95(a.b)&sort=p95_a_b&sort=-title", ("p95(a.b)", "-title")),
        ("field=title", ()),
        ("display=top5", ("-count()",)),
    ],
)
def test_order_of_the_table(query, sort):
    assert state(query).sort == sort


def test_change_keeps_everything_else():
    shown = state("query=a%20b&project=1&project=2&statsPeriod=14d&cursor=0:25:0")
    changed = parse_qs(shown.address(cursor=None, sort="-title"))
    assert changed == {
        "query": ["a b"],
        "project": ["1", "2"],
        "statsPeriod": ["14d"],
        "sort": ["-title"],
    }


def test_table_asks_about_the_rows_of_the_chart():
    shown = state("query=level:error&project=2&environment=prod&statsPeriod=24h&dataset=errors")
    asked = shown.table_params()
    for name in ("query", "project", "environment", "statsPeriod", "dataset"):
        assert asked[name] == list(shown.asked.params[name])


def test_chosen_projects_by_id_and_slug():
    assert state("project=1").project_names == ("web",)
    assert state("projectSlug=api").project_names == ("api",)
    assert state("project=-1").project_names == ()


def test_absolute_time_is_shown_as_such():
    shown = state("start=2026-03-01T00:00:00&end=2026-03-02T00:00:00Z")
    assert (shown.period, shown.time_label) == ("", "2026-03-01 00:00 – 2026-03-02 00:00")


def answer(*rows):
    columns = {
        "title": ("string", None),
        "count()": ("integer", None),
        "p95()": ("duration", "millisecond"),
        "timestamp": ("date", None),
    }
    return TableAnswer(rows=rows, columns=columns, dataset="discover")


def test_cells_are_words_and_a_click_narrows_the_search():
    shown = state(
        "query=level:error&field=title&field=count()&field=p95()&field=timestamp&cursor=x"
    )
    row = {"title": 'a "b" *', "count()": 12345, "p95()": 1500.0,
           "timestamp": "2026-03-01T10:11:12+00:00"}  # fmt: skip
    cells = cells_of(shown, answer(row), row)
    assert [cell.text for cell in cells] == ['a "b" *', "12,345", "1.5 s", "2026-03-01 10:11:12"]
    assert [cell.is_number for cell in cells] == [False, True, True, False]
    assert parse_qs(cells[0].address[1:])["query"] == [r'level:error title:"a \"b\" \*"']
    assert "cursor" not in cells[0].address


@pytest.mark.parametrize(
    ("value", "wanted"),
    [
        (None, "!has:release"),
        ("", "!has:release"),
        ("app@1.2", "release:app@1.2"),
        ("a b", 'release:"a b"'),
        ("a(b", 'release:"a(b"'),
        ("back\\slash", r'release:"back\slash"'),
        ("back\\", r'release:"back\\*"'),
    ],
)
def test_term(value, wanted):
    assert term("release", value) == wanted


def test_head_of_the_sorted_column_turns_the_order_round():
    shown = state("field=title&field=count()")
    title, count = columns_of(shown, answer())
    assert (title.sorted, count.sorted) == ("", "descending")
    assert "sort=count%28%29" in count.address
    assert "sort=-title" in title.address


def test_missing_values_are_told_apart():
    shown = state("field=title")
    (cell,) = cells_of(shown, answer(), {"title": None})
    assert (cell.text, cell.is_none) == ("(none)", True)


def test_course_of_a_project():
    assert paths([0, 2, 4]) == ("M0.0 42.0L120.0 22.0L240.0 2.0",
                                "M0.0 42.0L120.0 22.0L240.0 2.0L240 44L0 44Z")  # fmt: skip
    assert paths([0, 0]) == ("M0 44L240 44", "")
    assert paths([]) == ("M0 44L240 44", "")
