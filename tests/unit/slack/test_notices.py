"""Notices that are no incidents, as messages."""

from __future__ import annotations

from groundswell.slack.notices import plain_message


def test_a_notice_leads_to_its_page_and_says_nothing_to_slack_itself() -> None:
    body = {"title": "p95() of <!here>", "text": "since & <now>", "url": "https://g.example/t/?a=1"}

    message = plain_message("trend", body)

    (block,) = message["blocks"]
    assert block["text"]["text"] == (
        "<https://g.example/t/?a=1|p95() of &lt;!here&gt;>\nsince &amp; &lt;now&gt;"
    )
    assert message["text"] == "p95() of &lt;!here&gt;"


def test_a_notice_without_words_is_told_by_its_kind() -> None:
    assert plain_message("digest", {})["text"] == "digest"
