"""Messages: always within Slack's limits, always escaped, in the words that were promised."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from groundswell.slack.messages.blocks import bold, code, cut, link
from groundswell.slack.messages.help import Command, help_message
from groundswell.slack.messages.incidents import (
    Incident,
    address,
    incident_message,
    text,
    window_words,
)
from groundswell.slack.messages.unfurls import Told, chart_unfurl, not_unfurled
from groundswell.slack.simulator.block_kit import problems

LONG = st.text(max_size=60) | st.text(min_size=1, max_size=4).map(lambda s: s * 2000)
AT = datetime(2026, 3, 2, 10, 0, tzinfo=UTC)


def incident(**changes: object) -> Incident:
    base = {
        "org": "acme",
        "rule_id": 7,
        "rule_name": "Too many errors",
        "number": 12,
        "status": "Critical",
        "aggregate": "count()",
        "window_min": 60,
        "value": 1234.0,
    }
    return Incident(**{**base, **changes})  # type: ignore[arg-type]


@given(title=LONG, words=LONG, top=st.lists(st.tuples(LONG, LONG), max_size=14), query=LONG)
@settings(max_examples=60, deadline=None)
def test_any_unfurl_is_within_the_limits(
    title: str, words: str, top: list[tuple[str, str]], query: str
) -> None:
    told = Told("https://x.org/?a=1&b=2", title, words, "▁█", tuple(top), query, (words,), title)
    for source in (None, {"slack_file": {"id": "F123456789"}}):
        assert problems(chart_unfurl(told, source)["blocks"]) == []
    assert problems(not_unfurled({title: words})[1]) == []


@given(name=LONG, notes=LONG, status=st.sampled_from(["Critical", "Warning", "Resolved", "Open"]))
@settings(max_examples=60, deadline=None)
def test_any_incident_is_within_the_limits(name: str, notes: str, status: str) -> None:
    told = incident(rule_name=name, notes=notes, status=status)
    message = incident_message(told, "https://x.org", {"image_url": "https://x.org/c/1.png"})
    assert problems(message["attachments"][0]["blocks"]) == []
    assert len(message["text"]) < 4000


@given(unknown=LONG)
@settings(max_examples=30, deadline=None)
def test_any_help_is_within_the_limits(unknown: str) -> None:
    row = Command("link", "about", in_channel=False)
    other = Command("link team", "about", in_channel=True)
    _, blocks = help_message((row, other), docs_url="https://x.org", unknown=unknown)
    assert problems(blocks) == []


@pytest.mark.parametrize(
    ("made", "expected"),
    [
        (code("a`b <x> & y"), "`a'b &lt;x&gt; &amp; y`"),
        (bold("*x*"), "*∗x∗*"),
        (
            link("https://x.org/?a=1&b=<2|3>", "<t|u>"),
            "<https://x.org/?a=1&amp;b=%3C2%7C3%3E|&lt;t¦u&gt;>",
        ),
        (cut("abcdef", 4), "abc…"),
        (cut("ab&amp;cd", 6), "ab…"),
        (cut("see <https://x.org|link>", 12), "see …"),
    ],
)
def test_user_text_means_nothing_to_slack(made: str, expected: str) -> None:
    assert made == expected


WORDS: list[tuple[dict[str, object], str]] = [
    ({}, "1,234 events in the last hour"),
    ({"window_min": 90}, "1,234 events in the last 90 minutes"),
    (
        {"aggregate": "count_unique(user)", "window_min": 1440},
        "1,234 users affected in the last day",
    ),
    ({"aggregate": "failure_rate()", "value": 2.5}, "2.5% failure rate in the last hour"),
    (
        {"aggregate": "p95(transaction.duration)"},
        "1,234 p95(transaction.duration) in the last hour",
    ),
    (
        {"aggregate": "percentage(sessions_crashed, sessions) AS _crash", "value": 98.7},
        "98.7% crash free rate in the last hour",
    ),
    (
        {"aggregate": "percentage(users_crashed, users) AS _crash", "value": None},
        "No crash free rate in the last hour",
    ),
    (
        {"value": 135.0, "comparison_delta_min": 60},
        "Events 35% higher in the last hour compared to the same time one hour ago",
    ),
    (
        {"value": 60.0, "comparison_delta_min": 1440, "window_min": 30},
        "Events 40% lower in the last 30 minutes compared to the same time one day ago",
    ),
    (
        {"value": 135.0, "comparison_delta_min": 77},
        "Events 35% higher in the last hour compared to the same time 77 minutes ago",
    ),
]


@pytest.mark.parametrize(("changes", "expected"), WORDS)
def test_what_an_incident_says(changes: dict[str, object], expected: str) -> None:
    assert text(incident(**changes)) == expected


@pytest.mark.parametrize(
    ("minutes", "words"),
    [(1, "minute"), (5, "5 minutes"), (90, "90 minutes"), (120, "2 hours"), (10_080, "week")],
)
def test_windows_are_told_in_full(minutes: int, words: str) -> None:
    assert window_words(minutes) == words


def test_the_envelope_of_an_incident() -> None:
    told = incident(
        rule_name="a <b> & c", started_at=AT, notes="look *here*", notification_uuid="u-1"
    )
    message = incident_message(told, "https://x.org", {"image_url": "https://x.org/c/1.png"})
    assert address(told, "https://x.org") == (
        "https://x.org/organizations/acme/alerts/rules/details/7/"
        "?alert=12&referrer=metric_alert_slack&notification_uuid=u-1"
    )
    assert message["text"].endswith("|*Critical: a &lt;b&gt; &amp; c*>")
    assert (message["unfurl_links"], message["unfurl_media"]) == (False, False)
    (attachment,) = message["attachments"]
    assert attachment["color"] == "#FA4747"
    first, notes, chart, buttons = attachment["blocks"]
    assert (
        f"<!date^{int(AT.timestamp())}^Started: {{date_pretty}} at {{time}}|"
        in first["text"]["text"]
    )
    assert notes["text"]["text"] == "*Notes*: look *here*"
    assert chart["alt_text"] == "Metric Alert Chart"
    assert [b["action_id"].partition("::")[0] for b in buttons["elements"]] == [
        "incident.acknowledge",
        *["incident.mute"] * 3,
        "incident.open",
    ]
    resolved = incident_message(incident(status="Resolved", notes="n"), "https://x.org")
    (attachment,) = resolved["attachments"]
    assert attachment["color"] == "#4DC771"
    assert [b["type"] for b in attachment["blocks"]] == ["section", "actions"]
    assert (
        "color" not in incident_message(incident(status="Open"), "https://x.org")["attachments"][0]
    )
