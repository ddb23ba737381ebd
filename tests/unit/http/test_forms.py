"""What Discover shows → the widget and the saved question that show the same."""

from __future__ import annotations

import pytest

from groundswell.http.web.forms import saved_of, widget_of

ASKED = {
    "yAxis": ["p95(transaction.duration)"],
    "field": ["transaction", "count()"],
    "query": ["transaction:/a*"],
    "display": ["top5"],
    "dataset": ["transactions"],
    "statsPeriod": ["24h"],
    "project": ["2"],
}


def test_groups_become_the_columns_of_a_top_widget():
    widget = widget_of(ASKED, "Slow")
    (query,) = widget.queries
    assert (widget.title, widget.display_type, widget.limit) == ("Slow", "top_n", 5)
    assert widget.widget_type == "transaction-like"
    assert (query.columns, query.aggregates) == (["transaction"], ["p95(transaction.duration)"])
    assert (query.conditions, query.orderby) == ("transaction:/a*", "-p95(transaction.duration)")


@pytest.mark.parametrize(
    ("display", "drawn"), [("", "area"), ("default", "area"), ("line", "line"), ("daily", "bar")]
)
def test_total_has_no_columns(display, drawn):
    widget = widget_of({"yAxis": ["count()"], "field": ["title"], "display": [display]}, "All")
    assert widget.display_type == drawn
    assert (widget.queries[0].columns, widget.limit) == ([], None)


def test_saved_question_holds_what_was_shown_and_nothing_empty():
    assert saved_of({**ASKED, "sort": [""]}) == {
        "version": 2,
        "fields": ["transaction", "count()"],
        "yAxis": ["p95(transaction.duration)"],
        "query": "transaction:/a*",
        "display": "top5",
        "range": "24h",
        "projects": [2],
        "environment": [],
        "queryDataset": "transaction-like",
    }
