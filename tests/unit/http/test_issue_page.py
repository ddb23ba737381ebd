"""What the page of an issue reads from its event."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from groundswell.http.web.issue import Frame, Problem, common, problems_of
from groundswell.http.web.issues import ago
from groundswell.stats.facets import Tag

NOW = datetime(2026, 3, 2, tzinfo=UTC)


def frame(function: str, **more: Any) -> dict[str, Any]:
    nothing: dict[str, Any] = {
        "filename": None,
        "module": None,
        "package": None,
        "lineNo": None,
        "context": [],
    }
    return {**nothing, "function": function, "inApp": False, **more}


def test_the_newest_call_of_the_outermost_exception_comes_first() -> None:
    first, second = frame("main"), frame("pay", filename="a.py", lineNo=2, inApp=True,
                                         context=[[1, "def pay():"], [2, "  raise"]])  # fmt: skip
    values = [
        {"type": "Cause", "value": "c", "stacktrace": None},
        {"type": "Error", "value": "e", "stacktrace": {"frames": [first, second]}},
    ]
    event = {"entries": [{"type": "exception", "data": {"values": values}}]}
    newest = Frame("a.py:2", "pay", True, ((1, "def pay():", False), (2, "  raise", True)))
    oldest = Frame("?", "main", False, ())
    assert problems_of(event) == [
        Problem("Error", "e", (newest, oldest)),
        Problem("Cause", "c", ()),
    ]


def test_a_tag_leads_to_the_events_that_have_its_value() -> None:
    tag = Tag("release", 4, 2, (("a b", "a b", 3), ("", "", 1)))
    (text, share, address), (none, _, absent) = common(tag, 7, "/organizations/acme/").values
    assert (text, share, none) == ("a b", 75, "(none)")
    assert "issue.id%3A7+release%3A%22a+b%22" in address
    assert "%21has%3Arelease" in absent


@pytest.mark.parametrize(
    ("past", "text"),
    [
        (timedelta(seconds=-5), "just now"),
        (timedelta(seconds=59), "just now"),
        (timedelta(minutes=59), "59 min ago"),
        (timedelta(hours=23), "23 h ago"),
        (timedelta(days=40), "40 d ago"),
    ],
)
def test_ago(past: timedelta, text: str) -> None:
    assert ago(NOW - past, NOW) == text
