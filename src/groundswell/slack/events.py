"""What an event is to us: whether there is anything to do, and for whom it was meant."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from groundswell.slack.commands import needs_ids
from groundswell.slack.inbound import text_of
from groundswell.slack.outbound import SlackError
from groundswell.slack.workspaces import GONE


def concerns_us(event: Mapping[str, Any]) -> bool:
    """Say whether the bot's own token is gone: Slack tells of tokens of persons too."""
    tokens = event.get("tokens")
    return not isinstance(tokens, dict) or bool(tokens.get("bot")) or not tokens.get("oauth")


def is_of_note(payload: Mapping[str, Any]) -> bool:
    """Say whether something is worth knowing however late: that the app is gone."""
    event = payload.get("event")
    return isinstance(event, dict) and event.get("type") in GONE


def passes(failure: BaseException | None) -> bool:
    """Say whether work that failed may succeed when it is done again."""
    return isinstance(failure, SlackError) and failure.retryable


def matters(event: Mapping[str, Any]) -> bool:
    """Say whether there is anything to do: most of what a workspace talks about is not for us."""
    kind = event["type"]
    if kind == "message":
        return is_direct(event)

    return kind == "link_shared" or kind in GONE


def is_direct(event: Mapping[str, Any]) -> bool:
    """Say whether a message was written to the app alone."""
    kind = event.get("channel_type")
    if kind is None:
        return text_of(event, "channel").startswith("D")

    return isinstance(kind, str) and kind == "im"


def lacks_ids(event: Mapping[str, Any]) -> bool:
    """Say whether a direct `link` or `unlink` does not tell who asks, and where."""
    if event["type"] != "message" or event.get("bot_id") or not is_direct(event):
        return False

    complete = bool(text_of(event, "user") and text_of(event, "channel"))
    return needs_ids(text_of(event, "text")) and not complete
